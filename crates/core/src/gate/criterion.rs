//! One criterion at one look: the evidence with its gaps filled both ways, and the reported outcome.

use crate::model::{
    Analysis, Bound, CorrectedMean, Criterion, CriterionOutcome, CriterionVerdict, EVEN, MetricKind,
    Requirement, Rule, StoredBaseline,
};
use crate::text::neutral;

use super::evidence::{Context, EXACT, Evidence, Parameter, Ruling, literal_verdict};
use super::explain::{Explanation, explain, subject, unconfirmed};
use super::fill::{CellCounts, Fill, FilledScores, Selection, UNBOUNDED};
use super::fresh::fresh;
use super::limit::limit;
use super::mean_test::{corrected_threshold, not_worse, threshold};
use super::second_decision::SecondDecision;
use super::trials::{Tally, TrialTallies, broken_cases, must_pass};
use super::win_rate::preferred;

/// The evidence on one criterion under both fills.
pub(super) struct CriterionEvidence {
    /// With every gap against the candidate.
    pub(super) worst: Evidence,
    /// With every gap in its favour; `None` without gaps, where both are the same.
    pub(super) best: Option<Evidence>,
    /// The estimate from existing grades.
    pub(super) observed: Option<f64>,
    /// The correction of that estimate by labels.
    pub(super) corrected: Option<CorrectedMean>,
    /// The required value. Of a relative limit, the value computed from the baseline's existing grades.
    pub(super) required: f64,
    /// Number of open cells, or of open trials.
    pub(super) gaps: usize,
    /// The reason for a criterion without evidence.
    pub(super) unmeasured: Option<String>,
    pub(super) counts: CellCounts,
    /// The trials of a `must_pass` case.
    pub(super) trials: Tally,
    /// The baseline's trials of that case.
    pub(super) baseline_trials: Tally,
}

impl CriterionEvidence {
    /// With every gap in the candidate's favour.
    pub(super) fn best(&self) -> &Evidence {
        self.best.as_ref().unwrap_or(&self.worst)
    }

    /// Whether the decision is statistical, so that a look that decides it settles it for good. Literal comparisons are
    /// repeated at every look.
    pub(super) fn is_statistical(&self) -> bool {
        self.worst.in_family && self.best().in_family
    }

    /// Whether more repeats could decide it.
    pub(super) fn gains_by_repeats(&self) -> bool {
        let statistical = |evidence: &Evidence| matches!(evidence.ruling, Ruling::Statistical { .. });
        statistical(&self.worst) || statistical(self.best())
    }

    fn unmeasured(required: f64, reason: impl Into<String>) -> Self {
        Self {
            worst: Evidence::none(required),
            best: None,
            observed: None,
            corrected: None,
            required,
            gaps: 0,
            unmeasured: Some(reason.into()),
            counts: CellCounts::default(),
            trials: Tally::default(),
            baseline_trials: Tally::default(),
        }
    }

    /// Evidence on a count of trials or cases; `reason` applies if there is nothing to count.
    fn counted(worst: Evidence, best: Evidence, observed: Option<f64>, gaps: usize, reason: &str) -> Self {
        let unmeasured = worst.estimate.is_none().then(|| reason.to_owned());
        let required = worst.required;
        let best = Some(best);
        Self { worst, best, observed, gaps, unmeasured, ..Self::unmeasured(required, reason) }
    }

    fn ungraded(required: f64, reason: &str, counts: CellCounts) -> Self {
        Self { gaps: counts.gaps(), counts, ..Self::unmeasured(required, reason) }
    }
}

/// The data that all criteria share at one look.
#[derive(Clone, Copy)]
pub(super) struct LookData<'a> {
    pub(super) context: &'a Context,
    pub(super) analysis: &'a Analysis,
    /// The analysis by first attempts; `None` where nothing is contested.
    pub(super) by_first_attempts: Option<&'a Analysis>,
    /// The analysis for literal checks.
    pub(super) literal: &'a Analysis,
    pub(super) tallies: &'a TrialTallies,
    /// Whether `--fail-fast` stopped the run, so that cells that were not asked are open.
    pub(super) stopped_early: bool,
}

