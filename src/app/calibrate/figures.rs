//! Builds the calibration that is written and printed from measured figures.

use std::collections::BTreeSet;

use super::{CalibrateOptions, Judgements, Prepared};
use crate::app::now;
use promptgate_core::stats::{Bounds, Corrected};
use promptgate_engine::calibrate::{Figures, Labels, Measured};
use promptgate_report::calibration::{
    Agreement, CalibratedJudge, Calibration, Corrections, CutOff, Humans, LabelFacts, Repeatability, SCHEMA,
    SliceAgreement,
};
use promptgate_report::v1::Interval;

/// Labels of each kind below which bounds are wide.
const FEW: usize = 50;

/// The calibration in its written form.
pub(super) fn calibration(
    prepared: &Prepared,
    options: &CalibrateOptions,
    judgements: &Judgements,
    measured: &Measured,
) -> Calibration {
    let Prepared { judge, labels, digest, .. } = prepared;
    let (facts, simulated) = (&judgements.facts, options.calls.offline);
    let name = options.labels.file_name().unwrap_or(options.labels.as_os_str());
    Calibration {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at: now(),
        metric: judge.name().to_owned(),
        judge: CalibratedJudge {
            panel: facts.panel.clone(),
            votes: facts.votes,
            fingerprint: facts.by_metric.get(judge.name()).cloned().unwrap_or_default(),
            parts: facts.parts.clone(),
            simulated,
            calls: judgements.calls,
        },
        labels: LabelFacts {
            file: name.to_string_lossy().into_owned(),
            digest: digest.clone(),
            answers: labels.answers.len(),
            rated: labels.answers.iter().filter(|answer| !answer.ratings.is_empty()).count(),
            missing: measured.missing,
            graded: labels.graded,
            pass_at: options.pass_at,
        },
        overall: agreement(&measured.figures),
        slices: measured
            .slices
            .iter()
            .map(|slice| SliceAgreement { slice: slice.slice.clone(), agreement: agreement(&slice.figures) })
            .collect(),
        humans: measured.humans.map(|humans| Humans { answers: humans.answers, alpha: humans.alpha }),
        repeatability: measured.repeatability.map(|itself| Repeatability {
            answers: itself.answers,
            repeats: itself.repeats,
            alpha: itself.alpha,
            same_verdict: itself.same_verdict,
        }),
        corrections: measured.corrections.map(|corrections| Corrections {
            answers: corrections.answers,
            judge_passes: corrections.passed,
            share: corrections.share.map(|share| corrected(&share)),
            mean: corrections.mean.map(|mean| corrected(&mean)),
        }),
        notes: notes(labels, simulated, measured),
    }
}

fn agreement(figures: &Figures) -> Agreement {
    let counts = &figures.confusion;
    let total = counts.total() as f64;
    Agreement {
        answers: counts.total(),
        true_positives: counts.true_positives,
        false_positives: counts.false_positives,
        false_negatives: counts.false_negatives,
        true_negatives: counts.true_negatives,
        prevalence: counts.positives() as f64 / total,
        judge_passes: (counts.true_positives + counts.false_positives) as f64 / total,
        sensitivity: counts.sensitivity().map(|share| interval(share, figures.sensitivity_bounds)),
        specificity: counts.specificity().map(|share| interval(share, figures.specificity_bounds)),
        balanced_accuracy: counts.balanced_accuracy().map(|share| interval(share, figures.balanced_bounds)),
        slope: figures.slope,
        youden: counts.youden(),
        accuracy: counts.agreement().unwrap_or_default(),
        kappa: figures.kappa.map(|kappa| interval(kappa.kappa, figures.kappa_bounds)),
        kappa_standard_error: figures.kappa.map(|kappa| kappa.standard_error),
        ac1: figures.ac1,
        spearman: figures.spearman,
        kendall: figures.kendall,
        weighted_kappa: figures.weighted_kappa,
        bias: figures.bias.map(|bias| interval(bias.mean, figures.bias_bounds)),
        cut_off: figures.cut_off.map(|found| CutOff {
            score: found.score,
            balanced_accuracy: found.balanced_accuracy,
            kappa: found.kappa,
        }),
    }
}

fn interval(mean: f64, bounds: Bounds) -> Interval {
    Interval { mean, lower: bounds.lower, upper: bounds.upper }
}

/// An estimate with bounds, cut to the range of scores.
fn corrected(estimate: &Corrected) -> Interval {
    let within = |bound: Option<f64>| bound.map(|bound| bound.clamp(0.0, 1.0));
    Interval {
        mean: estimate.estimate.clamp(0.0, 1.0),
        lower: within(estimate.bounds.lower),
        upper: within(estimate.bounds.upper),
    }
}

fn notes(labels: &Labels, simulated: bool, measured: &Measured) -> Vec<String> {
    let counts = &measured.figures.confusion;
    let rarer = counts.positives().min(counts.negatives());
    let questions: BTreeSet<&str> = labels.answers.iter().map(|it| it.case.query.as_str()).collect();
    let (answers, questions) = (labels.answers.len(), questions.len());
    let cut_off = measured.figures.cut_off.filter(|cut_off| cut_off.score < 1.0);
    let corrections = measured.corrections.as_ref();
    let few = || format!("{rarer} labels of the rarer kind are few: {FEW} of each give narrower bounds");
    let alike = || {
        format!(
            "{answers} answers to {questions} questions: answers to one question are alike, and the bounds take them \
             for independent"
        )
    };
    let notes = [
        simulated.then(|| {
            "the simulated judge compares words and is not a model: these figures are its own alone".to_owned()
        }),
        (rarer == 0).then(|| {
            "people gave one verdict only: add answers of the other kind, or nothing can be measured".to_owned()
        }),
        (1..FEW).contains(&rarer).then(few),
        (questions < answers).then(alike),
        cut_off.map(|cut_off| {
            format!(
                "the cut-off {:.3} was found on the labels it is measured on, so its figures flatter",
                cut_off.score
            )
        }),
        corrections.and_then(|corrections| corrections.mean).map(|_| {
            "the mean they would give holds only where the labelled answers are a random draw of the same kind as the \
             others; the share that they would pass does not need that"
                .to_owned()
        }),
        corrections.filter(|corrections| corrections.share.is_none()).map(|_| {
            "no corrected share: it needs 20 labels of each kind and sensitivity + specificity of at least 1.2"
                .to_owned()
        }),
    ];
    notes.into_iter().flatten().collect()
}
