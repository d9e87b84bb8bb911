//! The JSON Schemas of all formats.

use serde_json::Value;

use crate::config;
use promptgate_adapters::metrics::metrics_file_schema;
use promptgate_core::check;
use promptgate_report as report;
use promptgate_report::release;

/// The schema of promptgate.yaml: a suite, or a list of suites.
pub(crate) fn published_configuration() -> Value {
    config::published_schema(&check::entry_schema())
}

/// The schema of a format.
pub(crate) type Schema = fn() -> Value;

/// Every format by its name, with its schema and a description.
pub(crate) const SCHEMAS: [(&str, Schema, &str); 32] = [
    ("config", published_configuration, "promptgate.yaml"),
    ("case", || config::case_schema(&check::entry_schema()), "A row of the dataset"),
    ("report", report::schema, "report.json"),
    ("case-result", report::case_result::schema, "Output of `case --format json`"),
    ("suites", report::suites::schema, "suites.json"),
    ("history", report::history::schema, "Output of `history --format json`"),
    ("shard", report::shard::schema, "shard-k-of-n.json"),
    ("plan", report::plan::schema, "Output of `plan --format json`"),
    ("dataset-check", report::dataset_check::schema, "Output of `dataset check --format json`"),
    ("plans", report::plans::schema, "Output of `plan --format json` of several suites"),
    ("calibration", report::calibration::schema, "calibration.json"),
    ("doctor", report::doctor::schema, "Output of `doctor --format json`"),
    ("status", release::status::schema, "Output of `status --format json`"),
    ("log", release::log::schema, "Output of `log --format json`"),
    ("verification", release::verification::schema, "Output of `log --verify --format json`"),
    ("show", release::show::schema, "Output of `show --format json`"),
    ("diff", release::diff::schema, "Output of `diff --format json`"),
    ("compiled", release::compiled::schema, "Output of `get --format json`"),
    ("assignment", release::assignment::schema, "Output of `assign --format json`"),
    ("publication", release::publication::schema, "Output of `publish --format json`"),
    ("approval", release::approval::schema, "Output of `approve --format json`"),
    ("promotion", release::promotion::schema, "Output of `promote --format json`"),
    ("rollback", release::rollback::schema, "Output of `rollback --format json`"),
    ("rollout", release::rollout::schema, "Output of `rollout start|advance|status|… --format json`"),
    ("rollout-plan", release::rollout_plan::schema, "Output of `rollout plan --format json`"),
    (
        "rollout-simulation",
        release::rollout_plan::simulation_schema,
        "Output of `rollout simulate --format json`",
    ),
    ("reconciliation", release::reconciliation::schema, "Output of `reconcile --format json`"),
    ("pull", release::pull::schema, "Output of `pull --format json`"),
    ("bundle", release::bundle::schema, "bundle.json of `export bundle`"),
    ("metrics", metrics_file_schema, "A file of metrics, as `release.sources` names it"),
    ("prompt", release::bundle::prompt_schema, "A prompt's file of `export bundle`"),
    ("releases", release::releases::schema, "releases.json of a ledger and of `export bundle`"),
];
