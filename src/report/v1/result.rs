//! What was decided and from which numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CriterionVerdict, MetricKind, ReasonCode, Scope};

/// One reason for the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The code; stable.
    pub code: ReasonCode,
    /// One sentence.
    pub message: String,
    /// The criterion it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
}

/// What was decided on one criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Criterion {
    /// `METRIC.min`, `METRIC.baseline`, `check.NAME`, `check.NAME.baseline`, `limit.latency_p95`,
    /// `slice.TAG.METRIC.min`, `case.ID` or `broken_cases`.
    pub id: String,
    /// The metric it looks at; empty for `case.ID` and `broken_cases`.
    pub metric: String,
    /// `threshold`, `baseline`, `check`, `limit`, `slice`, `case` or `broken_cases`.
    pub kind: String,
    /// The required value.
    pub required: Option<f64>,
    /// The estimate; null where nothing was graded.
    pub estimate: Option<f64>,
    /// One-sided lower bound at the run's confidence; null where none exists.
    pub lower: Option<f64>,
    /// One-sided upper bound at the run's confidence; null where none exists.
    pub upper: Option<f64>,
    /// The p of "shown to be missed", unadjusted; null where the comparison is literal.
    pub p: Option<f64>,
    /// The verdict.
    pub verdict: CriterionVerdict,
    /// How it was decided: `literal`, `permutation`, `t`, `sign-flip`, `point`, …
    pub method: String,
    /// One sentence that says what was found.
    pub explanation: String,
}

/// A metric over the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// Its name: `faithfulness`, `check.NAME`, `latency`, `output_tokens`, `cost_usd`, `length`.
    pub name: String,
    /// What it measures, and so its unit: scores in 0 to 1, seconds, tokens, US dollars or characters.
    pub kind: MetricKind,
    /// The candidate's mean.
    pub candidate: VariantSummary,
    /// The baseline's mean; null without a baseline.
    pub baseline: Option<VariantSummary>,
    /// Candidate minus baseline, mean over cases, in the scope that decides.
    pub difference: Option<Interval>,
    /// The same in the scope that does not decide.
    pub other_scope_difference: Option<Interval>,
    /// The scope that decides.
    pub scope: Scope,
    /// Repeats of every case.
    pub repeats: u32,
    /// Standard deviation over the repeats of a case, pooled; null with one repeat.
    pub noise: Option<f64>,
    /// The smallest drop that the suite detects with 80 % power; null where the noise is not known.
    pub smallest_detectable_drop: Option<f64>,
}

/// The mean of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariantSummary {
    /// The mean over cases; null where nothing was graded.
    pub mean: Option<f64>,
    /// One-sided lower bound.
    pub lower: Option<f64>,
    /// One-sided upper bound.
    pub upper: Option<f64>,
    /// Cases the mean counts.
    pub n: usize,
    /// Missing grades.
    pub missing: usize,
}

/// An estimate with one-sided bounds, each at the run's confidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The estimate.
    pub mean: f64,
    /// One-sided lower bound; null where none exists.
    pub lower: Option<f64>,
    /// One-sided upper bound; null where none exists.
    pub upper: Option<f64>,
}
