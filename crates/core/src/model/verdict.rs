//! The decision of the gate and the numbers behind it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CarriedBy, CorrectedMean, Judged, MetricKind, named};

named! {
    /// The verdict of a run.
    pub enum Verdict {
        /// Every criterion met.
        Pass = "pass",
        /// A threshold missed or a regression shown.
        Fail = "fail",
        /// Too little evidence to decide.
        Inconclusive = "inconclusive",
        /// Could not evaluate.
        Incomplete = "incomplete",
        /// Nothing that could change a verdict differs from the base.
        Unchanged = "unchanged",
    }
}

named! {
    /// The verdict on one criterion.
    pub enum CriterionVerdict {
        /// Met.
        Pass = "pass",
        /// Shown to be missed.
        Fail = "fail",
        /// Too little evidence.
        Inconclusive = "inconclusive",
        /// Missing grades could turn it.
        Incomplete = "incomplete",
    }
}

named! {
    /// Why the verdict is what it is.
    pub enum ReasonCode {
        /// A metric is below its minimum.
        ThresholdMissed = "threshold_missed",
        /// The candidate is worse than the baseline.
        Regression = "regression",
        /// A check failed on a trial though every trial must pass.
        CheckFailed = "check_failed",
        /// Latency, tokens or cost above the limit.
        LimitExceeded = "limit_exceeded",
        /// A `must_pass` case failed.
        MustPassFailed = "must_pass_failed",
        /// More cases broke than allowed.
        BrokenCases = "broken_cases",
        /// The evidence allows no decision.
        TooLittleEvidence = "too_little_evidence",
        /// Every answer is a refusal, or more are than of the baseline's.
        Refusals = "refusals",
        /// A loss is shown only against answers of an earlier session, or another model gave those.
        BaselineReused = "baseline_reused",
        /// Every criterion passes, but only on the cases that `--case` or `--only-failed` chose.
        PartialRun = "partial_run",
        /// Missing grades could turn a criterion, or there are more than allowed.
        MissingGrades = "missing_grades",
        /// Failed attempts hit the candidate so that retries may have hidden a loss.
        FaultsDiffer = "faults_differ",
        /// The endpoint ended the run.
        Endpoint = "endpoint",
        /// No key in the environment.
        MissingCredentials = "missing_credentials",
        /// `--cached-only`, and an answer is not in the cache.
        NotCached = "not_cached",
        /// The cache cannot be read.
        CacheDamaged = "cache_damaged",
        /// A limit of the budget was reached.
        BudgetSpent = "budget_spent",
        /// The change removes cases of the base, or makes them unusable.
        DatasetChanged = "dataset_changed",
        /// The change evaluates another kind of target than the base.
        TargetChanged = "target_changed",
        /// The judge failed its self-test, or lacks the calibration that the configuration requires.
        UnfitJudge = "unfit_judge",
        /// Ctrl-C or a request of the system to stop.
        Interrupted = "interrupted",
        /// `--fail-fast` stopped the run after a certain failure.
        FailedFast = "failed_fast",
        /// Another model answered than the one asked for, or other models the candidate than the baseline; beside any
        /// verdict.
        OtherModel = "other_model",
    }
}

/// One reason for the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The code; stable.
    pub code: ReasonCode,
    /// One sentence.
    pub message: String,
    /// The id of the criterion in question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
}

/// An estimate with one-sided bounds, each at the run's confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The estimate.
    pub mean: f64,
    /// One-sided lower bound; null where none exists.
    pub lower: Option<f64>,
    /// One-sided upper bound; null where none exists.
    pub upper: Option<f64>,
}

/// The decision on one criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Criterion")]
pub struct CriterionOutcome {
    /// `METRIC.min`, `METRIC.baseline`, `check.NAME`, `check.NAME.baseline`, `limit.latency_p95`,
    /// `slice.TAG.METRIC.min`, `case.ID` or `broken_cases`.
    pub id: String,
    /// The metric; empty for `case.ID` and `broken_cases`.
    pub metric: String,
    /// `threshold`, `baseline`, `win_rate`, `check`, `limit`, `slice`, `case` or `broken_cases`.
    pub kind: String,
    /// The required value.
    pub required: Option<f64>,
    /// The estimate; null where nothing was graded.
    pub estimate: Option<f64>,
    /// One-sided lower bound at `alpha`; null where none exists.
    pub lower: Option<f64>,
    /// One-sided upper bound at `alpha`; null where none exists.
    pub upper: Option<f64>,
    /// Unadjusted p-value of "shown to be missed"; null where the comparison is literal.
    pub p: Option<f64>,
    /// The verdict.
    pub verdict: CriterionVerdict,
    /// The method of decision: `literal`, `permutation`, `t`, `sign-flip`, `point`, …
    pub method: String,
    /// One sentence about the result.
    pub explanation: String,
    /// Repeats of the look that settled it, or of the last look.
    pub repeats: u32,
    /// The one-sided alpha of that look.
    pub alpha: f64,
    /// Further evidence that would settle it if its estimate stayed the same; null where it is settled or the need cannot
    /// be computed.
    pub need: Option<Need>,
    /// Whether it is undecided because the baseline's answers are of an earlier session: they show a loss that only fresh
    /// answers could confirm, or another model gave them. Absent where it is false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unconfirmed: bool,
    /// The decision by first attempts; absent where no attempt was contested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_attempts: Option<FirstAttemptsOutcome>,
    /// The correction of the mean by labels; absent where the judge's mean decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<CorrectedMean>,
}

