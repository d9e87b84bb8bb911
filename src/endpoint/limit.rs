//! The limits of one endpoint: calls in flight, calls and tokens a minute. Judgements go first.
//!
//! A call takes a slot first and then its turn in the pace, so at most `max_concurrency` calls wait for the pace
//! and a judgement overtakes every completion that has no slot yet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::options::Options;
use super::pace::Pace;
use super::{interrupted, lock};
use crate::model::{ChatRequest, Completion, Fault, Purpose};
use crate::port::{ChatModel, Event, EventSink};

/// A model with limits.
pub struct Limited {
    inner: Arc<dyn ChatModel>,
    slots: Arc<Slots>,
    pace: Pace,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
}

impl Limited {
    /// Puts `max_concurrency`, `rpm` and `tpm` of the options around a model.
    pub fn new(
        inner: Arc<dyn ChatModel>,
        options: &Options,
        events: Arc<dyn EventSink>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            inner,
            slots: Slots::new(options.max_concurrency.max(1)),
            pace: Pace::new(options.rpm, options.tpm),
            events,
            stop,
        }
    }

    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        if self.stop.is_cancelled() {
            return Err(interrupted());
        }
        let _slot = match self.slots.take(request.purpose) {
            Ok(slot) => slot,
            Err(turn) => tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(interrupted()),
                slot = turn => slot.map_err(|_| interrupted())?,
            },
        };
        let mut turn = self.pace.turn(request);
        if turn.must_wait() {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(interrupted()),
                () = turn.wait() => {}
            }
        }
        let _flight = Flight::start(self.events.as_ref());
        turn.leave();
        let result = self.inner.complete(request).await;
        turn.settle(&result);
        result
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
