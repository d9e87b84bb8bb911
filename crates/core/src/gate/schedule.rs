//! The looks of a run at its evidence, and the alpha that each may spend.

use crate::model::Policy;
use crate::stats::spend;

/// The looks of a run: the first at `first` repeats, then at twice as many each time, the last at `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    first: u32,
    last: u32,
}

/// One look at the evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Number of repeats of both variants that it reads.
    pub repeats: u32,
    /// The one-sided alpha that it may spend.
    pub alpha: f64,
}

impl Policy {
    /// The looks that the policy plans.
    pub fn schedule(&self) -> Schedule {
        Schedule::new(self.repeats, self.max_repeats)
    }
}

impl Schedule {
    /// Looks from `first` repeats to `last`. Raises `first` to 1 and `last` to `first` if they are lower.
    pub fn new(first: u32, last: u32) -> Self {
        let first = first.max(1);
        Self { first, last: last.max(first) }
    }

    /// A single look.
    pub fn once(repeats: u32) -> Self {
        Self::new(repeats, repeats)
    }

    /// Repeats of the first look.
    pub fn first(self) -> u32 {
        self.first
    }

    /// Repeats of the last look.
    pub fn last(self) -> u32 {
        self.last
    }

    /// The repeats of every look.
    pub fn repeats(self) -> Vec<u32> {
        let mut at = vec![self.first];
        while let Some(before) = at.last().copied().filter(|before| *before < self.last) {
            at.push(before.saturating_mul(2).min(self.last));
        }
        at
    }

    /// Every look with its share of `alpha`: alpha (k_j - k_(j-1)) / k_last. The shares add up to alpha, so the error rate
    /// holds whatever the dependence between looks (Bonferroni; linear spending, Lan and DeMets 1983).
    pub fn looks(self, alpha: f64) -> Vec<Look> {
        let at = self.repeats();
        let counts: Vec<usize> = at.iter().map(|repeats| *repeats as usize).collect();
        let alphas = spend(&counts, alpha).unwrap_or_default();
        at.into_iter().zip(alphas).map(|(repeats, alpha)| Look { repeats, alpha }).collect()
    }

    /// The looks that a run of `repeats` repeats has reached; the last one reads all repeats, up to the end of the
    /// schedule.
    pub(super) fn reached(self, repeats: u32, alpha: f64) -> Vec<Look> {
        let mut reached = Vec::new();
        let mut before = 0;
        for look in self.looks(alpha) {
            if look.repeats >= repeats {
                // Repeats that the schedule does not contain, as in an edited report, spend no more than their share.
                let alpha = alpha * (f64::from(repeats - before) / f64::from(self.last));
                reached.push(Look { repeats, alpha });
                return reached;
            }
            before = look.repeats;
            reached.push(look);
        }
        reached
    }

    /// The repeats of the first look after `now` that settles: a look of this schedule, or else the last look of the
    /// shortest longer schedule. `None` if more than a million repeats were needed.
    ///
    /// `settles` must be monotone: a look with more repeats and more alpha settles whenever a smaller one does.
    pub(super) fn repeats_to_settle(
        self,
        now: u32,
        alpha: f64,
        settles: impl Fn(Look) -> bool,
    ) -> Option<u32> {
        let planned = self.looks(alpha).into_iter().find(|look| look.repeats > now && settles(*look));
        if let Some(look) = planned {
            return Some(look.repeats);
        }
        let now = now.max(self.last);
        let settles_at_end = |last| Self::new(self.first, last).looks(alpha).pop().is_some_and(&settles);
        // The last look of a schedule that ends just after a doubling has little alpha. From there to the next doubling
        // both its repeats and its alpha grow, so bisection between doublings is valid.
        let mut doubling = self.first;
        while doubling <= 500_000 {
            let next = doubling * 2;
            if next > now && settles_at_end(next) {
                let (mut below, mut enough) = (doubling.max(now), next);
                while enough - below > 1 {
                    let middle = below.midpoint(enough);
                    if settles_at_end(middle) { enough = middle } else { below = middle }
                }
                return Some(enough);
            }
            doubling = next;
        }
        None
    }

    /// The repeats of the look after the one at `repeats`.
    pub(super) fn next_after(self, repeats: u32) -> Option<u32> {
        self.repeats().into_iter().find(|later| *later > repeats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(looks: &[Look]) -> Vec<(u32, f64)> {
        looks.iter().map(|look| (look.repeats, look.alpha)).collect()
    }

    #[test]
    fn default_looks_match_documentation() {
        let looks = Schedule::new(3, 24).looks(0.05);
        assert_eq!(pairs(&looks), [(3, 0.00625), (6, 0.00625), (12, 0.0125), (24, 0.025)]);
    }

    #[test]
    fn single_look_spends_all_alpha() {
        assert_eq!(pairs(&Schedule::once(5).looks(0.05)), [(5, 0.05)]);
    }

    #[test]
    fn last_look_is_at_the_end_between_doublings() {
        let looks = Schedule::new(3, 20).looks(0.1);
        assert_eq!(looks.iter().map(|look| look.repeats).collect::<Vec<_>>(), [3, 6, 12, 20]);
        assert!((looks.iter().map(|look| look.alpha).sum::<f64>() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn reached_looks_end_at_the_repeats_of_the_run() {
        let schedule = Schedule::new(3, 24);
        assert_eq!(pairs(&schedule.reached(6, 0.05)), [(3, 0.00625), (6, 0.00625)]);
        assert_eq!(pairs(&schedule.reached(2, 0.06)), [(2, 0.06 * (2.0 / 24.0))]);
        assert_eq!(schedule.reached(30, 0.05).len(), 4);
        let next = [3, 24, 0].map(|repeats| schedule.next_after(repeats));
        assert_eq!(next, [Some(6), None, Some(3)]);
    }

    #[test]
    fn repeats_to_settle_use_the_schedule_that_ends_there() {
        let schedule = Schedule::new(3, 6);
        let repeats = |settles: &dyn Fn(Look) -> bool| schedule.repeats_to_settle(6, 0.05, settles);
        assert_eq!(repeats(&|_| true), Some(7));
        // 0.05 (N - 6) / N >= 0.02 from N = 10 on.
        assert_eq!(repeats(&|look| look.alpha >= 0.02 - 1e-12), Some(10));
        // 12 repeats are not enough, and at 13 the last look has little alpha.
        assert_eq!(repeats(&|look| look.repeats > 12 && look.alpha >= 0.01 - 1e-12), Some(15));
        assert_eq!(repeats(&|_| false), None);
        // Planned looks come first.
        let schedule = Schedule::new(3, 24);
        assert_eq!(schedule.repeats_to_settle(3, 0.05, |look| look.alpha >= 0.0125 - 1e-12), Some(12));
        assert_eq!(schedule.repeats_to_settle(3, 0.05, |look| look.repeats > 24), Some(25));
    }

    #[test]
    fn largest_schedule_terminates() {
        let looks = Schedule::new(1, u32::MAX).looks(0.05);
        assert_eq!(looks.last().map(|look| look.repeats), Some(u32::MAX));
    }
}
