//! What a share or a mean would be if people had judged, from a judge whose mistakes were measured.

use super::describe::mean;
use super::{Bounds, normal_quantile};

/// How well a judge was seen to find what people find.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Share of passing answers that it passes.
    pub sensitivity: f64,
    /// Passing answers it was measured on.
    pub positives: usize,
    /// Share of failing answers that it fails.
    pub specificity: f64,
    /// Failing answers it was measured on.
    pub negatives: usize,
}

/// A corrected share or mean, with two-sided bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corrected {
    /// The estimate; not clipped to 0..=1.
    pub estimate: f64,
    /// Its standard error, by the delta method.
    pub standard_error: f64,
    /// Both bounds, each missed with probability `alpha`.
    pub bounds: Bounds,
}

/// The share that people would pass, from the share of `trials` that the judge passes (Rogan and Gladen 1978), with
/// the interval of Lang and Reiczigel (2014), which counts what is not known of the judge too. `alpha` is that of
/// each bound. `None` where the judge is no better than chance, or nothing was measured.
pub fn rogan_gladen(judged: f64, trials: usize, accuracy: Accuracy, alpha: f64) -> Option<Corrected> {
    let Accuracy { sensitivity, positives, specificity, negatives } = accuracy;
    let in_range = [judged, sensitivity, specificity].iter().all(|share| (0.0..=1.0).contains(share));
    if !in_range || trials == 0 || positives == 0 || negatives == 0 || sensitivity + specificity <= 1.0 {
        return None;
    }
    let (n, m1, m0) = (trials as f64, positives as f64, negatives as f64);
    let youden = sensitivity + specificity - 1.0;
    let estimate = (judged + specificity - 1.0) / youden;
    let variance = share_variance(judged, n)
        + estimate.powi(2) * share_variance(sensitivity, m1)
        + (1.0 - estimate).powi(2) * share_variance(specificity, m0);
    let z = normal_quantile(1.0 - alpha);
    // As if z^2 answers more had been judged, half of them passed, and two more of each class, one of them right.
    let (n, m1, m0) = (n + z * z, m1 + 2.0, m0 + 2.0);
    let judged = (judged * trials as f64 + z * z / 2.0) / n;
    let sensitivity = (sensitivity * positives as f64 + 1.0) / m1;
    let specificity = (specificity * negatives as f64 + 1.0) / m0;
    let shrunk = sensitivity + specificity - 1.0;
    if shrunk <= 0.0 {
        return None;
    }
    let centre = (judged + specificity - 1.0) / shrunk;
    let (of_sensitivity, of_specificity) = (share_variance(sensitivity, m1), share_variance(specificity, m0));
    let shift = 2.0 * z * z * (centre * of_sensitivity - (1.0 - centre) * of_specificity);
    let spread =
        share_variance(judged, n) + centre.powi(2) * of_sensitivity + (1.0 - centre).powi(2) * of_specificity;
    let half = z * spread.sqrt() / shrunk;
    let bound = |value: f64| Some(value.clamp(0.0, 1.0));
    Some(Corrected {
        estimate,
        standard_error: variance.sqrt() / youden,
        bounds: Bounds { lower: bound(centre + shift - half), upper: bound(centre + shift + half) },
    })
}

fn share_variance(share: f64, count: f64) -> f64 {
    share * (1.0 - share) / count
}

/// The mean that people would give, from a judge's scores of many answers and from both for a few (prediction-powered
/// inference, Angelopoulos et al. 2023, with all weight on the judge). `both` holds (judge, person); `alpha` is that
/// of each bound. `None` where one of the two is empty.
pub fn prediction_powered_mean(judged: &[f64], both: &[(f64, f64)], alpha: f64) -> Option<Corrected> {
    if judged.is_empty() || both.is_empty() {
        return None;
    }
    let corrections: Vec<f64> = both.iter().map(|(judge, person)| person - judge).collect();
    let estimate = mean(judged) + mean(&corrections);
    let standard_error = (variance_of_mean(judged) + variance_of_mean(&corrections)).sqrt();
    let half = normal_quantile(1.0 - alpha) * standard_error;
    let bounds = Bounds { lower: Some(estimate - half), upper: Some(estimate + half) };
    estimate.is_finite().then_some(Corrected { estimate, standard_error, bounds })
}

/// Variance of a mean, by the plain mean of squares, as the method has it.
fn variance_of_mean(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - centre).powi(2)).collect();
    mean(&squares) / values.len() as f64
}
