//! Checks the calibration that a configuration names against the judge of the run.

use std::collections::BTreeMap;

use super::Failure;
use super::mismatch::differing;
use super::sources::NamedFiles;
use crate::config::{JudgeSettings, Settings};
use promptgate_adapters::files::decode;
use promptgate_core::gate::{Criterion, Policy, Requirement};
use promptgate_core::model::{CalibrationFacts, Diagnostic, Fault, FaultKind, JudgeFacts, Place};
use promptgate_core::stats::{Confusion, LabeledMoments, clopper_pearson};
use promptgate_engine::calibrate::kappa_at;
use promptgate_report::calibration::{self, Calibration};

/// Labels of each kind below which a calibration is not accepted.
const MIN_LABELS: usize = 20;
/// Labels below which a correction has a warning.
const FEW_LABELS: usize = 20;
/// The alpha of kappa's lower bound.
const ALPHA: f64 = 0.05;

/// The result of checking a calibration.
#[derive(Debug, Default)]
pub(super) struct CalibrationCheck {
    /// The calibration in force.
    pub(super) facts: Option<CalibrationFacts>,
    /// Why the judge must not be used.
    pub(super) rejected: Option<Fault>,
    /// Warnings for the reader.
    pub(super) warnings: Vec<String>,
    /// The labels by which minimums are corrected, and their metric.
    labels: Option<(String, LabeledMoments)>,
}

impl CalibrationCheck {
    /// Gives the labels to the criteria of the policy that are held against a corrected mean.
    pub(super) fn correct(&self, settings: &Settings, policy: &mut Policy) {
        let Some((metric, labels)) = &self.labels else { return };
        let corrected = settings.metrics.iter().any(|it| it.corrected && it.name == *metric);
        let minimum = |criterion: &&mut Criterion| {
            let is_minimum = matches!(criterion.requirement, Requirement::Minimum { .. });
            is_minimum && criterion.metric == *metric && criterion.tag.is_none()
        };
        for criterion in policy.criteria.iter_mut().filter(|_| corrected).filter(minimum) {
            criterion.labels = Some(*labels);
        }
    }
}

/// Checks the calibration that the settings name against the judge of a run.
///
/// # Errors
/// An invalid calibration; and, where no minimum requires one, a calibration that is missing or of another judge.
pub(super) fn check_calibration(
    settings: &Settings,
    files: &NamedFiles,
    facts: Option<&JudgeFacts>,
    offline: bool,
) -> Result<CalibrationCheck, Failure> {
    let mut check = CalibrationCheck::default();
    let (Some(judge), Some(facts)) = (&settings.judge, facts) else { return Ok(check) };
    let corrects = settings.metrics.iter().any(|metric| metric.corrected);
    let Some(path) = &judge.calibration else { return Ok(check) };
    let required = judge.min_kappa.is_some() || judge.min_balanced_accuracy.is_some();
    let uncorrected = if corrects { ", and minimums are held against its own means" } else { "" };
    let Some(file) = files.find(&path.value)? else {
        if offline {
            check.warnings.push(format!(
                "there is no {} yet: the simulated judge is held to nothing{uncorrected}",
                path.value
            ));
            return Ok(check);
        }
        if !required {
            return Err(Diagnostic::new(format!("there is no calibration at {}", path.value))
                .at(path.place.clone())
                .help("`promptgate calibrate LABELS` writes it there; or leave `calibration` out")
                .into());
        }
        check.rejected = Some(rejection(format!("the judge is not calibrated: there is no {}", path.value)));
        return Ok(check);
    };
    let calibration = calibration::read(&file.name, &decode(&file.name, &file.bytes)?)?;
    let same = facts.by_metric.get(&calibration.metric) == Some(&calibration.judge.fingerprint);
    if !same {
        let message =
            format!("{} is of another judge: it differs in {}", path.value, difference(facts, &calibration));
        if offline && !calibration.judge.simulated {
            check.warnings.push(format!(
                "{} is of the real judge: the simulated judge is held to nothing{uncorrected}",
                path.value
            ));
        } else if required {
            check.rejected = Some(rejection(message));
        } else {
            let help = "`promptgate calibrate LABELS` measures this one";
            return Err(Diagnostic::new(message).at(Place::file(&file.name)).help(help).into());
        }
        return Ok(check);
    }
    let facts = counted(&path.value, &calibration);
    check.rejected = below(judge, &facts).map(rejection);
    if check.rejected.is_none() {
        check.warnings.extend(shortfall_warnings(settings, judge, &facts));
    }
    check.facts = Some(facts);
    let corrected: Vec<&str> = settings
        .metrics
        .iter()
        .filter(|metric| metric.corrected)
        .map(|metric| metric.name.as_str())
        .collect();
    if !corrected.is_empty() {
        let labels = labels(&path.value, &calibration, &corrected)
            .map_err(|diagnostic| Failure::from(diagnostic.at(Place::file(&file.name))))?;
        if labels.answers < FEW_LABELS {
            check.warnings.push(format!(
                "{}: {} labels correct the minimum of {}; fewer than {FEW_LABELS} show little of the judge's errors",
                path.value, labels.answers, calibration.metric
            ));
        }
        check.labels = Some((calibration.metric, labels));
    }
    Ok(check)
}

