//! The JSON Schemas of all formats.

use serde_json::Value;

use crate::config;
use promptgate_core::check;
use promptgate_report as report;

/// The schema of a format.
pub(crate) type Schema = fn() -> Value;

/// Every format by its name, with its schema and a description.
pub(crate) const SCHEMAS: [(&str, Schema, &str); 6] = [
    ("config", || config::schema(&check::entry_schema()), "promptgate.yaml"),
    ("case", || config::case_schema(&check::entry_schema()), "A row of the dataset"),
    ("report", report::schema, "report.json"),
    ("shard", report::shard::schema, "shard-k-of-n.json"),
    ("plan", report::plan::schema, "Output of `plan --format json`"),
    ("calibration", report::calibration::schema, "calibration.json"),
];
