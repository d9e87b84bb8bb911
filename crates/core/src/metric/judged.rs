//! What is known of the judges of a metric: how a panel agrees, and what people would have said.

use crate::model::{CalibrationFacts, Interval, Judged, MetricSummary, Role, Run, TrialResult};
use crate::stats::{Confusion, Level, Repeated, krippendorff_alpha, mean, rogan_gladen};

/// The judges of one metric; `alpha` is that of each one-sided bound.
pub fn judged(run: &Run, summary: &MetricSummary, alpha: f64) -> Judged {
    let calibration = run.judge.as_ref().and_then(|judge| judge.calibration.as_ref());
    let calibration = calibration.filter(|calibration| calibration.metric == summary.name);
    // The mean score shrinks by the slope, and what is measured is a mean score.
    let slope = calibration
        .filter(|calibration| confusion(calibration).allows_correction())
        .and_then(|calibration| calibration.slope)
        .filter(|slope| *slope > 0.0);
    Judged {
        panel_alpha: panel_alpha(run, &summary.name),
        corrected: calibration.and_then(|calibration| corrected(run, &summary.name, calibration, alpha)),
        smallest_true_drop: slope.zip(summary.smallest_detectable_drop).map(|(slope, drop)| drop / slope),
    }
}

/// Krippendorff's alpha at the interval level between the judges of a panel, over all answers that all of them graded.
fn panel_alpha(run: &Run, metric: &str) -> Option<f64> {
    let mut ratings = Repeated::default();
    for trial in &run.trials {
        let TrialResult::Completed(answered) = &trial.result else { continue };
        let shared =
            trial.role == Role::Baseline && run.cases.get(trial.case).is_some_and(|case| case.shared);
        for grade in answered.grade(metric).into_iter().filter(|_| !shared) {
            let scores: Option<Vec<f64>> = grade.judgements.iter().map(|judgement| judgement.score).collect();
            if let Some(scores) = scores.filter(|scores| scores.len() > 1) {
                ratings.push(scores);
            }
        }
    }
    krippendorff_alpha(&ratings, Level::Interval)
}

/// The share of the candidate's answers that people would pass (Rogan and Gladen 1978). The repeats of a case are no
/// answers of their own: each case counts once, with the share of its repeats that the judge passes.
fn corrected(run: &Run, metric: &str, calibration: &CalibrationFacts, alpha: f64) -> Option<Interval> {
    let labelled = confusion(calibration);
    if !labelled.allows_correction() {
        return None;
    }
    let mut by_case: Vec<Vec<f64>> = vec![Vec::new(); run.cases.len()];
    for trial in run.trials.iter().filter(|trial| trial.role == Role::Candidate) {
        let TrialResult::Completed(answered) = &trial.result else { continue };
        let score = answered.grade(metric).and_then(|grade| grade.score);
        if let (Some(score), Some(of_case)) = (score, by_case.get_mut(trial.case)) {
            // The reading of a score as a verdict: everything is as it should be, or not.
            of_case.push(f64::from(u8::from(score >= 1.0)));
        }
    }
    let shares: Vec<f64> = by_case.iter().filter(|of_case| !of_case.is_empty()).map(|it| mean(it)).collect();
    if shares.is_empty() {
        return None;
    }
    let found = rogan_gladen(mean(&shares), shares.len(), &labelled, alpha)?;
    Some(Interval { mean: found.estimate, lower: found.bounds.lower, upper: found.bounds.upper })
}

fn confusion(calibration: &CalibrationFacts) -> Confusion {
    Confusion {
        true_positives: calibration.true_positives,
        false_positives: calibration.false_positives,
        false_negatives: calibration.false_negatives,
        true_negatives: calibration.true_negatives,
    }
}
