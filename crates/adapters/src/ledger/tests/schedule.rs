//! Runs writers one step at a time, in an order drawn from a seed.
//!
//! Each writer is a thread that stops at every point of an append. One writer at a time continues to its next point, so
//! that an interleaving is repeated by its seed.

use std::sync::{Arc, Condvar, Mutex};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    Running,
    At(&'static str),
    Done,
}

/// The points that all writers are at.
#[derive(Clone)]
pub(super) struct Schedule {
    places: Arc<(Mutex<Vec<Place>>, Condvar)>,
}

impl Schedule {
    pub(super) fn new(writers: usize) -> Self {
        Self { places: Arc::new((Mutex::new(vec![Place::At("start"); writers]), Condvar::new())) }
    }

    /// Stops a writer until it may continue.
    pub(super) fn stop(&self, writer: usize, point: &'static str) {
        let (places, changed) = &*self.places;
        let mut places = places.lock().unwrap();
        places[writer] = Place::At(point);
        changed.notify_all();
        drop(changed.wait_while(places, |places| places[writer] != Place::Running).unwrap());
    }

    /// Waits for the first turn of a writer.
    pub(super) fn wait_for_start(&self, writer: usize) {
        let (places, changed) = &*self.places;
        drop(changed.wait_while(places.lock().unwrap(), |places| places[writer] != Place::Running).unwrap());
    }

    pub(super) fn end(&self, writer: usize) {
        let (places, changed) = &*self.places;
        places.lock().unwrap()[writer] = Place::Done;
        changed.notify_all();
    }

    /// Lets the writers continue until all are done, and returns the number of turns. A writer at `before_lock` waits
    /// while another is between `locked` and `unlocked`.
    pub(super) fn drive(&self, seed: u64) -> usize {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (places, changed) = &*self.places;
        let mut holder = None;
        for turn in 0.. {
            let mut all =
                changed.wait_while(places.lock().unwrap(), |all| all.contains(&Place::Running)).unwrap();
            if let Some(writer) = holder
                && matches!(all[writer], Place::At("unlocked" | "before the lock" | "start") | Place::Done)
            {
                holder = None;
            }
            let may_run = |writer: &usize| match all[*writer] {
                Place::At("before the lock") => holder.is_none(),
                Place::At(_) => true,
                Place::Running | Place::Done => false,
            };
            let ready: Vec<usize> = (0..all.len()).filter(may_run).collect();
            if ready.is_empty() {
                assert!(all.iter().all(|place| *place == Place::Done), "no writer can continue: {all:?}");
                return turn;
            }
            let writer = ready[random.random_range(0..ready.len())];
            if all[writer] == Place::At("before the lock") {
                holder = Some(writer);
            }
            all[writer] = Place::Running;
            changed.notify_all();
        }
        unreachable!("a usize of turns")
    }
}
