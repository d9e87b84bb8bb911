//! Tests of means against requirements: thresholds and the comparison with the baseline.

use crate::model::{Need, Rule, Scope};
use crate::stats::{
    Bounds, Estimate, LabeledMoments, proportion_p_below, sign_flip, student_t_cdf, student_t_quantile,
    tango_p_worse, units_to_settle, within_cases,
};

use super::evidence::{Context, EXACT, Evidence, Ruling, literal_verdict};
use super::fill::FilledScores;
use super::means::{
    BinaryCounts, Bounded, CorrectedBounds, MIN_UNITS, candidate_mean, case_contrasts, corrected,
    mean_difference,
};
use super::schedule::Look;

/// The test of "the mean is at least `required`".
#[derive(Debug, Clone, Copy)]
pub(super) struct MeanTest {
    /// The scope that decides.
    pub(super) scope: Scope,
    pub(super) estimate: Estimate,
    /// The estimate behind the lower bound.
    pub(super) cautious: Estimate,
    pub(super) bounds: Bounds,
    pub(super) required: f64,
    /// The shortfall that must be ruled out for a pass.
    pub(super) slack: f64,
    /// Whether the estimate itself must meet the requirement for a pass.
    pub(super) must_meet: bool,
    /// Minimum repeats of a case.
    pub(super) repeats: usize,
    /// Cases in the mean.
    pub(super) cases: usize,
    /// Independent units of a population.
    pub(super) units: usize,
    /// Whether the estimate is certain by construction.
    pub(super) certain: bool,
    /// Whether a lack of noise may be chance.
    pub(super) may_vary: bool,
    /// Whether more repeats add evidence. They do not if the baseline is reused from an earlier run.
    pub(super) gains_by_repeats: bool,
    /// The part of the variance behind the lower bound that repeats do not reduce.
    pub(super) fixed_variance: f64,
    /// The p of a miss and its method; `None` for the tail of t.
    pub(super) p: Option<(f64, &'static str)>,
}

impl MeanTest {
    /// The evidence at one look.
    pub(super) fn evidence(&self, context: &Context) -> Evidence {
        let Self { estimate, bounds, required, .. } = *self;
        let meets = estimate.mean >= required - EXACT;
        let mut evidence = Evidence {
            lower: bounds.lower,
            upper: bounds.upper,
            ..Evidence::literal(estimate.mean, required, literal_verdict(meets))
        };
        if context.rule == Rule::Point {
            "point".clone_into(&mut evidence.method);
            return evidence;
        }
        evidence.in_family = true;
        let noiseless = estimate.standard_error == 0.0;
        // A lack of noise that may be chance proves no pass. A miss of a minimum without any noise still is one; a
        // difference without any noise is permuted.
        let certain_without_noise = !self.may_vary || (self.must_meet && !meets);
        let literal = self.certain
            || match self.scope {
                Scope::Suite => noiseless && certain_without_noise && self.repeats >= 3,
                // A score or permutation test needs no standard error; the tail of t does.
                Scope::Population => {
                    noiseless && certain_without_noise && self.p.is_none() && self.units >= MIN_UNITS
                }
            };
        if literal {
            return evidence;
        }
        let tail = || {
            let t = (estimate.mean - required) / estimate.standard_error;
            (student_t_cdf(t, estimate.degrees_of_freedom), "t")
        };
        let has_error = !noiseless && estimate.standard_error.is_finite();
        let p = self.p.or_else(|| has_error.then(tail));
        evidence.p = p.map(|(p, _)| p).filter(|p| p.is_finite());
        let without_p = if self.cautious.standard_error > 0.0 { "variance floor" } else { "none" };
        p.map_or(without_p, |(_, method)| method).clone_into(&mut evidence.method);
        let enough = match self.scope {
            // The noise of a single case does not show how low its mean may be.
            Scope::Suite => self.cautious.standard_error > 0.0 && !self.is_single(),
            Scope::Population => self.units >= MIN_UNITS,
        };
        let within = bounds.lower.is_some_and(|lower| lower >= required - self.slack - EXACT);
        let ruled_out = enough && within && (meets || !self.must_meet);
        evidence.ruling = Ruling::Statistical { ruled_out };
        if !ruled_out {
            evidence.need = self.need(context, meets, enough);
        } else if self.scope == Scope::Suite {
            let more = self.repeats_to_settle(context, estimate.mean - (required - self.slack));
            evidence.holds_from = more.map(|more| context.repeats as usize + more);
        }
        evidence
    }

