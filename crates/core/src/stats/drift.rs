//! The difference between the means of two groups of runs, against the noise of the runs.

use super::describe::clamp_variance;

/// The mean of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunMean {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Whether nothing of the run was reused from another one, as answers of a cache are.
    pub independent: bool,
}

/// The difference between two groups of runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Mean of the earlier group.
    pub earlier: f64,
    /// Mean of the later group.
    pub later: f64,
    /// Later minus earlier.
    pub difference: f64,
    /// Standard error of the difference.
    pub standard_error: f64,
    /// Its degrees of freedom: runs beyond one of each group.
    pub degrees_of_freedom: f64,
}

/// Compares the averages of two groups of means; `None` where a group is empty, there are fewer than three means, or a number
/// is not finite.
///
/// Runs of different days differ by more than the noise within each of them, so the larger of two standard errors counts:
/// that of the spread of the means within both groups, pooled, and that of the noise within runs. The variance of the average
/// of k independent means is the sum of their variances by k² (Cochran 1977, 5.6). Means that share answers may be dependent
/// in any way: the standard error of their average is then at most the average of theirs (the triangle inequality of the
/// standard deviation), which is taken.
pub fn drift(earlier: &[RunMean], later: &[RunMean]) -> Option<Drift> {
    let (before, before_error) = average(earlier)?;
    let (after, after_error) = average(later)?;
    let (first, last) = (earlier.len() as f64, later.len() as f64);
    let degrees_of_freedom = first + last - 2.0;
    if degrees_of_freedom < 1.0 {
        return None;
    }
    let squares = |runs: &[RunMean], mean: f64| runs.iter().map(|run| (run.mean - mean).powi(2)).sum::<f64>();
    let between = clamp_variance((squares(earlier, before) + squares(later, after)) / degrees_of_freedom);
    let of_runs = (between * (1.0 / first + 1.0 / last)).sqrt();
    Some(Drift {
        earlier: before,
        later: after,
        difference: after - before,
        standard_error: before_error.hypot(after_error).max(of_runs),
        degrees_of_freedom,
    })
}

/// The average of means with its standard error.
fn average(runs: &[RunMean]) -> Option<(f64, f64)> {
    let count = runs.len() as f64;
    let mean = runs.iter().map(|run| run.mean).sum::<f64>() / count;
    let error = if runs.iter().all(|run| run.independent) {
        runs.iter().map(|run| run.standard_error.powi(2)).sum::<f64>().sqrt() / count
    } else {
        runs.iter().map(|run| run.standard_error).sum::<f64>() / count
    };
    (mean.is_finite() && error.is_finite()).then_some((mean, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{clopper_pearson, normal_quantile, student_t_quantile};

    fn run(mean: f64, standard_error: f64, independent: bool) -> RunMean {
        RunMean { mean, standard_error, independent }
    }

    #[test]
    fn standard_errors_of_independent_means_shrink_and_others_do_not() {
        let group = |independent| vec![run(0.85, 0.03, independent), run(0.85, 0.04, independent)];
        let found = drift(&group(true), &[run(0.7, 0.0, true)]).unwrap();
        assert!((found.difference + 0.15).abs() < 1e-12 && (found.earlier - 0.85).abs() < 1e-12, "{found:?}");
        // sqrt(0.03² + 0.04²) / 2
        assert!((found.standard_error - 0.025).abs() < 1e-12, "{found:?}");
        let found = drift(&group(false), &[run(0.7, 0.0, true)]).unwrap();
        assert!((found.standard_error - 0.035).abs() < 1e-12, "{found:?}");
        assert_eq!(drift(&[], &group(true)), None);
        assert_eq!(drift(&group(true), &[run(f64::NAN, 0.1, true)]), None);
        assert_eq!(drift(&group(true)[..1], &group(true)[..1]), None, "nothing to see a spread in");
    }

    #[test]
    fn spread_of_the_runs_counts_where_it_exceeds_their_own_noise() {
        let group =
            |means: &[f64]| means.iter().map(|mean| run(*mean, 0.001, true)).collect::<Vec<RunMean>>();
        let found = drift(&group(&[0.8, 0.9, 0.7]), &group(&[0.85, 0.75])).unwrap();
        // (0.02 + 0.005) / 3 × (1/3 + 1/2)
        assert!((found.standard_error - (0.025_f64 / 3.0 * 5.0 / 6.0).sqrt()).abs() < 1e-12, "{found:?}");
        assert_eq!(found.degrees_of_freedom, 3.0);
    }

    #[test]
    fn equal_means_differ_at_most_as_often_as_promised() {
        // 2,000 histories of runs with the same true mean, by a fixed sequence. Each run has normal noise of its own, and
        // that of its day, which no interval of a report shows.
        let mut state = 7_u64;
        let mut normal = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            normal_quantile(((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64)
        };
        for (count, of_day) in [(6, 0.0), (6, 0.01), (6, 0.02), (3, 0.02), (12, 0.01)] {
            let mut shown = [0_usize; 2];
            for _ in 0..2000 {
                // The runs of the second kind reuse half of their noise from a cache.
                let shared = normal();
                for (kind, independent) in [true, false].into_iter().enumerate() {
                    let mut mean = || {
                        let own = normal();
                        let noise = if independent { own } else { (own + shared) / 2_f64.sqrt() };
                        run(0.8 + 0.0072 * noise + of_day * normal(), 0.0072, independent)
                    };
                    let earlier: Vec<RunMean> = (0..count).map(|_| mean()).collect();
                    let later: Vec<RunMean> = (0..3).map(|_| mean()).collect();
                    let found = drift(&earlier, &later).unwrap();
                    let critical = student_t_quantile(0.975, found.degrees_of_freedom);
                    shown[kind] += usize::from(found.difference.abs() > critical * found.standard_error);
                }
            }
            for shown in shown {
                let lower = clopper_pearson(shown, 2000, 0.025).lower.unwrap_or(0.0);
                assert!(lower <= 0.05, "{count} runs, {of_day} by day: {shown} of 2000");
            }
        }
    }
}
