//! The retry layer: which faults are retried, after which wait, and when an endpoint is given up.
//!
//! Backoff is exponential with full jitter (a wait is uniform between zero and its limit), so calls that failed together
//! are not retried together. A wait that the endpoint asks for is respected, up to a maximum. Attempts, waiting and time
//! are bounded per call, consecutive failures per endpoint. A timed-out request is sent once more, not up to the maximum.
//!
//! A retry may replace a bad answer by a better one where faults hit bad answers. So every failed attempt is listed with
//! the answer or the fault in the end, also the attempts of an earlier call for the same request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::options::Options;
use super::sync::{interrupted, lock};
use promptgate_core::model::{Attempt, ChatRequest, Completion, Fault, FaultKind, Purpose};
use promptgate_core::port::{ChatModel, Event, EventSink};

/// Limit of the first backoff; it doubles with each attempt.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);

/// Limit of any backoff.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// Maximum of a requested wait: limits often recover long before the time they name.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// A shorter requested wait is extended to the backoff of that try, and a wait that costs no attempt counts as at least
/// this long: calls neither hammer the endpoint nor repeat forever.
const MIN_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Jitter added to a requested wait, as a share of it, and its maximum.
const JITTER: f64 = 0.1;
const MAX_JITTER: Duration = Duration::from_secs(1);

/// Consecutive failed calls of one purpose to one model after which the endpoint is dead.
const DEAD_AFTER_CALLS: u32 = 10;

/// Failed connections before the first success after which the endpoint is dead.
const DEAD_AFTER_CONNECTIONS: u32 = 5;

/// Timeouts of a request after which it is not sent again in the same call.
const MAX_TIMEOUTS: usize = 2;

/// A model whose calls are retried.
pub struct Retrying {
    inner: Arc<dyn ChatModel>,
    attempts: u32,
    max_wait: Duration,
    max_call_time: Duration,
    deadline: Option<Instant>,
    health: Mutex<Health>,
    /// Failed attempts of requests without an answer.
    unanswered: Mutex<HashMap<String, Vec<Attempt>>>,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
}

/// The state of the endpoint, shared by all calls.
#[derive(Default)]
struct Health {
    has_succeeded: bool,
    failed_connections: u32,
    /// Consecutive failed calls by purpose and model: other models of the endpoint may work, and so may completions
    /// where judgements are refused.
    failed_calls: HashMap<(Purpose, String), u32>,
    /// The fault of all further calls.
    dead: Option<Fault>,
}

/// The retries of one call so far.
#[derive(Debug, Default)]
struct Progress {
    tries: u32,
    /// Tries that count against the maximum.
    attempts: u32,
    /// Time that counts against the maximum wait.
    waited: Duration,
}

