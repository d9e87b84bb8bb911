//! The scores of a case by both variants.

use crate::stats::mean;

/// The scores of a case by both variants.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// The candidate's scores, then the baseline's.
    scores: Vec<f64>,
    /// Number of the candidate's scores.
    ours: usize,
    /// The candidate's mean minus the baseline's.
    pub(super) difference: f64,
    /// Trials of both variants.
    pub(super) trials: f64,
    /// The variance of the difference in units of the variance of one score: 1 / n + 1 / m.
    pub(super) factor: f64,
    /// Sum of squares around the mean of each variant.
    pub(super) within: f64,
    /// Sum of squares around the mean of both variants together.
    pub(super) total: f64,
    /// Whether every score is 0 or 1.
    pub(super) is_binary: bool,
}

impl Pair {
    /// `None` where a variant has no score.
    pub(super) fn new(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        if ours.is_empty() || theirs.is_empty() {
            return None;
        }
        let squares = |values: &[f64]| {
            let centre = mean(values);
            values.iter().map(|value| (value - centre).powi(2)).sum::<f64>()
        };
        let scores: Vec<f64> = ours.iter().chain(theirs).copied().collect();
        Some(Self {
            ours: ours.len(),
            difference: mean(ours) - mean(theirs),
            trials: scores.len() as f64,
            factor: 1.0 / ours.len() as f64 + 1.0 / theirs.len() as f64,
            within: squares(ours) + squares(theirs),
            total: squares(&scores),
            is_binary: scores.iter().all(|score| *score == 0.0 || *score == 1.0),
            scores,
        })
    }

    /// Degrees of freedom of `within`; 0 without repeats.
    pub(super) fn freedom_within(&self) -> f64 {
        self.trials - 2.0
    }

    /// Number of scores of the candidate and of the baseline.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.ours, self.scores.len() - self.ours)
    }

    /// The difference and the sum of squares within variants if the candidate had the scores at these places.
    pub(super) fn rearranged(&self, candidate: &[usize]) -> (f64, f64) {
        let (ours, theirs) = self.counts();
        let sum: f64 = self.scores.iter().sum();
        let picked: f64 = candidate.iter().map(|place| self.scores[*place]).sum();
        let difference = picked / ours as f64 - (sum - picked) / theirs as f64;
        // The rest is within the variants.
        (difference, (self.total - difference * difference / self.factor).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::Pair;

    #[test]
    fn rearranged_scores_have_the_difference_and_squares_of_their_sides() {
        let pair = Pair::new(&[0.1, 0.4, 0.9], &[0.2, 0.8]).expect("scores");
        let (difference, within) = pair.rearranged(&[1, 3, 4]);
        let other = Pair::new(&[0.4, 0.2, 0.8], &[0.1, 0.9]).expect("scores");
        assert!((difference - other.difference).abs() < 1e-12);
        assert!((within - other.within).abs() < 1e-12);
        let (difference, within) = pair.rearranged(&[0, 1, 2]);
        assert!((difference - pair.difference).abs() < 1e-12 && (within - pair.within).abs() < 1e-12);
        assert_eq!(pair.counts(), (3, 2));
        assert!(Pair::new(&[], &[0.5]).is_none() && Pair::new(&[0.5], &[]).is_none());
    }
}
