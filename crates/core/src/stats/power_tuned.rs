//! The mean that people would give, from an imperfect judge and a few labels, with power tuning (PPI++).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Estimate, mean, sample_variance};

/// Means, variances and covariance of people's ratings and a judge's scores of the same answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabeledMoments {
    /// Number of labelled answers.
    pub answers: usize,
    /// Mean of people's ratings.
    pub human_mean: f64,
    /// Mean of the judge's scores.
    pub judge_mean: f64,
    /// Sample variance of people's ratings (denominator n - 1).
    pub human_variance: f64,
    /// Sample variance of the judge's scores.
    pub judge_variance: f64,
    /// Sample covariance of both.
    pub covariance: f64,
}

impl LabeledMoments {
    /// The moments of ratings and scores of the same answers; `None` with fewer than two, with different lengths, or with a
    /// value that is not finite.
    pub fn of(human: &[f64], judge: &[f64]) -> Option<Self> {
        let answers = human.len();
        if answers < 2 || judge.len() != answers || !human.iter().chain(judge).all(|value| value.is_finite())
        {
            return None;
        }
        let (human_mean, judge_mean) = (mean(human), mean(judge));
        let products =
            human.iter().zip(judge).map(|(human, judge)| (human - human_mean) * (judge - judge_mean));
        Some(Self {
            answers,
            human_mean,
            judge_mean,
            human_variance: sample_variance(human),
            judge_variance: sample_variance(judge),
            covariance: products.sum::<f64>() / (answers as f64 - 1.0),
        })
    }

    /// A contradiction of the moments in words: they are those of no ratings in 0..=1.
    pub fn contradiction(&self) -> Option<&'static str> {
        let Self { answers, human_mean, judge_mean, human_variance, judge_variance, covariance } = *self;
        let in_scale = |mean: f64, variance: f64| {
            // The widest values on the scale are 0 and 1.
            let widest = mean * (1.0 - mean) * answers as f64 / (answers as f64 - 1.0);
            (0.0..=1.0).contains(&mean) && (0.0..=widest + 1e-9).contains(&variance)
        };
        match () {
            () if answers < 2 => Some("has fewer than two answers"),
            () if !in_scale(human_mean, human_variance) || !in_scale(judge_mean, judge_variance) => {
                Some("has a mean or a variance that values from 0 to 1 cannot have")
            }
            () if covariance.is_nan() || covariance.powi(2) > human_variance * judge_variance + 1e-9 => {
                Some("has a covariance that its variances do not allow")
            }
            () => None,
        }
    }

    /// The weight of the judge that makes the variance of the corrected mean smallest, within 0..=1, for a mean over so many
    /// `units` drawn as the labels were, `None` for all there are: cov / var / (1 + n / N). It does not depend on their
    /// scores: estimated from them too, it would be larger where they are high by chance, and the corrected mean too high.
    pub fn lambda(&self, units: Option<usize>) -> f64 {
        let ratio = units.map_or(0.0, |units| self.answers as f64 / units as f64);
        let lambda = self.covariance / self.judge_variance / (1.0 + ratio);
        if lambda.is_finite() { lambda.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The sampling variance of the mean of (rating - lambda score).
    pub fn rectifier_variance(&self, lambda: f64) -> f64 {
        let variance =
            self.human_variance - 2.0 * lambda * self.covariance + lambda.powi(2) * self.judge_variance;
        // Rounding may leave a tiny rest, of either sign, where the judge agrees with people on every answer.
        if variance < 1e-15 { 0.0 } else { variance / self.answers as f64 }
    }
}

/// The mean that people would give (Angelopoulos, Duchi and Zrnic 2023): lambda times the judge's mean on the answers, plus
/// the mean of (rating - lambda score) on labelled answers of the same kind. Its variance is the sum of both parts, where that
/// of the second is at least `least` and never shrinks with more repeats of the first; its degrees of freedom are by
/// Satterthwaite, of both.
pub fn corrected_mean(judged: Estimate, labels: &LabeledMoments, lambda: f64, least: f64) -> Estimate {
    let mean = labels.human_mean + lambda * (judged.mean - labels.judge_mean);
    if !judged.standard_error.is_finite() {
        return Estimate { mean, ..judged };
    }
    let of_answers = (lambda * judged.standard_error).powi(2);
    let of_labels = labels.rectifier_variance(lambda).max(least);
    let variance = of_answers + of_labels;
    let share = |part: f64, freedom: f64| if part > 0.0 { part.powi(2) / freedom } else { 0.0 };
    let shares = share(of_answers, judged.degrees_of_freedom) + share(of_labels, labels.answers as f64 - 1.0);
    Estimate {
        mean,
        standard_error: variance.sqrt(),
        degrees_of_freedom: if shares > 0.0 { variance.powi(2) / shares } else { f64::INFINITY },
    }
}
