//! Runs the release binary and watches it: wall time, processor time and the most memory it held.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Fallible;

/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(2);

/// Kernel ticks a second, as `/proc` counts processor time on every Linux.
const TICKS: f64 = 100.0;

/// What one run took.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// The most memory, in bytes (`VmHWM`); 0 where the system does not say.
    pub(crate) memory: u64,
    /// Processor time of all its threads, in seconds; to a hundredth.
    pub(crate) processor: f64,
    /// Its exit code.
    pub(crate) code: i32,
    /// What it wrote to standard error.
    pub(crate) stderr: String,
}

/// The binary under measurement.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    path: PathBuf,
}

impl Binary {
    /// The release binary beside this program, or the one named.
    pub(crate) fn find(named: Option<PathBuf>) -> Fallible<Self> {
        let path = match named {
            Some(path) => path.canonicalize()?,
            // target/release/examples/speed
            None => std::env::current_exe()?
                .ancestors()
                .nth(2)
                .ok_or("this program has no folder above it")?
                .join("promptgate"),
        };
        if path.is_file() {
            Ok(Self { path })
        } else {
            Err(format!("{} is not there; `just bench` builds it", path.display()).into())
        }
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> Fallible<u64> {
        Ok(std::fs::metadata(&self.path)?.len())
    }

    /// A command with an environment of its own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).env_clear().stdin(Stdio::null());
        command
    }

    /// Whether `run` knows a flag.
    pub(crate) fn knows(&self, flag: &str) -> Fallible<bool> {
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

/// Runs a command to its end.
pub(crate) fn watch(mut command: Command) -> Fallible<Taken> {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn()?;
    let ended = Arc::new(AtomicBool::new(false));
    let watcher = thread::spawn({
        let (pid, ended) = (child.id(), Arc::clone(&ended));
        move || look_after(pid, &ended)
    });
    let stderr = read_in_background(&mut child);
    let status = child.wait()?;
    let wall = started.elapsed();
    ended.store(true, Ordering::Relaxed);
    let (memory, processor) = watcher.join().map_err(|_| "the watcher panicked")?;
    let stderr = stderr.join().map_err(|_| "the reader panicked")?;
    Ok(Taken { wall, memory, processor, code: status.code().unwrap_or(-1), stderr })
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

/// Both figures only grow, so the last look before the end is the truth but for the last moment.
fn look_after(pid: u32, ended: &AtomicBool) -> (u64, f64) {
    let (mut memory, mut processor) = (0, 0.0);
    while !ended.load(Ordering::Relaxed) {
        memory = most_memory(pid).unwrap_or(memory).max(memory);
        processor = processor_time(pid).unwrap_or(processor);
        thread::sleep(LOOK);
    }
    (memory, processor)
}

fn most_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// Processor time of a process so far, in seconds.
pub(crate) fn processor_time(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th word after it.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || words.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}
