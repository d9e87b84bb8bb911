//! Mean and variance of scores in one pass, and the kind of sample that they make.

use promptgate_release::rollout::Sample;

/// Number, mean and squared deviations of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
    ones: u64,
    /// Whether every score is 0 or 1.
    is_binary: bool,
}

impl Default for Moments {
    fn default() -> Self {
        Self { n: 0, mean: 0.0, squares: 0.0, ones: 0, is_binary: true }
    }
}

impl Moments {
    /// Adds a score that occurs `count` times (West's update of Welford's method).
    pub(super) fn add(&mut self, score: f64, count: u64) {
        if count == 0 {
            return;
        }
        self.n += count;
        let weight = count as f64;
        let delta = score - self.mean;
        self.mean += delta * weight / self.n as f64;
        self.squares += delta * (score - self.mean) * weight;
        if score == 1.0 {
            self.ones += count;
        } else if score != 0.0 {
            self.is_binary = false;
        }
    }

    fn share(&self) -> Sample {
        Sample::Share { successes: self.ones, n: self.n }
    }

    /// The mean; a single score has the variance 0.
    fn mean(&self) -> Sample {
        let variance = if self.n > 1 { (self.squares / (self.n - 1) as f64).max(0.0) } else { 0.0 };
        Sample::Mean { n: self.n, mean: self.mean, variance }
    }
}

/// The samples of all versions, which are of one kind so that they can be compared: shares if every score of every
/// version is 0 or 1, else means.
pub(super) fn samples(moments: &[Moments]) -> Vec<Sample> {
    if moments.iter().all(|moments| moments.is_binary) {
        moments.iter().map(Moments::share).collect()
    } else {
        means(moments)
    }
}

/// Means, also of scores that are all 0 or 1.
pub(super) fn means(moments: &[Moments]) -> Vec<Sample> {
    moments.iter().map(Moments::mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scores: &[(f64, u64)]) -> Moments {
        let mut moments = Moments::default();
        for (score, count) in scores {
            moments.add(*score, *count);
        }
        moments
    }

    /// Values of `statistics.mean` and `statistics.variance` of Python.
    #[test]
    fn weighted_scores_have_the_mean_and_variance_of_the_expanded_list() {
        let once = of(&[(2.0, 1), (4.0, 1), (4.0, 1), (4.0, 1), (5.0, 1), (5.0, 1), (7.0, 1), (9.0, 1)]);
        let counted = of(&[(2.0, 1), (4.0, 3), (5.0, 2), (7.0, 1), (9.0, 1)]);
        for moments in [once, counted] {
            let Sample::Mean { n, mean, variance } = samples(&[moments])[0] else { panic!("{moments:?}") };
            assert_eq!(n, 8);
            assert!((mean - 5.0).abs() < 1e-12, "{mean}");
            assert!((variance - 4.571_428_571_428_571).abs() < 1e-12, "{variance}");
        }
    }

    #[test]
    fn one_version_with_other_scores_makes_all_of_them_means() {
        let binary = of(&[(1.0, 9), (0.0, 1)]);
        assert_eq!(samples(&[binary, binary])[1], Sample::Share { successes: 9, n: 10 });
        let mixed = samples(&[binary, of(&[(0.5, 2)])]);
        assert!(matches!(mixed[0], Sample::Mean { n: 10, .. }), "{mixed:?}");
        assert_eq!(mixed[1], Sample::Mean { n: 2, mean: 0.5, variance: 0.0 });
        // A version without scores does not make the other one a mean.
        assert_eq!(samples(&[Moments::default(), binary])[0], Sample::Share { successes: 0, n: 0 });
    }

    #[test]
    fn equal_scores_far_from_zero_have_no_negative_variance() {
        let mut moments = Moments::default();
        for _ in 0..1000 {
            moments.add(1e9 + 0.1, 1);
        }
        let Sample::Mean { variance, .. } = means(&[moments])[0] else { panic!("{moments:?}") };
        assert!((0.0..1e-9).contains(&variance), "{variance}");
    }
}
