//! The limits of one endpoint: calls in flight, calls and tokens per minute, and the adaptive rate. Judgements have
//! priority.
//!
//! While nothing is limited, a call takes a slot and starts. Otherwise calls pass a gate one at a time: the call in the
//! gate waits for a slot and for the pace, so a judgement overtakes every waiting completion except that one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::adaptive_rate::{AdaptiveRate, CallOutcome, Ticket};
use super::options::Options;
use super::pace::{Pace, Turn};
use super::retry::MAX_RETRY_AFTER;
use super::slots::{Slot, Slots};
use super::sync::{interrupted, lock};
use promptgate_core::model::{ChatRequest, Completion, Fault, FaultKind};
use promptgate_core::port::{ChatModel, Event, EventSink};

/// Relative change of the rate, and seconds since the last event, from which on it is reported again.
const MIN_REPORTED_CHANGE: f64 = 0.03;
const REPORT_INTERVAL: f64 = 0.5;

/// Calls that are refused in a row over the whole `max_wait` before the endpoint is given up.
const MIN_BLOCKED_CALLS: u64 = 10;

/// A model with limits.
pub struct Limited {
    inner: Arc<dyn ChatModel>,
    slots: Arc<Slots>,
    gate: Arc<Slots>,
    pace: Pace,
    rate: Mutex<ReportedRate>,
    /// Time zero of the adaptive rate.
    origin: Instant,
    /// Wakes waiting calls after a change of the rate.
    rate_changed: Notify,
    endpoint: String,
    max_wait: Duration,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
}

/// The adaptive rate, and its last reported value and time.
struct ReportedRate {
    rate: AdaptiveRate,
    reported: Option<f64>,
    reported_at: f64,
}

/// The permits of a call in flight.
struct Permit<'a> {
    _slot: Slot,
    turn: Turn<'a>,
    ticket: Ticket,
}

