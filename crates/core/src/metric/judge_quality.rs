//! Quality of the judges of a metric: agreement within a panel, and scores corrected by a calibration.

use crate::model::{
    CalibrationFacts, EVEN, Interval, Judged, MetricSummary, PREFERENCE, PairCounts, Role, Run, TrialResult,
};
use crate::stats::{Confusion, Level, Repeated, krippendorff_alpha, mean, rogan_gladen};

/// Quality of the judges of one metric. `alpha` is that of each one-sided bound.
pub fn judge_quality(run: &Run, summary: &MetricSummary, alpha: f64) -> Judged {
    let calibration = run.judge.as_ref().and_then(|judge| judge.calibration.as_ref());
    let calibration = calibration.filter(|calibration| calibration.metric == summary.name);
    // The metric is a mean score, and the slope says by how much the judge shrinks mean scores.
    let slope = calibration
        .filter(|calibration| confusion(calibration).allows_correction())
        .and_then(|calibration| calibration.slope)
        .filter(|slope| *slope > 0.0);
    Judged {
        panel_alpha: panel_alpha(run, &summary.name),
        corrected: calibration
            .and_then(|calibration| corrected_pass_rate(run, &summary.name, calibration, alpha)),
        smallest_true_drop: slope.zip(summary.smallest_detectable_drop).map(|(slope, drop)| drop / slope),
        pairs: (summary.name == PREFERENCE).then(|| pair_counts(run, &summary.name)),
    }
}

/// The flag of a pair whose winner changed with the order of its answers.
pub const POSITION_FLIP: &str = "position_flip";

/// The results of all pairs that were judged.
fn pair_counts(run: &Run, metric: &str) -> PairCounts {
    let mut counts = PairCounts::default();
    for trial in run.trials.iter().filter(|trial| trial.role == Role::Candidate) {
        let TrialResult::Completed(answer) = &trial.result else { continue };
        let Some(grade) = answer.grade(metric) else { continue };
        match grade.score {
            Some(score) if score > EVEN => counts.wins += 1,
            Some(score) if score < EVEN => counts.losses += 1,
            Some(_) => counts.ties += 1,
            None => continue,
        }
        counts.flips += usize::from(grade.flags.iter().any(|flag| &**flag == POSITION_FLIP));
    }
    counts
}

/// Krippendorff's alpha at the interval level between the judges of a panel, over all answers that all of them graded.
fn panel_alpha(run: &Run, metric: &str) -> Option<f64> {
    let mut ratings = Repeated::default();
    for trial in &run.trials {
        let TrialResult::Completed(answer) = &trial.result else { continue };
        let shared =
            trial.role == Role::Baseline && run.cases.get(trial.case).is_some_and(|case| case.shared);
        for grade in answer.grade(metric).into_iter().filter(|_| !shared) {
            let scores: Option<Vec<f64>> = grade.judgements.iter().map(|judgement| judgement.score).collect();
            if let Some(scores) = scores.filter(|scores| scores.len() > 1) {
                ratings.push(scores);
            }
        }
    }
    krippendorff_alpha(&ratings, Level::Interval)
}

/// The share of the candidate's answers that people would pass (Rogan and Gladen 1978). Repeats of a case are not
/// independent answers: each case counts once, with the share of its repeats that the judge passes.
fn corrected_pass_rate(
    run: &Run,
    metric: &str,
    calibration: &CalibrationFacts,
    alpha: f64,
) -> Option<Interval> {
    let labelled = confusion(calibration);
    if !labelled.allows_correction() {
        return None;
    }
    let mut by_case: Vec<Vec<f64>> = vec![Vec::new(); run.cases.len()];
    for trial in run.trials.iter().filter(|trial| trial.role == Role::Candidate) {
        let TrialResult::Completed(answer) = &trial.result else { continue };
        let score = answer.grade(metric).and_then(|grade| grade.score);
        if let (Some(score), Some(passes)) = (score, by_case.get_mut(trial.case)) {
            // Calibration counts only a full score as a pass.
            passes.push(f64::from(u8::from(score >= 1.0)));
        }
    }
    let shares: Vec<f64> =
        by_case.iter().filter(|passes| !passes.is_empty()).map(|passes| mean(passes)).collect();
    if shares.is_empty() {
        return None;
    }
    let corrected = rogan_gladen(mean(&shares), shares.len(), &labelled, alpha)?;
    Some(Interval { mean: corrected.estimate, lower: corrected.bounds.lower, upper: corrected.bounds.upper })
}

fn confusion(calibration: &CalibrationFacts) -> Confusion {
    Confusion {
        true_positives: calibration.true_positives,
        false_positives: calibration.false_positives,
        false_negatives: calibration.false_negatives,
        true_negatives: calibration.true_negatives,
    }
}
