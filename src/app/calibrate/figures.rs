//! Builds the calibration that is written and printed from measured figures.

use std::collections::BTreeSet;
use std::path::Path;

use promptgate_core::model::JudgeFacts;
use promptgate_engine::calibrate::{Labels, Measured};
use promptgate_engine::judge::Judge;
use promptgate_report::calibration::{CalibratedJudge, Calibration, LabelFacts, SCHEMA};

/// Labels of each kind below which bounds are wide.
const FEW: usize = 50;

/// Facts beside the figures.
pub(super) struct About<'a> {
    /// RFC 3339, UTC.
    pub(super) created_at: String,
    /// The judge.
    pub(super) judge: &'a Judge,
    /// The judge as in reports.
    pub(super) facts: &'a JudgeFacts,
    /// Whether it was the simulated one.
    pub(super) simulated: bool,
    /// Calls that were made.
    pub(super) calls: u64,
    /// The file of labels.
    pub(super) file: &'a Path,
    /// The digest of its rows.
    pub(super) digest: String,
    /// Its answers.
    pub(super) labels: &'a Labels,
    /// The rating from which on people pass an answer.
    pub(super) pass_at: f64,
}

/// The calibration in its written form.
pub(super) fn calibration(about: &About<'_>, measured: &Measured) -> Calibration {
    let labels = about.labels;
    let name = about.file.file_name().unwrap_or(about.file.as_os_str());
    Calibration {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at: about.created_at.clone(),
        metric: about.judge.name().to_owned(),
        judge: CalibratedJudge {
            panel: about.facts.panel.clone(),
            votes: about.facts.votes,
            fingerprint: about.facts.by_metric.get(about.judge.name()).cloned().unwrap_or_default(),
            parts: about.facts.parts.clone(),
            simulated: about.simulated,
            calls: about.calls,
        },
        labels: LabelFacts {
            file: name.to_string_lossy().into_owned(),
            digest: about.digest.clone(),
            answers: labels.answers.len(),
            rated: labels.answers.iter().filter(|answer| !answer.ratings.is_empty()).count(),
            missing: measured.missing,
            graded: labels.graded,
            pass_at: about.pass_at,
        },
        overall: measured.overall.clone(),
        slices: measured.slices.clone(),
        humans: measured.humans,
        repeatability: measured.repeatability,
        corrections: measured.corrections.clone(),
        notes: notes(about, measured),
    }
}

fn notes(about: &About<'_>, measured: &Measured) -> Vec<String> {
    let counts = &measured.overall;
    let positives = counts.true_positives + counts.false_negatives;
    let rarer = positives.min(counts.answers - positives);
    let mut notes = Vec::new();
    if about.simulated {
        notes.push(
            "the simulated judge compares words and is not a model: these figures are its own alone"
                .to_owned(),
        );
    }
    if rarer == 0 {
        notes.push(
            "people gave one verdict only: add answers of the other kind, or nothing can be measured"
                .to_owned(),
        );
    } else if rarer < FEW {
        notes.push(format!("{rarer} labels of the rarer kind are few: {FEW} of each give narrower bounds"));
    }
    let questions: BTreeSet<&str> = about.labels.answers.iter().map(|it| it.case.query.as_str()).collect();
    let answers = about.labels.answers.len();
    if questions.len() < answers {
        notes.push(format!(
            "{answers} answers to {} questions: answers to one question are alike, and the bounds take them for independent",
            questions.len()
        ));
    }
    let cut_off = measured.overall.cut_off.filter(|cut_off| cut_off.score < 1.0);
    if let Some(cut_off) = cut_off {
        notes.push(format!(
            "the cut-off {:.3} was found on the labels it is measured on, so its figures flatter",
            cut_off.score
        ));
    }
    if measured.corrections.as_ref().is_some_and(|corrections| corrections.mean.is_some()) {
        notes.push(
            "the mean they would give holds only where the labelled answers are a random draw of the same kind as the \
             others; the share that they would pass does not need that"
                .to_owned(),
        );
    }
    let not_corrected = measured.corrections.as_ref().is_some_and(|corrections| corrections.share.is_none());
    if not_corrected {
        notes.push(
            "no corrected share: it needs 20 labels of each kind and sensitivity + specificity of at least 1.2"
                .to_owned(),
        );
    }
    notes
}
