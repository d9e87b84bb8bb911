//! The one retry layer: what is tried again, after how long a wait, and when an endpoint is given up.
//!
//! Waits grow exponentially with full jitter (a wait is drawn evenly from zero to its limit), so calls that failed
//! together do not come back together. A wait that the endpoint asks for is obeyed, up to a ceiling. Attempts,
//! waiting and time are bounded for each call, failures in a row for the endpoint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::options::Options;
use super::{interrupted, lock};
use promptgate_core::model::{ChatRequest, Completion, Fault, FaultKind, Purpose};
use promptgate_core::port::{ChatModel, Event, EventSink};

/// Limit of the first wait; it doubles with each attempt.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Limit of any wait that is not asked for.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// A wait that is asked for is cut to this: limits often recover long before the time they name.
pub(super) const CEILING: Duration = Duration::from_secs(60);

/// A shorter wait that is asked for is stretched to the back-off of that try, and every wait that costs no attempt
/// counts as this long at least, so that a call is neither hammered nor repeated for ever.
const MIN_ASKED: Duration = Duration::from_secs(1);

/// Spread added to a wait that was asked for, as a share of it, and at most.
const SPREAD: f64 = 0.1;
const MAX_SPREAD: Duration = Duration::from_secs(1);

/// So many calls of one kind to one model in a row that failed for good, and the endpoint is dead.
const DEAD_AFTER_CALLS: u32 = 10;

/// So many failed connections before the first success, and the endpoint is dead.
const DEAD_AFTER_CONNECTIONS: u32 = 5;

/// A model that is asked again where that may help.
pub struct Retrying {
    inner: Arc<dyn ChatModel>,
    attempts: u32,
    max_wait: Duration,
    call_time: Duration,
    deadline: Option<Instant>,
    health: Mutex<Health>,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
}

/// What all calls together know of the endpoint.
#[derive(Default)]
struct Health {
    has_succeeded: bool,
    failed_connections: u32,
    /// Calls in a row that failed for good: a model may be dead behind an endpoint where others live, and may
    /// refuse judgements where it answers everything else.
    failed_calls: HashMap<(Purpose, String), u32>,
    /// The fault that every further call ends with.
    dead: Option<Fault>,
}

/// What follows a fault.
#[derive(Debug, PartialEq)]
enum Next {
    /// The fault stands.
    GiveUp,
    /// Another attempt after this wait.
    Again { wait: Duration, is_free: bool },
}

/// What one call has used up.
#[derive(Debug, Default)]
struct Spent {
    /// Times the model was asked.
    tries: u32,
    /// Those that count as attempts.
    attempts: u32,
    /// Time waited, as it is charged.
    waited: Duration,
}

