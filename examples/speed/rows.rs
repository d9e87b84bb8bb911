//! The rows: each sets up what it needs, measures, and says what it stands beside.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::process::{Binary, Taken, watch};
use crate::server::{Recorder, Server};
use crate::table::{Row, megabytes, milliseconds, thousands};
use crate::{Fallible, bare, suite};

/// All rows, in the order of the table.
pub(crate) const NAMES: [&str; 9] =
    ["schedule", "jitter", "throughput", "memory", "large", "cached", "start", "version", "size"];

/// Calls in flight of the two kinds of run.
const SCHEDULED: u32 = 32;
const UNHINDERED: u32 = 64;

/// Exit codes of a run that came to a decision: pass, fail, inconclusive.
const DECIDED: [i32; 3] = [0, 10, 11];

/// What all rows share.
pub(crate) struct Bench {
    binary: Binary,
    times: usize,
    folder: tempfile::TempDir,
    /// The flag for a run from the cache alone is there.
    caches: bool,
}

impl Bench {
    /// Measures this binary, short work so many times.
    pub(crate) fn new(binary: Binary, times: usize) -> Fallible<Self> {
        let caches = binary.knows("--cached-only")?;
        Ok(Self { binary, times, folder: tempfile::tempdir()?, caches })
    }

    /// Measures the rows of a name.
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

