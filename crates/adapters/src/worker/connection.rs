//! One process: its requests, its lines and its end.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{Notify, oneshot};

use super::group::GroupHandle;
use super::lines::{LineError, LineReader};
use super::log::ProcessLog;
use super::protocol::{Conversation, InFlight, Key, MatchedReply, Reply};
use super::{ProcessGroup, WorkerLog, WorkerOptions};
use crate::http::server_text;
use promptgate_core::model::{Fault, FaultKind};
use promptgate_core::text::Redactor;

/// Time for a second line after the first reply of a process, or for its end: one that always answers twice would shift
/// every answer to the next case, one that always ends must get no second request.
const QUIET: Duration = Duration::from_millis(50);
/// Maximum time for the end of a process after its pipes have ended, and for the rest of its pipes after its end.
const LINGER: Duration = Duration::from_secs(1);
/// Time between two looks at the memory of a process.
const MEMORY_INTERVAL: Duration = Duration::from_millis(500);

/// The facts that all processes of a pool share.
pub(super) struct Context {
    pub(super) options: WorkerOptions,
    pub(super) redactor: Arc<Redactor>,
    pub(super) log: Arc<WorkerLog>,
    /// Signals that a seat may be free.
    pub(super) freed: Notify,
}

/// A running process.
pub(super) struct Worker {
    context: Arc<Context>,
    log: Arc<ProcessLog>,
    handle: Arc<GroupHandle>,
    input: tokio::sync::Mutex<Option<ChildStdin>>,
    conversation: Mutex<Conversation>,
    stop: Notify,
    stop_reason: Mutex<Option<Stop>>,
}

/// The reason why a process is stopped from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// No reply in time to the request with this ticket.
    Timeout(u64),
    /// The request with this ticket was cancelled: its late reply must not be taken for another one's.
    Cancelled(u64),
    /// A request could not be written.
    InputClosed,
    /// The pool ends.
    Shutdown,
}

/// The reason why a process is not used any longer.
enum End {
    Exited,
    OutputClosed,
    Violation { kind: FaultKind, found: String, request: Option<Box<InFlight>> },
    Stopped(Stop),
}

/// A process that has ended.
pub(super) struct Ended {
    /// The requests without a reply.
    pub(super) requests: Vec<InFlight>,
    /// The fault of each of them.
    pub(super) fault: Fault,
    /// The fault of the request with this ticket.
    pub(super) own_fault: Option<(u64, Fault)>,
    /// Whether the process ended by itself or failed before its first answer.
    pub(super) failed_at_start: bool,
    /// Whether its answers may be those of other requests.
    pub(super) is_out_of_step: bool,
}

impl Worker {
    pub(super) fn new(context: Arc<Context>, process: &mut ProcessGroup) -> Self {
        Self {
            log: context.log.start(),
            context,
            handle: process.handle(),
            input: tokio::sync::Mutex::new(process.child.stdin.take()),
            conversation: Mutex::new(Conversation::new()),
            stop: Notify::new(),
            stop_reason: Mutex::default(),
        }
    }

    pub(super) fn conversation(&self) -> MutexGuard<'_, Conversation> {
        self.conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reserve(&self, key: &Key) -> Option<(u64, oneshot::Receiver<Result<Reply, Fault>>)> {
        self.conversation().reserve(key)
    }

    /// Kills the process at once.
    pub(super) fn kill(&self) {
        self.handle.kill();
    }

    /// Stops the process; the first reason counts.
    pub(super) fn stop(&self, reason: Stop) {
        self.stop_reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.stop.notify_one();
    }

    /// Writes a request. A failure stops the process, whose end then is the reply.
    pub(super) async fn write(&self, line: &[u8]) {
        let mut input = self.input.lock().await;
        let Some(pipe) = input.as_mut() else { return };
        if pipe.write_all(line).await.is_err() {
            self.stop(Stop::InputClosed);
        }
    }