    /// Whether the suite is one case whose answers may vary.
    fn is_single(&self) -> bool {
        self.may_vary && self.cases == 1
    }

    /// The repeats or cases that would settle the test if the estimate stayed the same.
    fn need(&self, context: &Context, meets: bool, enough: bool) -> Option<Need> {
        let Self { estimate, bounds, required, slack, .. } = *self;
        // The lower bound decides a pass, the upper one a fail: (distance to the bound now, distance allowed).
        let pass = bounds.lower.map(|lower| (estimate.mean - lower, estimate.mean - (required - slack)));
        let fail = bounds.upper.map(|upper| (upper - estimate.mean, required - estimate.mean));
        let outcomes = match (meets, self.must_meet) {
            (true, _) => [pass, None],
            (false, true) => [None, fail],
            (false, false) => [pass, fail],
        };
        let outcomes = outcomes.into_iter().flatten();
        match self.scope {
            // No number of repeats lets a single case pass; it may still fail.
            Scope::Suite if self.is_single() && meets => None,
            Scope::Suite if !enough && !self.is_single() => self.gains_by_repeats.then_some(Need::Repeats(1)),
            Scope::Suite => {
                let more = |(_, margin)| self.repeats_to_settle(context, margin);
                outcomes.filter_map(more).min().map(Need::Repeats)
            }
            // Labels do not come with cases.
            Scope::Population if self.fixed_variance > 0.0 => None,
            // More cases do not change the schedule.
            Scope::Population => {
                let total =
                    outcomes.filter_map(|(reach, margin)| units_to_settle(self.units, reach, margin)).min();
                let minimum = (!enough).then_some(MIN_UNITS);
                total.max(minimum).map(|total| Need::Cases(total.saturating_sub(self.units).max(1)))
            }
        }
    }

