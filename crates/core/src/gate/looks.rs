//! When a run looks at its evidence, and what each look may spend.

use crate::stats::spend;

/// The looks of a run: at `first` repeats, then at twice as many each time, at last at `most`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    first: u32,
    most: u32,
}

/// One look at the evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// It reads repeats 0 up to this many of both variants.
    pub repeats: u32,
    /// The one-sided alpha that it may spend.
    pub alpha: f64,
}

impl Schedule {
    /// Looks from `first` repeats to `most`; both are at least 1, and `most` is at least `first`.
    pub fn new(first: u32, most: u32) -> Self {
        let first = first.max(1);
        Self { first, most: most.max(first) }
    }

    /// One look.
    pub fn once(repeats: u32) -> Self {
        Self::new(repeats, repeats)
    }

    /// Repeats of the first look.
    pub fn first(self) -> u32 {
        self.first
    }

    /// Repeats of the last look.
    pub fn most(self) -> u32 {
        self.most
    }

    /// The repeats of every look.
    pub fn repeats(self) -> Vec<u32> {
        let mut at = vec![self.first];
        while let Some(last) = at.last().copied().filter(|last| *last < self.most) {
            at.push(last.saturating_mul(2).min(self.most));
        }
        at
    }

    /// Every look, with its share of `alpha`: alpha (k_j - k_(j-1)) / k_last, so that they add up to alpha
    /// whatever the looks have in common (Bonferroni; linear spending, Lan and DeMets 1983).
    pub fn looks(self, alpha: f64) -> Vec<Look> {
        let at = self.repeats();
        let counts: Vec<usize> = at.iter().map(|repeats| *repeats as usize).collect();
        let alphas = spend(&counts, alpha).unwrap_or_default();
        at.into_iter().zip(alphas).map(|(repeats, alpha)| Look { repeats, alpha }).collect()
    }

    /// The looks at what `repeats` repeats have brought; the last one reads all of them, up to the schedule's end.
    pub(super) fn taken(self, repeats: u32, alpha: f64) -> Vec<Look> {
        let mut taken = Vec::new();
        let mut before = 0;
        for look in self.looks(alpha) {
            if look.repeats >= repeats {
                // A run of other repeats than the schedule's, from an edited report, gets no more than its share.
                let alpha = alpha * (f64::from(repeats - before) / f64::from(self.most));
                taken.push(Look { repeats, alpha });
                return taken;
            }
            before = look.repeats;
            taken.push(look);
        }
        taken
    }

    /// The repeats of the first look beyond `now` that settles: one of this schedule, else the last one of the shortest
    /// longer schedule. `None` where it would take more than a million. `settles` judges a look, and more repeats and
    /// alpha never tell against it.
    pub(super) fn fewest_to_settle(
        self,
        now: u32,
        alpha: f64,
        settles: impl Fn(Look) -> bool,
    ) -> Option<u32> {
        let planned = self.looks(alpha).into_iter().find(|look| look.repeats > now && settles(*look));
        if let Some(look) = planned {
            return Some(look.repeats);
        }
        let now = now.max(self.most);
        let ending_at = |most| Self::new(self.first, most).looks(alpha).pop().is_some_and(&settles);
        // A schedule that ends a little beyond a doubling has a last look that may spend next to nothing. From there
        // to the next doubling its repeats and its alpha grow.
        let mut doubling = self.first;
        while doubling <= 500_000 {
            let next = doubling * 2;
            if next > now && ending_at(next) {
                let (mut below, mut enough) = (doubling.max(now), next);
                while enough - below > 1 {
                    let middle = below.midpoint(enough);
                    if ending_at(middle) { enough = middle } else { below = middle }
                }
                return Some(enough);
            }
            doubling = next;
        }
        None
    }

    /// The repeats of the look after the one at `repeats`.
    pub(super) fn after(self, repeats: u32) -> Option<u32> {
        self.repeats().into_iter().find(|later| *later > repeats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(looks: &[Look]) -> Vec<(u32, f64)> {
        looks.iter().map(|look| (look.repeats, look.alpha)).collect()
    }

    #[test]
    fn the_default_looks_are_those_of_the_documentation() {
        let looks = Schedule::new(3, 24).looks(0.05);
        assert_eq!(shown(&looks), [(3, 0.00625), (6, 0.00625), (12, 0.0125), (24, 0.025)]);
    }

    #[test]
    fn one_look_has_all_of_alpha() {
        assert_eq!(shown(&Schedule::once(5).looks(0.05)), [(5, 0.05)]);
    }

    #[test]
    fn the_last_look_is_at_the_end_whether_or_not_doubling_meets_it() {
        let looks = Schedule::new(3, 20).looks(0.1);
        assert_eq!(looks.iter().map(|look| look.repeats).collect::<Vec<_>>(), [3, 6, 12, 20]);
        assert!((looks.iter().map(|look| look.alpha).sum::<f64>() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn only_the_looks_that_were_reached_are_taken() {
        let schedule = Schedule::new(3, 24);
        assert_eq!(shown(&schedule.taken(6, 0.05)), [(3, 0.00625), (6, 0.00625)]);
        assert_eq!(shown(&schedule.taken(2, 0.06)), [(2, 0.06 * (2.0 / 24.0))]);
        assert_eq!(schedule.taken(30, 0.05).len(), 4);
        assert_eq!((schedule.after(3), schedule.after(24), schedule.after(0)), (Some(6), None, Some(3)));
    }

    #[test]
    fn what_settles_is_reckoned_with_the_schedule_that_ends_there() {
        let schedule = Schedule::new(3, 6);
        let found = |settles: &dyn Fn(Look) -> bool| schedule.fewest_to_settle(6, 0.05, settles);
        assert_eq!(found(&|_| true), Some(7));
        // 0.05 (N - 6) / N >= 0.02 from N = 10 on.
        assert_eq!(found(&|look| look.alpha >= 0.02 - 1e-12), Some(10));
        // 12 repeats are not enough, and at 13 the last look may spend little.
        assert_eq!(found(&|look| look.repeats > 12 && look.alpha >= 0.01 - 1e-12), Some(15));
        assert_eq!(found(&|_| false), None);
        // The looks that are to come anyway are asked first.
        let schedule = Schedule::new(3, 24);
        assert_eq!(schedule.fewest_to_settle(3, 0.05, |look| look.alpha >= 0.0125 - 1e-12), Some(12));
        assert_eq!(schedule.fewest_to_settle(3, 0.05, |look| look.repeats > 24), Some(25));
    }

    #[test]
    fn the_largest_schedule_ends() {
        let looks = Schedule::new(1, u32::MAX).looks(0.05);
        assert_eq!(looks.last().map(|look| look.repeats), Some(u32::MAX));
    }
}
