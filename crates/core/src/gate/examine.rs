//! One criterion at one look: its evidence with the gaps filled both ways, and the outcome that is reported.

use crate::model::{Analysis, CriterionOutcome, CriterionVerdict, MetricKind};

use super::cases::{Passing, Tally, broken_cases, must_pass, open_trials, trials};
use super::evidence::{Context, EXACT, Evidence, Parameter, Ruling, literally};
use super::explain::{Told, explain};
use super::fill::{Counts, Fill, Filled, Selection, UNBOUNDED};
use super::limit::limit;
use super::weigh::{not_worse, threshold};
use super::{Bound, Criterion, Requirement, Rule};

/// One criterion under its fills.
pub(super) struct Examined {
    /// With every gap against the candidate.
    pub(super) worst: Evidence,
    /// With every gap in its favour; `None` where there are no gaps, and both are the same.
    pub(super) best: Option<Evidence>,
    /// The estimate from what there is.
    pub(super) observed: Option<f64>,
    /// What is required; of a limit relative to the baseline, by what there is of it.
    pub(super) required: f64,
    /// Cells, or trials, that are open.
    pub(super) gaps: usize,
    /// Why there is nothing to go by.
    pub(super) unmeasured: Option<String>,
    /// Cells by what is in them.
    pub(super) counts: Counts,
    /// The trials of a case that must pass.
    pub(super) trials: Tally,
}

impl Examined {
    /// With every gap in the candidate's favour.
    pub(super) fn best(&self) -> &Evidence {
        self.best.as_ref().unwrap_or(&self.worst)
    }

    /// Whether chance plays a part in it, so that it is settled for good at the look that decides it. What is
    /// compared as it stands is decided anew at every look.
    pub(super) fn is_weighed(&self) -> bool {
        self.worst.in_family && self.best().in_family
    }

    /// Whether more repeats could decide it.
    pub(super) fn gains_by_repeats(&self) -> bool {
        let weighed = |evidence: &Evidence| matches!(evidence.ruling, Ruling::Weighed { .. });
        weighed(&self.worst) || weighed(self.best())
    }

    fn unmeasured(required: f64, why: impl Into<String>) -> Self {
        Self {
            worst: Evidence::none(required),
            best: None,
            observed: None,
            required,
            gaps: 0,
            unmeasured: Some(why.into()),
            counts: Counts::default(),
            trials: Tally::default(),
        }
    }
}

/// Looks at criteria one at a time.
#[derive(Clone, Copy)]
pub(super) struct Examiner<'a> {
    /// What all criteria have in common.
    pub(super) context: &'a Context,
    /// The matrices.
    pub(super) analysis: &'a Analysis,
    /// How the trials of every case did.
    pub(super) passing: &'a Passing,
    /// Whether what was not asked is open: after `--fail-fast`.
    pub(super) stopped_early: bool,
}

