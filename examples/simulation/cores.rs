//! Runs on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The outcomes of runs 0 to `runs` on all cores.
pub(crate) fn on_all_cores<T: Send>(runs: usize, simulate: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let run = next.fetch_add(1, Ordering::Relaxed);
            if run >= runs {
                return outcomes;
            }
            outcomes.push(simulate(run as u64));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}
