//! Which score is the best line between good and bad answers.

use promptgate_core::stats::Confusion;

/// The reading of scores that agrees best with people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutOff {
    /// From this score on, an answer passes.
    pub score: f64,
    /// Balanced accuracy with it.
    pub balanced_accuracy: f64,
    /// Cohen's kappa with it.
    pub kappa: f64,
}

/// The score from which on an answer best counts as good: the largest balanced accuracy, of equal ones the highest
/// score. Chosen on the labels that it is measured on, so it flatters. `None` where one class is missing, or no line is
/// better than a coin.
pub(super) fn best(human: &[bool], scores: &[f64]) -> Option<CutOff> {
    let mut candidates: Vec<f64> = scores.to_vec();
    candidates.sort_by(f64::total_cmp);
    candidates.dedup();
    let mut best: Option<CutOff> = None;
    for score in candidates.into_iter().rev() {
        let judge: Vec<bool> = scores.iter().map(|one| *one >= score).collect();
        let confusion = Confusion::from_labels(human, &judge)?;
        let balanced_accuracy = confusion.balanced_accuracy()?;
        if best.is_none_or(|best| balanced_accuracy > best.balanced_accuracy + 1e-12) {
            let kappa = confusion.kappa().map_or(0.0, |kappa| kappa.kappa);
            best = Some(CutOff { score, balanced_accuracy, kappa });
        }
    }
    best.filter(|best| best.balanced_accuracy > 0.5 + 1e-12)
}
