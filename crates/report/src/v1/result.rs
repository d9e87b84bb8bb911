//! What was decided and from which numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CriterionVerdict, MetricKind, ReasonCode, Scope, Verdict};

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
    /// One-sided lower bound at `alpha`; null where none exists.
    pub lower: Option<f64>,
    /// One-sided upper bound at `alpha`; null where none exists.
    pub upper: Option<f64>,
    /// The p of "shown to be missed", unadjusted; null where the comparison is literal.
    pub p: Option<f64>,
    /// The verdict.
    pub verdict: CriterionVerdict,
    /// How it was decided: `literal`, `permutation`, `t`, `sign-flip`, `point`, …
    pub method: String,
    /// One sentence that says what was found.
    pub explanation: String,
    /// Repeats of the look that settled it, or of the last one.
    pub repeats: u32,
    /// The one-sided alpha of that look.
    pub alpha: f64,
    /// What would settle it if its estimate stayed; null where it is settled, or nothing can be told.
    pub need: Option<Need>,
}

/// What would settle an inconclusive criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// So many repeats more.
    Repeats(usize),
    /// So many cases more.
    Cases(usize),
}

/// What would settle every criterion that the run left open if the estimates stayed, and what it takes at this run's
/// own rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToSettle {
    /// Repeats more; null where repeats do not help.
    pub repeats: Option<usize>,
    /// Cases more; null where cases do not help.
    pub cases: Option<usize>,
    /// Calls that this takes, about.
    pub calls: u64,
    /// US dollars, about; null where a price is not known.
    pub cost_usd: Option<f64>,
}

/// What one look at the evidence found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Look {
    /// It read so many repeats of both variants.
    pub repeats: u32,
    /// The one-sided alpha that it could spend.
    pub alpha: f64,
    /// What the verdict was.
    pub verdict: Verdict,
    /// The criteria in which chance plays a part, in policy order.
    pub criteria: Vec<LookCriterion>,
}

/// A criterion at one look. What an earlier look had settled has its verdict and no numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LookCriterion {
    /// Its id.
    pub id: String,
    /// The estimate.
    pub estimate: Option<f64>,
    /// One-sided lower bound at the look's alpha.
    pub lower: Option<f64>,
    /// One-sided upper bound at the look's alpha.
    pub upper: Option<f64>,
    /// The p of "shown to be missed", unadjusted.
    pub p: Option<f64>,
    /// The verdict.
    pub verdict: CriterionVerdict,
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
    /// Repeats of the candidate that were graded; a judge is not asked again once its metric has passed.
    pub repeats: u32,
    /// Standard deviation over the repeats of a case, pooled; null with one repeat.
    pub noise: Option<f64>,
    /// The smallest drop that the suite detects with 80 % power, given all its looks; null where the noise is not
    /// known.
    pub smallest_detectable_drop: Option<f64>,
    /// The same by tag, the fifty most frequent ones; empty where cases have no tags and for what is not a score.
    pub slices: Vec<Slice>,
    /// How its case means go with the length of the answers; null where it is not judged.
    pub length_correlation: Option<LengthCorrelation>,
    /// What is known of its judges; null where it is not judged.
    #[serde(default)]
    pub judged: Option<Judged>,
}

/// What is known of the judges of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Krippendorff's alpha between the judges of a panel; null without a panel, or where it does not exist.
    pub panel_alpha: Option<f64>,
    /// The share of the candidate's answers that people would pass, from the share that the judge passes (Rogan and
    /// Gladen 1978, bounds of Lang and Reiczigel 2014); null without a calibration that allows it.
    pub corrected: Option<Interval>,
    /// The smallest drop in the share of answers that people pass which shows as the smallest detectable drop: that over
    /// the calibration's slope; null without a calibration that allows it.
    pub smallest_true_drop: Option<f64>,
}

/// A metric over the cases with a tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slice {
    /// The tag.
    pub tag: String,
    /// Cases with it that were graded.
    pub n: usize,
    /// The candidate's mean.
    pub candidate: Interval,
    /// The baseline's mean; null without one.
    pub baseline: Option<f64>,
    /// Candidate minus baseline, mean over cases.
    pub difference: Option<Interval>,
}

/// Pearson's correlation with the length of the answers, in -1 to 1: near 1, the judge may favour long ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LengthCorrelation {
    /// The candidate's scores with the length of its answers; null where that cannot be told.
    pub candidate: Option<f64>,
    /// The differences in score with the differences in length; null where that cannot be told.
    pub differences: Option<f64>,
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
    /// Repeats that were to be graded.
    pub repeats: u32,
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
