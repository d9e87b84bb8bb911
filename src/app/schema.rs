//! The JSON Schemas of all formats.

use serde_json::Value;

use crate::config;
use promptgate_core::check;
use promptgate_report as report;

/// A format with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// promptgate.yaml.
    Config,
    /// A row of the dataset.
    Case,
    /// report.json.
    Report,
    /// shard-k-of-n.json.
    Shard,
    /// `plan --format json`.
    Plan,
    /// calibration.json.
    Calibration,
}

/// The schema of a format.
pub(crate) fn schema(of: Schema) -> Value {
    match of {
        Schema::Config => config::schema(&check::entry_schema()),
        Schema::Case => config::case_schema(&check::entry_schema()),
        Schema::Report => report::schema(),
        Schema::Shard => report::shard::schema(),
        Schema::Plan => report::plan::schema(),
        Schema::Calibration => report::calibration::schema(),
    }
}
