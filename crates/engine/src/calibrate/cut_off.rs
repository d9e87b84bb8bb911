//! The score that best separates good from bad answers.

use promptgate_core::model::CutOff;
use promptgate_core::stats::Confusion;

/// The cut-off with the largest balanced accuracy; of equal ones, the highest. It is optimistic, since it is chosen on
/// the labels that it is measured on. `None` if one class is missing or no cut-off is better than chance.
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
