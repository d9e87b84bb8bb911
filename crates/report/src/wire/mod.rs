//! The files that promptgate writes and reads back: reports, their trials, shards, plans and calibrations.
//!
//! Their JSON names are frozen: fields may be added, never renamed or removed. Numbers are finite or null.

pub mod calibration;
mod document;
pub mod plan;
pub mod shard;
mod trials;
pub mod v1;

pub(crate) use trials::write_lines;
pub use trials::{Digesting, FileSpool, KEPT, LARGE, TRIALS_FILE, TrialsFile, is_line};
