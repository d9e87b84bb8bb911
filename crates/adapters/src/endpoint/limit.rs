//! The limits of one endpoint: calls in flight, calls and tokens a minute, and the rate that is learned from its
//! refusals. Judgements go first.
//!
//! While nothing is limited, a call takes a slot and leaves. Else it passes a door first, one after the other: whoever
//! stands in it waits for a slot and for the pace, so a judgement overtakes every completion but that one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::learned::{Came, Departure, Learned};
use super::options::Options;
use super::pace::{Pace, Turn};
use super::retry::CEILING;
use super::{interrupted, lock};
use promptgate_core::model::{ChatRequest, Completion, Fault, FaultKind, Purpose};
use promptgate_core::port::{ChatModel, Event, EventSink};

/// A learned rate is told again when it changed by this part and so much time has passed.
const TOLD_CHANGE: f64 = 0.03;
const TOLD_EVERY: f64 = 0.5;

/// So many calls refused in a row over the whole patience of a call, and the endpoint is given up.
const GIVEN_UP_AFTER: u64 = 10;

/// A model with limits.
pub struct Limited {
    inner: Arc<dyn ChatModel>,
    slots: Arc<Slots>,
    door: Arc<Slots>,
    pace: Pace,
    learned: Mutex<Learning>,
    /// What is learned counts time from here.
    origin: Instant,
    /// The rate has changed: whoever waits for it looks again.
    changed: Notify,
    endpoint: String,
    max_wait: Duration,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
}

/// The learned rate, and what was told of it.
struct Learning {
    rate: Learned,
    told: Option<f64>,
    told_at: f64,
}

/// What a call holds that has left.
struct Left<'a> {
    _slot: Slot,
    turn: Turn<'a>,
    departure: Departure,
}

impl Limited {
    /// Puts `max_concurrency`, `rpm` and `tpm` of the options, and what is learned, around a model.
    pub fn new(
        inner: Arc<dyn ChatModel>,
        options: &Options,
        events: Arc<dyn EventSink>,
        stop: CancellationToken,
    ) -> Self {
        let width = options.max_concurrency.max(1);
        Self {
            inner,
            slots: Slots::new(width),
            door: Slots::new(1),
            pace: Pace::new(options.rpm, options.tpm),
            learned: Mutex::new(Learning { rate: Learned::new(width), told: None, told_at: 0.0 }),
            origin: Instant::now(),
            changed: Notify::new(),
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
        let mut left = match self.leave_at_once(request) {
            Some(left) => left,
            None => tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(interrupted()),
                left = self.leave(request) => left.ok_or_else(interrupted)?,
            },
        };
        let _flight = Flight::start(self.events.as_ref());
        left.turn.leave();
        let result = self.inner.complete(request).await;
        left.turn.settle(&result);
        self.came_back(left.departure, result)
    }

    /// Leaves without waiting, where nothing is limited and a slot is free.
    fn leave_at_once<'a>(&'a self, request: &ChatRequest) -> Option<Left<'a>> {
        if self.pace.has_limits() {
            return None;
        }
        let slot = self.slots.take_free()?;
        let departure = self.depart_freely()?;
        Some(Left { _slot: slot, turn: self.pace.turn(request), departure })
    }

    /// Waits for slot and pace; `None` where the queue is gone.
    async fn leave<'a>(&'a self, request: &ChatRequest) -> Option<Left<'a>> {
        if !self.is_paced() {
            let slot = self.slots.wait(request.purpose).await?;
            if let Some(departure) = self.depart_freely() {
                return Some(Left { _slot: slot, turn: self.pace.turn(request), departure });
            }
            // The pace has changed. Nobody may hold a slot before the door, or who stands in it never gets one.
        }
        let _door = self.door.wait(request.purpose).await?;
        let slot = self.slots.wait(request.purpose).await?;
        let turn = self.pace.turn(request);
        if turn.must_wait() {
            turn.wait().await;
        }
        loop {
            let changed = self.changed.notified();
            let at = match lock(&self.learned).rate.depart(self.now()) {
                Ok(departure) => return Some(Left { _slot: slot, turn, departure }),
                Err(at) => at,
            };
            // A microsecond more than was rounded off, or a clock that stands still is asked for ever.
            let at = Duration::try_from_secs_f64(at + 1e-6).ok().and_then(|at| self.origin.checked_add(at));
            tokio::select! {
                () = tokio::time::sleep_until(at.unwrap_or(self.origin)) => {}
                () = changed => {}
            }
        }
    }

    fn is_paced(&self) -> bool {
        self.pace.has_limits() || !lock(&self.learned).rate.is_free(self.now())
    }

    fn depart_freely(&self) -> Option<Departure> {
        if self.pace.has_limits() {
            return None;
        }
        let now = self.now();
        let mut learning = lock(&self.learned);
        if learning.rate.is_free(now) { learning.rate.depart(now).ok() } else { None }
    }

    /// Learns from what came back.
    fn came_back(
        &self,
        departure: Departure,
        result: Result<Completion, Fault>,
    ) -> Result<Completion, Fault> {
        let came = came(&result, self.max_wait);
        let now = self.now();
        let (told, closed) = {
            let mut learning = lock(&self.learned);
            learning.rate.came_back(departure, came, now);
            (learning.tell(now), learning.rate.closed(now))
        };
        if let Some(calls_per_second) = told {
            self.changed.notify_waiters();
            self.events.emit(Event::RateLimitChanged { endpoint: self.endpoint.clone(), calls_per_second });
        }
        match result {
            Err(fault) if closed.0 >= self.max_wait.as_secs_f64().max(1.0) && closed.1 >= GIVEN_UP_AFTER => {
                let message = format!(
                    "{} (given up: the endpoint refused all of {} calls for {:.0} s)",
                    fault.message, closed.1, closed.0
                );
                Err(Fault { kind: FaultKind::Dead, message, retry_after: None, ..fault })
            }
            result => result,
        }
    }

    /// Seconds since the endpoint was connected.
    fn now(&self) -> f64 {
        self.origin.elapsed().as_secs_f64()
    }
}

