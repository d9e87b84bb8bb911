//! Traces in files of OTLP in JSON, one message a line.

mod attributes;
mod files;
mod message;
mod metric;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use promptgate_core::model::Diagnostic;
use promptgate_release::ports::{
    MetricQuery, MetricReadings, MetricSource, PortResult, TaggedVersion, Window,
};
use promptgate_release::rollout::Sample;
use promptgate_release::{Name, PortError};

use super::moments::{Moments, means, samples};
use super::tracked::refuse_tracked;
use super::{blocking, by_version};
use files::Files;
use metric::{Metric, nearest_rank};
use requests::{Figure, Requests};

/// Files with the traces of an application, and optionally with the log records of its evaluations: what the file
/// exporters of the OpenTelemetry SDKs and of the Collector write.
///
/// * A request is a span of the prompt (`gen_ai.prompt.name`) in one of the versions (`gen_ai.prompt.version`, semantic
///   or as the registry numbers it) that began in the window. A score is an event `gen_ai.evaluation.result` of the span,
///   or a log record with its trace and span; it may arrive at any time after.
/// * Requests of one unit resemble each other, and a rollout assigns units, not requests. Counting requests as
///   independent would understate the variance, and more so the busier the units. So the sample is one of units: where a
///   unit of any version has several figures, each unit counts with the mean of its own, and all versions are
///   [`Sample::Mean`]s; only where no unit has more than one are scores of 0 and 1 a [`Sample::Share`], for which exact
///   tests exist. Percentiles are those of requests and have no variance.
/// * Files are read line by line; what is kept of a request are a few numbers.
#[derive(Debug)]
pub struct OtlpFile {
    files: Files,
    may_be_tracked: bool,
}

/// An owned query.
struct Query {
    name: Name,
    versions: Vec<TaggedVersion>,
    metrics: Vec<String>,
    window: Window,
}

impl OtlpFile {
    /// Files below a folder that match a pattern such as `telemetry/*.jsonl`; nothing is read yet.
    ///
    /// # Errors
    /// An invalid pattern.
    pub fn new(folder: impl Into<PathBuf>, pattern: impl Into<String>) -> Result<Self, Diagnostic> {
        Ok(Self { files: Files::new(folder.into(), pattern.into())?, may_be_tracked: true })
    }

    /// Refuses files that git tracks.
    #[must_use]
    pub fn untracked(self) -> Self {
        Self { may_be_tracked: false, ..self }
    }
}

impl MetricSource for OtlpFile {
    fn location(&self) -> String {
        self.files.pattern().to_owned()
    }

    fn read<'a>(&'a self, query: &'a MetricQuery<'a>) -> PortResult<'a, MetricReadings> {
        let (files, may_be_tracked) = (self.files.clone(), self.may_be_tracked);
        let query = Query {
            name: query.name.clone(),
            versions: query.versions.to_vec(),
            metrics: query.metrics.to_vec(),
            window: query.window,
        };
        blocking(move || {
            if !may_be_tracked {
                refuse_tracked(&files.list()?, |path| files.shown(path))?;
            }
            read(&files, &query)
        })
    }
}

fn read(files: &Files, query: &Query) -> Result<MetricReadings, PortError> {
    let mut requests = Requests::new(&query.name, &query.versions, &query.metrics, &query.window);
    let (paths, mut lines, mut notes) = (files.list()?, 0, Vec::new());
    for path in &paths {
        if files.read(path, &mut lines, |line| requests.add(line))? {
            notes.push(format!("the last line of {} is still being written", files.shown(path)));
        }
    }
    requests.join();
    let (units, of_several) = requests.units();
    let read = format!("{lines} lines in {} of {}", plural(paths.len() as u64, "file"), files.pattern());
    notes.insert(0, read);
    notes.push(by_version("requests", requests.requests(), &query.versions));
    notes.push(by_version("units", units.iter().copied(), &query.versions));
    let mut metrics = BTreeMap::new();
    for (index, name) in query.metrics.iter().enumerate() {
        let (samples, figures) = sample(&requests, index, query.versions.len());
        notes.push(format!("{name}: {}", by_version("figures", figures, &query.versions)));
        metrics.insert(name.clone(), samples);
    }
    notes.extend(remarks(&requests, of_several));
    Ok(MetricReadings { samples: metrics, units: Some(units), notes })
}