impl LookData<'_> {
    /// The evidence on a criterion.
    pub(super) fn evidence(&self, criterion: &Criterion) -> CriterionEvidence {
        let required = match criterion.requirement {
            Requirement::Minimum { value } => value,
            Requirement::EveryTrial | Requirement::NoNewFailures => 1.0,
            Requirement::NotWorse { tolerance } => -tolerance,
            Requirement::WinRate { tolerance } => EVEN - tolerance,
            Requirement::Limit { bound: Bound::Absolute(limit), .. } => limit,
            Requirement::Limit { bound: Bound::MaxIncrease(increase), .. } => increase,
            Requirement::MustPass { case, strict } => return self.must_pass(case, strict),
            Requirement::BrokenCases { max } => return self.broken_cases(max),
        };
        let selection = match self.select(criterion) {
            Ok(selection) => selection,
            Err(reason) => return CriterionEvidence::unmeasured(required, reason),
        };
        let counts = selection.counts();
        if counts.cases == 0 {
            return CriterionEvidence::unmeasured(required, "it applies to no case");
        }
        if counts.candidate == 0 || (selection.paired && counts.baseline == 0) {
            return CriterionEvidence::ungraded(required, "no answer was graded", counts);
        }
        let decide = |fill| {
            let filled = selection.fill(fill);
            self.filled_evidence(criterion, &filled).unwrap_or_else(|| Evidence::none(required))
        };
        let worst = decide(Fill::Worst);
        let (best, observed, corrected, required) = if counts.gaps() == 0 {
            (None, worst.estimate, worst.corrected, worst.required)
        } else {
            // The naive rule computes the estimate without the cost of a test.
            let naive = Context { rule: Rule::Point, ..*self.context };
            let filled = selection.fill(Fill::Observed);
            let observed = LookData { context: &naive, ..*self }.filled_evidence(criterion, &filled);
            let Some((estimate, corrected, required)) = observed
                .and_then(|observed| Some((observed.estimate?, observed.corrected, observed.required)))
            else {
                let reason = "no case was graded for both variants";
                return CriterionEvidence::ungraded(required, reason, counts);
            };
            (Some(decide(Fill::Best)), Some(estimate), corrected, required)
        };
        CriterionEvidence {
            worst,
            best,
            observed,
            corrected,
            required,
            gaps: counts.gaps(),
            unmeasured: None,
            counts,
            trials: Tally::default(),
            baseline_trials: Tally::default(),
        }
    }

    /// The evidence on a minimum from which `excess` is subtracted.
    pub(super) fn minimum_less(&self, criterion: &Criterion, value: f64, excess: f64) -> CriterionEvidence {
        let raised = Requirement::Minimum { value: value + excess };
        let mut evidence = self.evidence(&Criterion { requirement: raised, ..criterion.clone() });
        let fills = [Some(&mut evidence.worst), evidence.best.as_mut()];
        for fill in fills.into_iter().flatten() {
            for bound in [&mut fill.estimate, &mut fill.lower, &mut fill.upper].into_iter().flatten() {
                *bound -= excess;
            }
            fill.required = value;
        }
        evidence.observed = evidence.observed.map(|observed| observed - excess);
        CriterionEvidence { required: value, ..evidence }
    }

    /// The cells that a criterion on a metric applies to.
    ///
    /// # Errors
    /// The reason, if the metric or its baseline was not measured.
    fn select<'a>(&'a self, criterion: &'a Criterion) -> Result<Selection<'a>, String> {
        let analysis = match criterion.requirement {
            Requirement::EveryTrial | Requirement::NoNewFailures => self.literal,
            _ => self.analysis,
        };
        let Some(metric) = analysis.metric(&criterion.metric) else {
            return Err(format!("{} was not measured in this run", criterion.metric));
        };
        if metric.kind == MetricKind::Cost
            && let Some(model) = &analysis.unreviewed_price
        {
            let model = neutral::clip(&neutral::terminal(model), 60);
            return Err(format!(
                "not measured, since the price of `{model}` comes from this change alone; add it to `prices` of the policy \
                 first, in a change of its own"
            ));
        }
        let relative =
            matches!(criterion.requirement, Requirement::Limit { bound: Bound::MaxIncrease(_), .. });
        let paired = relative
            || matches!(criterion.requirement, Requirement::NotWorse { .. } | Requirement::NoNewFailures);
        let compares = paired || matches!(criterion.requirement, Requirement::WinRate { .. });
        if compares && !self.analysis.has_baseline {
            return Err("there is no baseline to compare with".to_owned());
        }
        if paired && metric.scores.baseline.is_none() {
            return Err(
                "the baseline has no grades for it; run a new baseline, or do not gate against it".to_owned()
            );
        }
        if relative && metric.kind == MetricKind::Latency && self.analysis.sessions_differ {
            return Err(format!(
                "the baseline's {} was measured in an earlier session; a relative limit needs a fresh baseline",
                metric.name
            ));
        }
        let selection = Selection {
            tag: criterion.tag.as_deref(),
            gaps_from_fail_fast: self.stopped_early,
            ..Selection::all(analysis, metric, paired)
        };
        fresh(selection, criterion.requirement, self.context.alpha)
    }

    fn filled_evidence(&self, criterion: &Criterion, filled: &FilledScores) -> Option<Evidence> {
        let kind = self.analysis.metric(&criterion.metric).map_or(MetricKind::Judge, |metric| metric.kind);
        if filled.candidate.is_empty() {
            return None;
        }
        match criterion.requirement {
            Requirement::Minimum { value } => Some(match &criterion.labels {
                Some(labels) => corrected_threshold(self.context, filled, value, labels),
                None => threshold(self.context, filled, value),
            }),
            Requirement::NotWorse { tolerance } => Some(not_worse(self.context, filled, tolerance)),
            Requirement::WinRate { tolerance } => Some(preferred(self.context, filled, tolerance)),
            Requirement::Limit { statistic, bound } => limit(self.context, filled, kind, (statistic, bound)),
            Requirement::EveryTrial => {
                let trials = filled.candidate.values();
                let passed = trials.iter().filter(|score| **score >= 1.0 - EXACT).count();
                let verdict = literal_verdict(passed == trials.len());
                Some(Evidence::literal(passed as f64 / trials.len() as f64, 1.0, verdict))
            }
            Requirement::NoNewFailures => {
                let passes = |row: &[f64]| row.iter().filter(|score| **score >= 1.0 - EXACT).count();
                let rows = filled.candidate.rows().zip(filled.baseline.as_ref()?.rows());
                let before = rows.filter(|(_, theirs)| passes(theirs) == theirs.len());
                let (passed, trials) = before
                    .fold((0, 0), |(passed, trials), (ours, _)| (passed + passes(ours), trials + ours.len()));
                let share = if trials == 0 { 1.0 } else { passed as f64 / trials as f64 };
                Some(Evidence::literal(share, 1.0, literal_verdict(passed == trials)))
            }
            Requirement::MustPass { .. } | Requirement::BrokenCases { .. } => None,
        }
    }

    fn must_pass(&self, case: usize, strict: bool) -> CriterionEvidence {
        // Answers of another model do not show that the case flickers anyway.
        let other_model =
            self.analysis.stored_baseline.as_ref().is_some_and(|stored| stored.model_change.is_some());
        let strict = strict || other_model;
        let worst = must_pass(self.tallies, case, Fill::Worst, strict);
        let best = must_pass(self.tallies, case, Fill::Best, strict);
        // Undecided trials are no failures.
        let observed = self.tallies.candidate(case).passes().map(|(passed, of)| passed as f64 / of as f64);
        let reason = "no check or minimum defines whether its trials pass";
        CriterionEvidence {
            trials: self.tallies.candidate(case),
            baseline_trials: self.tallies.baseline(case).unwrap_or_default(),
            ..CriterionEvidence::counted(worst, best, observed, self.tallies.open(Some(case)), reason)
        }
    }

    fn broken_cases(&self, max: usize) -> CriterionEvidence {
        let worst = broken_cases(self.tallies, max, Fill::Worst);
        let best = broken_cases(self.tallies, max, Fill::Best);
        let reason = "it requires a baseline, and a check or minimum that defines whether a trial passes";
        let observed = best.estimate.filter(|_| self.tallies.any_decided());
        CriterionEvidence::counted(worst, best, observed, self.tallies.open(None), reason)
    }
}