impl Retrying {
    /// Adds retries with the options' `attempts` and `max_wait` to a model; waits end at the budget's deadline.
    pub fn new(
        inner: Arc<dyn ChatModel>,
        options: &Options,
        events: Arc<dyn EventSink>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            inner,
            attempts: options.attempts.max(1),
            max_wait: options.max_wait,
            max_call_time: options.max_call_time(),
            deadline: options.budget.as_ref().and_then(|budget| budget.deadline()),
            health: Mutex::default(),
            unanswered: Mutex::default(),
            events,
            stop,
        }
    }

    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let mut attempts = self.take_unanswered(request);
        let result = self.try_often(request, &mut attempts).await;
        match result {
            Ok(completion) => Ok(Completion { attempts, ..completion }),
            Err(fault) => {
                // A judge is asked again with another text; its judgement keeps the attempts.
                let is_asked_again = request.purpose == Purpose::Completion;
                if is_asked_again && attempts.iter().any(Attempt::is_contested) {
                    lock(&self.unanswered).insert(identity(request), attempts.clone());
                }
                Err(Fault { attempts, ..fault })
            }
        }
    }

    /// Takes the failed attempts of an earlier call for this request.
    fn take_unanswered(&self, request: &ChatRequest) -> Vec<Attempt> {
        let mut unanswered = lock(&self.unanswered);
        if unanswered.is_empty() {
            Vec::new()
        } else {
            unanswered.remove(&identity(request)).unwrap_or_default()
        }
    }

    async fn try_often(
        &self,
        request: &ChatRequest,
        attempts: &mut Vec<Attempt>,
    ) -> Result<Completion, Fault> {
        let mut progress = Progress::default();
        let mut failed_first: Option<Instant> = None;
        loop {
            if let Some(fault) = lock(&self.health).dead.clone() {
                return Err(fault);
            }
            if self.stop.is_cancelled() {
                return Err(interrupted());
            }
            let started = Instant::now();
            let fault = match self.inner.complete(request).await {
                Ok(completion) => {
                    attempts.extend_from_slice(&completion.attempts);
                    lock(&self.health).succeeded(request);
                    return Ok(completion);
                }
                Err(fault) => fault,
            };
            attempts.extend_from_slice(&fault.attempts);
            if fault.attempts.is_empty() && is_retriable(fault.kind) {
                let ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
                attempts.push(Attempt::new(&fault, ms));
            }
            if let Some(dead) = lock(&self.health).failed_attempt(&fault) {
                return Err(dead);
            }
            let failing = failed_first.get_or_insert_with(Instant::now).elapsed();
            let wait = next_wait(&fault, &mut progress, self.attempts, self.max_wait, rand::random());
            let timeouts = attempts.iter().filter(|attempt| attempt.kind == FaultKind::Timeout).count();
            let is_last = fault.kind == FaultKind::Timeout && timeouts >= MAX_TIMEOUTS;
            let wait = wait.filter(|wait| !is_last && failing + *wait < self.max_call_time);
            let Some(wait) = wait else {
                return Err(self.give_up(request, fault, progress.tries));
            };
            if self.deadline.is_some_and(|deadline| Instant::now() + wait >= deadline) {
                // The budget ends this call, so it does not count as a failure of the endpoint.
                return Err(fault);
            }
            self.events.emit(Event::Retried { wait_seconds: wait.as_secs_f64(), reason: fault.message });
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(interrupted()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Records the failed call and returns its fault.
    fn give_up(&self, request: &ChatRequest, mut fault: Fault, tries: u32) -> Fault {
        if let Some(dead) = lock(&self.health).failed_call(request, &fault) {
            return dead;
        }
        if tries > 1 {
            fault.message.push_str(&format!(" ({tries} attempts)"));
        }
        fault
    }
}

impl ChatModel for Retrying {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.call(request).boxed()
    }
}

impl Health {
    fn succeeded(&mut self, request: &ChatRequest) {
        self.has_succeeded = true;
        if !self.failed_calls.is_empty() {
            self.failed_calls.remove(&health_key(request));
        }
    }

    /// Counts a failed attempt; returns the final fault if the endpoint is dead now.
    fn failed_attempt(&mut self, fault: &Fault) -> Option<Fault> {
        let is_connection = matches!(fault.kind, FaultKind::Connection | FaultKind::Disconnected);
        if !is_connection || self.has_succeeded {
            return None;
        }
        self.failed_connections = self.failed_connections.saturating_add(1);
        let count = self.failed_connections;
        (count >= DEAD_AFTER_CONNECTIONS)
            .then(|| self.die(fault, &format!("given up after {count} failed connections and no success")))
    }

    /// Counts a failed call; returns the final fault if the endpoint is dead now.
    fn failed_call(&mut self, request: &ChatRequest, fault: &Fault) -> Option<Fault> {
        if !is_retriable(fault.kind) {
            return None;
        }
        let failed = self.failed_calls.entry(health_key(request)).or_default();
        *failed = failed.saturating_add(1);
        let count = *failed;
        (count >= DEAD_AFTER_CALLS)
            .then(|| self.die(fault, &format!("given up after {count} consecutive failed calls")))
    }

    /// Marks the endpoint as dead; the first fault applies to all calls.
    fn die(&mut self, fault: &Fault, why: &str) -> Fault {
        self.dead
            .get_or_insert_with(|| Fault {
                kind: FaultKind::Dead,
                message: format!("{} ({why})", fault.message),
                retry_after: None,
                ..fault.clone()
            })
            .clone()
    }
}

/// Calls with the same key share their health.
fn health_key(request: &ChatRequest) -> (Purpose, String) {
    (request.purpose, request.model.clone())
}

/// The identity of a request among those of this run.
fn identity(request: &ChatRequest) -> String {
    let ChatRequest { model, messages, parameters, repeat, input, .. } = request;
    serde_json::to_string(&(model, messages, parameters, repeat, input)).unwrap_or_default()
}

/// Whether a retry may succeed.
fn is_retriable(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::RateLimited
            | FaultKind::Unavailable
            | FaultKind::Connection
            | FaultKind::Disconnected
            | FaultKind::Timeout
            | FaultKind::InvalidAnswer
            | FaultKind::TooLarge
    )
}

/// Returns the wait before the next try, `None` where there is none, and updates the progress; `draw` is uniform in 0..1.
fn next_wait(
    fault: &Fault,
    progress: &mut Progress,
    attempts: u32,
    max_wait: Duration,
    draw: f64,
) -> Option<Duration> {
    progress.tries = progress.tries.saturating_add(1);
    if !is_retriable(fault.kind) {
        return None;
    }
    let requested = fault.retry_after.filter(|wait| !wait.is_zero());
    let is_free = requested.is_some();
    if !is_free {
        progress.attempts = progress.attempts.saturating_add(1);
    }
    let attempts = fault.max_attempts.map_or(attempts, |most| most.min(attempts));
    let left = max_wait.saturating_sub(progress.waited);
    if progress.attempts >= attempts || left.is_zero() {
        return None;
    }
    let backoff = |tries: u32| {
        let doublings = tries.saturating_sub(1).min(16);
        FIRST_BACKOFF.saturating_mul(1 << doublings).min(MAX_BACKOFF).mul_f64(draw)
    };
    let wait = match requested {
        Some(wait) if wait < MIN_RETRY_AFTER => wait.max(backoff(progress.tries)),
        Some(wait) => {
            let jitter = wait.mul_f64(JITTER).min(MAX_JITTER).mul_f64(draw);
            wait.min(MAX_RETRY_AFTER) + jitter
        }
        None => backoff(progress.attempts),
    };
    let wait = wait.min(left);
    progress.waited += if is_free { wait.max(MIN_RETRY_AFTER) } else { wait };
    Some(wait)
}

#[cfg(test)]
mod tests;