    /// A fresh folder with a suite in it: nothing is cached there.
    fn suite(&self, cases: u64, in_flight: u32) -> Fallible<PathBuf> {
        let folder = self.folder.path().join(format!("{cases}-{in_flight}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        suite::write(&folder, cases, in_flight)?;
        Ok(folder)
    }

    /// One run of a fresh suite, which must come to a decision.
    fn run(&self, cases: u64, in_flight: u32, base_url: &str, flags: &[&str]) -> Fallible<Taken> {
        let folder = self.suite(cases, in_flight)?;
        decided(watch(self.binary.run(&folder, base_url, flags))?)
    }

    /// 3,000 calls of 100 ms: how much longer than they must take.
    fn schedule(&self, each: &str, flags: &[&str]) -> Fallible<Vec<Row>> {
        let (cases, mean) = (500, 0.1);
        let calls = suite::calls(cases);
        let server = Server::start(&self.binary, flags)?;
        let taken = self.run(cases, SCHEDULED, &server.base_url, &[])?;
        let served = server.stop()?;
        let ideal = calls as f64 * mean / f64::from(SCHEDULED);
        Ok(vec![Row {
            work: format!("{} calls, {each}, {SCHEDULED} in flight", thousands(served as f64)),
            measured: format!("{:.2} s", taken.wall.as_secs_f64()),
            beside: format!("{ideal:.2} s if none waits"),
            ratio: format!("{:.3} x{}", taken.wall.as_secs_f64() / ideal, unexpected(served, calls)),
            reach: "at most 1.05 x",
        }])
    }

    /// Calls a second against an endpoint that answers at once, beside a bare loop over the same requests.
    fn throughput(&self) -> Fallible<Vec<Row>> {
        let mut rows = Vec::new();
        for cases in [500, 5_000] {
            rows.extend(self.calls_a_second(cases)?);
        }
        Ok(rows)
    }

    fn calls_a_second(&self, cases: u64) -> Fallible<[Row; 2]> {
        let calls = suite::calls(cases);
        let server = Server::start(&self.binary, &[])?;
        // Warms the server, whose simulated model thinks longer than it serves, and notes the requests.
        let recorder = Recorder::before(&server)?;
        self.run(cases, UNHINDERED, &recorder.base_url, &[])?;
        let bodies = recorder.bodies();
        let bytes = bodies.iter().map(Vec::len).sum::<usize>() / bodies.len().max(1);
        let (mut runs, mut loops, mut served_by) = (Vec::new(), Vec::new(), Vec::new());
        // In turn, so that a busy moment of the machine meets both.
        for _ in 0..self.times {
            let before = server.processor();
            runs.push(self.run(cases, UNHINDERED, &server.base_url, &[])?);
            served_by.push(server.processor() - before);
            loops.push(bare::run(&server.base_url, &bodies, calls as usize, UNHINDERED)?);
        }
        let served = server.stop()?;
        let expected = calls * (1 + 2 * self.times as u64);
        let rate = |wall: Duration| calls as f64 / wall.as_secs_f64();
        let per_call = |seconds: f64| seconds * 1e6 / calls as f64;
        let reached = median(runs.iter().map(|taken| rate(taken.wall)));
        let possible = median(loops.iter().map(|looped| rate(looped.wall)));
        let cost = per_call(median(runs.iter().map(|taken| taken.processor)));
        let bare_cost = per_call(median(loops.iter().map(|looped| looped.processor)));
        let memory = runs.iter().map(|taken| taken.memory).max().unwrap_or_default();
        let work = format!("{} calls at once, {UNHINDERED} in flight", thousands(calls as f64));
        Ok([
            Row {
                work: work.clone(),
                measured: format!("{} calls/s, {}", thousands(reached), megabytes(memory)),
                beside: format!("{} calls/s by bare reqwest, bodies of {bytes} B", thousands(possible)),
                ratio: format!("{:.2}{}", reached / possible, unexpected(served, expected)),
                reach: "10,000 toward 20,000",
            },
            Row {
                work: format!("{work}: processor time"),
                measured: format!("{cost:.0} µs a call"),
                beside: format!(
                    "{bare_cost:.0} µs by bare reqwest; the server takes {:.0} µs",
                    per_call(median(served_by.into_iter()))
                ),
                ratio: format!("{:.2} x", cost / bare_cost),
                reach: "",
            },
        ])
    }

    /// The most memory that a run of a size holds.
    fn memory(&self, cases: u64, reach: &'static str) -> Fallible<Row> {
        let server = Server::start(&self.binary, &[])?;
        let taken = self.run(cases, UNHINDERED, &server.base_url, &[])?;
        let served = server.stop()?;
        Ok(Row {
            work: format!(
                "{} cases, {} calls: peak memory",
                thousands(cases as f64),
                thousands(served as f64)
            ),
            measured: format!("{} in {:.1} s", megabytes(taken.memory), taken.wall.as_secs_f64()),
            beside: String::new(),
            ratio: format!(
                "{:.0} B a call{}",
                taken.memory as f64 / served as f64,
                unexpected(served, suite::calls(cases))
            ),
            reach,
        })
    }

    /// A second run of the same suite, from the cache; the endpoint is gone by then.
    fn cached(&self, cases: u64) -> Fallible<Row> {
        let work = format!("everything cached, {} cases", thousands(cases as f64));
        let reach = "at most 2 s, no request";
        if !self.caches {
            return Ok(Row { work, measured: "not built".to_owned(), reach, ..Row::default() });
        }
        let server = Server::start(&self.binary, &[])?;
        let folder = self.suite(cases, UNHINDERED)?;
        let base_url = server.base_url.clone();
        let first = decided(watch(self.binary.run(&folder, &base_url, &[]))?)?;
        server.stop()?;
        let mut walls = Vec::new();
        let mut memory = 0;
        for _ in 0..self.times.min(3) {
            let taken = decided(watch(self.binary.run(&folder, &base_url, &["--cached-only"]))?)?;
            walls.push(taken.wall.as_secs_f64());
            memory = taken.memory.max(memory);
        }
        let wall = median(walls.into_iter());
        Ok(Row {
            work,
            measured: format!("{wall:.2} s, {}", megabytes(memory)),
            beside: format!("{:.2} s when asked for", first.wall.as_secs_f64()),
            ratio: format!("{:.3} x", wall / first.wall.as_secs_f64()),
            reach,
        })
    }

    /// From the start of the process to the first bytes of its first request.
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
                return Err("the run connected and sent nothing".into());
            }
        }
        let time = Duration::from_secs_f64(median(times.into_iter()));
        Ok(Row {
            work: "start to first request, 500 cases".to_owned(),
            measured: milliseconds(time),
            reach: "at most 50 ms",
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
            beside: format!("{} for `true`", milliseconds(Duration::from_secs_f64(nothing))),
            ratio: format!("{:.1} x", time / nothing),
            reach: "at most 10 ms",
        })
    }

    fn size(&self) -> Fallible<Row> {
        Ok(Row {
            work: "the binary, stripped".to_owned(),
            measured: megabytes(self.binary.size()?),
            reach: "at most 15 MB",
            ..Row::default()
        })
    }
}

/// A run that came to a decision; anything else measured nothing.
fn decided(taken: Taken) -> Fallible<Taken> {
    if DECIDED.contains(&taken.code) {
        Ok(taken)
    } else {
        Err(format!("a run ended with exit code {}:\n{}", taken.code, taken.stderr).into())
    }
}

/// A remark where the server saw another number of requests than the suite takes.
fn unexpected(served: u64, expected: u64) -> String {
    if served == expected { String::new() } else { format!(", {served} requests in place of {expected}") }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