/// The reported outcome of a criterion, with its verdict as answered. With gaps, its interval spans the bounds of both
/// fills.
pub(super) fn outcome(
    data: &LookData<'_>,
    criterion: &Criterion,
    evidence: &CriterionEvidence,
    answered: CriterionVerdict,
    second: Option<&SecondDecision>,
) -> CriterionOutcome {
    let LookData { context, analysis, .. } = *data;
    let combined = second.map_or(answered, |second| second.combine(answered));
    let stored = stored_baseline(analysis, &criterion.requirement, combined);
    let verdict = if stored.is_some() { CriterionVerdict::Inconclusive } else { combined };
    let worst = &evidence.worst;
    let best = evidence.best();
    // The estimate uses only cases graded for both variants, the fills use all cases: bounds cover both.
    let spread = |bound_of: fn(&Evidence) -> Option<f64>, outer: fn(f64, f64) -> f64| {
        let bound = bound_of(worst).zip(bound_of(best)).map(|(a, b)| outer(a, b));
        let bound = bound.filter(|bound| bound.abs() < UNBOUNDED / 1e6);
        let bound = bound.map(|bound| evidence.observed.map_or(bound, |observed| outer(bound, observed)));
        match analysis.metric(&criterion.metric).zip(parameter(criterion)) {
            Some((metric, parameter)) => bound.map(|bound| parameter.reported(metric.kind, bound)),
            None => bound,
        }
    };
    let mut outcome = CriterionOutcome {
        id: criterion.id.clone(),
        metric: criterion.metric.clone(),
        kind: kind(criterion).to_owned(),
        required: Some(evidence.required),
        // A correction may leave the scale.
        estimate: evidence
            .observed
            .map(|estimate| if evidence.corrected.is_some() { estimate.clamp(0.0, 1.0) } else { estimate }),
        lower: spread(|evidence| evidence.lower, f64::min),
        upper: spread(|evidence| evidence.upper, f64::max),
        p: best.p,
        verdict: combined,
        method: best.method.clone(),
        explanation: String::new(),
        repeats: analysis.repeats,
        alpha: context.alpha,
        need: if combined == CriterionVerdict::Inconclusive { worst.need } else { None },
        unconfirmed: stored.is_some(),
        first_attempts: None,
        corrected: evidence.corrected,
    };
    let explanation = Explanation {
        context,
        analysis,
        criterion,
        outcome: &outcome,
        gaps: evidence.gaps,
        counts: evidence.counts,
        trials: evidence.trials,
        baseline_trials: evidence.baseline_trials,
        unmeasured: evidence.unmeasured.as_deref(),
    };
    let (sentence, name) = (explain(&explanation), subject(&explanation));
    outcome.explanation = sentence;
    if let Some(second) = second {
        second.report(data, criterion, answered, &name, &mut outcome);
    }
    if let Some(stored) = stored {
        outcome.verdict = verdict;
        outcome.explanation = format!("{} {}", outcome.explanation, unconfirmed(analysis, stored));
    }
    outcome
}