impl Examiner<'_> {
    /// The criterion with its gaps at worst and at best.
    pub(super) fn examine(&self, criterion: &Criterion) -> Examined {
        let required = match criterion.requirement {
            Requirement::Minimum { value: minimum } => minimum,
            Requirement::EveryTrial => 1.0,
            Requirement::NotWorse { tolerance } => -tolerance,
            Requirement::Limit { bound: Bound::Absolute(limit), .. } => limit,
            Requirement::Limit { bound: Bound::MaxIncrease(increase), .. } => increase,
            Requirement::MustPass { case } => return self.must_pass(case),
            Requirement::BrokenCases { max } => return self.broken_cases(max),
        };
        let Some(metric) = self.analysis.metric(&criterion.metric) else {
            return Examined::unmeasured(
                required,
                format!("{} was not measured in this run", criterion.metric),
            );
        };
        let relative =
            matches!(criterion.requirement, Requirement::Limit { bound: Bound::MaxIncrease(_), .. });
        let paired = relative || matches!(criterion.requirement, Requirement::NotWorse { .. });
        if paired && !self.analysis.has_baseline {
            return Examined::unmeasured(required, "there is no baseline to compare with");
        }
        if paired && metric.scores.baseline.is_none() {
            return Examined::unmeasured(
                required,
                "the baseline was never graded on it; answer the baseline afresh, or do not gate against it",
            );
        }
        if relative && metric.kind == MetricKind::Latency && self.analysis.sessions_differ {
            return Examined::unmeasured(
                required,
                "the baseline's latency was measured in an earlier session; a relative one needs a fresh baseline",
            );
        }
        let tag = criterion.tag.as_deref();
        let selection = Selection {
            analysis: self.analysis,
            metric,
            tag,
            paired,
            gaps_from_fail_fast: self.stopped_early,
        };
        let counts = selection.counts();
        if counts.cases == 0 {
            return Examined::unmeasured(required, "no case falls under it");
        }
        if counts.candidate == 0 || (paired && counts.baseline == 0) {
            let mut examined = Examined::unmeasured(required, "not one answer was graded");
            examined.counts = counts;
            examined.gaps = counts.gaps();
            return examined;
        }
        let weigh = |fill| {
            let filled = selection.fill(fill);
            self.weigh(criterion, &filled).unwrap_or_else(|| Evidence::none(required))
        };
        let worst = weigh(Fill::Worst);
        let (best, observed, required) = if counts.gaps() == 0 {
            (None, worst.estimate, worst.required)
        } else {
            // Only the estimate is wanted, and the naive rule gets it without a test.
            let naive = Context { rule: Rule::Point, ..*self.context };
            let seen = selection.fill(Fill::Observed);
            let seen = Examiner { context: &naive, ..*self }.weigh(criterion, &seen);
            let Some((estimate, required)) = seen.and_then(|seen| Some((seen.estimate?, seen.required)))
            else {
                let mut examined = Examined::unmeasured(required, "no case was graded for both variants");
                examined.counts = counts;
                examined.gaps = counts.gaps();
                return examined;
            };
            (Some(weigh(Fill::Best)), Some(estimate), required)
        };
        Examined {
            worst,
            best,
            observed,
            required,
            gaps: counts.gaps(),
            unmeasured: None,
            counts,
            trials: Tally::default(),
        }
    }

    fn weigh(&self, criterion: &Criterion, filled: &Filled) -> Option<Evidence> {
        if filled.candidate.is_empty() {
            return None;
        }
        match criterion.requirement {
            Requirement::Minimum { value: minimum } => Some(threshold(self.context, filled, minimum)),
            Requirement::NotWorse { tolerance } => Some(not_worse(self.context, filled, tolerance)),
            Requirement::Limit { statistic, bound } => limit(self.context, filled, statistic, bound),
            Requirement::EveryTrial => {
                let trials = filled.candidate.values();
                let passed = trials.iter().filter(|score| **score >= 1.0 - EXACT).count();
                let verdict = literally(passed == trials.len());
                Some(Evidence::literal(passed as f64 / trials.len() as f64, 1.0, verdict))
            }
            Requirement::MustPass { .. } | Requirement::BrokenCases { .. } => None,
        }
    }

    fn must_pass(&self, case: usize) -> Examined {
        let worst = must_pass(self.passing, case, Fill::Worst);
        let gaps = open_trials(self.passing, Some(case));
        let unmeasured =
            worst.estimate.is_none().then(|| "nothing tells whether a trial of it passes".to_owned());
        let best = must_pass(self.passing, case, Fill::Best);
        let (observed, required) = (worst.estimate, worst.required);
        let (trials, counts) = (trials(self.passing, case), Counts::default());
        Examined { worst, best: Some(best), observed, required, gaps, unmeasured, counts, trials }
    }

    fn broken_cases(&self, max: usize) -> Examined {
        let worst = broken_cases(self.passing, max, Fill::Worst);
        let best = broken_cases(self.passing, max, Fill::Best);
        let unmeasured = worst.estimate.is_none().then(|| {
            "it takes a baseline, and a check or a minimum that tells whether a trial passes".to_owned()
        });
        let gaps = open_trials(self.passing, None);
        let (observed, required) = (best.estimate, best.required);
        let (trials, counts) = (Tally::default(), Counts::default());
        Examined { worst, best: Some(best), observed, required, gaps, unmeasured, counts, trials }
    }
}

/// What is reported of a criterion. With gaps, the interval reaches from one fill's bound to the other's.
pub(super) fn outcome(
    context: &Context,
    analysis: &Analysis,
    criterion: &Criterion,
    examined: &Examined,
    verdict: CriterionVerdict,
) -> CriterionOutcome {
    let worst = &examined.worst;
    let best = examined.best();
    // The estimate counts the cases that both sides have, the fills count all: bounds span both.
    let spread = |pick: fn(&Evidence) -> Option<f64>, outer: fn(f64, f64) -> f64| {
        let bound = pick(worst).zip(pick(best)).map(|(a, b)| outer(a, b));
        let bound = bound.filter(|bound| bound.abs() < UNBOUNDED / 1e6);
        let bound = bound.map(|bound| examined.observed.map_or(bound, |observed| outer(bound, observed)));
        match analysis.metric(&criterion.metric).zip(parameter(criterion)) {
            Some((metric, parameter)) => bound.map(|bound| parameter.reported(metric.kind, bound)),
            None => bound,
        }
    };
    let mut outcome = CriterionOutcome {
        id: criterion.id.clone(),
        metric: criterion.metric.clone(),
        kind: kind(criterion).to_owned(),
        required: examined.required,
        estimate: examined.observed,
        lower: spread(|evidence| evidence.lower, f64::min),
        upper: spread(|evidence| evidence.upper, f64::max),
        p: best.p,
        verdict,
        method: best.method.clone(),
        explanation: String::new(),
        repeats: analysis.repeats,
        alpha: context.alpha,
        need: if verdict == CriterionVerdict::Inconclusive { worst.need } else { None },
    };
    outcome.explanation = explain(&Told {
        context,
        analysis,
        criterion,
        outcome: &outcome,
        gaps: examined.gaps,
        counts: examined.counts,
        trials: examined.trials,
        unmeasured: examined.unmeasured.as_deref(),
    });
    outcome
}

/// What the interval of a criterion is of; `None` of a limit and of counts.
fn parameter(criterion: &Criterion) -> Option<Parameter> {
    match criterion.requirement {
        Requirement::Minimum { .. } | Requirement::EveryTrial => Some(Parameter::Mean),
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
        Requirement::EveryTrial => "check",
        Requirement::NotWorse { .. } => "baseline",
        Requirement::Limit { .. } => "limit",
    }
}
