//! Figures in a JSON file that another program wrote.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use promptgate_release::ports::{
    MetricQuery, MetricReadings, MetricSource, PortResult, TaggedVersion, Window,
};
use promptgate_release::rollout::Sample;
use promptgate_release::{Name, PortError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::tracked::refuse_tracked;
use super::{blocking, by_version, readings as readings_of};

/// The value of `schema`.
const SCHEMA: &str = "promptgate.metrics/v1";
const MAX_BYTES: u64 = 16 << 20;

/// Samples of the metrics of some versions over a time, such as those of a warehouse that promptgate does not read.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "promptgate metrics v1")]
struct MetricsFile {
    /// Always `promptgate.metrics/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: String,
    /// The prompt.
    name: String,
    /// The begin of the time that the samples are from, as RFC 3339. It must not be before the begin of a rollout's step.
    from: String,
    /// The end of that time.
    to: String,
    /// The versions, by semantic version or by the registry's identifier.
    versions: BTreeMap<String, VersionMetrics>,
}

/// The metrics of a version.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VersionMetrics {
    /// Units, such as users, that were served this version; absent if unknown.
    units: Option<u64>,
    /// The samples, by the names of the metrics; null where there is none.
    metrics: BTreeMap<String, Option<FileSample>>,
}

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum FileSample {
    /// Scores of 0 or 1, or bad requests among all.
    Share {
        /// Scores of 1.
        successes: u64,
        /// All.
        n: u64,
    },
    /// Other scores.
    Mean {
        /// Their number.
        n: u64,
        /// Their mean.
        mean: f64,
        /// Their sample variance.
        #[schemars(range(min = 0.0))]
        variance: f64,
    },
    /// A percentile, or another figure without a variance.
    Level {
        /// The samples behind it.
        n: u64,
        /// The figure.
        value: f64,
    },
}

impl From<FileSample> for Sample {
    fn from(sample: FileSample) -> Self {
        match sample {
            FileSample::Share { successes, n } => Self::Share { successes, n },
            FileSample::Mean { n, mean, variance } => Self::Mean { n, mean, variance },
            FileSample::Level { n, value } => Self::Level { n, value },
        }
    }
}

/// The JSON Schema of the file, draft 2020-12.
pub fn metrics_file_schema() -> Value {
    let mut schema = schemars::schema_for!(MetricsFile);
    schema.insert("$id".to_owned(), Value::from("urn:promptgate:metrics:v1"));
    schema.to_value()
}

/// A file of the format `promptgate.metrics/v1`.
///
/// Samples from before the window are refused: they would count in two steps of a rollout. Samples that end before the
/// window does are accepted with a note.
#[derive(Debug)]
pub struct JsonFile {
    path: PathBuf,
    shown: String,
    may_be_tracked: bool,
}

impl JsonFile {
    /// A file below a folder; nothing is read yet.
    pub fn new(folder: &Path, file: impl Into<String>) -> Self {
        let shown = file.into();
        Self { path: folder.join(&shown), shown, may_be_tracked: true }
    }

    /// Refuses the file where git tracks it.
    #[must_use]
    pub fn untracked(self) -> Self {
        Self { may_be_tracked: false, ..self }
    }
}

impl MetricSource for JsonFile {
    fn location(&self) -> String {
        self.shown.clone()
    }

    fn read<'a>(&'a self, query: &'a MetricQuery<'a>) -> PortResult<'a, MetricReadings> {
        let (path, shown) = (self.path.clone(), self.shown.clone());
        let (name, versions, metrics) = (query.name.clone(), query.versions.to_vec(), query.metrics.to_vec());
        let (window, may_be_tracked) = (query.window, self.may_be_tracked);
        blocking(move || {
            if !may_be_tracked {
                refuse_tracked([&path], |_| shown.clone())?;
            }
            let query = MetricQuery { name: &name, versions: &versions, metrics: &metrics, window };
            let file = load(&path, &shown)?;
            readings(&file, &shown, &query)
        })
    }
}

fn load(path: &Path, shown: &str) -> Result<MetricsFile, PortError> {
    let unreadable = |error: std::io::Error| PortError::Unavailable(format!("{shown}: {error}"));
    // A pipe or a device may never end.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(unreadable(std::io::Error::other("not a regular file")));
    }
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(PortError::Damaged(format!("{shown}: larger than 16 MiB")));
    }
    let damaged = |problem: String| {
        PortError::Damaged(format!("{shown}: {problem}; see `promptgate schema metrics` for the format"))
    };
    let file: MetricsFile = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if file.schema != SCHEMA {
        return Err(damaged(format!("expected the schema {SCHEMA}")));
    }
    Ok(file)
}

fn readings(file: &MetricsFile, shown: &str, query: &MetricQuery<'_>) -> Result<MetricReadings, PortError> {
    let damaged = |problem: String| PortError::Damaged(format!("{shown}: {problem}"));
    let expected: Option<Name> = file.name.parse().ok();
    if expected.as_ref() != Some(query.name) {
        return Err(damaged(format!("these are the metrics of another prompt, expected {}", query.name)));
    }
    let time = |key: &str, text: &str| {
        text.parse::<Timestamp>()
            .map_err(|_| damaged(format!("`{key}`: expected a time like 2026-11-30T12:00:00Z")))
    };
    let covered = Window { from: time("from", &file.from)?, to: time("to", &file.to)? };
    let notes = check_window(&covered, &query.window).map_err(damaged)?;
    let found: Vec<Option<&VersionMetrics>> =
        query.versions.iter().map(|tagged| of_version(file, tagged)).collect();
    let units = found.iter().map(|found| found.and_then(|found| found.units)).collect::<Option<Vec<u64>>>();
    let samples = query.metrics.iter().map(|metric| {
        let of_version = |(found, tagged): (&Option<&VersionMetrics>, &TaggedVersion)| {
            let version = found.ok_or_else(|| format!("the file has no version {}", tagged.version))?;
            let sample = version.metrics.get(metric).copied().flatten();
            sample.map(Sample::from).ok_or_else(|| format!("the file has no {metric} of {}", tagged.version))
        };
        found.iter().zip(query.versions).map(of_version).collect()
    });
    let mut readings = readings_of(query, samples);
    readings
        .notes
        .extend(units.iter().map(|units| by_version("units", units.iter().copied(), query.versions)));
    readings.notes.extend(notes);
    readings.units = units;
    Ok(readings)
}

fn of_version<'f>(file: &'f MetricsFile, tagged: &TaggedVersion) -> Option<&'f VersionMetrics> {
    let by_id = || file.versions.get(tagged.registry_id.as_ref()?);
    file.versions.get(&tagged.version.to_string()).or_else(by_id)
}

/// Notes on the time that a file covers.
fn check_window(covered: &Window, asked: &Window) -> Result<Vec<String>, String> {
    if covered.to <= covered.from {
        return Err("`to` must be after `from`".to_owned());
    }
    // Steps begin within a second, and printed times are whole ones.
    let begin = Timestamp::from_second(asked.from.as_second()).unwrap_or(asked.from);
    if covered.from < begin {
        return Err(format!(
            "the samples begin at {}, before the observed time, which begins at {}",
            covered.from, asked.from
        ));
    }
    if covered.from >= asked.to {
        return Err(format!("the samples begin at {}, after the observed time", covered.from));
    }
    let mut notes = Vec::new();
    if covered.to < asked.to {
        notes.push(format!(
            "the samples end at {}, before the observed time does at {}",
            covered.to, asked.to
        ));
    }
    Ok(notes)
}