/// The stored baseline because of which a verdict does not count: answers of an earlier session never make a run fail by
/// themselves, and those of another model decide nothing.
pub(super) fn stored_baseline<'a>(
    analysis: &'a Analysis,
    requirement: &Requirement,
    verdict: CriterionVerdict,
) -> Option<&'a StoredBaseline> {
    let stored = analysis.stored_baseline.as_ref().filter(|stored| !stored.decides)?;
    let decides = match verdict {
        CriterionVerdict::Fail => true,
        CriterionVerdict::Pass => stored.model_change.is_some(),
        CriterionVerdict::Inconclusive | CriterionVerdict::Incomplete => false,
    };
    (decides && requirement.needs_baseline()).then_some(stored)
}

/// The parameter behind the interval of a criterion; `None` for limits and counts.
pub(super) fn parameter(criterion: &Criterion) -> Option<Parameter> {
    match criterion.requirement {
        Requirement::Minimum { .. }
        | Requirement::WinRate { .. }
        | Requirement::EveryTrial
        | Requirement::NoNewFailures => Some(Parameter::Mean),
        Requirement::NotWorse { .. } => Some(Parameter::Difference),
        _ => None,
    }
}

/// The kind of a criterion in reports.
fn kind(criterion: &Criterion) -> &'static str {
    match criterion.requirement {
        Requirement::MustPass { .. } => "case",
        Requirement::BrokenCases { .. } => "broken_cases",
        _ if criterion.tag.is_some() => "slice",
        Requirement::Minimum { .. } => "threshold",
        Requirement::EveryTrial | Requirement::NoNewFailures => "check",
        Requirement::NotWorse { .. } => "baseline",
        Requirement::WinRate { .. } => "win_rate",
        Requirement::Limit { .. } => "limit",
    }
}
