//! Trials on disk: the same JSON in report.json and in shards, and with the id of their case as lines of trials.jsonl
//! and of the spool of a run.

mod file;
mod large;
mod line;
mod list;
mod requests;
mod spool;
mod trial;

pub(super) use file::attach;
pub(crate) use file::write_lines;
pub use file::{Digesting, TrialsFile};
pub use large::{KEPT, LARGE, TRIALS_FILE};
pub use line::is_line;
use line::{CaseFields, parse, trial_json};
pub use list::Trials;
pub use requests::{Messages, RequestDigests, RequestWriter, Requests};
pub use spool::FileSpool;
pub use trial::{Grade, Trial, Ungraded};

/// Seconds since 1970 (UTC) as RFC 3339.
pub(super) fn timestamp(seconds: u64) -> Option<String> {
    let seconds = i64::try_from(seconds).ok()?;
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

/// The inverse of [`timestamp`].
pub(super) fn seconds(timestamp: &str) -> Option<u64> {
    timestamp.parse::<jiff::Timestamp>().ok().and_then(|time| u64::try_from(time.as_second()).ok())
}
