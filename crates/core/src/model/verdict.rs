//! What the gate decided, and from which numbers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MetricKind;

/// The verdict of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every criterion met.
    Pass,
    /// A threshold missed or a regression shown.
    Fail,
    /// Too little evidence to decide.
    Inconclusive,
    /// Could not evaluate.
    Incomplete,
    /// Nothing that could change a verdict differs from the base.
    Unchanged,
}

impl Verdict {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Incomplete => "incomplete",
            Self::Unchanged => "unchanged",
        }
    }
}

/// The verdict on one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CriterionVerdict {
    /// Met.
    Pass,
    /// Shown to be missed.
    Fail,
    /// Too little evidence.
    Inconclusive,
    /// Missing grades could turn it.
    Incomplete,
}

impl CriterionVerdict {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Incomplete => "incomplete",
        }
    }
}

/// Stable codes of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// A metric is below its minimum.
    ThresholdMissed,
    /// The candidate is worse than the baseline.
    Regression,
    /// A check failed on a trial though every trial must pass.
    CheckFailed,
    /// Latency, tokens or cost above the limit.
    LimitExceeded,
    /// A `must_pass` case failed.
    MustPassFailed,
    /// More cases broke than allowed.
    BrokenCases,
    /// The evidence allows no decision.
    TooLittleEvidence,
    /// Missing grades could turn a criterion, or there are more than allowed.
    MissingGrades,
    /// The endpoint ended the run.
    Endpoint,
    /// No key in the environment.
    MissingCredentials,
    /// The judge failed its self-test, or is not calibrated as the configuration wants.
    UnfitJudge,
    /// A ceiling of the budget was reached.
    BudgetSpent,
    /// Only cached answers were wanted, and some are not in the cache.
    NotCached,
    /// The cache cannot be read.
    CacheDamaged,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// `--fail-fast` stopped the run after a certain failure.
    FailedFast,
}

/// One reason for the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// One sentence.
    pub message: String,
    /// The criterion it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
}

/// An estimate with one-sided bounds, each at the run's confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub mean: f64,
    /// One-sided lower bound; `None` where none exists.
    pub lower: Option<f64>,
    /// One-sided upper bound; `None` where none exists.
    pub upper: Option<f64>,
}

/// What was decided on one criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CriterionOutcome {
    /// `faithfulness.min`, `check.NAME`, `limit.latency_p95`, `slice.TAG.METRIC.min`, `case.ID`, `broken_cases`.
    pub id: String,
    /// The metric it looks at.
    pub metric: String,
    /// `threshold`, `baseline`, `check`, `limit`, `slice`, `case` or `broken_cases`.
    pub kind: String,
    /// The required value.
    pub required: f64,
    /// The estimate; `None` where nothing was graded.
    pub estimate: Option<f64>,
    /// One-sided lower bound.
    pub lower: Option<f64>,
    /// One-sided upper bound.
    pub upper: Option<f64>,
    /// The p of "shown to be missed", unadjusted; `None` where the comparison is literal.
    pub p: Option<f64>,
    /// The verdict.
    pub verdict: CriterionVerdict,
    /// How it was decided: `literal`, `permutation`, `t`, `sign-flip`, `point`, …
    pub method: String,
    /// One sentence that a product manager understands.
    pub explanation: String,
    /// Repeats of the look that decided, or of the last one.
    pub repeats: u32,
    /// The one-sided alpha of that look, which is also that of the bounds.
    pub alpha: f64,
    /// What would settle it; `None` where it is settled, or nothing can be told.
    pub need: Option<Need>,
}

/// What would settle an inconclusive criterion if its estimate stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Need {
    /// So many repeats more.
    Repeats(usize),
    /// So many cases more.
    Cases(usize),
}

/// What would settle every criterion that a run left open, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToSettle {
    /// Repeats more, where repeats help.
    pub repeats: Option<usize>,
    /// Cases more, where cases help.
    pub cases: Option<usize>,
    /// Calls that this takes, about.
    pub calls: u64,
    /// US dollars, about; `None` where a price is not known.
    pub cost_usd: Option<f64>,
}

/// What one look at the evidence found.
#[derive(Debug, Clone, PartialEq)]
pub struct LookOutcome {
    /// It read so many repeats of both variants.
    pub repeats: u32,
    /// The one-sided alpha that it could spend.
    pub alpha: f64,
    /// What the verdict was.
    pub verdict: Verdict,
    /// Every criterion that repeats can decide, in policy order.
    pub criteria: Vec<LookCriterion>,
}

/// A criterion at one look.
#[derive(Debug, Clone, PartialEq)]
pub struct LookCriterion {
    /// Its id.
    pub id: String,
    /// The estimate; `None` where nothing was graded, or it was settled at an earlier look.
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

/// What the next look needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextLook {
    /// Repeats of every case, those so far among them.
    pub repeats: u32,
    /// The criteria that are undecided.
    pub undecided: Vec<String>,
    /// Their metrics: what has to be graded.
    pub metrics: Vec<String>,
}

