//! The smallest drops that a planned run can detect.

use crate::gate::{Look, Schedule};
use crate::metric::row_mean;
use crate::model::MetricScores;
use crate::stats::{detectable_shift, sample_variance};

/// The size of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComparisonSize {
    /// Cases that count.
    pub cases: usize,
    /// Cases among them whose request is the same for both variants, so that their difference is 0.
    pub shared: usize,
    /// Whether there is a baseline. Without one, only the candidate's noise counts.
    pub compared: bool,
}

/// The smallest drop of this suite that `repeats` repeats detect with 80 % power at `alpha`: sqrt(c 2 s^2 / (n k)), where
/// `noise` is s, the standard deviation of the repeats of a case. Shared cases add no variance. See
/// [`power_constant`](crate::stats::power_constant) for c.
pub fn detectable_suite_drop(size: ComparisonSize, noise: f64, repeats: u32, alpha: f64) -> f64 {
    let sides = if size.compared { 2.0 } else { 1.0 };
    let own = if size.compared { size.cases.saturating_sub(size.shared) } else { size.cases };
    let variance = sides * noise * noise * own as f64 / f64::from(repeats.max(1));
    detectable_shift(variance.sqrt() / size.cases.max(1) as f64, alpha)
}

/// The smallest drop over new cases of the same kind that `cases` cases detect with 80 % power at `alpha`:
/// sqrt(c sd^2 / n), where `sd` is the standard deviation of the differences between cases.
pub fn detectable_population_drop(cases: usize, sd: f64, alpha: f64) -> f64 {
    detectable_shift(sd / (cases.max(1) as f64).sqrt(), alpha)
}

/// The repeats at which an unchanged prompt is likely to be settled: those of the first look that rules out a drop of
/// `slack` with 80 % power, or of the last look if none does.
pub fn likely_repeats(schedule: Schedule, alpha: f64, size: ComparisonSize, noise: f64, slack: f64) -> u32 {
    let settles = |look: &Look| detectable_suite_drop(size, noise, look.repeats, look.alpha) <= slack;
    schedule.looks(alpha).iter().find(|look| settles(look)).map_or(schedule.last(), |look| look.repeats)
}

/// Standard deviation over cases of the difference between the variants, or of the candidate's case means without a
/// baseline. `None` for fewer than two cases.
pub fn between_case_sd(metric: &MetricScores) -> Option<f64> {
    let ours = metric.scores.candidate.rows().map(row_mean);
    let values: Vec<f64> = match &metric.scores.baseline {
        Some(baseline) => {
            let pairs = ours.zip(baseline.rows().map(row_mean));
            pairs.filter_map(|(ours, theirs)| Some(ours? - theirs?)).collect()
        }
        None => ours.flatten().collect(),
    };
    (values.len() > 1).then(|| sample_variance(&values).sqrt())
}
