//! The rows of the table, each with its setup, its measurement and its comparison.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::process::{Binary, ProcessMetrics, measure};
use crate::server::{Recorder, Server};
use crate::table::{Row, megabytes, milliseconds, thousands};
use crate::{Fallible, bare, suite};

/// The names of all rows, in table order.
pub(crate) const NAMES: [&str; 9] =
    ["schedule", "jitter", "throughput", "memory", "large", "cached", "start", "version", "size"];

/// Calls in flight against an endpoint with latency.
const SCHEDULED: u32 = 32;
/// Calls in flight against an endpoint without latency.
const UNDELAYED: u32 = 64;

/// Exit codes of a decided run: pass, fail, inconclusive.
const DECIDED: [i32; 3] = [0, 10, 11];

/// The setup that all rows share.
pub(crate) struct Bench {
    binary: Binary,
    times: usize,
    folder: tempfile::TempDir,
    /// Whether the binary has `--cached-only`.
    has_cached_only: bool,
}

impl Bench {
    /// A benchmark of `binary` that repeats short work `times` times.
    pub(crate) fn new(binary: Binary, times: usize) -> Fallible<Self> {
        let has_cached_only = binary.has_flag("--cached-only")?;
        Ok(Self { binary, times, folder: tempfile::tempdir()?, has_cached_only })
    }

    /// Measures the rows with this name.
    pub(crate) fn measure(&self, name: &str) -> Fallible<Vec<Row>> {
        match name {
            "schedule" => self.schedule("each 100 ms", &["--latency", "100ms"]),
            "jitter" => self.schedule("each 50 to 150 ms", &["--latency", "50ms", "--jitter", "100ms"]),
            "throughput" => self.throughput(),
            "memory" => Ok(vec![self.memory(500, "at most 40 MB")?, self.memory(5_000, "")?]),
            "large" => Ok(vec![self.memory(100_000, "at most 300 MB")?]),
            "cached" => Ok(vec![self.cached(10_000)?]),
            "start" => Ok(vec![self.start()?]),
            "version" => Ok(vec![self.version()?]),
            _ => Ok(vec![self.size()?]),
        }
    }