/// Which uncertainty an interval counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Would this very suite meet the bar on average if run again?
    Suite,
    /// Would new cases of the same kind meet it?
    Population,
}

/// A metric as reported.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSummary {
    /// Its name.
    pub name: String,
    /// What it measures.
    pub kind: MetricKind,
    /// The candidate's mean with bounds in the deciding scope.
    pub candidate: Option<Interval>,
    /// Cases the candidate's mean counts.
    pub candidate_cases: usize,
    /// Missing grades of the candidate.
    pub candidate_missing: usize,
    /// The baseline's.
    pub baseline: Option<Interval>,
    /// Cases the baseline's mean counts.
    pub baseline_cases: usize,
    /// Missing grades of the baseline.
    pub baseline_missing: usize,
    /// Candidate minus baseline, mean over cases, in the deciding scope.
    pub difference: Option<Interval>,
    /// The same in the scope that does not decide.
    pub other_difference: Option<Interval>,
    /// The scope that decides.
    pub scope: Scope,
    /// Standard deviation over the repeats of a case, pooled; `None` with one repeat.
    pub within_case_sd: Option<f64>,
    /// The smallest drop that the suite detects with 80 % power, given all its looks; `None` where the noise is not
    /// known.
    pub smallest_detectable_drop: Option<f64>,
    /// The same by tag, where cases have any; checks and judged metrics only.
    pub slices: Vec<Slice>,
    /// How it goes with the length of the answers; judged metrics only.
    pub length_correlation: Option<LengthCorrelation>,
    /// How a panel of judges agrees and what a calibration says of it; judged metrics only.
    pub judged: Judged,
}

/// What is known of the judges of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Judged {
    /// Krippendorff's alpha between the judges of a panel; `None` without a panel, or where it does not exist.
    pub panel_alpha: Option<f64>,
    /// The share of answers that people would pass, from the share that the judge passes; `None` without a
    /// calibration, or one that is too small.
    pub corrected: Option<Interval>,
    /// The smallest drop in what people would say that shows as the smallest detectable drop.
    pub smallest_true_drop: Option<f64>,
}

/// A metric over the cases with a tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The tag.
    pub tag: String,
    /// Cases with it that were graded.
    pub cases: usize,
    /// The candidate's mean with bounds in the deciding scope.
    pub candidate: Interval,
    /// The baseline's mean.
    pub baseline: Option<f64>,
    /// Candidate minus baseline.
    pub difference: Option<Interval>,
}

/// Pearson's correlation of a metric's case means with the length of the answers, in -1..=1; `None` where there are
/// too few cases, or one of the two does not vary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LengthCorrelation {
    /// The candidate's scores with the length of its answers.
    pub candidate: Option<f64>,
    /// The differences of both variants' scores with the differences in length.
    pub differences: Option<f64>,
}

/// What became of a case, in words; the first that applies in this order. Descriptive only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseChange {
    /// A grade is missing.
    Missing,
    /// Every repeat of the baseline passed and every one of the candidate fails.
    Broken,
    /// The reverse.
    Fixed,
    /// A gated metric lost more than the resolution.
    Regressed,
    /// A gated metric won more than the resolution.
    Improved,
    /// Repeats of one variant disagree.
    Flaky,
    /// None of these.
    Same,
}

impl CaseChange {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Broken => "broken",
            Self::Fixed => "fixed",
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Flaky => "flaky",
            Self::Same => "same",
        }
    }
}

/// The status of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseStatus {
    /// What became of it.
    pub change: CaseChange,
    /// Trials of the candidate that passed, of those that could be told.
    pub candidate_passes: Option<(usize, usize)>,
    /// Trials of the baseline that passed, of those that could be told.
    pub baseline_passes: Option<(usize, usize)>,
    /// The gated metric with the largest loss and that loss (below 0), or with the largest gain.
    pub largest_difference: Option<(String, f64)>,
    /// Metrics on which a candidate trial does not pass: `check.NAME`, `faithfulness`.
    pub failing: Vec<String>,
}

/// What the gate decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, worst first.
    pub reasons: Vec<Reason>,
    /// Every criterion, in policy order.
    pub criteria: Vec<CriterionOutcome>,
    /// Every metric, in analysis order.
    pub metrics: Vec<MetricSummary>,
    /// The status of every case, in dataset order.
    pub cases: Vec<CaseStatus>,
    /// Every look that was taken.
    pub looks: Vec<LookOutcome>,
    /// The look that could settle more; `None` where the verdict stands.
    pub next: Option<NextLook>,
    /// By metric the repeats at which what passed by its bound would pass again in a longer schedule that ends there, if
    /// its estimate stayed: each look of it has less alpha.
    pub repeats_to_hold: BTreeMap<String, usize>,
    /// What would settle an inconclusive run; filled in where what it took is known.
    pub to_settle: Option<ToSettle>,
    /// Things a reader should know: few cases, fallback of the scope, thin evidence.
    pub warnings: Vec<String>,
}