/// The labels of a calibration by which the minimums of these metrics are corrected.
///
/// # Errors
/// A calibration of another metric, without moments, or of a judge that does not follow people.
fn labels(path: &str, calibration: &Calibration, corrected: &[&str]) -> Result<LabeledMoments, Diagnostic> {
    let metric = &calibration.metric;
    if let Some(other) = corrected.iter().find(|name| *name != metric) {
        return Err(Diagnostic::new(format!(
            "the minimum of {other} is corrected, but {path} has labels of {metric}"
        ))
        .help(format!("remove `corrected` from {other}, or calibrate its judge: `--metric {other}`")));
    }
    let again = "calibrate again with this version: `promptgate calibrate LABELS`";
    let missing = || {
        Diagnostic::new(format!(
            "the minimum of {metric} is corrected, but {path} has no `moments` of labels"
        ))
        .help(again)
    };
    let labels = calibration.moments.ok_or_else(missing)?;
    if labels.covariance > 0.0 {
        return Ok(labels);
    }
    let message = format!(
        "the minimum of {metric} cannot be corrected: by {path}, the judge's scores do not rise with people's ratings"
    );
    let help =
        "with such a judge the labels alone would decide: choose another one, or label answers of both kinds";
    Err(Diagnostic::new(message).help(help))
}

/// Warnings for a figure whose lower bound misses the minimum, and for judges that are not calibrated.
fn shortfall_warnings(settings: &Settings, judge: &JudgeSettings, facts: &CalibrationFacts) -> Vec<String> {
    let lower = |part: usize, other: usize| clopper_pearson(part, part + other, ALPHA).lower;
    let balanced = lower(facts.true_positives, facts.false_negatives)
        .zip(lower(facts.true_negatives, facts.false_positives))
        .map(|(one, other)| f64::midpoint(one, other));
    let mut warnings = Vec::new();
    for (name, key, least, lower) in [
        ("kappa", "min_kappa", judge.min_kappa, facts.kappa_lower),
        ("balanced accuracy", "min_balanced_accuracy", judge.min_balanced_accuracy, balanced),
    ] {
        let Some(least) = least else { continue };
        if lower.is_none_or(|lower| lower < least) {
            let lower = lower.map_or_else(|| "not known".to_owned(), |lower| format!("{lower:.3}"));
            warnings.push(format!(
                "{}: {name} meets judge.{key} {least}, its lower bound, {lower}, does not: more labels would tell",
                facts.file
            ));
        }
    }
    if judge.min_kappa.is_some() || judge.min_balanced_accuracy.is_some() {
        let others = settings.metrics.iter().filter(|metric| metric.name != facts.metric);
        let others: Vec<&str> = others.map(|metric| metric.name.as_str()).collect();
        if !others.is_empty() {
            warnings.push(format!(
                "{} speaks of {} alone: the judge of {} is not held to people",
                facts.file,
                facts.metric,
                others.join(", ")
            ));
        }
    }
    warnings
}

/// The difference between the calibrated judge and that of the run. The questions of a run are those of all its metrics,
/// so a difference in questions shows only where nothing else differs.
fn difference(facts: &JudgeFacts, calibration: &Calibration) -> String {
    if !facts.by_metric.contains_key(&calibration.metric) {
        return format!("the metric: this run does not judge {}", calibration.metric);
    }
    let without_questions = |parts: &BTreeMap<String, String>| {
        let mut parts = parts.clone();
        parts.remove("questions");
        parts
    };
    let (theirs, ours) = (without_questions(&calibration.judge.parts), without_questions(&facts.parts));
    if theirs == ours { "questions".to_owned() } else { differing(&theirs, &ours) }
}

