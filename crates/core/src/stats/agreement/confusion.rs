//! The confusion matrix of a judge against human labels, pass or fail.

use super::kappa::{Kappa, from_counts};

/// Counts of answers by human label and by the judge's.
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
    /// Counts two lists of labels, `true` for a pass; `None` without labels or with different lengths.
    pub fn from_labels(human: &[bool], judge: &[bool]) -> Option<Self> {
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

    /// Number of answers.
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

    /// The share of answers passed by people that the judge passes; `None` if people passed none.
    pub fn sensitivity(&self) -> Option<f64> {
        share(self.true_positives, self.positives())
    }

    /// The share of answers failed by people that the judge fails; `None` if people failed none.
    pub fn specificity(&self) -> Option<f64> {
        share(self.true_negatives, self.negatives())
    }

    /// The mean of sensitivity and specificity: 0.5 at chance, whatever the class sizes.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some(f64::midpoint(self.sensitivity()?, self.specificity()?))
    }

    /// Youden's J, sensitivity + specificity - 1 (Youden 1950): the share of a true difference in pass rates that shows
    /// in the judge's pass rates. 0 at chance.
    pub fn youden(&self) -> Option<f64> {
        Some(self.sensitivity()? + self.specificity()? - 1.0)
    }

    /// Whether a pass rate can be corrected for the judge's errors: J of at least 0.2, and 20 labels of each class. Below
    /// that, the interval of the correction is wider than the error it corrects.
    pub fn allows_correction(&self) -> bool {
        self.youden().is_some_and(|youden| youden >= 0.2) && self.positives().min(self.negatives()) >= 20
    }

    /// The share of answers with the same label from judge and people.
    pub fn agreement(&self) -> Option<f64> {
        share(self.true_positives + self.true_negatives, self.total())
    }

    /// Cohen's kappa of the labels, as by [`cohen_kappa`](super::cohen_kappa).
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
