//! The judge of a run in words: how it answered, its self-test, its calibration; for the terminal and Markdown.

use serde::Serialize;

use super::number;
use crate::v1::{CalibrationFacts, Expected, Judge, MetricKind, Planted, Report};
use promptgate_core::text::{Redactor, neutral};

/// One planted answer in words.
#[derive(Serialize)]
pub(crate) struct PlantedRow {
    /// Its name.
    pub(crate) planted: String,
    /// What was asked, and of whom where there are several judges.
    pub(crate) metric: String,
    /// Where the score belongs.
    pub(crate) expected: &'static str,
    /// The scores it got.
    pub(crate) scores: String,
    /// Whether that is as expected.
    pub(crate) passed: bool,
    /// What the judge said.
    pub(crate) said: String,
}

impl PlantedRow {
    /// The row with what others wrote passed through `text`.
    pub(crate) fn through(self, text: impl Fn(&str) -> String) -> Self {
        Self { planted: text(&self.planted), metric: text(&self.metric), said: text(&self.said), ..self }
    }
}

/// Every planted answer of a failed self-test, the wrong ones first; none where it passed or was not run.
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
            },
            scores: scores(&row.scores),
            passed: row.passed,
            said: clean(&row.reason),
        }
    };
    wrong.into_iter().chain(right).map(row).collect()
}

/// `0.50, 1.00, 1.00`; the same score three times is told once.
fn scores(scores: &[Option<f64>]) -> String {
    let shown = |score: &Option<f64>| score.map_or_else(|| "none".to_owned(), |score| format!("{score:.2}"));
    match scores {
        [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|other| other == first) => {
            format!("{} ({} times)", shown(first), scores.len())
        }
        all => all.iter().map(shown).collect::<Vec<_>>().join(", "),
    }
}

/// How the judge answered, its self-test and its calibration, part by part; none where no judge was asked.
pub(crate) fn words(report: &Report, redactor: &Redactor) -> Vec<String> {
    let clean = |text: &str| neutral::terminal(&redactor.redact(text));
    let Some(judge) = &report.judge else { return Vec::new() };
    let mut words = Vec::new();
    if judge.votes > 1 {
        words.push(format!("{} votes each", judge.votes));
    }
    let listed = |names: &std::collections::BTreeSet<String>| {
        names.iter().map(|name| clean(name)).collect::<Vec<_>>().join(", ")
    };
    if !judge.answered.output_modes.is_empty() {
        words.push(format!("asked by {}", listed(&judge.answered.output_modes)));
    }
    if !judge.answered.refused_parameters.is_empty() {
        words.push(format!("without {}, which was refused", listed(&judge.answered.refused_parameters)));
    }
    words.push(self_test(judge));
    let usage = &report.usage;
    if let Some(usd) = usage.judgements.cost_usd.filter(|usd| *usd > 0.0 && usage.cost_usd.is_some()) {
        words.push(format!("{} of the cost", number::dollars(usd)));
    }
    let alphas = report.metrics.iter().filter_map(|metric| {
        let alpha = metric.judged.as_ref()?.panel_alpha?;
        Some(format!("{} {alpha:.2}", clean(&metric.name)))
    });
    let alphas: Vec<String> = alphas.collect();
    if !alphas.is_empty() {
        words.push(format!("agreement of the panel (alpha): {}", alphas.join(", ")));
    }
    if let Some(calibration) = &judge.calibration {
        words.push(calibrated(calibration, &clean));
        words.extend(corrected(report, calibration));
    }
    words
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
        |value: Option<f64>| value.map_or_else(|| "not known".to_owned(), |value| format!("{value:.2}"));
    format!(
        "{} calibrated on {}: kappa {}, balanced accuracy {}",
        clean(&calibration.metric),
        number::counted(calibration.answers as u64, "answer"),
        figure(calibration.kappa),
        figure(calibration.balanced_accuracy)
    )
}

/// What the calibration makes of the metric it speaks of.
fn corrected(report: &Report, calibration: &CalibrationFacts) -> Option<String> {
    let metric = report.metrics.iter().find(|metric| metric.name == calibration.metric)?;
    let found = metric.judged.as_ref()?.corrected.as_ref()?;
    let bound = |bound: Option<f64>| {
        bound.map_or_else(|| number::NONE.to_owned(), |bound| number::value(MetricKind::Judge, bound))
    };
    Some(format!(
        "people would pass {} of the candidate's answers ({} to {})",
        number::value(MetricKind::Judge, found.mean),
        bound(found.lower),
        bound(found.upper)
    ))
}
