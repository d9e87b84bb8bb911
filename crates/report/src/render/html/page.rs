//! What the template knows.

use serde::Serialize;

use super::differences::{Differences, differences};
use super::interval_plot::{Panel, panels};
use super::provenance::{self, Group};
use super::untrusted_text::Sanitizer;
use super::worst_cases::{Worst, worst};
use super::{case_data::CaseData, script};
use crate::v1::{CaseStatus, CriterionVerdict, Report, Verdict};
use crate::view::Headline;
use crate::view::judge_summary::{PlantedRow, failed_self_test};
use crate::view::number::minus;
use crate::view::policy_notice::{Notice, notice};
use crate::view::{self, effect, lengths, looks, number, slices};

/// Rows of a table, reasons, warnings.
const ROWS: usize = 150;
/// Characters of a text.
const TEXT: usize = 400;
/// Characters of the name of a metric.
const NAME: usize = 120;

/// The page.
#[derive(Serialize)]
pub(super) struct Page {
    pub(super) policy: String,
    style: &'static str,
    script: String,
    data: String,
    title: String,
    name: String,
    candidate: String,
    baseline: Option<String>,
    baseline_note: Option<String>,
    class: &'static str,
    symbol: &'static str,
    verdict: String,
    exit_code_zero: bool,
    simulated: bool,
    origin: Option<Notice>,
    so_far: bool,
    reasons: Vec<String>,
    reasons_left_out: usize,
    help: Option<String>,
    settle: Option<String>,
    effect: Option<effect::Effect>,
    cases: String,
    repeats: String,
    cost: String,
    criteria: Vec<Criterion>,
    criteria_left_out: usize,
    folded: Vec<Folded>,
    confidence: String,
    scope: &'static str,
    panels: Vec<Panels>,
    panels_left_out: usize,
    metrics: Vec<Metric>,
    differences: Vec<Differences>,
    worst: Vec<Worst>,
    worst_more: usize,
    statuses: Vec<(&'static str, usize)>,
    compared: bool,
    count: usize,
    shown: usize,
    notes: Vec<String>,
    slices: Vec<slices::SliceRow>,
    looks: Vec<looks::LookRow>,
    alpha_spent: String,
    planted: Vec<PlantedRow>,
    lengths: Vec<lengths::LengthRow>,
    facts: Vec<Group>,
    warnings: Vec<String>,
    warnings_left_out: usize,
    started: String,
    version: String,
}

/// Plots, some of them folded away below a line of words.
#[derive(Serialize)]
struct Panels {
    folded: Option<String>,
    panels: Vec<Panel>,
}

/// A row of the criteria.
#[derive(Serialize)]
struct Criterion {
    id: String,
    estimate: String,
    interval: String,
    required: String,
    class: &'static str,
    symbol: &'static str,
    told: String,
    method: String,
}

/// Criteria that every trial passes.
#[derive(Serialize)]
struct Folded {
    label: String,
    names: Vec<String>,
    left_out: usize,
}

/// A row of the metrics.
#[derive(Serialize)]
struct Metric {
    name: String,
    candidate: String,
    baseline: String,
    difference: String,
    interval: String,
    detects: String,
    noise: String,
    cases: usize,
    missing: usize,
}

impl Page {
    /// The page of a report, with the data of its cases.
    pub(super) fn new(report: &Report, order: &[usize], data: CaseData, sanitizer: &Sanitizer<'_>) -> Self {
        let text = |text: &str| sanitizer.clip(text, TEXT);
        let name = |text: &str| sanitizer.clip(text, NAME);
        let view::Criteria { listed, folded } = view::criteria(report);
        let reasons = reasons(report, sanitizer);
        let slices = slices::rows(report);
        let (panels, panels_left_out) = panels(report, sanitizer);
        let (mut gated, others): (Vec<Panel>, Vec<Panel>) = panels.into_iter().partition(|panel| panel.gated);
        // What did not pass first, as among the criteria.
        gated.sort_by_key(|panel| panel.verdicts.iter().all(|of| of.verdict == "pass"));
        let without = (!gated.is_empty()).then(|| {
            let metrics = number::counted(others.len() as u64, "metric");
            format!("{metrics} without a criterion")
        });
        let panels =
            [Panels { folded: None, panels: gated }, Panels { folded: without, panels: others }].into();
        let (worst, worst_more) = worst(report, order, sanitizer);
        let headline = view::headline(report);
        let word = headline.as_str().to_uppercase();
        let script = script();
        Self {
            policy: super::policy(&script),
            style: super::STYLE,
            script,
            title: format!("{word}: {}", sanitizer.clip(&report.name, 80)),
            name: text(&report.name),
            candidate: text(&view::variant_name(&report.variants.candidate)),
            baseline: report.variants.baseline.as_ref().map(view::variant_name).as_deref().map(text),
            baseline_note: report.baseline_note.as_deref().map(view::baseline_note).map(text),
            class: match headline {
                Headline::Verdict(verdict) => verdict.as_str(),
                Headline::Interrupted | Headline::NotEvaluated => "incomplete",
            },
            symbol: symbol(headline),
            verdict: word,
            exit_code_zero: view::is_non_blocking(report),
            simulated: report.simulated,
            origin: notice(report, ROWS).map(|notice| notice.map_text(text)),
            so_far: report.verdict == Verdict::Incomplete,
            reasons_left_out: reasons.len().saturating_sub(ROWS),
            reasons: reasons.iter().take(ROWS).map(|reason| text(reason)).collect(),
            help: report.ended.fault.as_ref().and_then(|fault| fault.help.as_deref()).map(text),
            settle: looks::settle(report),
            effect: effect::effect(report, name),
            cases: number::counted(report.cases.len() as u64, "case"),
            repeats: number::counted(u64::from(report.repeats), "repeat"),
            cost: view::cost(report),
            criteria_left_out: listed.len().saturating_sub(ROWS),
            criteria: listed.iter().take(ROWS).map(|row| criterion(report, row, sanitizer)).collect(),
            folded: folded
                .iter()
                .map(|of| Folded {
                    label: of.label.clone(),
                    names: of.rows.iter().take(ROWS).map(|row| text(row.id)).collect(),
                    left_out: of.rows.len().saturating_sub(ROWS),
                })
                .collect(),
            confidence: number::percent(report.policy.confidence),
            scope: view::scope_question(report.policy.scope),
            panels,
            panels_left_out,
            metrics: metrics(report, sanitizer),
            differences: differences(report, sanitizer),
            worst,
            worst_more,
            statuses: statuses(report),
            compared: report.variants.baseline.is_some(),
            count: report.cases.len(),
            shown: report.cases.len() - data.without_row,
            notes: notes(report, &data),
            data: data.json,
            slices: slices.into_iter().take(ROWS).map(|row| row.map_text(text)).collect(),
            looks: looks::rows(report, sanitizer.redactor())
                .into_iter()
                .map(|row| row.map_text(text))
                .collect(),
            alpha_spent: looks::spent(report),
            planted: failed_self_test(report, sanitizer.redactor())
                .into_iter()
                .take(ROWS)
                .map(|row| row.map_text(text))
                .collect(),
            lengths: lengths::rows(report).take(ROWS).map(|row| row.map_text(name)).collect(),
            facts: provenance::groups(report, sanitizer),
            warnings: report.warnings.iter().take(ROWS).map(|warning| text(warning)).collect(),
            warnings_left_out: report.warnings.len().saturating_sub(ROWS),
            started: text(&report.started_at),
            version: text(&report.tool_version),
        }
    }
}

/// The reasons, or the fault that ended the run where there is none.
fn reasons(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<String> {
    let mut reasons = view::reasons(report, sanitizer.redactor());
    if let Some(fault) = report.ended.fault.as_ref().filter(|_| reasons.is_empty()) {
        reasons.push(fault.message.clone());
    }
    reasons
}

fn symbol(headline: Headline) -> &'static str {
    match headline {
        Headline::Verdict(Verdict::Pass | Verdict::Unchanged) => "✓",
        Headline::Verdict(Verdict::Fail) => "✗",
        Headline::Verdict(Verdict::Inconclusive) => "?",
        Headline::Verdict(Verdict::Incomplete) | Headline::Interrupted | Headline::NotEvaluated => "!",
    }
}

fn criterion(report: &Report, row: &view::CriterionRow<'_>, sanitizer: &Sanitizer<'_>) -> Criterion {
    let outcome = report.criteria.iter().find(|criterion| criterion.id == row.id);
    let p = outcome.and_then(|of| of.p).map_or_else(String::new, |p| {
        if p < 0.0001 { ", p < 0.0001".to_owned() } else { format!(", p = {p:.4}") }
    });
    Criterion {
        id: sanitizer.clip(row.id, 200),
        estimate: minus(row.estimate.clone()),
        interval: minus(row.interval.clone()),
        required: minus(row.required.clone()),
        class: row.verdict.as_str(),
        symbol: match row.verdict {
            CriterionVerdict::Pass => "✓",
            CriterionVerdict::Fail => "✗",
            CriterionVerdict::Inconclusive => "?",
            CriterionVerdict::Incomplete => "!",
        },
        told: outcome.map_or_else(String::new, |of| sanitizer.clip(&of.explanation, TEXT)),
        method: outcome.map_or_else(String::new, |of| format!("{}{p}", sanitizer.clip(&of.method, 60))),
    }
}

fn metrics(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<Metric> {
    let rows = view::metrics(report).into_iter().zip(&report.metrics).take(ROWS);
    rows.map(|(row, metric)| {
        let value = |value: Option<f64>| {
            value.map_or_else(|| number::NONE.to_owned(), |value| number::value(metric.kind, value))
        };
        Metric {
            name: sanitizer.clip(row.name, 120),
            candidate: minus(row.candidate),
            baseline: minus(row.baseline),
            difference: minus(row.difference),
            interval: minus(row.interval),
            detects: value(metric.smallest_detectable_drop),
            noise: value(metric.noise),
            cases: metric.candidate.n,
            missing: row.missing,
        }
    })
    .collect()
}

/// Every status that occurs, worst first, with its count.
fn statuses(report: &Report) -> Vec<(&'static str, usize)> {
    [
        CaseStatus::Broken,
        CaseStatus::Regressed,
        CaseStatus::Missing,
        CaseStatus::Flaky,
        CaseStatus::Fixed,
        CaseStatus::Improved,
        CaseStatus::Same,
    ]
    .into_iter()
    .map(|status| (status.as_str(), report.cases.iter().filter(|case| case.status == status).count()))
    .filter(|(_, count)| *count > 0)
    .collect()
}

/// What the page does not hold of its cases, and who does.
fn notes(report: &Report, data: &CaseData) -> Vec<String> {
    let holder = report.trials_file.as_ref().map_or("report.json", |_| "trials.jsonl beside report.json");
    let cases = |count: usize| number::counted(count as u64, "case");
    let mut notes = Vec::new();
    if data.without_row > 0 {
        notes.push(format!(
            "Left out here to keep this page small: {}, none of them worse than those that are listed. report.json \
             has them.",
            cases(data.without_row)
        ));
    }
    if data.without_answers > 0 {
        notes.push(format!(
            "The answers of {} are left out here to keep this page small, the worst cases coming first. {holder} has \
             them.",
            cases(data.without_answers)
        ));
    }
    notes
}
