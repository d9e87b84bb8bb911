//! A semaphore with two queues: judgements are served before completions.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::sync::lock;
use promptgate_core::model::Purpose;

pub(super) struct Slots {
    state: Mutex<State>,
}

struct State {
    free: usize,
    judgements: VecDeque<oneshot::Sender<Slot>>,
    completions: VecDeque<oneshot::Sender<Slot>>,
}

/// Passed on to the next waiting call when dropped.
pub(super) struct Slot {
    slots: Option<Arc<Slots>>,
}

impl Slots {
    pub(super) fn new(free: usize) -> Arc<Self> {
        let state = State { free, judgements: VecDeque::new(), completions: VecDeque::new() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Takes a slot, if one is free. Slots are free only while no call waits.
    pub(super) fn try_acquire(self: &Arc<Self>) -> Option<Slot> {
        let mut state = lock(&self.state);
        state.free = state.free.checked_sub(1)?;
        Some(Slot { slots: Some(Arc::clone(self)) })
    }

    /// Waits for a slot.
    pub(super) async fn acquire(self: &Arc<Self>, purpose: Purpose) -> Option<Slot> {
        match self.take_or_queue(purpose) {
            Ok(slot) => Some(slot),
            Err(turn) => turn.await.ok(),
        }
    }

    fn take_or_queue(self: &Arc<Self>, purpose: Purpose) -> Result<Slot, oneshot::Receiver<Slot>> {
        let mut state = lock(&self.state);
        if state.free > 0 {
            state.free -= 1;
            return Ok(Slot { slots: Some(Arc::clone(self)) });
        }
        let (sender, receiver) = oneshot::channel();
        match purpose {
            Purpose::Judgement | Purpose::Embedding => state.judgements.push_back(sender),
            Purpose::Completion => state.completions.push_back(sender),
        }
        Err(receiver)
    }

    /// Passes a slot on to the next call that still waits, or frees it.
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
                // That call was cancelled: disarm the returned slot and try the next one.
                Err(mut returned) => drop(returned.slots.take()),
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
