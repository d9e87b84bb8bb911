//! Builds the calibration that is written and printed from measured figures.

use std::collections::BTreeSet;

use super::{CalibrateOptions, Judgements, Prepared};
use crate::app::now;
use promptgate_core::model::Case;
use promptgate_engine::calibrate::{Labels, Measured};
use promptgate_report::calibration::{CalibratedJudge, Calibration, LabelFacts, SCHEMA};

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
        overall: measured.overall.clone(),
        moments: measured.moments,
        slices: measured.slices.clone(),
        humans: measured.humans,
        repeatability: measured.repeatability,
        corrections: measured.corrections.clone(),
        notes: notes(labels, simulated, measured),
    }
}

/// The number of questions: one query over different contexts makes several. An answer without both is to its own.
fn questions(labels: &Labels) -> usize {
    let asked = |case: &Case| !case.query.is_empty() || case.context.is_some();
    let cases = labels.answers.iter().map(|answer| &answer.case);
    let (known, unknown): (Vec<&Case>, Vec<&Case>) = cases.partition(|case| asked(case));
    let distinct: BTreeSet<_> = known.into_iter().map(|case| (&case.query, &case.context)).collect();
    distinct.len() + unknown.len()
}

fn notes(labels: &Labels, simulated: bool, measured: &Measured) -> Vec<String> {
    let counts = &measured.overall;
    let positives = counts.true_positives + counts.false_negatives;
    let rarer = positives.min(counts.answers - positives);
    let questions = questions(labels);
    let answers = labels.answers.len();
    let cut_off = measured.overall.cut_off.filter(|cut_off| cut_off.score < 1.0);
    let corrections = measured.corrections.as_ref();
    let few = || format!("only {rarer} labels of the rarer kind: {FEW} of each kind give narrower bounds");
    let alike = || {
        format!(
            "{answers} answers to {}: answers to one question are alike, and the bounds take them for independent",
            if questions == 1 { "1 question".to_owned() } else { format!("{questions} questions") }
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
                "the cut-off {:.3} was fitted to the labels it is measured on, so its figures are optimistic",
                cut_off.score
            )
        }),
        corrections.and_then(|corrections| corrections.mean.as_ref()).map(|_| {
            "the mean they would give holds only where the labeled answers are a random draw of the same kind as the \
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