impl Learning {
    /// The rate, if it is to be told anew.
    fn tell(&mut self, now: f64) -> Option<Option<f64>> {
        let rate = self.rate.rate();
        let is_news = match (self.told, rate) {
            (None, None) => false,
            (Some(told), Some(rate)) => {
                now - self.told_at >= TOLD_EVERY && (rate / told - 1.0).abs() > TOLD_CHANGE
            }
            _ => true,
        };
        is_news.then(|| {
            (self.told, self.told_at) = (rate, now);
            rate
        })
    }
}

/// What a result says about the pace.
fn came(result: &Result<Completion, Fault>, most: Duration) -> Came {
    let Err(fault) = result else { return Came::Well };
    let wait = fault.retry_after.map(|wait| wait.min(CEILING).min(most).as_secs_f64());
    match fault.kind {
        FaultKind::RateLimited => Came::Refused { wait },
        FaultKind::Unavailable if wait.is_some() => Came::Refused { wait },
        FaultKind::Unavailable | FaultKind::Connection | FaultKind::Timeout => Came::Failed,
        // The endpoint let it in.
        _ => Came::Well,
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

/// A semaphore with two queues.
struct Slots {
    state: Mutex<SlotState>,
}

struct SlotState {
    free: usize,
    judgements: VecDeque<oneshot::Sender<Slot>>,
    completions: VecDeque<oneshot::Sender<Slot>>,
}

/// The right to have one call in flight; handed on when dropped.
struct Slot {
    slots: Option<Arc<Slots>>,
}

impl Slots {
    fn new(free: usize) -> Arc<Self> {
        let state = SlotState { free, judgements: VecDeque::new(), completions: VecDeque::new() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// A slot at once, or the wait for one. Slots are free only while nobody waits.
    fn take(self: &Arc<Self>, purpose: Purpose) -> Result<Slot, oneshot::Receiver<Slot>> {
        let mut state = lock(&self.state);
        if state.free > 0 {
            state.free -= 1;
            return Ok(Slot { slots: Some(Arc::clone(self)) });
        }
        let (sender, receiver) = oneshot::channel();
        match purpose {
            Purpose::Judgement => state.judgements.push_back(sender),
            Purpose::Completion => state.completions.push_back(sender),
        }
        Err(receiver)
    }

    /// A slot, if one is free.
    fn take_free(self: &Arc<Self>) -> Option<Slot> {
        let mut state = lock(&self.state);
        state.free = state.free.checked_sub(1)?;
        Some(Slot { slots: Some(Arc::clone(self)) })
    }

    /// Waits for a slot.
    async fn wait(self: &Arc<Self>, purpose: Purpose) -> Option<Slot> {
        match self.take(purpose) {
            Ok(slot) => Some(slot),
            Err(turn) => turn.await.ok(),
        }
    }

    /// Hands a slot to the next who still waits, or frees it.
    fn release(self: Arc<Self>) {
        loop {
            let next = {
                let mut state = lock(&self.state);
                let next = state.judgements.pop_front().or_else(|| state.completions.pop_front());
                if next.is_none() {
                    state.free += 1;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(Slot { slots: Some(Arc::clone(&self)) }) {
                Ok(()) => return,
                // That one gave up; disarm the slot that came back and go on to the next.
                Err(mut unwanted) => drop(unwanted.slots.take()),
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slots) = self.slots.take() {
            slots.release();
        }
    }
}

#[cfg(test)]
mod tests;
