//! The judge of a run: response settings, self-test and calibration.

use serde::Serialize;

use super::number;
use crate::v1::{CalibrationFacts, Expected, Judge, Metric, MetricKind, Planted, Report};
use promptgate_core::model::PairCounts;
use promptgate_core::text::{Redactor, neutral};

/// A planted answer as a row.
#[derive(Serialize)]
pub(crate) struct PlantedRow {
    pub(crate) planted: String,
    /// The metric, with the judge where there are several.
    pub(crate) metric: String,
    /// The expected range of the score.
    pub(crate) expected: &'static str,
    pub(crate) scores: String,
    pub(crate) passed: bool,
    /// The reason given by the judge.
    pub(crate) reason: String,
}

impl PlantedRow {
    /// Sanitizes the texts.
    pub(crate) fn map_text(self, text: impl Fn(&str) -> String) -> Self {
        Self { planted: text(&self.planted), metric: text(&self.metric), reason: text(&self.reason), ..self }
    }
}

/// The planted answers of a failed self-test, wrong scores first; empty where it passed or was not run.
pub(crate) fn failed_self_test(report: &Report, redactor: &Redactor) -> Vec<PlantedRow> {
    let clean = |text: &str| neutral::terminal(&redactor.redact(text));
    let Some(judge) = &report.judge else { return Vec::new() };
    let Some(test) = judge.self_test.as_ref().filter(|test| !test.passed) else { return Vec::new() };
    let (right, wrong): (Vec<&Planted>, Vec<&Planted>) = test.planted.iter().partition(|row| row.passed);
    let row = |row: &Planted| {
        let metric = clean(&row.metric);
        PlantedRow {
            planted: clean(&row.planted),
            metric: if judge.panel.len() > 1 { format!("{metric}, {}", clean(&row.judge)) } else { metric },
            expected: match row.expected {
                Expected::Low => "≤ 0.3",
                Expected::High => "≥ 0.7",
                Expected::Even => "a tie",
            },
            scores: scores(&row.scores),
            passed: row.passed,
            reason: clean(&row.reason),
        }
    };
    wrong.into_iter().chain(right).map(row).collect()
}

/// `0.50, 1.00, 1.00`; repeated equal scores are collapsed: `0.50 (3 times)`.
fn scores(scores: &[Option<f64>]) -> String {
    let shown = |score: &Option<f64>| score.map_or_else(|| "none".to_owned(), |score| format!("{score:.2}"));
    match scores {
        [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|other| other == first) => {
            format!("{} ({} times)", shown(first), scores.len())
        }
        all => all.iter().map(shown).collect::<Vec<_>>().join(", "),
    }
}

/// Facts about the judge, one per item; empty without a judge.
pub(crate) fn facts(report: &Report, redactor: &Redactor) -> Vec<String> {
    let clean = |text: &str| neutral::terminal(&redactor.redact(text));
    let Some(judge) = &report.judge else { return Vec::new() };
    let mut facts = Vec::new();
    if judge.votes > 1 {
        facts.push(format!("{} votes each", judge.votes));
    }
    let listed = |names: &std::collections::BTreeSet<String>| {
        names.iter().map(|name| clean(name)).collect::<Vec<_>>().join(", ")
    };
    if !judge.answered.output_modes.is_empty() {
        facts.push(format!("output mode {}", listed(&judge.answered.output_modes)));
    }
    if !judge.answered.refused_parameters.is_empty() {
        facts.push(format!("without {} (refused)", listed(&judge.answered.refused_parameters)));
    }
    facts.push(self_test(judge));
    facts.extend(report.metrics.iter().filter_map(|metric| {
        let pairs = pairs(metric)?;
        Some(format!("{}: {pairs}", clean(&metric.name)))
    }));
    let usage = &report.usage;
    if let Some(usd) = usage.judgements.cost_usd.filter(|usd| *usd > 0.0 && usage.cost_usd.is_some()) {
        facts.push(format!("{} of the cost", number::dollars(usd)));
    }
    let alphas = report.metrics.iter().filter_map(|metric| {
        let alpha = metric.judged.as_ref()?.panel_alpha?;
        Some(format!("{} {alpha:.2}", clean(&metric.name)))
    });
    let alphas: Vec<String> = alphas.collect();
    if !alphas.is_empty() {
        facts.push(format!("agreement of the panel (alpha): {}", alphas.join(", ")));
    }
    if let Some(calibration) = &judge.calibration {
        facts.push(calibrated(calibration, &clean));
        facts.extend(corrected(report, calibration));
    }
    facts
}

/// The results of the pairs of a metric, and the share in which the winner changed with the order; `None` for a judge of
/// single answers.
pub(crate) fn pairs(metric: &Metric) -> Option<String> {
    let PairCounts { wins, ties, losses, flips } = metric.judged?.pairs?;
    let all = wins + ties + losses;
    let share = if all == 0 { 0.0 } else { 100.0 * flips as f64 / all as f64 };
    Some(format!(
        "{wins} won, {ties} tied, {losses} lost; {flips} of {all} flipped with the order ({share:.0} %)"
    ))
}

fn self_test(judge: &Judge) -> String {
    match &judge.self_test {
        None => "no self-test".to_owned(),
        Some(test) => {
            let right = test.planted.iter().filter(|row| row.passed).count();
            format!("self-test {right} of {} as expected", test.planted.len())
        }
    }
}

fn calibrated(calibration: &CalibrationFacts, clean: &dyn Fn(&str) -> String) -> String {
    let figure =
        |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.2}"));
    format!(
        "{} calibrated on {}: kappa {}, balanced accuracy {}",
        clean(&calibration.metric),
        number::counted(calibration.answers as u64, "answer"),
        figure(calibration.kappa),
        figure(calibration.balanced_accuracy)
    )
}

/// The pass rate that people would give, by the calibration of the metric.
fn corrected(report: &Report, calibration: &CalibrationFacts) -> Option<String> {
    let metric = report.metrics.iter().find(|metric| metric.name == calibration.metric)?;
    let corrected = metric.judged.as_ref()?.corrected.as_ref()?;
    let bound = |bound: Option<f64>| {
        bound.map_or_else(|| number::NONE.to_owned(), |bound| number::value(MetricKind::Judge, bound))
    };
    Some(format!(
        "people would pass {} of the candidate's answers ({} to {})",
        number::value(MetricKind::Judge, corrected.mean),
        bound(corrected.lower),
        bound(corrected.upper)
    ))
}
