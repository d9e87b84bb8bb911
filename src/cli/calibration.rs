//! The calibration that a configuration names: read, held against the judge of the run, and asked whether it allows
//! one.

use std::collections::BTreeMap;

use super::error::Failure;
use super::mismatch::differing;
use crate::config::{JudgeSettings, Settings};
use promptgate_adapters::load::{self, Tree};
use promptgate_core::model::{CalibrationFacts, Diagnostic, Fault, FaultKind, JudgeFacts, Place};
use promptgate_core::stats::{Confusion, clopper_pearson};
use promptgate_engine::calibrate::kappa_at;
use promptgate_report::calibration::{self, Calibration};

/// Fewer labels of a kind than this say too little of a judge to let anything pass by them.
const MIN_LABELS: usize = 20;
/// The alpha of kappa's lower bound.
const ALPHA: f64 = 0.05;

/// What the calibration means for a run.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// The calibration in force.
    pub(super) facts: Option<CalibrationFacts>,
    /// Why the judge must not be asked.
    pub(super) unfit: Option<Fault>,
    /// Things a reader should know.
    pub(super) warnings: Vec<String>,
}

/// Holds the calibration that the settings name against the judge of a run.
///
/// # Errors
/// A file that is no calibration; and, where nothing is required of it, one that is not there or is of another judge.
pub(super) fn standing(
    settings: &Settings,
    tree: &Tree,
    judge: Option<&JudgeFacts>,
    offline: bool,
) -> Result<Standing, Failure> {
    let mut standing = Standing::default();
    let (Some(wanted), Some(facts)) = (&settings.judge, judge) else { return Ok(standing) };
    let Some(path) = &wanted.calibration else { return Ok(standing) };
    let required = wanted.min_kappa.is_some() || wanted.min_balanced_accuracy.is_some();
    let Some(bytes) = tree.find(&path.value, load::FILE_LIMIT)? else {
        if offline {
            standing
                .warnings
                .push(format!("there is no {} yet: the simulated judge is held to nothing", path.value));
            return Ok(standing);
        }
        if !required {
            return Err(Diagnostic::new(format!("there is no calibration at {}", path.value))
                .at(path.place.clone())
                .help("`promptgate calibrate LABELS` writes it there; or leave `calibration` out")
                .into());
        }
        standing.unfit = Some(unfit(format!("the judge is not calibrated: there is no {}", path.value)));
        return Ok(standing);
    };
    let file = tree.describe(&path.value);
    let calibration = calibration::read(&file, load::decode(&file, &bytes)?)?;
    let same = facts.by_metric.get(&calibration.metric) == Some(&calibration.judge.fingerprint);
    if !same {
        let message =
            format!("{} is of another judge: it differs in {}", path.value, difference(facts, &calibration));
        if offline && !calibration.judge.simulated {
            standing.warnings.push(format!(
                "{} is of the real judge, and the simulated one judges here: it is held to nothing",
                path.value
            ));
        } else if required {
            standing.unfit = Some(unfit(message));
        } else {
            let help = "`promptgate calibrate LABELS` measures this one";
            return Err(Diagnostic::new(message).at(Place::file(file)).help(help).into());
        }
        return Ok(standing);
    }
    let facts = counted(&path.value, &calibration);
    standing.unfit = below(wanted, &facts).map(unfit);
    if standing.unfit.is_none() {
        standing.warnings.extend(doubts(settings, wanted, &facts));
    }
    standing.facts = Some(facts);
    Ok(standing)
}

