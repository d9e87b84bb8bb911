//! The bounds of a rollout's tests, each computed once.

use promptgate_core::stats::SequentialBounds;

/// A look, as far as its bound depends on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PlannedLook {
    /// The information so far, as a share of the planned.
    pub(super) fraction: f64,
    /// The alpha spent until then.
    pub(super) spent: f64,
}

/// The bounds computed so far. A bound depends on all looks until its own, so that each look continues what was computed
/// for those before, and tests with the same looks share their bounds.
#[derive(Default)]
pub(super) struct KnownBounds {
    designs: Vec<Design>,
}

#[derive(Default)]
struct Design {
    looks: Vec<PlannedLook>,
    bounds: SequentialBounds,
    /// The bound of the last look.
    last: Option<f64>,
}

impl KnownBounds {
    /// The bound of the last of these looks; infinite if there is nothing to spend. `None` without looks, or if they are
    /// not a design.
    pub(super) fn last(&mut self, looks: &[PlannedLook]) -> Option<f64> {
        let begun = self.designs.iter_mut().filter(|design| looks.starts_with(&design.looks));
        if let Some(design) = begun.max_by_key(|design| design.looks.len()) {
            return design.extend(looks);
        }
        let mut design = Design::default();
        let bound = design.extend(looks);
        self.designs.push(design);
        bound
    }
}

impl Design {
    /// Adds the looks after those that it has.
    fn extend(&mut self, looks: &[PlannedLook]) -> Option<f64> {
        for look in looks.iter().skip(self.looks.len()) {
            self.last = Some(self.bounds.next(look.fraction, look.spent)?);
            self.looks.push(*look);
        }
        self.last
    }
}

#[cfg(test)]
mod tests {
    use promptgate_core::stats::{Spending, boundaries};

    use super::*;

    fn looks(fractions: &[f64]) -> Vec<PlannedLook> {
        let spent = |fraction: f64| Spending::Pocock.spent(fraction, 0.05);
        fractions.iter().map(|&fraction| PlannedLook { fraction, spent: spent(fraction) }).collect()
    }

    /// The bound of the last look, computed from the first one.
    fn afresh(looks: &[PlannedLook]) -> Option<f64> {
        let fractions: Vec<f64> = looks.iter().map(|look| look.fraction).collect();
        let spent: Vec<f64> = looks.iter().map(|look| look.spent).collect();
        boundaries(&fractions, &spent)?.last().copied()
    }

    #[test]
    fn continued_bounds_equal_those_computed_afresh() {
        let mut known = KnownBounds::default();
        let (one, other) = (looks(&[0.1, 0.15, 0.3, 0.9]), looks(&[0.1, 0.15, 0.4, 0.5]));
        for until in 1..=4 {
            // Both begin alike; the second one is found, then parts.
            for looks in [&one[..until], &other[..until], &one[..until]] {
                let (found, expected) = (known.last(looks).unwrap(), afresh(looks).unwrap());
                assert!((found - expected).abs() < 1e-9, "{until}: found {found}, expected {expected}");
            }
        }
        assert_eq!(known.designs.len(), 2);
    }

    #[test]
    fn looks_that_are_no_design_have_no_bound() {
        let mut known = KnownBounds::default();
        assert_eq!(known.last(&[]), None);
        for fractions in [&[0.0][..], &[f64::NAN], &[0.5, 0.5], &[0.5, 0.4]] {
            assert_eq!(known.last(&looks(fractions)), None, "{fractions:?}");
        }
        // A failure leaves nothing behind.
        let valid = looks(&[0.5, 0.6]);
        assert!((known.last(&valid).unwrap() - afresh(&valid).unwrap()).abs() < 1e-9);
    }
}