    /// Reads replies until the process ends or is stopped, and ends its group.
    pub(super) async fn run(&self, mut process: ProcessGroup) -> Ended {
        let errors = process.child.stderr.take().map(|pipe| tokio::spawn(Arc::clone(&self.log).drain(pipe)));
        let output = process.child.stdout.take();
        let mut lines = output.map(|pipe| LineReader::new(pipe, self.context.options.max_line_bytes));
        let mut end = match &mut lines {
            Some(lines) => self.read(&mut process, lines).await,
            None => End::OutputClosed,
        };
        let mut status = self.own_status(&end, &mut process).await;
        self.observe_memory();
        match end {
            End::Stopped(Stop::Shutdown) => process.stop().await,
            _ => process.end().await,
        };
        if let Some(lines) = lines {
            // Nothing holds the pipe any longer, unless the system has no subreapers.
            let rest = tokio::time::timeout(LINGER, self.rest(&end, lines)).await;
            if let Ok(Some(violation)) = rest {
                (end, status) = (violation, None);
            }
        }
        if let Some(mut errors) = errors
            && tokio::time::timeout(LINGER, &mut errors).await.is_err()
        {
            errors.abort();
        }
        let mut requests = self.conversation().close();
        if let End::Violation { request, .. } = &mut end {
            requests.extend(request.take().map(|request| *request));
        }
        self.ended(&end, status, requests)
    }

