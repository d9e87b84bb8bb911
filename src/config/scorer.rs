//! `command` in `checks`: a scorer by command.

use std::time::Duration;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoint::variable;
use super::load::{Placed, Reader};
use super::scalar::WrittenDuration;
use promptgate_core::document::pointer;
use promptgate_core::model::Place;

/// The key of a scorer in an entry of `checks`.
pub(super) const KEY: &str = "command";

/// Keys beside it.
const OPTIONS: [&str; 4] = ["name", "min", "baseline", "require"];
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_WORKERS: usize = 2;
const MAX_WORKERS: usize = 256;

/// A program that scores answers. It runs from the policy's commit, in the folder of its configuration.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["run"]))]
struct WrittenScorer {
    /// The program with its arguments. It reads an answer with its case as a line of JSON from standard input and writes its
    /// score as one to standard output, for as long as it lives.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    run: Vec<String>,
    /// Environment variables that it gets, besides PATH, HOME, TMPDIR and LANG.
    env: Vec<String>,
    /// Timeout of one score; 30s by default.
    timeout: Option<WrittenDuration>,
    /// Maximum number of its processes; 2 by default.
    #[schemars(range(min = 1, max = 256))]
    workers: Option<usize>,
}

/// An entry as written. The schema has refused invalid values.
#[derive(Debug, Deserialize)]
struct WrittenEntry {
    command: WrittenScorer,
    name: Option<String>,
    min: Option<f64>,
    baseline: Option<bool>,
    require: Option<String>,
}

/// A scorer by command.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorerSettings {
    /// Its name, without `check.`.
    pub name: String,
    /// Minimum mean score, in 0..=1; at 1.0 every trial must score 1.
    pub min: f64,
    /// Whether the mean must also not fall below the baseline's.
    pub baseline: bool,
    /// Whether only cases that passed before have to pass.
    pub no_new_failures: bool,
    /// The program with its arguments.
    pub run: Vec<String>,
    /// Environment variables that it gets.
    pub env: Vec<Placed<String>>,
    /// Timeout of one score.
    pub timeout: Duration,
    /// Maximum number of processes; at least 1.
    pub workers: usize,
    /// The place of the entry.
    pub place: Place,
}

/// Adds the scorer to the schema of an entry of the configuration. A row of a dataset must not start programs.
pub(super) fn add_to_schema(entry: &mut Value) {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema: Schema = settings.into_generator().into_root_schema_for::<WrittenScorer>();
    schema.remove("title");
    if let Some(properties) = entry.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(KEY.to_owned(), schema.to_value());
    }
}

/// Whether an entry of `checks` is a scorer by command.
pub(super) fn is_scorer(entry: &Value) -> bool {
    entry.get(KEY).is_some()
}

/// Resolves the entry at a pointer; `None` where it is reported as invalid.
pub(super) fn resolve(reader: &mut Reader<'_>, at: &str, entry: &Value) -> Option<ScorerSettings> {
    let is_other = |key: &&String| key.as_str() != KEY && !OPTIONS.contains(&key.as_str());
    if let Some(other) = entry.as_object().and_then(|map| map.keys().find(is_other)) {
        let message = format!("the entry has 2 checks: {KEY}, {other}");
        reader.report(&pointer(at, other), message, "give each check an entry of its own");
        return None;
    }
    let written: WrittenEntry = match serde_json::from_value(entry.clone()) {
        Ok(written) => written,
        Err(error) => {
            reader.report(at, error.to_string(), "write `command: {run: [python, checks/sql.py]}`");
            return None;
        }
    };
    if written.require.is_some() && written.min.is_some() {
        let message = "`require` and `min` exclude each other";
        reader.report(&pointer(at, "require"), message, "remove one of them");
    }
    let command = written.command;
    let at_command = pointer(at, KEY);
    if command.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
        let message = "a timeout of 0 leaves no time for a score";
        reader.report(&pointer(&at_command, "timeout"), message, "write it like `30s`");
    }
    let env = command.env.into_iter().enumerate();
    let env = env.filter_map(|(index, name)| variable(reader, &format!("{at_command}/env/{index}"), name));
    Some(ScorerSettings {
        env: env.collect(),
        name: written.name.unwrap_or_else(|| KEY.to_owned()),
        min: written.min.unwrap_or(1.0),
        baseline: written.baseline.unwrap_or(false),
        no_new_failures: written.require.as_deref() == Some("no_new_failures"),
        run: command.run,
        timeout: command.timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0),
        workers: command.workers.unwrap_or(DEFAULT_WORKERS).clamp(1, MAX_WORKERS),
        place: reader.document.place(at),
    })
}

impl ScorerSettings {
    /// The metric.
    pub fn metric(&self) -> String {
        format!("check.{}", self.name)
    }

    /// The settings that decide its scores, for a digest.
    pub fn identity(&self) -> Value {
        let env: Vec<&str> = self.env.iter().map(|name| name.value.as_str()).collect();
        json!([self.name, self.run, env])
    }
}
