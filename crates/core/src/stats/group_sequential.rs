//! Group sequential designs: alpha spending, bounds at the looks, and the chance to cross them.
//!
//! Times are information fractions; only their ratios matter. Everything is one-sided, upwards: a test of harm negates its
//! statistic.

mod density;

use density::Density;

use super::{normal_cdf, normal_quantile};

/// Increments of alpha below this are saved for a later look: the bound would be above 6 standard errors, where no
/// statistic is normal and errors of the integration count.
const MIN_SPEND: f64 = 1e-10;
/// Looks with less new information than this share of the information so far are skipped.
const MIN_STEP: f64 = 1e-10;

/// How alpha is spent as information accumulates (Lan and DeMets 1983).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spending {
    /// Nearly equal bounds at every look: stops early. alpha ln(1 + (e - 1) t), after Pocock (1977).
    Pocock,
    /// High bounds at first, and almost the fixed-sample bound in the end. 2 (1 - Phi(z(1 - alpha/2) / sqrt(t))), after
    /// O'Brien and Fleming (1979).
    OBrienFleming,
}

impl Spending {
    /// The alpha spent until the information `fraction`, one-sided: 0 at a fraction of 0 or less, `alpha` from 1 on. 0 for
    /// a fraction that is NaN, or an alpha outside 0..1.
    pub fn spent(self, fraction: f64, alpha: f64) -> f64 {
        if !(alpha > 0.0 && alpha < 1.0 && fraction > 0.0) {
            return 0.0;
        }
        if fraction >= 1.0 {
            return alpha;
        }
        let spent = match self {
            Self::Pocock => alpha * ((std::f64::consts::E - 1.0) * fraction).ln_1p(),
            Self::OBrienFleming => 2.0 * normal_cdf(normal_quantile(alpha / 2.0) / fraction.sqrt()),
        };
        spent.min(alpha)
    }

    /// The alpha spent where more than the planned information may come: `reserve`, a share of alpha, is spent beyond a
    /// `fraction` of 1, and all of it at none. As [`Self::spent`] for a reserve of 0.
    pub fn spent_with_reserve(self, fraction: f64, alpha: f64, reserve: f64) -> f64 {
        let planned = self.spent(fraction.min(1.0), alpha * (1.0 - reserve));
        let beyond = if fraction > 1.0 { 1.0 - fraction.recip() } else { 0.0 };
        planned + alpha * reserve * beyond
    }
}

/// The upper bounds on Z at looks that are taken one after another, such that the chance to cross one of them until a look
/// without any effect is the alpha spent until then, by recursive integration (Armitage, McPherson and Rowe 1969).
///
/// Agrees with rpact 3.3.4 to 1e-7.
pub struct SequentialBounds {
    density: Density,
    fraction: f64,
    spent: f64,
    /// The chance to cross a bound so far: less than `spent` where a bound is infinite.
    crossed: f64,
}

impl Default for SequentialBounds {
    fn default() -> Self {
        Self { density: Density::new(0.0), fraction: 0.0, spent: 0.0, crossed: 0.0 }
    }
}

impl SequentialBounds {
    /// The bound of the next look, at an information `fraction` above the one before, if `spent` of alpha is spent until
    /// then. Infinite where less than 1e-10 is to spend, or where the information has grown by less than 1e-10 of itself;
    /// a later look then spends it.
    ///
    /// `None` if the fraction does not rise from above 0 or is not finite, or if the spent alpha falls or is not in 0..1;
    /// the look then does not count.
    pub fn next(&mut self, fraction: f64, spent: f64) -> Option<f64> {
        let rises = fraction > self.fraction && fraction.is_finite();
        if !(rises && spent >= self.spent && (0.0..1.0).contains(&spent)) {
            return None;
        }
        (self.fraction, self.spent) = (fraction, spent);
        let increment = spent - self.crossed;
        if increment < MIN_SPEND || !is_step(&self.density, fraction) {
            return Some(f64::INFINITY);
        }
        let edge = solve(&self.density, fraction, increment);
        self.crossed += self.density.above(fraction, edge);
        self.density.cut(fraction, f64::NEG_INFINITY, edge);
        Some(edge / fraction.sqrt())
    }
}

/// The bounds of [`SequentialBounds`] at looks at rising information `fractions`, with `spent[k]` of alpha spent until
/// look k.
///
/// `None` without looks, with lists of different lengths, if the fractions do not rise from above 0, or if the spent
/// alpha falls or is not in 0..1.
pub fn boundaries(fractions: &[f64], spent: &[f64]) -> Option<Vec<f64>> {
    if fractions.is_empty() || fractions.len() != spent.len() {
        return None;
    }
    let mut bounds = SequentialBounds::default();
    fractions.iter().zip(spent).map(|(fraction, spent)| bounds.next(*fraction, *spent)).collect()
}

/// The chance to cross the upper bounds first at each look, if E Z = drift sqrt(t) at the information fraction t: with the
/// drift 0 the alpha spent at each look, otherwise the power. Looks with infinite bounds, or with too little new
/// information as in [`boundaries`], are not crossed.
///
/// `None` without looks, with lists of different lengths, if the fractions do not rise from above 0, if a bound is NaN,
/// or if the drift is not finite.
pub fn crossing(fractions: &[f64], bounds: &[f64], drift: f64) -> Option<Vec<f64>> {
    let times = times(fractions)?;
    // The drift over the whole of the times, which end at 1.
    let drift = drift * fractions.last()?.sqrt();
    if bounds.len() != times.len() || bounds.iter().any(|bound| bound.is_nan()) || !drift.is_finite() {
        return None;
    }
    let mut density = Density::new(drift);
    let chances = times.into_iter().zip(bounds).map(|(time, bound)| {
        if *bound == f64::INFINITY || !is_step(&density, time) {
            return 0.0;
        }
        let edge = bound * time.sqrt();
        let before = density.mass();
        let chance = density.above(time, edge).clamp(0.0, before);
        density.cut(time, f64::NEG_INFINITY, edge);
        chance
    });
    Some(chances.collect())
}

/// The fractions divided by the last one; `None` unless they are finite and rise from above 0.
fn times(fractions: &[f64]) -> Option<Vec<f64>> {
    let last = *fractions.last()?;
    let rising = fractions.is_sorted_by(|before, after| before < after);
    let valid = rising && fractions.first().is_some_and(|first| *first > 0.0) && last.is_finite();
    valid.then(|| fractions.iter().map(|fraction| fraction / last).collect())
}

/// Whether `time` is late enough after the last look for a look of its own.
fn is_step(density: &Density, time: f64) -> bool {
    time - density.time() > MIN_STEP * time && time > f64::MIN_POSITIVE
}

/// The edge that S(time) exceeds with probability `target`, by Newton's method on the logarithm of the probability, kept
/// within a bracket that is halved where Newton leaves it.
fn solve(density: &Density, time: f64, target: f64) -> f64 {
    // At least as many trials exceed an edge without the earlier looks.
    let mut high = -normal_quantile(target) * time.sqrt();
    let mut low = -10.0 * time.sqrt();
    let mut edge = high;
    for _ in 0..100 {
        let above = density.above(time, edge);
        if above > target {
            low = edge
        } else {
            high = edge
        }
        if (above - target).abs() <= 1e-13 * target || high - low <= 1e-14 * time.sqrt() {
            break;
        }
        let newton = edge + above / density.at(time, edge) * (above / target).ln();
        edge = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
    }
    edge
}

#[cfg(test)]
mod tests;