/// The facts computed from the counts of the file; its other figures are ignored.
pub(super) fn counted(file: &str, calibration: &Calibration) -> CalibrationFacts {
    let counts = &calibration.overall;
    let confusion = Confusion {
        true_positives: counts.true_positives,
        false_positives: counts.false_positives,
        false_negatives: counts.false_negatives,
        true_negatives: counts.true_negatives,
    };
    let bound = |part, of| clopper_pearson(part, of, ALPHA).lower;
    let (good, bad) = (confusion.positives(), confusion.negatives());
    let lower = bound(confusion.true_positives, good).zip(bound(confusion.true_negatives, bad));
    CalibrationFacts {
        file: file.to_owned(),
        metric: calibration.metric.clone(),
        fingerprint: calibration.judge.fingerprint.clone(),
        answers: counts.answers,
        true_positives: counts.true_positives,
        false_positives: counts.false_positives,
        false_negatives: counts.false_negatives,
        true_negatives: counts.true_negatives,
        kappa: confusion.kappa().map(|kappa| kappa.kappa),
        kappa_lower: lower.and_then(|shares| kappa_at(shares, good, bad)),
        balanced_accuracy: confusion.balanced_accuracy(),
        slope: counts.slope.filter(|slope| (-1.0..=1.0).contains(slope)),
        youden: confusion.youden(),
    }
}

/// Why a calibration misses the requirements of the settings: too few labels, or too little agreement.
pub(super) fn below(judge: &JudgeSettings, facts: &CalibrationFacts) -> Option<String> {
    let figures = [
        ("kappa", "min_kappa", judge.min_kappa, facts.kappa),
        ("balanced accuracy", "min_balanced_accuracy", judge.min_balanced_accuracy, facts.balanced_accuracy),
    ];
    let required = figures.iter().find(|(_, _, least, _)| least.is_some())?;
    let good = facts.true_positives + facts.false_negatives;
    let bad = facts.false_positives + facts.true_negatives;
    if good.min(bad) < MIN_LABELS {
        return Some(format!(
            "too few labels for judge.{}: people passed {good} answers and failed {bad}, and {MIN_LABELS} of each \
             kind are needed ({})",
            required.1, facts.file
        ));
    }
    figures.into_iter().find_map(|(name, key, least, found)| {
        let least = least?;
        let actual = match found {
            Some(found) if found >= least => return None,
            Some(found) => format!("is {found:.3}"),
            None => "does not exist".to_owned(),
        };
        Some(format!(
            "the judge agrees too little with people: its {name} {actual}, judge.{key} is {least} ({}, {} answers)",
            facts.file, facts.answers
        ))
    })
}

fn rejection(message: String) -> Fault {
    Fault::new(FaultKind::UnfitJudge, message)
        .help("calibrate this judge with `promptgate calibrate LABELS`, or choose one that agrees better with people")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing;
    use crate::config;
    use promptgate_adapters::files::Tree;
    use promptgate_core::check;

    fn settings(judge: &str) -> Settings {
        let text = format!(
            "version: 1\ndataset: cases.jsonl\nprompt: prompt.md\nmodel: m\njudge: {{model: j, {judge}}}\n\
             metrics: {{relevance: {{min: 0.5}}}}\n"
        );
        config::load("promptgate.yaml", &text, &check::entry_schema()).unwrap()
    }

    fn check(settings: &Settings, offline: bool) -> Result<CalibrationCheck, Failure> {
        let judges = crate::app::suite::judges(settings);
        let facts = crate::app::suite::judge_facts(settings, &judges, &["host".to_owned()]);
        let folder = testing::folder();
        let files = NamedFiles::fetch(&Tree::work_tree(folder.path()), ["calibration.json".to_owned()]);
        check_calibration(settings, &files, facts.as_ref(), offline)
    }

    #[test]
    fn missing_calibration_rejects_the_judge_only_where_required() {
        let required = settings("calibration: calibration.json, min_kappa: 0.5");
        let rejected = check(&required, false).unwrap().rejected.unwrap();
        assert_eq!(rejected.kind, FaultKind::UnfitJudge);
        assert!(check(&settings("calibration: calibration.json"), false).is_err());
        let simulated = check(&required, true).unwrap();
        assert!(simulated.rejected.is_none() && simulated.warnings[0].contains("simulated judge"));
        assert!(check(&settings("votes: 1"), false).unwrap().rejected.is_none());
    }

    #[test]
    fn few_labels_and_low_agreement_are_shortfalls() {
        let judge = settings("calibration: calibration.json, min_kappa: 0.5").judge.unwrap();
        let facts = |good, bad, kappa| CalibrationFacts {
            file: "calibration.json".to_owned(),
            metric: "relevance".to_owned(),
            fingerprint: String::new(),
            answers: good + bad,
            true_positives: good,
            false_positives: 0,
            false_negatives: 0,
            true_negatives: bad,
            kappa: Some(kappa),
            kappa_lower: None,
            balanced_accuracy: None,
            slope: None,
            youden: None,
        };
        assert!(below(&judge, &facts(4, 40, 0.9)).unwrap().contains("too few labels"));
        assert!(below(&judge, &facts(40, 40, 0.4)).unwrap().contains("its kappa is 0.400"));
        assert_eq!(below(&judge, &facts(40, 40, 0.6)), None);
    }
}
