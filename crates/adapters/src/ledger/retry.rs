//! Pauses between attempts to append, for callers that lost to another writer.

use std::time::Duration;

use rand::RngExt as _;

/// Number of attempts to decide and append before a caller gives up.
pub const MAX_ATTEMPTS: u32 = 10;

/// Longest pause before the second attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause before any attempt.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Returns a random pause after failed attempt number `attempt`, counted from 1. Its upper bound doubles each time, so
/// that writers who collided spread out.
pub fn pause(attempt: u32) -> Duration {
    let bound = bound(attempt);
    bound.mul_f64(rand::rng().random_range(0.1..=1.0))
}

/// Returns a pause for a lock that another process holds only for the time of one effect.
pub(super) fn short_pause(attempt: u32) -> Duration {
    pause(attempt) / 5
}

fn bound(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_differ() {
        assert_eq!(bound(1), FIRST_PAUSE);
        assert_eq!(bound(3), FIRST_PAUSE * 4);
        assert_eq!(bound(MAX_ATTEMPTS), MAX_PAUSE);
        assert_eq!(bound(u32::MAX), MAX_PAUSE);
        for attempt in [0, 1, 5, MAX_ATTEMPTS] {
            let pauses: Vec<Duration> = (0..50).map(|_| pause(attempt)).collect();
            assert!(pauses.iter().all(|pause| *pause <= bound(attempt) && *pause >= bound(attempt) / 10));
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }
}