/// What the requirements leave open: a figure whose lower bound misses them, and judges that nobody calibrated.
fn doubts(settings: &Settings, wanted: &JudgeSettings, facts: &CalibrationFacts) -> Vec<String> {
    let lower = |share: Option<f64>, of: usize| {
        clopper_pearson((share? * of as f64).round() as usize, of, ALPHA).lower
    };
    let counts = confusion(facts);
    let balanced = lower(counts.sensitivity(), counts.positives())
        .zip(lower(counts.specificity(), counts.negatives()))
        .map(|(one, other)| f64::midpoint(one, other));
    let mut doubts = Vec::new();
    for (name, key, least, lower) in [
        ("kappa", "min_kappa", wanted.min_kappa, facts.kappa_lower),
        ("balanced accuracy", "min_balanced_accuracy", wanted.min_balanced_accuracy, balanced),
    ] {
        let Some(least) = least else { continue };
        if lower.is_none_or(|lower| lower < least) {
            let lower = lower.map_or_else(|| "not known".to_owned(), |lower| format!("{lower:.3}"));
            doubts.push(format!(
                "{}: {name} meets judge.{key} {least}, its lower bound, {lower}, does not: more labels would tell",
                facts.file
            ));
        }
    }
    if wanted.min_kappa.is_some() || wanted.min_balanced_accuracy.is_some() {
        let others = settings.metrics.iter().filter(|metric| metric.name != facts.metric);
        let others: Vec<&str> = others.map(|metric| metric.name.as_str()).collect();
        if !others.is_empty() {
            doubts.push(format!(
                "{} speaks of {} alone: the judge of {} is not held to people",
                facts.file,
                facts.metric,
                others.join(", ")
            ));
        }
    }
    doubts
}

/// What differs between the calibrated judge and that of the run. The questions of a run are those of all its metrics,
/// so a difference in them shows by there being no other.
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

/// The facts from the counts alone: a figure in the file that its counts do not give does not count.
pub(super) fn counted(file: &str, calibration: &Calibration) -> CalibrationFacts {
    let counts = &calibration.overall;
    let mut facts = CalibrationFacts {
        file: file.to_owned(),
        metric: calibration.metric.clone(),
        fingerprint: calibration.judge.fingerprint.clone(),
        answers: counts.answers,
        true_positives: counts.true_positives,
        false_positives: counts.false_positives,
        false_negatives: counts.false_negatives,
        true_negatives: counts.true_negatives,
        kappa: None,
        kappa_lower: None,
        balanced_accuracy: None,
        slope: counts.slope.filter(|slope| (-1.0..=1.0).contains(slope)),
        youden: None,
    };
    let confusion = confusion(&facts);
    let bound = |part, of| clopper_pearson(part, of, ALPHA).lower;
    let (good, bad) = (confusion.positives(), confusion.negatives());
    facts.kappa = confusion.kappa().map(|kappa| kappa.kappa);
    facts.kappa_lower = bound(confusion.true_positives, good)
        .zip(bound(confusion.true_negatives, bad))
        .and_then(|shares| kappa_at(shares, good, bad));
    facts.balanced_accuracy = confusion.balanced_accuracy();
    facts.youden = confusion.youden();
    facts
}

fn confusion(facts: &CalibrationFacts) -> Confusion {
    Confusion {
        true_positives: facts.true_positives,
        false_positives: facts.false_positives,
        false_negatives: facts.false_negatives,
        true_negatives: facts.true_negatives,
    }
}

/// Why a calibration is not what the settings require: too few labels to tell, or too little agreement.
pub(super) fn below(wanted: &JudgeSettings, facts: &CalibrationFacts) -> Option<String> {
    let figures = [
        ("kappa", "min_kappa", wanted.min_kappa, facts.kappa),
        ("balanced accuracy", "min_balanced_accuracy", wanted.min_balanced_accuracy, facts.balanced_accuracy),
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
        let told = match found {
            Some(found) if found >= least => return None,
            Some(found) => format!("is {found:.3}"),
            None => "does not exist".to_owned(),
        };
        Some(format!(
            "the judge agrees too little with people: its {name} {told}, judge.{key} is {least} ({}, {} answers)",
            facts.file, facts.answers
        ))
    })
}

fn unfit(message: String) -> Fault {
    Fault::new(FaultKind::UnfitJudge, message)
        .help("calibrate this judge with `promptgate calibrate LABELS`, or choose one that agrees better with people")
}
