//! Power of group sequential tests of shares, known before the first unit arrives.

use super::power::POWER;
use super::two_sample::{restricted, variance};
use super::{Spending, boundaries, crossing};

/// The error of a detectable drop, as a share.
const DROP_ERROR: f64 = 1e-4;

/// Units expected between one look and the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrivals {
    /// Units of the version in use.
    pub control: f64,
    /// Units of the new version.
    pub treatment: f64,
}

impl Arrivals {
    /// The treatment's share of the units.
    fn ratio(self) -> f64 {
        self.treatment / (self.control + self.treatment)
    }

    /// The information about a difference of shares in these units, nc nt / (nc + nt), as in
    /// [`TwoSample`](super::TwoSample). It adds up over looks, of one split or of several.
    pub fn information(self) -> f64 {
        self.control * self.ratio()
    }
}

/// A group sequential comparison of two shares with [`share_test`](super::share_test), stratified by split.
///
/// Statistics count as normal, with the variances under the true shares and not only under H0 (Farrington and Manning 1990,
/// for one look), so that lopsided splits are predicted well. Where few units fail, the exact test of harm has less power: at 5 %
/// of 2,000 a day and .02 failures, 63 % of a drop that is predicted with 80 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharePlan<'a> {
    /// Units that arrive before each look, in the order of looks. A prefix gives the power until one of them.
    pub arrivals: &'a [Arrivals],
    /// The true share of successes of the control. Where fewer are better, 1 - the share.
    pub base: f64,
    /// The information at which all alpha but the reserve is spent, in the units of [`Arrivals::information`].
    pub planned: f64,
    /// The one-sided alpha of each test over all looks.
    pub alpha: f64,
    /// The share of alpha that is spent beyond the planned information.
    pub reserve: f64,
}

impl SharePlan<'_> {
    /// The chance to show first at each look that the treatment is worse, by Pocock spending, if its share is `drop` below
    /// the control's. `None` unless both shares, alpha and planned information are possible and the control's share is
    /// strictly between 0 and 1, there is a look, and units of both sides arrive before each.
    pub fn chances_of_harm(&self, drop: f64) -> Option<Vec<f64>> {
        self.chances(&self.bounds(Spending::Pocock)?, None, drop)
    }

    /// The smallest drop of the treatment's share that is shown to be harm with probability 0.8 at one of the looks, to
    /// 1e-4. `None` if even a drop to 0 is not, or as in [`Self::chances_of_harm`].
    pub fn detectable_drop(&self) -> Option<f64> {
        let bounds = self.bounds(Spending::Pocock)?;
        let is_caught = |drop: f64| Some(self.chances(&bounds, None, drop)?.iter().sum::<f64>() >= POWER);
        if !is_caught(self.base)? {
            return None;
        }
        let (mut low, mut high) = (0.0, self.base);
        while high - low > DROP_ERROR {
            let middle = f64::midpoint(low, high);
            if is_caught(middle)? { high = middle } else { low = middle }
        }
        Some(high)
    }

    /// The chance to show first at each look that the treatment is worse by less than `margin`, by O'Brien-Fleming
    /// spending, if its share is `drop` below the control's: 0 for an equal treatment. `None` unless the margin is between
    /// 0 and 1, and as in [`Self::chances_of_harm`].
    pub fn chances_not_worse(&self, margin: f64, drop: f64) -> Option<Vec<f64>> {
        let is_margin = margin > 0.0 && margin < 1.0;
        is_margin
            .then(|| self.bounds(Spending::OBrienFleming))
            .flatten()
            .and_then(|bounds| self.chances(&bounds, Some(margin), drop))
    }

    /// The bounds of the looks; `None` if the plan is invalid.
    fn bounds(&self, spending: Spending) -> Option<Vec<f64>> {
        let is_share = |share: f64| share > 0.0 && share < 1.0;
        let valid = is_share(self.base)
            && is_share(self.alpha)
            && (0.0..1.0).contains(&self.reserve)
            && self.planned > 0.0
            && self.planned.is_finite();
        if !valid {
            return None;
        }
        let mut information = 0.0;
        let fractions: Vec<f64> = self
            .arrivals
            .iter()
            .map(|arrivals| {
                information += arrivals.information();
                information / self.planned
            })
            .collect();
        let spent: Vec<f64> = fractions
            .iter()
            .map(|fraction| spending.spent_with_reserve(*fraction, self.alpha, self.reserve))
            .collect();
        boundaries(&fractions, &spent)
    }

    /// The chance to cross each of the `bounds` first: with a margin those of "not worse", otherwise those of harm.
    ///
    /// The sum of weighted differences is a process with independent increments, which drifts by the true difference and
    /// varies as the true shares do, while the statistic is scaled by the variance under H0. Both differ from split to
    /// split, so the drift is moved into the bounds.
    fn chances(&self, bounds: &[f64], margin: Option<f64>, drop: f64) -> Option<Vec<f64>> {
        if !(0.0..=self.base).contains(&drop) {
            return None;
        }
        let treatment = self.base - drop;
        let towards = margin.map_or(drop, |margin| margin - drop);
        let (mut mean, mut null, mut actual) = (0.0, 0.0, 0.0);
        let mut times = Vec::with_capacity(bounds.len());
        let mut moved = Vec::with_capacity(bounds.len());
        for (arrivals, bound) in self.arrivals.iter().zip(bounds) {
            let (ratio, information) = (arrivals.ratio(), arrivals.information());
            let likely = restricted(self.base, treatment, ratio, margin.unwrap_or(0.0));
            mean += information * towards;
            null += information * variance(likely.0, likely.1, ratio);
            actual += information * variance(self.base, treatment, ratio);
            times.push(actual);
            moved.push((bound * null.sqrt() - mean) / actual.sqrt());
        }
        crossing(&times, &moved, 0.0)
    }
}

#[cfg(test)]
mod tests;
