//! Use cases: options in, values out.
//!
//! Nothing here knows clap, prints, or decides an exit code. Progress goes out as events, warnings and diagnostics
//! come back as values or events. The way of the data is options, sources, suite, evaluation, report.

mod announce;
mod application;
pub(crate) mod cache;
pub(crate) mod calibrate;
mod calibration;
pub(crate) mod case;
mod case_cost;
mod case_ids;
pub(crate) mod ci;
pub(crate) mod comment;
pub(crate) mod compare;
pub(crate) mod dataset_check;
pub(crate) mod doctor;
pub(crate) mod env_file;
mod environment;
pub(crate) mod evaluate;
pub(crate) mod explain;
mod failure;
mod files;
mod github;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod job_summary;
pub(crate) mod keys;
pub(crate) mod merge;
mod mismatch;
pub(crate) mod mock_server;
mod models;
pub(crate) mod partial;
pub(crate) mod plan;
pub(crate) mod prices;
mod redacting;
pub(crate) mod release;
pub(crate) mod report_files;
pub(crate) mod schema;
mod scorers;
mod sent;
pub(crate) mod serve;
pub(crate) mod shard;
mod sources;
pub(crate) mod suite;
pub(crate) mod suites;
pub(crate) mod telemetry;
#[cfg(test)]
mod testing;
mod watched;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub(crate) use cache::CacheMode;
pub(crate) use environment::Environment;
pub(crate) use failure::Failure;
pub(crate) use files::{pretty_json, write_text};
pub(crate) use models::CallOptions;
pub(crate) use redacting::Redacting;
pub(crate) use sources::ReleaseMode;
pub(crate) use watched::Watched;

use promptgate_core::port::EventSink;

/// The time in RFC 3339, UTC.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The context of a use case that makes calls.
#[derive(Clone)]
pub(crate) struct Context {
    /// The variables of the process.
    pub(crate) environment: Environment,
    /// Takes progress and warnings.
    pub(crate) events: Arc<dyn EventSink>,
    /// Cancelled by the first Ctrl-C, SIGTERM or SIGHUP; then no new call is made.
    pub(crate) interrupted: CancellationToken,
}
