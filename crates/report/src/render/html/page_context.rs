//! The data of the template of the page.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::case_data::Selection;
use super::differences::differences;
use super::heat_map::heat_map;
use super::interval_plot::{Panel, panels};
use super::provenance;
use super::worst_cases::worst;
use crate::v1::{CriterionVerdict, Report, Verdict};
use crate::view::Headline;
use crate::view::number::minus;
use crate::view::policy_notice::notice;
use crate::view::{self, PageLimits, Sanitizer, number};

/// Rows of a table, reasons, warnings.
const MAX_ROWS: usize = 150;
/// Characters of a text.
const MAX_TEXT: usize = 400;
/// Characters of the difference of a message of the prompt.
const MAX_CHANGES: usize = 20_000;
/// Characters of a metric name.
const MAX_NAME: usize = 120;

/// Returns the data of the template.
pub(super) fn page_context(
    report: &Report,
    order: &[usize],
    data: &Selection,
    script: &str,
    sanitizer: &Sanitizer<'_>,
) -> Value {
    let text = |text: &str| sanitizer.clip(text, MAX_TEXT);
    let limits = PageLimits { rows: MAX_ROWS, text: MAX_TEXT, name: MAX_NAME };
    let view::Criteria { listed, folded } = view::criteria(report);
    let reasons = reasons(report, sanitizer);
    let (panels, panels_left_out) = panels(report, sanitizer);
    let (mut gated, others): (Vec<Panel>, Vec<Panel>) = panels.into_iter().partition(|panel| panel.gated);
    // Failures first, as among the criteria.
    gated.sort_by_key(|panel| panel.verdicts.iter().all(|of| of.verdict == "pass"));
    let without = (!gated.is_empty()).then(|| {
        let metrics = number::counted(others.len() as u64, "metric");
        format!("{metrics} without a criterion")
    });
    let panels = [(None, gated), (without, others)];
    let (worst, worst_more) = worst(report, order, sanitizer);
    let (candidate, baseline) = view::variant_names(&report.variants);
    let headline = view::headline(report);
    let word = headline.as_str().to_uppercase();
    context! {
        content_security_policy => super::content_security_policy(script),
        style => super::STYLE,
        title => format!("{word}: {}", sanitizer.clip(&report.name, 80)),
        candidate => text(&candidate),
        baseline => baseline.as_deref().map(text),
        class => match headline {
            Headline::Verdict(verdict) => verdict.as_str(),
            Headline::Interrupted => "incomplete",
        },
        symbol => symbol(headline),
        verdict => word,
        policy_notice => Serde(notice(report, MAX_ROWS).map(|notice| notice.map_text(text))),
        help => report.ended.fault.as_ref().and_then(|fault| fault.help.as_deref()).map(text),
        cases => number::counted(report.cases.len() as u64, "case"),
        repeats => number::counted(u64::from(report.repeats), "repeat"),
        cost => view::cost(report),
        criteria_left_out => listed.len().saturating_sub(MAX_ROWS),
        criteria => listed.iter().take(MAX_ROWS).map(|row| criterion(report, row, sanitizer)).collect::<Value>(),
        folded => folded
            .iter()
            .map(|of| {
                context! {
                    label => of.label.clone(),
                    names => of.rows.iter().take(MAX_ROWS).map(|row| text(row.id)).collect::<Value>(),
                    left_out => of.rows.len().saturating_sub(MAX_ROWS),
                }
            })
            .collect::<Value>(),
        scope => view::scope_question(report.policy.scope),
        panels => panels
            .into_iter()
            .map(|(summary, panels)| context! { summary, panels => Serde(panels) })
            .collect::<Value>(),
        panels_left_out,
        differences => differences(report, sanitizer),
        worst,
        worst_more,
        tally => view::tally(report),
        compared => report.variants.baseline.is_some(),
        count => report.cases.len(),
        shown => report.cases.len() - data.without_row,
        notes => notes(report, data),
        changes => Serde(view::changes::changes(report, MAX_CHANGES, sanitizer)),
        heat_map => Serde(heat_map(report, sanitizer)),
        facts => Serde(provenance::groups(report, sanitizer)),
        warnings => report.warnings.iter().take(MAX_ROWS).map(|warning| text(warning)).collect::<Value>(),
        warnings_left_out => report.warnings.len().saturating_sub(MAX_ROWS),
        started => text(&report.started_at),
        version => text(&report.tool_version),
        ..view::shared_context(report, &reasons, limits, sanitizer)
    }
}

/// The reasons; without any, the fault that ended the run.
fn reasons(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<String> {
    let why = view::why(report, sanitizer.redactor());
    let mut reasons = view::further_reasons(report, why.as_ref(), sanitizer.redactor());
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
        Headline::Verdict(Verdict::Incomplete) | Headline::Interrupted => "!",
    }
}

fn criterion(report: &Report, row: &view::CriterionRow<'_>, sanitizer: &Sanitizer<'_>) -> Value {
    let outcome = report.criteria.iter().find(|criterion| criterion.id == row.id);
    let p = outcome.and_then(|of| of.p).map_or_else(String::new, |p| {
        if p < 0.0001 { ", p < 0.0001".to_owned() } else { format!(", p = {p:.4}") }
    });
    context! {
        id => sanitizer.clip(row.id, 200),
        estimate => minus(row.estimate.clone()),
        interval => minus(row.interval.clone()),
        required => minus(row.required.clone()),
        class => row.verdict.as_str(),
        symbol => match row.verdict {
            CriterionVerdict::Pass => "✓",
            CriterionVerdict::Fail => "✗",
            CriterionVerdict::Inconclusive => "?",
            CriterionVerdict::Incomplete => "!",
        },
        explanation => outcome.map_or_else(String::new, |of| sanitizer.clip(&of.explanation, MAX_TEXT)),
        method => outcome.map_or_else(String::new, |of| format!("{}{p}", sanitizer.clip(&of.method, 60))),
    }
}

/// Notes on omitted cases and where to find them.
fn notes(report: &Report, data: &Selection) -> Vec<String> {
    let file = report.trials_file.as_ref().map_or("report.json", |_| "trials.jsonl beside report.json");
    let cases = |count: usize| number::counted(count as u64, "case");
    let mut notes = Vec::new();
    if data.without_row > 0 {
        notes.push(format!(
            "Omitted to limit the size of this page: {}, none worse than the listed ones. See report.json.",
            cases(data.without_row)
        ));
    }
    if data.without_details > 0 {
        notes.push(format!(
            "Omitted to limit the size of this page: the answers of {}; the worst cases have theirs. See {file}.",
            cases(data.without_details)
        ));
    }
    notes
}
