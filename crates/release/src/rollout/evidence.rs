//! The evidence of a rollout: the samples of a guardrail over all steps, and the tests of them.
//!
//! Each step is a stratum: traffic differs between them, so that pooled counts would show differences between identical
//! prompts. Harm is tested against equality with a Pocock spending function, which stops early; non-inferiority against the
//! margin with an O'Brien-Fleming one (Lan and DeMets 1983).

use promptgate_core::stats::{
    Moments, Share, Spending, Stratum as Pair, mean_test, normal_quantile, share_p_worse, share_test,
};

use super::bounds::{KnownBounds, PlannedLook};
use super::observation::{Sample, Variants};
use super::plan::{Better, Guardrail};
use super::progress::{Look, Rollout, TestKind};

/// Samples of each variant before the first look.
pub(super) const MIN_SAMPLES: u64 = 20;
/// Samples of each variant before means show non-inferiority: where bad scores are rare, fewer may have no variance at all.
pub(super) const MIN_MEANS: u64 = 1_000;
/// The least growth of the information between two looks, as a share of what the last one had. Early looks are close
/// together, since a catastrophe shows with few samples.
const MIN_GROWTH: f64 = 0.2;
/// The bounds of that growth, as shares of the planned information.
const GROWTH: (f64, f64) = (0.005, 0.05);
/// The share of the error rate that is kept for information beyond the planned. Traffic may exceed its forecast, and the
/// tests go on.
pub(super) const RESERVE: f64 = 0.1;

/// The samples of a guardrail over all steps, oriented so that more is better.
pub(super) struct Accumulated<'a> {
    rollout: &'a Rollout,
    guardrail: &'a Guardrail,
    strata: Strata,
    /// Samples of all steps.
    pub(super) n: Variants<u64>,
    information: f64,
}

enum Strata {
    Shares(Vec<Pair<Share>>),
    Means(Vec<Pair<Moments>>),
}

impl<'a> Accumulated<'a> {
    /// The samples of the steps before, and of the current one.
    pub(super) fn of(rollout: &'a Rollout, guardrail: &'a Guardrail, current: Variants<Sample>) -> Self {
        let before = rollout.strata.iter().filter_map(|stratum| stratum.samples.get(&guardrail.name));
        let all: Vec<Variants<Sample>> = before.copied().chain([current]).collect();
        let n = Variants {
            control: all.iter().map(|pair| pair.control.n()).fold(0, u64::saturating_add),
            treatment: all.iter().map(|pair| pair.treatment.n()).fold(0, u64::saturating_add),
        };
        let pairs = |pair: &Variants<Sample>| {
            let share = |sample| share(sample, guardrail.better);
            Some(Pair { control: share(pair.control)?, treatment: share(pair.treatment)? })
        };
        // A metric may be 0 or 1 on one step, and have other scores on the next.
        let strata = match all.iter().map(pairs).collect() {
            Some(shares) => Strata::Shares(shares),
            None => Strata::Means(
                all.iter()
                    .map(|pair| Pair {
                        control: moments(pair.control, guardrail.better),
                        treatment: moments(pair.treatment, guardrail.better),
                    })
                    .collect(),
            ),
        };
        let information = all.iter().map(|pair| harmonic(pair.control.n(), pair.treatment.n())).sum();
        Self { rollout, guardrail, strata, n, information }
    }

    /// Whether the tests are those of means.
    pub(super) fn is_of_means(&self) -> bool {
        matches!(self.strata, Strata::Means(_))
    }

    /// The information so far, as a share of the planned: the sum over steps of control · treated / (control + treated).
    pub(super) fn fraction(&self) -> f64 {
        self.information / self.rollout.start.planned_information.max(1.0)
    }

    /// Tests for harm. `None` while too little is new since the last look.
    pub(super) fn harm(&self, alpha: f64, bounds: &mut KnownBounds) -> Option<Look> {
        let z = match &self.strata {
            Strata::Shares(pairs) => -normal_quantile(share_p_worse(pairs)),
            Strata::Means(pairs) => -mean_test(pairs, 0.0)?.z,
        };
        self.look(TestKind::Harm, z, Spending::Pocock, alpha, bounds)
    }

    /// Tests for non-inferiority. `None` while too little is new since the last look.
    pub(super) fn non_inferiority(&self, alpha: f64, bounds: &mut KnownBounds) -> Option<Look> {
        let z = self.margin_z()?;
        self.look(TestKind::NonInferiority, z, Spending::OBrienFleming, alpha, bounds)
    }