    /// Writes a suite into a fresh folder without a cache.
    fn suite(&self, cases: u64, in_flight: u32) -> Fallible<PathBuf> {
        let folder = self.folder.path().join(format!("{cases}-{in_flight}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        suite::write(&folder, cases, in_flight)?;
        Ok(folder)
    }

    /// Runs a fresh suite, which must be decided.
    fn run(&self, cases: u64, in_flight: u32, base_url: &str, flags: &[&str]) -> Fallible<ProcessMetrics> {
        let folder = self.suite(cases, in_flight)?;
        decided(measure(self.binary.run(&folder, base_url, flags))?)
    }

    /// 3,000 calls of 100 ms, next to the ideal schedule.
    fn schedule(&self, each: &str, flags: &[&str]) -> Fallible<Vec<Row>> {
        let (cases, mean) = (500, 0.1);
        let calls = suite::calls(cases);
        let server = Server::start(&self.binary, flags)?;
        let run = self.run(cases, SCHEDULED, &server.base_url, &[])?;
        let served = server.stop()?;
        let ideal = calls as f64 * mean / f64::from(SCHEDULED);
        Ok(vec![Row {
            work: format!("{} calls, {each}, {SCHEDULED} in flight", thousands(served as f64)),
            measured: format!("{:.2} s", run.wall.as_secs_f64()),
            comparison: format!("{ideal:.2} s without waiting"),
            ratio: format!("{:.3} x{}", run.wall.as_secs_f64() / ideal, unexpected(served, calls)),
            target: "at most 1.05 x",
        }])
    }

    /// Calls per second against an endpoint without latency, next to a bare loop over the same requests.
    fn throughput(&self) -> Fallible<Vec<Row>> {
        let mut rows = Vec::new();
        for cases in [500, 5_000] {
            rows.extend(self.calls_per_second(cases)?);
        }
        Ok(rows)
    }

    fn calls_per_second(&self, cases: u64) -> Fallible<[Row; 2]> {
        let calls = suite::calls(cases);
        let server = Server::start(&self.binary, &[])?;
        // Warms up the server, which is slower on new requests, and records the requests.
        let recorder = Recorder::in_front_of(&server)?;
        self.run(cases, UNDELAYED, &recorder.base_url, &[])?;
        let bodies = recorder.bodies();
        let bytes = bodies.iter().map(Vec::len).sum::<usize>() / bodies.len().max(1);
        let (mut runs, mut loops, mut server_times) = (Vec::new(), Vec::new(), Vec::new());
        // Alternating, so that other load affects both.
        for _ in 0..self.times {
            let before = server.processor();
            runs.push(self.run(cases, UNDELAYED, &server.base_url, &[])?);
            server_times.push(server.processor() - before);
            loops.push(bare::run(&server.base_url, &bodies, calls as usize, UNDELAYED)?);
        }
        let served = server.stop()?;
        let expected = calls * (1 + 2 * self.times as u64);
        let rate = |wall: Duration| calls as f64 / wall.as_secs_f64();
        let per_call = |seconds: f64| seconds * 1e6 / calls as f64;
        let measured = median(runs.iter().map(|run| rate(run.wall)));
        let possible = median(loops.iter().map(|looped| rate(looped.wall)));
        let cost = per_call(median(runs.iter().map(|run| run.processor)));
        let bare_cost = per_call(median(loops.iter().map(|looped| looped.processor)));
        let memory = runs.iter().map(|run| run.memory).max().unwrap_or_default();
        let work = format!("{} calls without latency, {UNDELAYED} in flight", thousands(calls as f64));
        Ok([
            Row {
                work: work.clone(),
                measured: format!("{} calls/s, {}", thousands(measured), megabytes(memory)),
                comparison: format!("{} calls/s with bare reqwest, bodies of {bytes} B", thousands(possible)),
                ratio: format!("{:.2}{}", measured / possible, unexpected(served, expected)),
                target: "10,000 to 20,000",
            },
            Row {
                work: format!("{work}: processor time"),
                measured: format!("{cost:.0} µs per call"),
                comparison: format!(
                    "{bare_cost:.0} µs with bare reqwest; the server takes {:.0} µs",
                    per_call(median(server_times.into_iter()))
                ),
                ratio: format!("{:.2} x", cost / bare_cost),
                target: "",
            },
        ])
    }

    /// Peak memory of a run.
    fn memory(&self, cases: u64, target: &'static str) -> Fallible<Row> {
        let server = Server::start(&self.binary, &[])?;
        let run = self.run(cases, UNDELAYED, &server.base_url, &[])?;
        let served = server.stop()?;
        Ok(Row {
            work: format!(
                "{} cases, {} calls: peak memory",
                thousands(cases as f64),
                thousands(served as f64)
            ),
            measured: format!("{} in {:.1} s", megabytes(run.memory), run.wall.as_secs_f64()),
            comparison: String::new(),
            ratio: format!(
                "{:.0} B per call{}",
                run.memory as f64 / served as f64,
                unexpected(served, suite::calls(cases))
            ),
            target,
        })
    }

    /// A second run of the same suite from the cache, after its endpoint is gone.
    fn cached(&self, cases: u64) -> Fallible<Row> {
        let work = format!("everything cached, {} cases", thousands(cases as f64));
        let target = "at most 2 s, no request";
        if !self.has_cached_only {
            return Ok(Row { work, measured: "not available".to_owned(), target, ..Row::default() });
        }
        let server = Server::start(&self.binary, &[])?;
        let folder = self.suite(cases, UNDELAYED)?;
        let base_url = server.base_url.clone();
        let first = decided(measure(self.binary.run(&folder, &base_url, &[]))?)?;
        server.stop()?;
        let mut walls = Vec::new();
        let mut memory = 0;
        for _ in 0..self.times.min(3) {
            let run = decided(measure(self.binary.run(&folder, &base_url, &["--cached-only"]))?)?;
            walls.push(run.wall.as_secs_f64());
            memory = run.memory.max(memory);
        }
        let wall = median(walls.into_iter());
        Ok(Row {
            work,
            measured: format!("{wall:.2} s, {}", megabytes(memory)),
            comparison: format!("{:.2} s without the cache", first.wall.as_secs_f64()),
            ratio: format!("{:.3} x", wall / first.wall.as_secs_f64()),
            target,
        })
    }

    /// The time from the start of the process to the first bytes of its first request.
    fn start(&self) -> Fallible<Row> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let base_url = format!("http://{}/v1", listener.local_addr()?);
        let mut times = Vec::new();
        for _ in 0..self.times * 3 {
            let folder = self.suite(500, SCHEDULED)?;
            let mut command = self.binary.run(&folder, &base_url, &[]);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let started = Instant::now();
            let mut child = command.spawn()?;
            let (mut stream, _) = listener.accept()?;
            let read = stream.read(&mut [0; 1])?;
            times.push(started.elapsed().as_secs_f64());
            child.kill()?;
            child.wait()?;
            if read == 0 {
                return Err("the run connected without sending a request".into());
            }
        }
        let time = Duration::from_secs_f64(median(times.into_iter()));
        Ok(Row {
            work: "start to first request, 500 cases".to_owned(),
            measured: milliseconds(time),
            target: "at most 50 ms",
            ..Row::default()
        })
    }

    fn version(&self) -> Fallible<Row> {
        let mut times = Vec::new();
        for _ in 0..self.times * 5 {
            let mut command = self.binary.command(&["--version"]);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let started = Instant::now();
            command.status()?;
            times.push(started.elapsed().as_secs_f64());
        }
        let nothing = median((0..self.times * 5).filter_map(|_| {
            let started = Instant::now();
            std::process::Command::new("true").status().ok()?;
            Some(started.elapsed().as_secs_f64())
        }));
        let time = median(times.into_iter());
        Ok(Row {
            work: "--version".to_owned(),
            measured: milliseconds(Duration::from_secs_f64(time)),
            comparison: format!("{} for `true`", milliseconds(Duration::from_secs_f64(nothing))),
            ratio: format!("{:.1} x", time / nothing),
            target: "at most 10 ms",
        })
    }

    fn size(&self) -> Fallible<Row> {
        Ok(Row {
            work: "the binary, stripped".to_owned(),
            measured: megabytes(self.binary.size()?),
            target: "at most 15 MB",
            ..Row::default()
        })
    }
}

/// An error unless the run was decided.
fn decided(metrics: ProcessMetrics) -> Fallible<ProcessMetrics> {
    if DECIDED.contains(&metrics.code) {
        Ok(metrics)
    } else {
        Err(format!("a run ended with exit code {}:\n{}", metrics.code, metrics.stderr).into())
    }
}

/// A note if the server received an unexpected number of requests.
fn unexpected(served: u64, expected: u64) -> String {
    if served == expected { String::new() } else { format!(", {served} requests instead of {expected}") }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