impl Decision {
    /// Whether a verdict waits for fresh answers of a stored baseline.
    pub fn is_unconfirmed(&self) -> bool {
        self.refusals.unconfirmed || self.criteria.iter().any(|outcome| outcome.unconfirmed)
    }
}

impl CriterionOutcome {
    /// Whether it is undecided because retries may have hidden a loss.
    pub fn faults_differ(&self) -> bool {
        let by_first_attempts = self.first_attempts.as_ref().map(|first| first.verdict);
        self.verdict == CriterionVerdict::Incomplete && by_first_attempts == Some(CriterionVerdict::Fail)
    }
}

/// The decision on one criterion by first attempts: trials whose first attempt timed out, or ended with a 5xx or a cut
/// reply, count as 0 in both variants. A criterion passes only if it passes as answered and by first attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FirstAttempts")]
pub struct FirstAttemptsOutcome {
    /// Contested trials of the candidate.
    pub candidate: usize,
    /// Trials of the candidate.
    pub candidate_trials: usize,
    /// Contested trials of the baseline.
    pub baseline: usize,
    /// Trials of the baseline; 0 without one.
    pub baseline_trials: usize,
    /// The estimate; null for a literal comparison.
    pub estimate: Option<f64>,
    /// One-sided lower bound.
    pub lower: Option<f64>,
    /// One-sided upper bound.
    pub upper: Option<f64>,
    /// Unadjusted p-value of "shown to be missed".
    pub p: Option<f64>,
    /// The verdict; a fail means that retries may have hidden a loss.
    pub verdict: CriterionVerdict,
}

/// Further evidence that would settle an inconclusive criterion if its estimate stayed the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Number of additional repeats.
    Repeats(usize),
    /// Number of additional cases.
    Cases(usize),
}

/// Further evidence that would settle every open criterion if the estimates stayed the same, and its cost at this run's
/// own rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToSettle {
    /// Additional repeats; null where repeats do not help.
    pub repeats: Option<usize>,
    /// Additional cases; null where cases do not help.
    pub cases: Option<usize>,
    /// Approximate number of calls.
    pub calls: u64,
    /// Approximate cost in US dollars; null where a price is not known.
    pub cost_usd: Option<f64>,
}

/// The result of one look at the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Look")]
pub struct LookOutcome {
    /// Repeats of both variants in this look.
    pub repeats: u32,
    /// The one-sided alpha that this look could spend.
    pub alpha: f64,
    /// The verdict at this look.
    pub verdict: Verdict,
    /// The criteria in which chance plays a part, in policy order.
    pub criteria: Vec<LookCriterion>,
}

/// A criterion at one look. A criterion that an earlier look settled has its verdict and no numbers.
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
    /// Unadjusted p-value of "shown to be missed".
    pub p: Option<f64>,
    /// The verdict.
    pub verdict: CriterionVerdict,
}

/// Requirements of the next look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextLook {
    /// Repeats of every case, including those of earlier looks.
    pub repeats: u32,
    /// Ids of the undecided criteria.
    pub undecided: Vec<String>,
    /// Metrics of the undecided criteria, which have to be graded.
    pub metrics: Vec<String>,
}

named! {
    /// Which uncertainty an interval counts.
    pub enum Scope {
        /// Would this very suite meet the bar on average if run again?
        Suite = "suite",
        /// Would new cases of the same kind meet it?
        Population = "population",
    }
}

/// A metric over the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Metric")]
pub struct MetricSummary {
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
    /// The tags whose cases carry its drop; absent where it did not drop, or no tag explains that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_by: Option<CarriedBy>,
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

/// Results of pairs of answers that a judge compared, for the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PairCounts {
    /// Pairs that the candidate won.
    pub wins: usize,
    /// Pairs without a winner.
    pub ties: usize,
    /// Pairs that the baseline won.
    pub losses: usize,
    /// Ties in which each order of the answers had another winner.
    pub flips: usize,
}

/// A metric over the cases with a tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slice {
    /// The tag.
    pub tag: String,
    /// Number of graded cases with the tag.
    #[serde(rename = "n")]
    pub cases: usize,
    /// The candidate's mean.
    pub candidate: Interval,
    /// The baseline's mean; null without one.
    pub baseline: Option<f64>,
    /// Candidate minus baseline, mean over cases.
    pub difference: Option<Interval>,
}

