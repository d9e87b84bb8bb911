//! The self-test of a rejected judge, and notes below the tables.

use std::io;

use super::Style;
use super::page::{DIM, LABEL, PLAIN, Page, YELLOW, short, table};
use crate::v1::{Report, Verdict};
use crate::view::{self, judge_summary, looks, number, policy_notice};
use promptgate_core::text::neutral;

/// So many sentences of an unfit judge are shown.
const SAID: usize = 3;

/// What an unfit judge said of planted answers, and why of the first few that came out wrong.
pub(super) fn self_test(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let rows = judge_summary::failed_self_test(report, page.redactor);
    if rows.is_empty() {
        return Ok(());
    }
    let mut said: Vec<String> = Vec::new();
    for row in rows.iter().filter(|row| !row.passed) {
        if said.len() < SAID && !said.contains(&row.reason) {
            said.push(row.reason.clone());
        }
    }
    let header = ["planted answer", "asked", "belongs", "scores"];
    let cells = rows
        .into_iter()
        .map(|row| {
            let mark = if row.passed { "✓" } else { "✗" };
            let planted = format!("{mark} {}", short(page.redactor, &row.planted, 36));
            vec![planted, short(page.redactor, &row.metric, 30), row.expected.to_owned(), row.scores]
        })
        .collect();
    page.table(&table(&header, &[2, 3], 0, cells, page.width))?;
    page.blank()?;
    for text in said {
        page.labelled(LABEL, "it said", &neutral::clip(&text, 300), PLAIN)?;
    }
    page.blank()
}

pub(super) fn notes(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    if report.simulated {
        let text = "the endpoint was the simulated one: these scores are no measure of a model";
        page.labelled(LABEL, "simulated", text, YELLOW)?;
    }
    for warning in &report.warnings {
        page.labelled(LABEL, "warning", &neutral::terminal(&page.redactor.redact(warning)), YELLOW)?;
    }
    if let Some(note) = report.baseline_note.as_deref() {
        let none = if note.starts_with(view::NO_BASELINE) { "none: " } else { "" };
        let words = format!("{none}{}", view::baseline_note(note));
        page.labelled(LABEL, "baseline", &neutral::terminal(&page.redactor.redact(&words)), YELLOW)?;
    }
    let cases = number::counted(report.cases.len() as u64, "case");
    let repeats = number::counted(u64::from(report.repeats), "repeat");
    let tally = view::tally(report);
    let separator = if tally.is_empty() { "" } else { ": " };
    page.labelled(LABEL, "cases", &format!("{cases}, {repeats} each{separator}{tally}"), DIM)?;
    if let Some(looks) = looks::line(report, page.redactor) {
        page.labelled(LABEL, "looks", &looks, DIM)?;
    }
    if let Some(settle) = looks::settle(report) {
        page.labelled(LABEL, "to settle", &settle, YELLOW)?;
    }
    if let Some(place) = policy_notice::place(report) {
        let (words, ansi) = match policy_notice::notice(report, 0) {
            Some(notice) => (notice.sentence, YELLOW),
            None => (format!("that of {place}, as here"), DIM),
        };
        page.labelled(LABEL, "policy", &neutral::terminal(&page.redactor.redact(&words)), ansi)?;
    }
    let model = short(page.redactor, &report.variants.candidate.model, 40);
    let baseline_model = match &report.variants.baseline {
        Some(baseline) if baseline.model != report.variants.candidate.model => {
            format!(" (baseline {})", short(page.redactor, &baseline.model, 40))
        }
        _ => String::new(),
    };
    page.labelled(LABEL, "model", &format!("{model}{baseline_model}"), DIM)?;
    if let Some(judge) = &report.judge {
        let words = judge_summary::facts(report, page.redactor).join("; ");
        page.labelled(LABEL, "judge", &format!("{}; {words}", short(page.redactor, &judge.model, 40)), DIM)?;
    }
    page.labelled(LABEL, "cost", &view::cost(report), DIM)?;
    if !style.files.is_empty() {
        let files: Vec<String> = style.files.iter().map(|file| neutral::terminal(file)).collect();
        page.labelled(LABEL, "reports", &files.join(", "), DIM)?;
        let detailed = files.iter().find(|file| file.ends_with(".md"));
        if let Some(file) = detailed.filter(|_| report.verdict == Verdict::Fail) {
            page.labelled(LABEL, "next", &format!("{file} says why each case fails"), PLAIN)?;
        }
    }
    Ok(())
}