type Samples = Vec<Result<Sample, String>>;

/// The samples of a metric, and the figures of each version.
fn sample(requests: &Requests<'_>, index: usize, versions: usize) -> (Samples, Vec<u64>) {
    let (metric, mut figures) = (requests.metric(index), requests.figures(index));
    let mut counts = vec![0; versions];
    for figure in &figures {
        counts[figure.version as usize] += 1;
    }
    let dropped = requests.counts.dropped;
    let problem = if metric == Metric::Evaluation && dropped > 0 {
        Some(format!(
            "{dropped} scores did not fit in memory while they waited for their spans: write spans and scores of fewer \
             prompts, or of less time, to these files"
        ))
    } else if figures.is_empty() {
        Some(absence(requests, metric))
    } else {
        None
    };
    let samples: Vec<Sample> = match metric {
        Metric::LatencyPercentile(percentile) => {
            let of_version = |version: usize| {
                let figures = figures.iter().filter(|figure| figure.version as usize == version);
                let mut seconds: Vec<f64> = figures.map(|figure| figure.value).collect();
                let value = nearest_rank(&mut seconds, percentile).unwrap_or_default();
                Sample::Level { n: seconds.len() as u64, value }
            };
            (0..versions).map(of_version).collect()
        }
        _ => of_units(&mut figures, versions),
    };
    let samples = samples.into_iter().zip(requests.invalid(index)).map(|(sample, invalid)| match &problem {
        Some(problem) => Err(problem.clone()),
        None if *invalid > 0 => Err(format!("{} that are not numbers", plural(*invalid, "figure"))),
        None => Ok(sample),
    });
    (samples.collect(), counts)
}

/// One figure a unit: its only one, or the mean of its figures.
fn of_units(figures: &mut [Figure], versions: usize) -> Vec<Sample> {
    figures.sort_unstable_by_key(|figure| (figure.version, figure.unit));
    let (mut moments, mut is_repeated) = (vec![Moments::default(); versions], false);
    for unit in figures.chunk_by(|left, right| (left.version, left.unit) == (right.version, right.unit)) {
        let sum: f64 = unit.iter().map(|figure| figure.value).sum();
        moments[unit[0].version as usize].add(sum / unit.len() as f64, 1);
        is_repeated |= unit.len() > 1;
    }
    if is_repeated { means(&moments) } else { samples(&moments) }
}

fn absence(requests: &Requests<'_>, metric: Metric) -> String {
    let mut text = metric.absence().to_owned();
    if requests.requests().iter().sum::<u64>() == 0 && !requests.other_prompts.is_empty() {
        text = format!("no request of this prompt was seen, but of {}", list(&requests.other_prompts));
    } else if metric == Metric::Evaluation && !requests.other_evaluations.is_empty() {
        text.push_str(&format!("; there are {}", list(&requests.other_evaluations)));
    }
    text
}

/// Notes on what was left out or looks wrong.
fn remarks(requests: &Requests<'_>, of_several: u64) -> impl Iterator<Item = String> {
    let counts = requests.counts;
    let rows = [
        (counts.orphans, "score", "without a request of these versions in the window"),
        (counts.dropped, "score", "not kept: too many waited for their spans"),
        (counts.without_value, "score", "without a value"),
        (counts.without_version, "request", "without a version"),
        (counts.other_versions, "request", "of other versions"),
        (counts.without_unit, "request", "without a unit: each trace counts as one"),
        (counts.duplicates, "request", "written more than once: the first counts"),
        (of_several, "unit", "with more than one version"),
    ];
    rows.into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, noun, text)| format!("{} {text}", plural(count, noun)))
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}

fn list(names: &std::collections::BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
