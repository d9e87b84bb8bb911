//! Runs the released binary and measures wall time, processor time and peak memory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Fallible;

/// Interval between samples of a process.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(2);

/// Kernel ticks per second, the unit of processor time in `/proc`.
const TICKS_PER_SECOND: f64 = 100.0;

/// Measurements of one process.
#[derive(Debug, Clone)]
pub(crate) struct ProcessMetrics {
    /// From start to exit.
    pub(crate) wall: Duration,
    /// Peak memory in bytes (`VmHWM`); 0 if the system does not report it.
    pub(crate) memory: u64,
    /// Processor time of all threads, in seconds, to a hundredth.
    pub(crate) processor: f64,
    pub(crate) code: i32,
    pub(crate) stderr: String,
}

/// The binary under measurement.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    path: PathBuf,
}

impl Binary {
    /// The released binary next to this program, or the one at `path`.
    pub(crate) fn find(path: Option<PathBuf>) -> Fallible<Self> {
        let path = match path {
            Some(path) => path.canonicalize()?,
            // target/release/examples/speed
            None => std::env::current_exe()?
                .ancestors()
                .nth(2)
                .ok_or("this program has no parent folder")?
                .join("promptgate"),
        };
        if path.is_file() {
            Ok(Self { path })
        } else {
            Err(format!("{} does not exist; `just bench` builds it", path.display()).into())
        }
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> Fallible<u64> {
        Ok(std::fs::metadata(&self.path)?.len())
    }

    /// A command with an empty environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).env_clear().stdin(Stdio::null());
        command
    }

    /// Whether `run` has a flag.
    pub(crate) fn has_flag(&self, flag: &str) -> Fallible<bool> {
        let help = self.command(&["run", "--help"]).output()?;
        Ok(String::from_utf8_lossy(&help.stdout).contains(flag))
    }

    /// `promptgate run` in a folder against an endpoint.
    pub(crate) fn run(&self, folder: &Path, base_url: &str, flags: &[&str]) -> Command {
        let mut command = self.command(&["run", "--quiet"]);
        command
            .args(flags)
            .current_dir(folder)
            .env("OPENAI_BASE_URL", base_url)
            .env("OPENAI_API_KEY", "sk-speed");
        command
    }
}

/// Runs a command to its end and measures it.
pub(crate) fn measure(mut command: Command) -> Fallible<ProcessMetrics> {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn()?;
    let exited = Arc::new(AtomicBool::new(false));
    let sampler = thread::spawn({
        let (pid, exited) = (child.id(), Arc::clone(&exited));
        move || sample(pid, &exited)
    });
    let stderr = read_in_background(&mut child);
    let status = child.wait()?;
    let wall = started.elapsed();
    exited.store(true, Ordering::Relaxed);
    let (memory, processor) = sampler.join().map_err(|_| "the sampler panicked")?;
    let stderr = stderr.join().map_err(|_| "the reader panicked")?;
    Ok(ProcessMetrics { wall, memory, processor, code: status.code().unwrap_or(-1), stderr })
}

fn read_in_background(child: &mut Child) -> thread::JoinHandle<String> {
    let stderr = child.stderr.take();
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = std::io::Read::read_to_end(&mut stderr, &mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Samples peak memory and processor time until the process exits. Both only grow, so the last sample misses only the last
/// interval.
fn sample(pid: u32, exited: &AtomicBool) -> (u64, f64) {
    let (mut memory, mut processor) = (0, 0.0);
    while !exited.load(Ordering::Relaxed) {
        memory = peak_memory(pid).unwrap_or(memory).max(memory);
        processor = processor_time(pid).unwrap_or(processor);
        thread::sleep(SAMPLE_INTERVAL);
    }
    (memory, processor)
}

fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// Processor time of a process so far, in seconds.
pub(crate) fn processor_time(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything. User and system time are fields 12 and 13 after it.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || words.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}
