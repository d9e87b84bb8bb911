//! Metrics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, Judged, LengthCorrelation, MetricKind, Scope, Slice};

/// A metric over the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// Its name: `faithfulness`, `check.NAME`, `latency`, `output_tokens`, `cost_usd`, `length`.
    pub name: String,
    /// Its kind, and so its unit: scores in 0 to 1, seconds, tokens, US dollars or characters.
    pub kind: MetricKind,
    /// The candidate's mean.
    pub candidate: VariantSummary,
    /// The baseline's mean; null without a baseline.
    pub baseline: Option<VariantSummary>,
    /// Candidate minus baseline, mean over cases, in the scope that decides.
    pub difference: Option<Interval>,
    /// Candidate minus baseline in the scope that does not decide.
    pub other_scope_difference: Option<Interval>,
    /// The scope that decides.
    pub scope: Scope,
    /// Graded repeats of the candidate; a judge grades no more of them once its metric has passed.
    pub repeats: u32,
    /// Standard deviation over the repeats of a case, pooled; null with one repeat.
    pub noise: Option<f64>,
    /// The smallest drop that the suite detects with 80 % power, given all its looks; null where the noise is not
    /// known.
    pub smallest_detectable_drop: Option<f64>,
    /// The metric by tag, for the fifty most frequent tags; empty where cases have no tags, and for metrics that are not
    /// scores.
    pub slices: Vec<Slice>,
    /// Correlation with the length of the answers; null where it is not judged.
    pub length_correlation: Option<LengthCorrelation>,
    /// Agreement and calibration of its judges; null where it is not judged.
    #[serde(default)]
    pub judged: Option<Judged>,
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
    /// Cases in the mean.
    pub n: usize,
    /// Planned repeats.
    pub repeats: u32,
    /// Missing grades.
    pub missing: usize,
}
