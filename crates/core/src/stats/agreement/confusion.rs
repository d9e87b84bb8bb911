//! A judge against people, two classes.

use super::kappa::{Kappa, from_counts};

/// How often a judge passed or failed the answers that people passed or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// Passed by both.
    pub true_positives: usize,
    /// Failed by people, passed by the judge.
    pub false_positives: usize,
    /// Passed by people, failed by the judge.
    pub false_negatives: usize,
    /// Failed by both.
    pub true_negatives: usize,
}

impl Confusion {
    /// Counts two lists of labels, `true` for a pass; `None` without labels or where the lengths differ.
    pub fn count(human: &[bool], judge: &[bool]) -> Option<Self> {
        if human.is_empty() || human.len() != judge.len() {
            return None;
        }
        let mut counts = Self::default();
        for labels in human.iter().zip(judge) {
            match labels {
                (true, true) => counts.true_positives += 1,
                (false, true) => counts.false_positives += 1,
                (true, false) => counts.false_negatives += 1,
                (false, false) => counts.true_negatives += 1,
            }
        }
        Some(counts)
    }

    /// Answers in all.
    pub fn total(&self) -> usize {
        self.positives() + self.negatives()
    }

    /// Answers that people passed.
    pub fn positives(&self) -> usize {
        self.true_positives + self.false_negatives
    }

    /// Answers that people failed.
    pub fn negatives(&self) -> usize {
        self.true_negatives + self.false_positives
    }

    /// The share of the answers passed by people that the judge passes; `None` where people passed none.
    pub fn sensitivity(&self) -> Option<f64> {
        share(self.true_positives, self.positives())
    }

    /// The share of the answers failed by people that the judge fails; `None` where people failed none.
    pub fn specificity(&self) -> Option<f64> {
        share(self.true_negatives, self.negatives())
    }

    /// The mean of sensitivity and specificity: 0.5 for a judge that cannot tell the classes apart, whatever
    /// their sizes.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some(f64::midpoint(self.sensitivity()?, self.specificity()?))
    }

    /// Youden's J (Youden 1950), sensitivity + specificity - 1: the share of a true difference between two sets of
    /// answers that the judge's pass rates show. 0 for a judge that cannot tell the classes apart.
    pub fn youden(&self) -> Option<f64> {
        Some(self.sensitivity()? + self.specificity()? - 1.0)
    }

    /// Whether judge and labels say enough to correct a pass rate for the judge's errors: J of at least 0.2, and 20
    /// labels of each class. Below, the correction is wider than what it corrects.
    pub fn allows_correction(&self) -> bool {
        self.youden().is_some_and(|power| power >= 0.2) && self.positives().min(self.negatives()) >= 20
    }

    /// The share of answers that judge and people label alike.
    pub fn agreement(&self) -> Option<f64> {
        share(self.true_positives + self.true_negatives, self.total())
    }

    /// Cohen's kappa, as [`cohen_kappa`](super::cohen_kappa) of the labels.
    pub fn kappa(&self) -> Option<Kappa> {
        let counts =
            [[self.true_positives, self.false_negatives], [self.false_positives, self.true_negatives]];
        from_counts(&counts.map(|row| row.map(|count| count as f64).to_vec()), |row, column| {
            f64::from(u8::from(row == column))
        })
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
