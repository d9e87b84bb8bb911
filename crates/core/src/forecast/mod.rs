//! What a run will take, what it will be able to see, and what would settle one that could not decide.
//!
//! Pure arithmetic on sizes, prices and noise; asks nothing and reads nothing. What the numbers are shown as is left
//! to the report.

mod settle;
#[cfg(test)]
mod tests;

pub use settle::{Rates, rates, to_settle};

use crate::gate::Schedule;
use crate::model::{Cell, MetricScores, Usage};
use crate::stats::{detectable_shift, mean, sample_variance};

/// What one answer, or one judgement, takes on average.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Each {
    /// Tokens of the request.
    pub prompt_tokens: f64,
    /// Tokens of the answer.
    pub completion_tokens: f64,
    /// US dollars; `None` where the price is not known.
    pub usd: Option<f64>,
}

/// Answers and judgements of one repeat of every case, by every variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Answers; what both variants share is asked once.
    pub answers: u64,
    /// Judgements.
    pub judgements: u64,
}

/// What so many repeats take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    /// Repeats of every case.
    pub repeats: u32,
    /// Calls for answers.
    pub answers: u64,
    /// Calls for judgements, without second questions.
    pub judgements: u64,
    /// Tokens of all of them.
    pub tokens: Usage,
    /// US dollars; `None` where a price is not known.
    pub usd: Option<f64>,
}

/// What `repeats` repeats take.
pub fn amount(load: Load, repeats: u32, answer: Each, judgement: Each) -> Amount {
    let (answers, judgements) = (load.answers * u64::from(repeats), load.judgements * u64::from(repeats));
    let sum = |of: fn(&Each) -> f64| {
        (answers as f64 * of(&answer) + judgements as f64 * of(&judgement)).round() as u64
    };
    let usd = |count: u64, each: Each| match count {
        0 => Some(0.0),
        count => each.usd.map(|usd| usd * count as f64),
    };
    Amount {
        repeats,
        answers,
        judgements,
        tokens: Usage {
            prompt_tokens: sum(|each| each.prompt_tokens),
            completion_tokens: sum(|each| each.completion_tokens),
        },
        usd: usd(answers, answer).zip(usd(judgements, judgement)).map(|(one, other)| one + other),
    }
}

/// The size of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Cases that count.
    pub cases: usize,
    /// Those of them that both variants answer with the same request, and so without any difference.
    pub shared: usize,
    /// Whether there is a baseline; else only the candidate's noise counts.
    pub compared: bool,
}

/// The smallest drop of this very suite that `repeats` repeats show with 80 % power at `alpha`, where repeats of a
/// case have the standard deviation `noise`: sqrt(c 2 s^2 / (n k)), less what shared cases do not add.
pub fn suite_drop(size: Size, noise: f64, repeats: u32, alpha: f64) -> f64 {
    let sides = if size.compared { 2.0 } else { 1.0 };
    let own = if size.compared { size.cases.saturating_sub(size.shared) } else { size.cases };
    let variance = sides * noise * noise * own as f64 / f64::from(repeats.max(1));
    detectable_shift(variance.sqrt() / size.cases.max(1) as f64, alpha)
}

/// The smallest drop over new cases of the same kind that `cases` cases show with 80 % power at `alpha`, where the
/// differences of cases have the standard deviation `spread`: sqrt(c sd^2 / n).
pub fn population_drop(cases: usize, spread: f64, alpha: f64) -> f64 {
    detectable_shift(spread / (cases.max(1) as f64).sqrt(), alpha)
}

/// The repeats at which an unchanged prompt is likely settled: those of the first look that rules out a shortfall of
/// `slack` with 80 % power; the last look where none does.
pub fn likely_repeats(schedule: Schedule, alpha: f64, size: Size, noise: f64, slack: f64) -> u32 {
    let settles = |look: &crate::gate::Look| suite_drop(size, noise, look.repeats, look.alpha) <= slack;
    schedule.looks(alpha).iter().find(|look| settles(look)).map_or(schedule.most(), |look| look.repeats)
}

/// Standard deviation over cases of the difference between the variants, or of the candidate's own mean without a
/// baseline. `None` for fewer than two cases.
pub fn spread(metric: &MetricScores) -> Option<f64> {
    let row_mean = |row: Option<&[Cell]>| {
        let values: Vec<f64> = row?.iter().filter_map(|cell| cell.value()).collect();
        (!values.is_empty()).then(|| mean(&values))
    };
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
