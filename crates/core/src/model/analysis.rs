//! The case x repeat matrices of a run, with what is missing in them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Matrix;

/// What the decision needs to know of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaseFacts {
    /// Its id.
    pub id: String,
    /// The question, for readers.
    pub query: String,
    /// The passages an answer may rely on, for readers; `None` where the row has none.
    pub context: Option<Arc<[String]>>,
    /// The reference answer as text, for readers; `None` where the row has none.
    pub expected: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its cluster.
    pub group: Option<String>,
    /// Whether it is a criterion of its own.
    pub must_pass: bool,
    /// Whether both variants rendered the same request, which was then answered and judged once.
    pub shared: bool,
}

/// What a metric measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// 0 or 1 by a deterministic check.
    Check,
    /// 0..=1 by a judge.
    Judge,
    /// Seconds, of one attempt.
    Latency,
    /// Tokens of an answer, as reported.
    OutputTokens,
    /// US dollars of an answer.
    Cost,
    /// Characters of an answer.
    Length,
}

/// One trial's place in a matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// A value: a score in 0..=1, or seconds, tokens, dollars.
    Value(f64),
    /// No grade came of it: the endpoint's or the judge's fault.
    Missing,
    /// Not asked: `--no-judge`, `--fail-fast`, or a metric that had passed already.
    NotAsked,
}

impl Cell {
    /// The value, if there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::NotAsked => None,
        }
    }
}

/// Both variants' values of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantScores {
    /// The candidate's.
    pub candidate: Matrix,
    /// The baseline's; `None` without a baseline (or one that lacks this metric).
    pub baseline: Option<Matrix>,
}

/// A metric over the whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricScores {
    /// Its name: `faithfulness`, `check.NAME`, `latency`, `output_tokens`, `cost_usd`, `length`.
    pub name: String,
    /// What it measures.
    pub kind: MetricKind,
    /// Repeats of the candidate that were to be graded.
    pub repeats: u32,
    /// Repeats of the baseline that were to be graded; 0 without one.
    pub baseline_repeats: u32,
    /// The values.
    pub scores: VariantScores,
}

/// Everything the gate looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The cases in dataset order; rows of every matrix.
    pub cases: Arc<[CaseFacts]>,
    /// Planned repeats of every case; the length of every row.
    pub repeats: u32,
    /// The metrics: checks, judges, then latency, tokens, cost, length.
    pub metrics: Vec<MetricScores>,
    /// Whether a baseline was run.
    pub has_baseline: bool,
    /// Whether the baseline was answered in an earlier session.
    pub baseline_reused: bool,
    /// Whether the sides were answered in different sessions, so that their latencies do not compare.
    pub sessions_differ: bool,
    /// Whether all repeats of every case of a variant are the same text although they were sampled: a cache
    /// answered, and repeats are no evidence of their own.
    pub repeats_cached: bool,
}

impl Analysis {
    /// The same after its first `repeats` repeats.
    pub fn after(&self, repeats: u32) -> Self {
        let cut = |matrix: &Matrix| -> Matrix {
            let cut = |row: &[Cell]| row.iter().copied().take(repeats as usize).collect::<Vec<_>>();
            matrix.rows().map(|row| row.map(cut)).collect()
        };
        let metric = |metric: &MetricScores| MetricScores {
            name: metric.name.clone(),
            kind: metric.kind,
            repeats: metric.repeats.min(repeats),
            baseline_repeats: metric.baseline_repeats.min(repeats),
            scores: VariantScores {
                candidate: cut(&metric.scores.candidate),
                baseline: metric.scores.baseline.as_ref().map(cut),
            },
        };
        Self {
            cases: self.cases.clone(),
            repeats: self.repeats.min(repeats),
            metrics: self.metrics.iter().map(metric).collect(),
            has_baseline: self.has_baseline,
            baseline_reused: self.baseline_reused,
            sessions_differ: self.sessions_differ,
            repeats_cached: self.repeats_cached,
        }
    }

    /// The metric of that name.
    pub fn metric(&self, name: &str) -> Option<&MetricScores> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}
