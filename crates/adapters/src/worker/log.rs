//! Standard error of workers: drained, capped, and redacted when it is read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::http::server_text;
use promptgate_core::text::Redactor;

/// Bytes that are kept of one process: its last ones.
const MAX_BYTES: usize = 64 << 10;
/// Number of processes whose output is kept: the last ones.
const MAX_PROCESSES: usize = 16;
/// Lines of standard error in a message.
const TAIL_LINES: usize = 5;

/// The log of the processes of one pool or server.
#[derive(Debug)]
pub struct WorkerLog {
    redactor: Arc<Redactor>,
    state: Mutex<LogState>,
}

#[derive(Debug, Default)]
struct LogState {
    processes: VecDeque<Arc<ProcessLog>>,
    summary: WorkerSummary,
}

/// Totals of the processes of one pool or server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkerSummary {
    /// Processes that were started.
    pub processes: u32,
    /// Requests that were answered.
    pub replies: u64,
    /// Processes that were replaced after a fault.
    pub faults: u32,
    /// Largest peak of resident memory of one process, in bytes; `None` where the system does not report it.
    pub peak_memory: Option<u64>,
}

impl WorkerLog {
    /// Creates an empty log.
    pub fn new(redactor: Arc<Redactor>) -> Self {
        Self { redactor, state: Mutex::default() }
    }

    /// Returns the kept output by process, redacted, with a heading for each: the content of a log file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let processes: Vec<Arc<ProcessLog>> = self.state().processes.iter().cloned().collect();
        for process in processes {
            let (output, end) = process.read(&self.redactor);
            let state = end.as_deref().unwrap_or("running");
            text.push_str(&format!("--- process {} ({state})\n{output}", process.number));
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        text
    }

    /// Returns the section of a log file: a line with the totals under a name, then the kept output.
    pub fn section(&self, name: &str) -> String {
        let WorkerSummary { processes, replies, faults, peak_memory } = self.summary();
        let memory = peak_memory.map_or_else(String::new, |bytes| {
            format!(", at most {} MB of memory in one", bytes.div_ceil(1 << 20))
        });
        format!(
            "=== {name}: {processes} processes, {replies} replies, {faults} faults{memory}\n{}",
            self.text()
        )
    }

    /// Returns the last lines of the process that wrote last.
    pub fn tail(&self) -> String {
        let last = self.state().processes.back().cloned();
        last.map(|process| self.tail_of(&process)).unwrap_or_default()
    }

    /// Returns the totals.
    pub fn summary(&self) -> WorkerSummary {
        self.state().summary
    }

    /// Adds a process.
    pub(crate) fn start(&self) -> Arc<ProcessLog> {
        let mut state = self.state();
        state.summary.processes += 1;
        let process = Arc::new(ProcessLog { number: state.summary.processes, output: Mutex::default() });
        state.processes.push_back(Arc::clone(&process));
        if state.processes.len() > MAX_PROCESSES {
            state.processes.pop_front();
        }
        process
    }

    /// Records the end of a process.
    pub(crate) fn end(&self, process: &ProcessLog, end: &str, is_fault: bool) {
        process.output().end = Some(server_text(&self.redactor, end));
        self.state().summary.faults += u32::from(is_fault);
    }

    pub(crate) fn count_reply(&self) {
        self.state().summary.replies += 1;
    }

    pub(crate) fn observe_memory(&self, bytes: Option<u64>) {
        let mut state = self.state();
        state.summary.peak_memory = state.summary.peak_memory.max(bytes);
    }

    /// Returns the last lines of a process on one line, for a message; empty where it wrote nothing.
    pub(crate) fn tail_of(&self, process: &ProcessLog) -> String {
        let (output, _) = process.read(&self.redactor);
        let lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default();
        // The end of the text is what explains the failure, so the start is cut.
        let text = last.join(" ⏎ ");
        let excess = text.chars().count().saturating_sub(crate::http::MAX_SERVER_TEXT);
        let end: String = text.chars().skip(excess).collect();
        server_text(&self.redactor, &end)
    }

    fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The output of one process.
#[derive(Debug)]
pub(crate) struct ProcessLog {
    /// The number of the process, from 1.
    pub(crate) number: u32,
    output: Mutex<Output>,
}

#[derive(Debug, Default)]
struct Output {
    bytes: VecDeque<u8>,
    is_cut: bool,
    end: Option<String>,
}

impl ProcessLog {
    /// Reads a stream to its end.
    pub(crate) async fn drain(self: Arc<Self>, mut stream: impl AsyncRead + Unpin) {
        let mut chunk = vec![0; 16 << 10];
        while let Ok(length @ 1..) = stream.read(&mut chunk).await {
            self.push(chunk.get(..length).unwrap_or_default());
        }
    }

    fn push(&self, bytes: &[u8]) {
        let mut output = self.output();
        output.bytes.extend(bytes);
        if let Some(excess) = output.bytes.len().checked_sub(MAX_BYTES + 1) {
            output.bytes.drain(..=excess);
            output.is_cut = true;
        }
    }

    /// Returns the text and the reason of the end. The first line of cut text is left out: it may be the rest of a
    /// secret.
    fn read(&self, redactor: &Redactor) -> (String, Option<String>) {
        let output = self.output();
        let bytes: Vec<u8> = output.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let whole = match output.is_cut {
            true => text.split_once('\n').map_or("", |(_, rest)| rest),
            false => &*text,
        };
        (redactor.redact(whole).into_owned(), output.end.clone())
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use promptgate_core::text::Secret;

    use super::*;

    #[tokio::test]
    async fn log_keeps_the_end_without_secrets() {
        let log = WorkerLog::new(Arc::new(Redactor::new(&[Secret::new("sk-canary-0123456789")])));
        let process = log.start();
        let flood = format!("sk-canary-0123456789 {}\n", "x".repeat(MAX_BYTES - 5));
        Arc::clone(&process).drain(flood.as_bytes()).await;
        assert_eq!(process.output().bytes.len(), MAX_BYTES);
        assert!(!log.text().contains("0123456789"), "the rest of a cut secret");
        Arc::clone(&process).drain(&b"key sk-canary-0123456789\nlast \x1b[31mwords\xff\n"[..]).await;
        assert_eq!(log.tail(), "key [redacted] ⏎ last [31mwords\u{fffd}");
        log.end(&process, "exit status: 1", true);
        assert!(log.text().starts_with("--- process 1 (exit status: 1)\nkey [redacted]\n"), "{}", log.text());
        assert_eq!(log.summary(), WorkerSummary { processes: 1, faults: 1, ..WorkerSummary::default() });
    }

    #[tokio::test]
    async fn log_keeps_the_last_processes() {
        let log = WorkerLog::new(Arc::default());
        (0..MAX_PROCESSES + 5).for_each(|_| drop(log.start()));
        assert_eq!(log.text().lines().count(), MAX_PROCESSES);
        assert!(log.text().contains("--- process 21 (running)"));
    }
}
