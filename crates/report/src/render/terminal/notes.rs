//! The self-test of a rejected judge, and notes below the tables.

use std::io;
use std::path::Path;

use super::Style;
use super::line_writer::{DIM, LABEL, LineWriter, PLAIN, YELLOW, short, table};
use crate::DEFAULT_FOLDER;
use crate::v1::{Report, Verdict};
use crate::view::{self, judge_summary, looks, number, policy_notice};
use promptgate_core::text::neutral;

/// Reasons of a rejected judge that are shown.
const MAX_JUDGE_REASONS: usize = 3;

/// Writes the scores of planted answers, and the judge's reasons for the first wrong ones.
pub(super) fn write_self_test(report: &Report, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let rows = judge_summary::failed_self_test(report, writer.redactor);
    if rows.is_empty() {
        return Ok(());
    }
    let mut judge_reasons: Vec<String> = Vec::new();
    for row in rows.iter().filter(|row| !row.passed) {
        if judge_reasons.len() < MAX_JUDGE_REASONS && !judge_reasons.contains(&row.reason) {
            judge_reasons.push(row.reason.clone());
        }
    }
    let header = ["planted answer", "metric", "expected", "scores"];
    let cells = rows
        .into_iter()
        .map(|row| {
            let mark = if row.passed { "✓" } else { "✗" };
            let planted = format!("{mark} {}", short(writer.redactor, &row.planted, 36));
            vec![planted, short(writer.redactor, &row.metric, 30), row.expected.to_owned(), row.scores]
        })
        .collect();
    writer.table(&table(&header, &[2, 3], 0, cells, writer.width))?;
    writer.blank()?;
    for reason in judge_reasons {
        writer.labelled(LABEL, "reason", &neutral::clip(&reason, 300), PLAIN)?;
    }
    writer.blank()
}

pub(super) fn write_notes(report: &Report, style: &Style, writer: &mut LineWriter<'_>) -> io::Result<()> {
    if report.simulated {
        let text = "simulated endpoint: these scores do not measure a model";
        writer.labelled(LABEL, "simulated", text, YELLOW)?;
    }
    for warning in report.warnings.iter().filter(|_| !style.quiet) {
        writer.labelled(LABEL, "warning", &neutral::terminal(&writer.redactor.redact(warning)), YELLOW)?;
    }
    if let Some(note) = report.baseline_note.as_deref() {
        let none = if note.starts_with(view::NO_BASELINE) { "none: " } else { "" };
        let text = format!("{none}{}", view::baseline_note(note));
        writer.labelled(LABEL, "baseline", &neutral::terminal(&writer.redactor.redact(&text)), YELLOW)?;
    }
    let cases = number::counted(report.cases.len() as u64, "case");
    let repeats = number::counted(u64::from(report.repeats), "repeat");
    let tally = view::tally(report);
    let separator = if tally.is_empty() { "" } else { ": " };
    writer.labelled(LABEL, "cases", &format!("{cases}, {repeats} each{separator}{tally}"), DIM)?;
    if let Some(legend) = view::legend(report) {
        writer.labelled(LABEL, "", &legend, DIM)?;
    }
    if let Some(looks) = looks::line(report, writer.redactor) {
        writer.labelled(LABEL, "looks", &looks, DIM)?;
    }
    if let Some(settle) = looks::settle(report) {
        writer.labelled(LABEL, "to settle", &settle, YELLOW)?;
    }
    if let Some(place) = policy_notice::place(report) {
        let (text, ansi) = match policy_notice::notice(report, 0) {
            Some(notice) => (notice.sentence, YELLOW),
            None => (format!("from {place}, unchanged here"), DIM),
        };
        writer.labelled(LABEL, "policy", &neutral::terminal(&writer.redactor.redact(&text)), ansi)?;
    }
    let model = short(writer.redactor, &report.variants.candidate.model, 40);
    let baseline_model = match &report.variants.baseline {
        Some(baseline) if baseline.model != report.variants.candidate.model => {
            format!(" (baseline {})", short(writer.redactor, &baseline.model, 40))
        }
        _ => String::new(),
    };
    writer.labelled(LABEL, "model", &format!("{model}{baseline_model}"), DIM)?;
    if let Some(judge) = &report.judge {
        let facts = judge_summary::facts(report, writer.redactor).join("; ");
        writer.labelled(
            LABEL,
            "judge",
            &format!("{}; {facts}", short(writer.redactor, &judge.model, 40)),
            DIM,
        )?;
    }
    if let Some(contested) = view::contested(report) {
        writer.labelled(LABEL, "contested", &contested, YELLOW)?;
    }
    write_facts(report, style, writer)
}

/// Writes the cost and the files.
pub(super) fn write_facts(report: &Report, style: &Style, writer: &mut LineWriter<'_>) -> io::Result<()> {
    writer.labelled(LABEL, "cost", &view::cost(report), DIM)?;
    if !style.files.is_empty() {
        let files: Vec<String> = style.files.iter().map(|file| neutral::terminal(file)).collect();
        writer.labelled(LABEL, "reports", &files.join(", "), DIM)?;
        if let Some(next) = next_step(report, &files).filter(|_| report.verdict == Verdict::Fail) {
            writer.labelled(LABEL, "next", &next, PLAIN)?;
        }
    }
    Ok(())
}

/// The command that shows the worst case, and the page.
fn next_step(report: &Report, files: &[String]) -> Option<String> {
    let worst = view::worst(report).into_iter().next();
    let folder = files.iter().find_map(|file| Path::new(file).parent()?.to_str());
    let command = worst.zip(folder).and_then(|(worst, folder)| {
        let id = &worst.case.id;
        let folder = if folder == DEFAULT_FOLDER { String::new() } else { format!(" {folder}") };
        (is_word(id) && is_word(folder.trim_start())).then(|| format!("promptgate case {id}{folder}"))
    });
    let page = files.iter().find(|file| file.ends_with(".html")).map(|file| format!("open {file}"));
    match (command, page) {
        (Some(command), Some(page)) => Some(format!("{command}, or {page}")),
        (command, page) => command.or(page),
    }
}

/// Whether a shell takes a text as one argument as it is.
fn is_word(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    text.chars().all(is_plain) && !text.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::next_step;
    use crate::fixtures;
    use crate::v1::Report;

    #[test]
    fn next_step_names_the_worst_case_and_the_page() {
        let mut report = fixtures::fail();
        let files = |folder: &str| ["report.json", "report.html"].map(|name| format!("{folder}/{name}"));
        let next = |report: &Report, folder: &str| next_step(report, &files(folder)).unwrap();
        assert_eq!(
            next(&report, "promptgate-report"),
            "promptgate case refund-002, or open promptgate-report/report.html"
        );
        assert_eq!(next(&report, "out"), "promptgate case refund-002 out, or open out/report.html");
        // Not to be pasted into a shell.
        assert_eq!(next(&report, "a b"), "open a b/report.html");
        for id in ["refund; rm -rf .", "$(id)", "--help", "two words", "it's", "zürich"] {
            report.cases[1].id = id.to_owned();
            assert_eq!(next(&report, "out"), "open out/report.html", "{id}");
        }
        assert_eq!(next_step(&report, &[]), None);
    }
}