impl Retrying {
    /// Puts `attempts` and `max_wait` of the options around a model; waits end at the budget's deadline.
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
            call_time: options.call_time(),
            deadline: options.budget.as_ref().and_then(|budget| budget.deadline()),
            health: Mutex::default(),
            events,
            stop,
        }
    }

    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let mut spent = Spent::default();
        let mut failed_first: Option<Instant> = None;
        loop {
            if let Some(fault) = lock(&self.health).dead.clone() {
                return Err(fault);
            }
            if self.stop.is_cancelled() {
                return Err(interrupted());
            }
            let fault = match self.inner.complete(request).await {
                Ok(completion) => {
                    lock(&self.health).succeeded(request);
                    return Ok(completion);
                }
                Err(fault) => fault,
            };
            if let Some(dead) = lock(&self.health).failed_attempt(&fault) {
                return Err(dead);
            }
            let failing = failed_first.get_or_insert_with(Instant::now).elapsed();
            match next(&fault, &mut spent, self.attempts, self.max_wait, rand::random()) {
                Next::Again { wait, .. } if failing + wait >= self.call_time => {
                    return Err(self.give_up(request, fault, spent.tries));
                }
                Next::GiveUp => return Err(self.give_up(request, fault, spent.tries)),
                Next::Again { wait, .. }
                    if self.deadline.is_some_and(|deadline| Instant::now() + wait >= deadline) =>
                {
                    // The budget's time, not the endpoint, ends this call: it does not count against the endpoint.
                    return Err(fault);
                }
                Next::Again { wait, .. } => {
                    self.events
                        .emit(Event::Retried { wait_seconds: wait.as_secs_f64(), reason: fault.message });
                    tokio::select! {
                        biased;
                        () = self.stop.cancelled() => return Err(interrupted()),
                        () = tokio::time::sleep(wait) => {}
                    }
                }
            }
        }
    }

    /// The call failed for good.
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
            self.failed_calls.remove(&of(request));
        }
    }

    /// Counts a failed attempt; the fault to end with if the endpoint is dead now.
    fn failed_attempt(&mut self, fault: &Fault) -> Option<Fault> {
        if fault.kind == FaultKind::Connection && !self.has_succeeded {
            self.failed_connections = self.failed_connections.saturating_add(1);
            if self.failed_connections >= DEAD_AFTER_CONNECTIONS {
                let count = self.failed_connections;
                return Some(
                    self.die(fault, &format!("given up after {count} failed connections and no success")),
                );
            }
        }
        None
    }

    /// Counts a call that failed for good by a fault of the endpoint.
    fn failed_call(&mut self, request: &ChatRequest, fault: &Fault) -> Option<Fault> {
        if !is_retriable(fault.kind) {
            return None;
        }
        let failed = self.failed_calls.entry(of(request)).or_default();
        *failed = failed.saturating_add(1);
        let count = *failed;
        (count >= DEAD_AFTER_CALLS)
            .then(|| self.die(fault, &format!("given up after {count} calls in a row that failed for good")))
    }

    /// The first to find the endpoint dead says why, for all.
    fn die(&mut self, fault: &Fault, why: &str) -> Fault {
        self.dead
            .get_or_insert_with(|| Fault {
                kind: FaultKind::Dead,
                message: format!("{} ({why})", fault.message),
                help: fault.help.clone(),
                retry_after: None,
            })
            .clone()
    }
}

/// What fails and lives as one.
fn of(request: &ChatRequest) -> (Purpose, String) {
    (request.purpose, request.model.clone())
}

/// Faults of the endpoint that may be over in a moment.
fn is_retriable(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::RateLimited
            | FaultKind::Unavailable
            | FaultKind::Connection
            | FaultKind::Timeout
            | FaultKind::InvalidAnswer
            | FaultKind::TooLarge
    )
}

/// Decides what follows a fault and books it; `draw` is evenly distributed in 0..1.
fn next(fault: &Fault, spent: &mut Spent, attempts: u32, max_wait: Duration, draw: f64) -> Next {
    spent.tries = spent.tries.saturating_add(1);
    if !is_retriable(fault.kind) {
        return Next::GiveUp;
    }
    let asked = fault.retry_after.filter(|wait| !wait.is_zero());
    let is_free = asked.is_some();
    if !is_free {
        spent.attempts = spent.attempts.saturating_add(1);
    }
    // The last attempt allowed has been made, or nothing of the patience is left.
    let left = max_wait.saturating_sub(spent.waited);
    if spent.attempts >= attempts || left.is_zero() {
        return Next::GiveUp;
    }
    let back_off = |tries: u32| {
        let doublings = tries.saturating_sub(1).min(16);
        FIRST_WAIT.saturating_mul(1 << doublings).min(MAX_WAIT).mul_f64(draw)
    };
    let wait = match asked {
        Some(asked) if asked < MIN_ASKED => asked.max(back_off(spent.tries)),
        Some(asked) => {
            let spread = asked.mul_f64(SPREAD).min(MAX_SPREAD).mul_f64(draw);
            asked.min(CEILING) + spread
        }
        None => back_off(spent.attempts),
    };
    let wait = wait.min(left);
    spent.waited += if is_free { wait.max(MIN_ASKED) } else { wait };
    Next::Again { wait, is_free }
}

#[cfg(test)]
mod tests;
