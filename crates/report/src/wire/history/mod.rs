//! The runs of a suite over time: the output of `promptgate history --format json`.

mod saved;
mod trend;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::v1::{EndedKind, Metric, MetricKind, Verdict};
pub use saved::{SavedRun, read};
pub use trend::{GroupMean, Trend, TrendStatus};

/// The value of `schema` in every document of this version.
pub const SCHEMA: &str = "promptgate.history/v1";

/// The runs of a suite, the oldest first, and what drifted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "promptgate history v1")]
pub struct History {
    /// Always `promptgate.history/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Name of the suite.
    pub suite: String,
    /// The runs, by their start.
    pub runs: Vec<HistoryRun>,
    /// Every gated metric over the runs.
    pub trends: Vec<Trend>,
    /// The tests that the findings come from, in a sentence.
    pub tested: String,
    /// Files that are not part of it.
    pub skipped: Vec<SkippedReport>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HistoryRun {
    /// The path of its report.
    pub report: String,
    /// Its start: RFC 3339, UTC.
    pub started_at: String,
    /// The full hash of the candidate's commit; null where that is not known.
    pub commit: Option<String>,
    /// Name of the candidate's prompt.
    pub prompt: String,
    /// Version of the candidate's prompt.
    pub version: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its exit code.
    pub exit_code: u8,
    /// Number of cases.
    pub cases: usize,
    /// Repeats of every case.
    pub repeats: u32,
    /// Whether the endpoint was the simulated one.
    pub simulated: bool,
    /// Whether trends include it: it completed, and shares dataset, judge, model, parameters and simulation with the newest run.
    pub comparable: bool,
    /// Means of the gated metrics.
    pub metrics: Vec<MetricMean>,
    /// US dollars of all calls; null where a price is not known.
    pub cost_usd: Option<f64>,
}

/// A metric of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MetricMean {
    /// The metric.
    pub metric: String,
    /// Its kind.
    pub kind: MetricKind,
    /// Mean of the candidate; null where nothing was graded.
    pub mean: Option<f64>,
    /// One-sided lower bound at the confidence of the policy.
    pub lower: Option<f64>,
    /// One-sided upper bound at the confidence of the policy.
    pub upper: Option<f64>,
    /// Mean of the baseline; null without one.
    pub baseline: Option<f64>,
}

/// A file that is not part of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedReport {
    /// Its path.
    pub report: String,
    /// Why.
    pub reason: String,
}

impl History {
    /// The history of runs of one suite, each with the path of its report; `None` without a run.
    pub fn of(suite: &str, mut saved: Vec<(String, SavedRun)>, skipped: Vec<SkippedReport>) -> Option<Self> {
        saved.sort_by(|(one_file, one), (other_file, other)| {
            (one.started_at.as_str(), one_file).cmp(&(other.started_at.as_str(), other_file))
        });
        let newest = saved.last().map(|(_, run)| run.clone())?;
        let gated = gated_metrics(&saved);
        let runs: Vec<HistoryRun> = saved
            .iter()
            .map(|(file, run)| history_run(file, run, &gated, run.compares_with(&newest)))
            .collect();
        let comparable: Vec<&SavedRun> =
            saved.iter().zip(&runs).filter(|(_, row)| row.comparable).map(|((_, run), _)| run).collect();
        let (trends, tested) = trend::trends(&gated, &comparable, runs.len());
        Some(Self { schema: SCHEMA.to_owned(), suite: suite.to_owned(), runs, trends, tested, skipped })
    }
}

/// The metrics that a criterion over all cases names: judged ones, checks, then measurements, each in the order of the newest
/// report. Checks that always pass tell nothing.
fn gated_metrics(saved: &[(String, SavedRun)]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, run) in saved.iter().rev() {
        let gated = |metric: &&Metric| {
            run.policy
                .criteria
                .iter()
                .any(|criterion| criterion.metric == metric.name && criterion.tag.is_none())
        };
        for metric in run.metrics.iter().filter(gated) {
            if !names.contains(&metric.name) {
                names.push(metric.name.clone());
            }
        }
    }
    let varies = |name: &String| {
        let of_name = saved.iter().flat_map(|(_, run)| &run.metrics).filter(|metric| metric.name == *name);
        let mut means = of_name.filter_map(|metric| Some((metric.kind, metric.candidate.mean?)));
        means.any(|(kind, mean)| kind != MetricKind::Check || mean < 1.0)
    };
    names.retain(varies);
    let kind =
        |name: &String| saved.iter().rev().find_map(|(_, run)| run.metric(name)).map(|metric| metric.kind);
    names.sort_by_key(|name| match kind(name) {
        Some(MetricKind::Judge) => 0,
        Some(MetricKind::Check) => 1,
        _ => 2,
    });
    names
}

fn history_run(file: &str, run: &SavedRun, gated: &[String], comparable: bool) -> HistoryRun {
    let candidate = &run.variants.candidate;
    let means = gated.iter().filter_map(|name| run.metric(name)).map(|metric| MetricMean {
        metric: metric.name.clone(),
        kind: metric.kind,
        mean: metric.candidate.mean,
        lower: metric.candidate.lower,
        upper: metric.candidate.upper,
        baseline: metric.baseline.as_ref().and_then(|baseline| baseline.mean),
    });
    HistoryRun {
        report: file.to_owned(),
        started_at: run.started_at.clone(),
        commit: candidate.prompt.commit.clone(),
        prompt: candidate.prompt.name.clone(),
        version: candidate.prompt.version.clone(),
        verdict: run.verdict,
        exit_code: run.exit_code,
        cases: run.dataset.cases,
        repeats: run.repeats,
        simulated: run.simulated,
        comparable,
        metrics: means.collect(),
        cost_usd: run.usage.cost_usd,
    }
}

impl HistoryRun {
    /// The money that was spent: a simulated run spends none, whatever its prices are.
    pub(crate) fn spent_usd(&self) -> Option<f64> {
        self.cost_usd.filter(|_| !self.simulated)
    }
}

impl SavedRun {
    fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// Whether the means of both are of the same cases, by the same judge, and of the same model. The prompt may differ,
    /// which the findings say.
    fn compares_with(&self, newest: &Self) -> bool {
        let (own, other) = (&self.variants.candidate, &newest.variants.candidate);
        self.ended.kind == EndedKind::Completed
            && own.model == other.model
            && own.parameters == other.parameters
            && self.dataset.digest == newest.dataset.digest
            && self.simulated == newest.simulated
            && self.judge.as_ref().map(|judge| &judge.fingerprint)
                == newest.judge.as_ref().map(|judge| &judge.fingerprint)
    }
}

/// The JSON Schema of [`History`], draft 2020-12.
pub fn schema() -> Value {
    super::schema_of::<History>("history")
}