    async fn read(&self, process: &mut ProcessGroup, lines: &mut LineReader<ChildStdout>) -> End {
        let mut memory_seen = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = self.stop.notified() => {
                    let reason = *self.stop_reason.lock().unwrap_or_else(PoisonError::into_inner);
                    return End::Stopped(reason.unwrap_or(Stop::Shutdown));
                }
                line = lines.next() => match self.take(line, lines).await {
                    Ok(true) => {}
                    Ok(false) => return End::OutputClosed,
                    Err(end) => return end,
                },
                _ = process.wait() => return End::Exited,
            }
            if memory_seen.elapsed() >= MEMORY_INTERVAL {
                memory_seen = Instant::now();
                self.observe_memory();
            }
        }
    }

    /// Handles a line; `false` at the end of the output.
    async fn take(
        &self,
        line: Result<Option<Vec<u8>>, LineError>,
        lines: &mut LineReader<ChildStdout>,
    ) -> Result<bool, End> {
        let line = match line {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(false),
            Err(error) => return Err(self.unreadable(error)),
        };
        let accepted = self.conversation().accept(&line);
        match accepted {
            Ok(None) => self.context.freed.notify_waiters(),
            Ok(Some(reply)) => self.deliver(reply, lines).await?,
            Err(reason) => {
                let found = format!("{reason}: {}", self.shown(&line));
                return Err(End::Violation { kind: FaultKind::InvalidAnswer, found, request: None });
            }
        }
        Ok(true)
    }

    /// Delivers a reply, unless another line follows it.
    async fn deliver(&self, reply: MatchedReply, lines: &mut LineReader<ChildStdout>) -> Result<(), End> {
        let MatchedReply { request, value } = reply;
        if let Some(second) = self.second_line(lines).await {
            let found = format!("a second line after its reply: {}", self.shown(&second));
            return Err(End::Violation { kind: FaultKind::InvalidAnswer, found, request: Some(request) });
        }
        if lines.has_ended() {
            self.conversation().take_no_more();
        }
        self.context.log.count_reply();
        self.conversation().release();
        request.answer(Ok(value));
        self.context.freed.notify_one();
        Ok(())
    }

    /// Returns a line that no request asked for, where the process takes one request at a time.
    async fn second_line(&self, lines: &mut LineReader<ChildStdout>) -> Option<Vec<u8>> {
        let (is_single, is_first) = {
            let conversation = self.conversation();
            (conversation.is_single(), conversation.is_first_reply())
        };
        if !is_single {
            return None;
        }
        let next = match is_first {
            true => tokio::time::timeout(QUIET, lines.next()).await.ok(),
            false => lines.next().now_or_never(),
        };
        match next {
            Some(Ok(Some(line)) | Err(LineError::TooLong(line))) => Some(line),
            Some(Ok(None) | Err(LineError::Io(_))) => None,
            None => lines.partial(),
        }
    }

    /// Returns the status of a process that ends by itself; one whose pipe was closed has some time for that.
    async fn own_status(&self, end: &End, process: &mut ProcessGroup) -> Option<ExitStatus> {
        match end {
            End::Exited | End::OutputClosed | End::Stopped(Stop::InputClosed) => {
                tokio::time::timeout(LINGER, process.wait()).await.ok()?.ok()
            }
            End::Violation { .. } | End::Stopped(_) => None,
        }
    }

    /// Handles the lines that were written before the end of the process; returns the end that one of them means.
    async fn rest(&self, end: &End, mut lines: LineReader<ChildStdout>) -> Option<End> {
        let may_answer = matches!(end, End::Exited | End::Stopped(Stop::InputClosed));
        while let Ok(Some(line)) = lines.next().await {
            if may_answer {
                if let Err(violation) = self.take(Ok(Some(line)), &mut lines).await {
                    return Some(violation);
                }
            } else if matches!(end, End::Stopped(Stop::Shutdown)) {
                // Notes a line that no request asked for.
                drop(self.conversation().accept(&line));
            }
        }
        None
    }

    fn ended(&self, end: &End, status: Option<ExitStatus>, requests: Vec<InFlight>) -> Ended {
        let (kind, description) = self.describe(end, status);
        let is_shutdown = matches!(end, End::Stopped(Stop::Shutdown));
        self.context.log.end(&self.log, &description, !is_shutdown);
        let fault = self.fault(kind, &description);
        let own_fault = match *end {
            End::Stopped(Stop::Timeout(ticket)) => Some((ticket, self.late_fault())),
            _ => None,
        };
        let conversation = self.conversation();
        Ended {
            failed_at_start: !conversation.has_answered()
                && !matches!(end, End::Stopped(Stop::Timeout(_) | Stop::Cancelled(_) | Stop::Shutdown)),
            is_out_of_step: conversation.is_out_of_step(),
            requests,
            fault,
            own_fault,
        }
    }

    fn describe(&self, end: &End, status: Option<ExitStatus>) -> (FaultKind, String) {
        let disconnected = |text: &str| (FaultKind::Disconnected, text.to_owned());
        match (end, status) {
            (End::Stopped(Stop::Shutdown), _) => {
                (FaultKind::Interrupted, "was stopped at the end".to_owned())
            }
            (_, Some(status)) => (FaultKind::Disconnected, format!("ended before it answered ({status})")),
            (End::Exited, None) => disconnected("ended before it answered"),
            (End::OutputClosed, None) => disconnected("closed its standard output"),
            (End::Stopped(Stop::InputClosed), None) => disconnected("closed its standard input"),
            (End::Violation { kind, found, .. }, None) => (*kind, format!("wrote {found}")),
            (End::Stopped(Stop::Timeout(_)), None) => {
                disconnected("was stopped because another request had no answer in time")
            }
            (End::Stopped(Stop::Cancelled(_)), None) => {
                disconnected("was stopped because another request was cancelled")
            }
        }
    }

    /// The fault of a request without a reply in time.
    pub(super) fn late_fault(&self) -> Fault {
        let seconds = self.context.options.timeout.as_secs_f64();
        self.fault(FaultKind::Timeout, &format!("gave no answer within {seconds} s"))
    }

    /// A fault with the last lines of standard error.
    pub(super) fn fault(&self, kind: FaultKind, description: &str) -> Fault {
        let Context { options, log, .. } = &*self.context;
        let mut message = format!("{}: process {} {description}", options.label, self.log.number);
        let tail = log.tail_of(&self.log);
        if !tail.is_empty() {
            message.push_str(&format!("; its standard error ends with: {tail}"));
        }
        let help = match kind {
            FaultKind::Timeout => "raise its `timeout`, or see its standard error",
            FaultKind::InvalidAnswer => {
                "expected one JSON object per request on standard output; print everything else to standard error"
            }
            FaultKind::TooLarge => "expected a shorter answer: one JSON object on one line",
            _ => "run the command by hand, with one request as its input",
        };
        Fault::new(kind, message).help(help)
    }

    fn unreadable(&self, error: LineError) -> End {
        let (kind, found) = match error {
            LineError::TooLong(start) => {
                let limit = self.context.options.max_line_bytes;
                let found = format!("a line of more than {limit} bytes: {}", self.shown(&start));
                (FaultKind::TooLarge, found)
            }
            LineError::Io(error) => (FaultKind::Disconnected, format!("output that cannot be read: {error}")),
        };
        End::Violation { kind, found, request: None }
    }

    /// Untrusted text for a message.
    fn shown(&self, line: &[u8]) -> String {
        server_text(&self.context.redactor, &String::from_utf8_lossy(line))
    }

    fn observe_memory(&self) {
        self.context.log.observe_memory(self.handle.peak_memory());
    }
}