impl Limited {
    /// Adds the options' `max_concurrency`, `rpm` and `tpm`, and the adaptive rate, to a model.
    pub fn new(
        inner: Arc<dyn ChatModel>,
        options: &Options,
        events: Arc<dyn EventSink>,
        stop: CancellationToken,
    ) -> Self {
        let max_in_flight = options.max_concurrency.max(1);
        let rate = AdaptiveRate::new(max_in_flight);
        Self {
            inner,
            slots: Slots::new(max_in_flight),
            gate: Slots::new(1),
            pace: Pace::new(options.rpm, options.tpm),
            rate: Mutex::new(ReportedRate { rate, reported: None, reported_at: 0.0 }),
            origin: Instant::now(),
            rate_changed: Notify::new(),
            endpoint: options.host(),
            max_wait: options.max_wait,
            events,
            stop,
        }
    }

    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        if self.stop.is_cancelled() {
            return Err(interrupted());
        }
        let mut permit = match self.try_acquire(request) {
            Some(permit) => permit,
            None => tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(interrupted()),
                permit = self.acquire(request) => permit.ok_or_else(interrupted)?,
            },
        };
        let _flight = Flight::start(self.events.as_ref());
        permit.turn.start();
        let result = self.inner.complete(request).await;
        permit.turn.settle(&result);
        self.record(permit.ticket, result)
    }

    /// Returns a permit without waiting, where nothing is limited and a slot is free.
    fn try_acquire<'a>(&'a self, request: &ChatRequest) -> Option<Permit<'a>> {
        if self.pace.has_limits() {
            return None;
        }
        let slot = self.slots.try_acquire()?;
        let ticket = self.start_unlimited()?;
        Some(Permit { _slot: slot, turn: self.pace.turn(request), ticket })
    }

    /// Waits for slot and pace; `None` where the queue is gone.
    async fn acquire<'a>(&'a self, request: &ChatRequest) -> Option<Permit<'a>> {
        if !self.is_paced() {
            let slot = self.slots.acquire(request.purpose).await?;
            if let Some(ticket) = self.start_unlimited() {
                return Some(Permit { _slot: slot, turn: self.pace.turn(request), ticket });
            }
            // The pace has changed. A slot held while waiting for the gate would starve the call inside it.
        }
        let _gate = self.gate.acquire(request.purpose).await?;
        let slot = self.slots.acquire(request.purpose).await?;
        let turn = self.pace.turn(request);
        if turn.must_wait() {
            turn.wait().await;
        }
        loop {
            let changed = self.rate_changed.notified();
            let at = match lock(&self.rate).rate.start(self.now()) {
                Ok(ticket) => return Some(Permit { _slot: slot, turn, ticket }),
                Err(at) => at,
            };
            // A microsecond more than the rounding error: with a paused clock this would loop forever.
            let at = Duration::try_from_secs_f64(at + 1e-6).ok().and_then(|at| self.origin.checked_add(at));
            tokio::select! {
                () = tokio::time::sleep_until(at.unwrap_or(self.origin)) => {}
                () = changed => {}
            }
        }
    }

    fn is_paced(&self) -> bool {
        self.pace.has_limits() || !lock(&self.rate).rate.is_unlimited(self.now())
    }

    fn start_unlimited(&self) -> Option<Ticket> {
        if self.pace.has_limits() {
            return None;
        }
        let now = self.now();
        let mut state = lock(&self.rate);
        if state.rate.is_unlimited(now) { state.rate.start(now).ok() } else { None }
    }

    /// Adapts the rate to a result; a fault of an endpoint that refuses all calls becomes [`FaultKind::Dead`].
    fn record(&self, ticket: Ticket, result: Result<Completion, Fault>) -> Result<Completion, Fault> {
        let outcome = outcome(&result, self.max_wait);
        let now = self.now();
        let (report, (seconds, calls)) = {
            let mut state = lock(&self.rate);
            state.rate.record(ticket, outcome, now);
            (state.report(now), state.rate.blocked(now))
        };
        if let Some(calls_per_second) = report {
            self.rate_changed.notify_waiters();
            self.events.emit(Event::RateLimitChanged { endpoint: self.endpoint.clone(), calls_per_second });
        }
        match result {
            Err(fault) if seconds >= self.max_wait.as_secs_f64().max(1.0) && calls >= MIN_BLOCKED_CALLS => {
                let message = format!(
                    "{} (given up: the endpoint refused all of {calls} calls for {seconds:.0} s)",
                    fault.message
                );
                Err(Fault { kind: FaultKind::Dead, message, retry_after: None, ..fault })
            }
            result => result,
        }
    }

    /// Returns the seconds since the endpoint was connected.
    fn now(&self) -> f64 {
        self.origin.elapsed().as_secs_f64()
    }
}

impl ReportedRate {
    /// Returns the rate, if it has changed enough to be reported.
    fn report(&mut self, now: f64) -> Option<Option<f64>> {
        let rate = self.rate.rate();
        let has_changed = match (self.reported, rate) {
            (None, None) => false,
            (Some(reported), Some(rate)) => {
                now - self.reported_at >= REPORT_INTERVAL
                    && (rate / reported - 1.0).abs() > MIN_REPORTED_CHANGE
            }
            _ => true,
        };
        has_changed.then(|| {
            (self.reported, self.reported_at) = (rate, now);
            rate
        })
    }
}

/// Returns the outcome of a call for the adaptive rate.
fn outcome(result: &Result<Completion, Fault>, max_wait: Duration) -> CallOutcome {
    let Err(fault) = result else { return CallOutcome::Ok };
    let wait = fault.retry_after.map(|wait| wait.min(MAX_RETRY_AFTER).min(max_wait).as_secs_f64());
    match fault.kind {
        FaultKind::RateLimited => CallOutcome::Refused { wait },
        FaultKind::Unavailable if wait.is_some() => CallOutcome::Refused { wait },
        FaultKind::Unavailable | FaultKind::Connection | FaultKind::Disconnected | FaultKind::Timeout => {
            CallOutcome::Failed
        }
        // The endpoint accepted the call.
        _ => CallOutcome::Ok,
    }
}

impl ChatModel for Limited {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.call(request).boxed()
    }
}

/// Reports the start of a call and, however it ends, its end.
struct Flight<'a> {
    events: &'a dyn EventSink,
}

impl<'a> Flight<'a> {
    fn start(events: &'a dyn EventSink) -> Self {
        events.emit(Event::CallStarted);
        Self { events }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.events.emit(Event::CallEnded);
    }
}

#[cfg(test)]
mod tests;
