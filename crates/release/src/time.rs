//! Times of decisions, and how messages show them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How far the clocks of machines may differ.
pub(crate) const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// A time some seconds later; the latest one there is, if that is beyond it.
pub(crate) fn after(time: Timestamp, seconds: u64) -> Timestamp {
    time.checked_add(Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// A time to the minute: `2026-11-30 12:00 UTC`.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