    /// The repeats beyond this look until the t bound is within `margin` of the estimate, at the alpha of the look that
    /// reads them: standard errors shrink with the square root of the repeats, degrees of freedom grow with them. `None`
    /// if more repeats do not help.
    fn repeats_to_settle(&self, context: &Context, margin: f64) -> Option<usize> {
        let Estimate { standard_error, degrees_of_freedom, .. } = self.cautious;
        let now = Some(context.repeats).filter(|now| *now >= 2 && margin > 0.0 && self.gains_by_repeats)?;
        let settles = |look: Look| {
            let growth = f64::from(look.repeats - 1) / f64::from(now - 1);
            let freedom = degrees_of_freedom * if self.fixed_variance > 0.0 { 1.0 } else { growth };
            let varying = (standard_error.powi(2) - self.fixed_variance).max(0.0);
            let error = (varying * f64::from(now) / f64::from(look.repeats) + self.fixed_variance).sqrt();
            student_t_quantile(1.0 - look.alpha, freedom) * error <= margin
        };
        let total = context.schedule.repeats_to_settle(now, context.run_alpha, settles)?;
        Some((total - now) as usize)
    }
}

/// The scope that decides: a single repeat does not show noise, unless there is none.
fn scope(context: &Context, filled: &FilledScores, repeats: usize) -> Scope {
    if filled.is_certain { context.scope } else { context.scope(repeats) }
}

/// A threshold: the candidate's mean is at least `required`.
pub(super) fn threshold(context: &Context, filled: &FilledScores, required: f64) -> Evidence {
    let scope = scope(context, filled, filled.candidate.shortest());
    let p = BinaryCounts::of(filled, scope)
        .map(|counts| (proportion_p_below(counts.candidate_passes, counts.cases, required), "wilson"));
    let bounded = candidate_mean(filled, scope, context);
    MeanTest { p, ..threshold_test(context, filled, scope, bounded, required) }.evidence(context)
}

/// A threshold on the mean that people would give: the candidate's mean, corrected by labels, is at least `required`.
pub(super) fn corrected_threshold(
    context: &Context,
    filled: &FilledScores,
    required: f64,
    labels: &LabeledMoments,
) -> Evidence {
    let scope = scope(context, filled, filled.candidate.shortest());
    let CorrectedBounds { bounded, correction, label_variance } = corrected(filled, scope, context, labels);
    let test = MeanTest {
        // Answers without any noise leave the error of the labels.
        certain: false,
        may_vary: true,
        fixed_variance: label_variance,
        ..threshold_test(context, filled, scope, bounded, required)
    };
    Evidence { corrected: Some(correction), ..test.evidence(context) }
}

/// The test of a threshold by the tail of t.
fn threshold_test(
    context: &Context,
    filled: &FilledScores,
    scope: Scope,
    Bounded { estimate, cautious, bounds }: Bounded,
    required: f64,
) -> MeanTest {
    MeanTest {
        scope,
        estimate,
        cautious,
        bounds,
        required,
        slack: context.resolution,
        must_meet: true,
        repeats: filled.candidate.shortest(),
        cases: filled.candidate.len(),
        units: filled.units(),
        certain: filled.is_certain && scope == Scope::Suite,
        may_vary: filled.may_vary,
        gains_by_repeats: true,
        fixed_variance: 0.0,
        p: None,
    }
}

/// No regression: the mean difference is at least `-tolerance`.
pub(super) fn not_worse(context: &Context, filled: &FilledScores, tolerance: f64) -> Evidence {
    let repeats = filled.repeats();
    let scope = scope(context, filled, repeats);
    let Some(Bounded { estimate, cautious, bounds }) = mean_difference(filled, scope, context) else {
        return Evidence::none(-tolerance);
    };
    let unshared = filled.shared.iter().filter(|shared| !**shared).count();
    let p = if unshared == 0 || context.rule == Rule::Point {
        None
    } else {
        regression_p(context, filled, scope, tolerance, unshared)
    };
    let test = MeanTest {
        scope,
        estimate,
        cautious,
        bounds,
        required: -tolerance,
        slack: context.resolution,
        must_meet: false,
        repeats,
        cases: filled.candidate.len(),
        units: filled.units(),
        // If all requests are shared, the difference can only be 0.
        certain: unshared == 0 || (filled.is_certain && scope == Scope::Suite),
        may_vary: filled.may_vary,
        gains_by_repeats: !context.baseline_reused,
        fixed_variance: 0.0,
        p,
    };
    test.evidence(context)
}

/// The p of units whose signs are flipped, with its method; `None` if that took too many draws.
pub(super) fn sign_flip_p(
    context: &Context,
    filled: &FilledScores,
    units: &[f64],
) -> Option<(f64, &'static str)> {
    let test = sign_flip(units, filled.shared.len(), context.seed)?;
    Some((test.p, if test.exact { "sign-flip" } else { "sign-flip (drawn)" }))
}

/// The p of a regression by permutation, with its method; `None` if that took too many draws.
fn regression_p(
    context: &Context,
    filled: &FilledScores,
    scope: Scope,
    tolerance: f64,
    unshared: usize,
) -> Option<(f64, &'static str)> {
    let baseline = filled.baseline.as_ref()?;
    // The tolerance is one of the mean over all cases, but only unshared cases can differ.
    let shift = tolerance * filled.shared.len() as f64 / unshared as f64;
    match scope {
        Scope::Suite => {
            let test = within_cases(&filled.candidate, baseline, &filled.shared, shift, context.seed)?;
            Some((test.p, if test.exact { "permutation" } else { "permutation (drawn)" }))
        }
        Scope::Population => {
            if let Some(counts) = BinaryCounts::of(filled, scope)
                && tolerance > 0.0
            {
                return Some((tango_p_worse(counts.cases, counts.losses, counts.gains, -tolerance), "tango"));
            }
            let differences = case_contrasts(filled, 1.0);
            let shifted = differences
                .iter()
                .zip(&filled.shared)
                .map(|(d, shared)| if *shared { 0.0 } else { d + shift });
            sign_flip_p(context, filled, &filled.by_unit(shifted))
        }
    }
}