    /// Whether these data alone, looked at once, show that the treatment is worse by less than the margin.
    pub(super) fn is_within_margin(&self, alpha: f64) -> bool {
        self.margin_z().is_some_and(|z| z >= normal_quantile(1.0 - alpha))
    }

    /// The difference of the treatment, in the unit of the metric: positive where the metric is higher.
    pub(super) fn difference(&self) -> Option<f64> {
        let estimate = match &self.strata {
            Strata::Shares(pairs) => share_test(pairs, 0.0)?.estimate,
            Strata::Means(pairs) => mean_test(pairs, 0.0)?.estimate,
        };
        Some(match self.guardrail.better {
            Better::Higher => estimate,
            Better::Lower => -estimate,
        })
    }

    fn margin_z(&self) -> Option<f64> {
        let margin = self.guardrail.margin;
        Some(match &self.strata {
            Strata::Shares(pairs) => share_test(pairs, margin)?.z,
            Strata::Means(pairs) => mean_test(pairs, margin)?.z,
        })
    }

    fn look(
        &self,
        test: TestKind,
        z: f64,
        spending: Spending,
        alpha: f64,
        bounds: &mut KnownBounds,
    ) -> Option<Look> {
        let name = self.guardrail.name.as_str();
        let fraction = self.fraction();
        let mut fractions: Vec<f64> = self.rollout.looks_at(name, test).map(|look| look.fraction).collect();
        let is_early = |last: &f64| fraction < last + (last * MIN_GROWTH).clamp(GROWTH.0, GROWTH.1);
        if fractions.last().is_some_and(is_early) || z.is_nan() {
            return None;
        }
        fractions.push(fraction);
        let planned =
            |fraction| PlannedLook { fraction, spent: spending.spent_with_reserve(fraction, alpha, RESERVE) };
        let bound = bounds.last(&fractions.into_iter().map(planned).collect::<Vec<_>>())?;
        let guardrail = name.to_owned();
        // JSON has no infinity: a statistic beyond these limits is as certain.
        let z = z.clamp(-99.0, 99.0);
        Some(Look { guardrail, test, fraction, z, bound: bound.is_finite().then_some(bound) })
    }
}

/// The information of a step with these samples.
pub(super) fn harmonic(control: u64, treatment: u64) -> f64 {
    let (control, treatment) = (control as f64, treatment as f64);
    let all = control + treatment;
    if all > 0.0 { control * treatment / all } else { 0.0 }
}

/// A share, also where it was read as a mean of scores that are all 0 or all 1.
fn share(sample: Sample, better: Better) -> Option<Share> {
    let (successes, n) = match sample {
        Sample::Share { successes, n } => (successes, n),
        Sample::Mean { n, mean: 0.0, variance: 0.0 } => (0, n),
        Sample::Mean { n, mean: 1.0, variance: 0.0 } => (n, n),
        Sample::Mean { .. } | Sample::Level { .. } => return None,
    };
    Some(match better {
        Better::Higher => Share { successes, n },
        Better::Lower => Share { successes: n.saturating_sub(successes), n },
    })
}

impl Guardrail {
    /// Whether all scores of both variants are the same, other than the best score of a share: a judge that always returns
    /// one value looks like this.
    pub(super) fn is_flat(&self, samples: &Variants<Sample>) -> bool {
        let one_score = |sample: Sample| match (share(sample, self.better), sample) {
            (Some(Share { successes: 0, .. }), _) => Some(0.0),
            (Some(Share { successes, n }), _) => (successes == n).then_some(1.0),
            (None, Sample::Mean { mean, variance: 0.0, .. }) => Some(mean),
            (None, _) => None,
        };
        let is_share = share(samples.control, self.better).is_some();
        match (one_score(samples.control), one_score(samples.treatment)) {
            (Some(control), Some(treatment)) => control == treatment && !(is_share && control == 1.0),
            _ => false,
        }
    }
}

fn moments(sample: Sample, better: Better) -> Moments {
    let moments = match sample {
        Sample::Mean { n, mean, variance } => Moments { n, mean, variance },
        Sample::Share { successes, n } => {
            let mean = if n > 0 { successes as f64 / n as f64 } else { 0.0 };
            let unbiased = n as f64 / n.saturating_sub(1).max(1) as f64;
            Moments { n, mean, variance: mean * (1.0 - mean) * unbiased }
        }
        // A figure without a variance shows nothing.
        Sample::Level { value, .. } => Moments { n: 0, mean: value, variance: 0.0 },
    };
    match better {
        Better::Higher => moments,
        Better::Lower => Moments { mean: -moments.mean, ..moments },
    }
}