/// Pearson's correlation with the length of the answers, in -1 to 1: near 1, the judge may favor long ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LengthCorrelation {
    /// Correlation of the candidate's scores with the length of its answers; null with too few cases or no variance.
    pub candidate: Option<f64>,
    /// Correlation of the differences in score with the differences in length; null with too few cases or no variance.
    pub differences: Option<f64>,
}

named! {
    /// The status of a case; the first that applies, in this order. Descriptive only.
    pub enum CaseStatus {
        /// A grade is missing.
        Missing = "missing",
        /// Every repeat of the baseline passed and every repeat of the candidate fails.
        Broken = "broken",
        /// Every repeat of the baseline failed and every repeat of the candidate passes.
        Fixed = "fixed",
        /// A gated metric lost more than noise explains, at a share of false alarms of 10 % over all cases.
        Regressed = "regressed",
        /// A gated metric gained more than noise explains.
        Improved = "improved",
        /// Repeats of one variant disagree.
        Flaky = "flaky",
        /// A gated metric is lower, but in this case alone by no more than noise can move it.
        Lower = "lower",
        /// A gated metric is higher and none is lower, but in this case alone by no more than noise can move it.
        Higher = "higher",
        /// None of these.
        Same = "same",
    }
}

/// The status of a case with the results behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseSummary {
    /// The status.
    pub status: CaseStatus,
    /// Candidate trials: how many passed, and how many have a result.
    pub candidate_passes: Option<(usize, usize)>,
    /// Baseline trials: how many passed, and how many have a result.
    pub baseline_passes: Option<(usize, usize)>,
    /// The gated metric with the largest loss and that loss (below 0), or with the largest gain. For `regressed` and
    /// `improved`, the most certain change.
    pub largest_difference: Option<(String, f64)>,
    /// Metrics on which a candidate trial does not pass: `check.NAME`, `faithfulness`.
    pub failing: Vec<String>,
    /// Whether the candidate alone does not answer in time, so that its trials that timed out have score 0.
    pub timed_out: bool,
}

/// Trials and judgements that a retry may have selected: a first attempt timed out, or ended with a 5xx or a cut reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ContestedTotals {
    /// Contested trials of the candidate.
    pub candidate: usize,
    /// Trials of the candidate.
    pub candidate_trials: usize,
    /// Contested trials of the baseline.
    pub baseline: usize,
    /// Trials of the baseline; 0 without one.
    pub baseline_trials: usize,
    /// Grades whose judge had a contested attempt, of both variants.
    pub judgements: usize,
}

/// Refusals among the answers of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RefusalCounts {
    /// Answers whose text came in the `refusal` field.
    pub refused: usize,
    /// All answers to cases without `may_refuse`.
    #[serde(rename = "of")]
    pub answers: usize,
}

/// Structural refusals, and their comparison with the baseline's, which can only fail a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refusals {
    /// Those of the candidate.
    pub candidate: RefusalCounts,
    /// Those of the baseline; null without one.
    pub baseline: Option<RefusalCounts>,
    /// One-sided p of "the candidate refuses more often"; null where it is not tested.
    pub p: Option<f64>,
    /// The one-sided alpha of that test, which is taken from the criteria; null where it is not tested.
    pub alpha: Option<f64>,
    /// `fail` where every answer is a refusal, or more are than of the baseline's.
    pub verdict: CriterionVerdict,
    /// Whether only answers of an earlier session show that there are more. Absent where it is false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unconfirmed: bool,
}

/// The decision of the gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// The reasons, worst first.
    pub reasons: Vec<Reason>,
    /// Every criterion, in policy order.
    pub criteria: Vec<CriterionOutcome>,
    /// Every metric, in analysis order.
    pub metrics: Vec<MetricSummary>,
    /// Every case, in dataset order.
    pub cases: Vec<CaseSummary>,
    /// All looks so far.
    pub looks: Vec<LookOutcome>,
    /// The look that could settle more criteria; `None` where the verdict is final.
    pub next: Option<NextLook>,
    /// By metric, the repeats at which a criterion that passed by its bound would pass again in a longer schedule, in
    /// which each look has less alpha, if its estimate stayed the same.
    pub repeats_to_hold: BTreeMap<String, usize>,
    /// Contested trials and judgements; `None` without any.
    pub contested: Option<ContestedTotals>,
    /// Whether too many grades are missing by no more than chance, so that asking once more for these may suffice.
    pub retry_missing: bool,
    /// Evidence that would settle an inconclusive run; filled in where its cost is known.
    pub to_settle: Option<ToSettle>,
    /// Structural refusals at the last look.
    pub refusals: Refusals,
    /// Warnings for readers: few cases, fallback of the scope, thin evidence.
    pub warnings: Vec<String>,
}
