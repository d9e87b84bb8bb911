//! Human scores estimated from an imperfect judge and a few human labels.

use super::{Bounds, Confusion, Estimate, mean, normal_quantile, t_bounds};

/// An estimate corrected for the errors of a judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corrected {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Its bounds, each one-sided.
    pub bounds: Bounds,
}

/// The share of answers that people would pass, from the share that the judge passes (Rogan and Gladen 1978):
/// (p + Sp - 1) / (Se + Sp - 1), within 0..=1, with its standard error by the delta method. The bounds are
/// those of Lang and Reiczigel (2014), which also account for the number of labels behind sensitivity and specificity;
/// near 0 and 1 they need not contain the estimate.
///
/// `share` is the share of `answers` that the judge passes, `labelled` compares the judge with people on other answers of
/// the same kind. `None` without answers or labels of either class, or if `share` is not in 0..=1, alpha not in 0..0.5, or
/// the judge not better than chance.
pub fn rogan_gladen(share: f64, answers: usize, labelled: &Confusion, alpha: f64) -> Option<Corrected> {
    let valid = (0.0..=1.0).contains(&share) && answers > 0 && alpha > 0.0 && alpha < 0.5;
    if !valid {
        return None;
    }
    let judge = Judge {
        sensitivity: labelled.sensitivity()?,
        positives: labelled.positives() as f64,
        specificity: labelled.specificity()?,
        negatives: labelled.negatives() as f64,
    };
    let answers = answers as f64;
    let estimate = judge.invert(share)?.clamp(0.0, 1.0);
    let standard_error = judge.standard_error(estimate, share, answers);

    // Adds z^2 answers, half of them passed, and one right and one wrong label to each class.
    let z = normal_quantile(1.0 - alpha);
    let adjusted = Judge {
        sensitivity: (judge.positives * judge.sensitivity + 1.0) / (judge.positives + 2.0),
        positives: judge.positives + 2.0,
        specificity: (judge.negatives * judge.specificity + 1.0) / (judge.negatives + 2.0),
        negatives: judge.negatives + 2.0,
    };
    let share = (answers * share + z * z / 2.0) / (answers + z * z);
    let Some(centre) = adjusted.invert(share) else {
        // Too few labels to distinguish the judge from chance.
        return Some(Corrected { estimate, standard_error, bounds: Bounds::default() });
    };
    let shift = 2.0
        * z
        * z
        * (centre * adjusted.sensitivity_variance() - (1.0 - centre) * adjusted.specificity_variance());
    let reach = z * adjusted.standard_error(centre, share, answers + z * z);
    let within = |bound: f64| bound.is_finite().then(|| bound.clamp(0.0, 1.0));
    let bounds = Bounds { lower: within(centre + shift - reach), upper: within(centre + shift + reach) };
    Some(Corrected { estimate, standard_error, bounds })
}

/// Accuracy of a judge on each class, with the number of labels behind it.
struct Judge {
    sensitivity: f64,
    positives: f64,
    specificity: f64,
    negatives: f64,
}

impl Judge {
    /// Youden's J: 0 at chance, 1 for a perfect judge.
    fn youden(&self) -> f64 {
        self.sensitivity + self.specificity - 1.0
    }

    /// The share that people would pass; `None` for a judge not better than chance.
    fn invert(&self, share: f64) -> Option<f64> {
        (self.youden() > 1e-12).then(|| (share + self.specificity - 1.0) / self.youden())
    }

    fn sensitivity_variance(&self) -> f64 {
        self.sensitivity * (1.0 - self.sensitivity) / self.positives
    }

    fn specificity_variance(&self) -> f64 {
        self.specificity * (1.0 - self.specificity) / self.negatives
    }

    fn standard_error(&self, estimate: f64, share: f64, answers: f64) -> f64 {
        let variance = share * (1.0 - share) / answers
            + estimate.powi(2) * self.sensitivity_variance()
            + (1.0 - estimate).powi(2) * self.specificity_variance();
        variance.sqrt() / self.youden()
    }
}

/// The mean score that people would give: the judge's mean on answers without labels, plus the mean of (human
/// score - judge's score) on answers with labels (Angelopoulos and others 2023, with lambda 1). The standard
/// error is sqrt(var(judged) / N + var(human - judge) / n) with population variances (denominators N and n). The bounds
/// are normal, each one-sided at `alpha`, and not clamped.
///
/// `unlabelled` are the judge's scores of answers without labels, `judged` and `human` both scores of each labelled
/// answer. `None` with fewer than two scores of either kind, with different lengths, with a score that is not finite, or
/// with an alpha not in 0..0.5.
pub fn ppi_mean(unlabelled: &[f64], judged: &[f64], human: &[f64], alpha: f64) -> Option<Corrected> {
    let enough = unlabelled.len() >= 2 && human.len() >= 2 && judged.len() == human.len();
    let valid = enough && alpha > 0.0 && alpha < 0.5;
    if !valid {
        return None;
    }
    let errors: Vec<f64> = human.iter().zip(judged).map(|(human, judge)| human - judge).collect();
    let estimate = mean(unlabelled) + mean(&errors);
    let standard_error = (variance_of_mean(unlabelled) + variance_of_mean(&errors)).sqrt();
    let finite = estimate.is_finite() && standard_error.is_finite();
    finite.then(|| {
        let normal = Estimate { mean: estimate, standard_error, degrees_of_freedom: f64::INFINITY };
        Corrected { estimate, standard_error, bounds: t_bounds(normal, alpha) }
    })
}

/// The variance of a mean, from the population variance (denominator n).
fn variance_of_mean(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - centre).powi(2)).collect();
    mean(&squares) / values.len() as f64
}
