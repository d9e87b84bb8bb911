//! The answers of the worst cases, for a developer at a terminal: what went wrong, within a screenful.

use std::io;

use anstyle::Style as Ansi;

use super::line_writer::{DIM, LineWriter, PLAIN, RED, YELLOW, short};
use super::wrapped::{Span, around_difference, common_share, excerpt, one_line, write_block};
use crate::v1::{Report, Role};
use crate::view::changes::word_diff;
use crate::view::{self, CaseAnswer, CaseRow, FailingStatement, Sanitizer};

/// Cases whose answers are shown.
const MAX_CASES: usize = 3;
/// Characters of a question or a reason.
const MAX_TEXT: usize = 300;
/// Characters of a statement or a quote.
const MAX_STATEMENT: usize = 70;
/// Characters of a statement or a quote before it is cut to its difference.
const MAX_WHOLE_STATEMENT: usize = 2000;
/// Characters of an answer that are compared.
const MAX_ANSWER: usize = 4000;
/// Minimum share of common text to show both answers as one with its changes.
pub(super) const MIN_COMMON: f64 = 0.4;
/// Rows of two answers that are shown as one.
const DIFFERENCE_ROWS: usize = 3;
/// Rows of one of two answers that have little in common.
const ANSWER_ROWS: usize = 2;
/// Columns of a label.
const LABEL_WIDTH: usize = 12;
/// Columns at the end of a row that a break between words leaves empty.
const MAX_BREAK: usize = 8;

/// Writes the worst cases with their answers; of a partial run also others.
pub(super) fn write_worst_answers(report: &Report, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let mut rows = view::worst(report);
    // A partial run shows its cases even if they pass.
    if report.dataset.partial.is_some() {
        rows.extend(view::others(report));
    }
    for row in rows.iter().take(MAX_CASES) {
        write_case(row, writer)?;
        writer.blank()?;
    }
    Ok(())
}

fn write_case(row: &CaseRow<'_>, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let redactor = writer.redactor;
    let passes = match row.baseline.as_str() {
        "–" => row.candidate.clone(),
        before => format!("{before} → {}", row.candidate),
    };
    let id = short(redactor, &row.case.id, 40);
    writer.line(&format!("{id} · {} · {passes} passed", row.label), color_of(row.label).bold())?;
    let plain = |text: &str| vec![(PLAIN, one_line(redactor, text, MAX_TEXT))];
    write_block((DIM, "  question  "), &plain(&row.case.query), 1, writer)?;
    let sanitizer = Sanitizer::new(redactor);
    write_answers(&view::answers(row.case, &sanitizer), writer)?;
    let reasons = view::failure_reasons(row.case, &sanitizer);
    if let Some(((scorer, reason), others)) = reasons.split_first() {
        let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
        let repeat = view::shown_repeat(row.case).unwrap_or_default();
        let statements = view::failing_statements(row.case, repeat, MAX_WHOLE_STATEMENT, &sanitizer);
        let statement = statements.iter().find(|statement| statement.scorer == *scorer).map(statement_line);
        let text =
            format!("{}{more}: {}", one_line(redactor, scorer, 60), statement.as_ref().unwrap_or(reason));
        write_block((RED, "  fails     "), &plain(&text), 3, writer)?;
    }
    Ok(())
}

/// The judge's verdict on a statement, with its quote.
fn statement_line(statement: &FailingStatement) -> String {
    let FailingStatement { verdict, text, quote, .. } = statement;
    let quoted = quote.as_deref().map_or_else(String::new, |quote| {
        format!("; the judge quotes “{}”", around_difference(quote, text, MAX_STATEMENT))
    });
    let text = around_difference(text, quote.as_deref().unwrap_or_default(), MAX_STATEMENT);
    format!("{verdict}: “{text}”{quoted}")
}

/// The style of a status.
pub(super) fn color_of(label: &str) -> Ansi {
    match label {
        "broken" | "must pass" | "failing" => RED,
        "regressed" | "missing" | "flaky" => YELLOW,
        _ => PLAIN,
    }
}

/// Writes both answers as one with its changes, or one below the other where they have little in common.
fn write_answers(answers: &[CaseAnswer], writer: &mut LineWriter<'_>) -> io::Result<()> {
    let redactor = writer.redactor;
    let of = |role: Role| answers.iter().find(|answer| answer.side == role.as_str());
    let text = |answer: &CaseAnswer| answer.text.as_deref().map(|text| one_line(redactor, text, MAX_ANSWER));
    let (baseline, candidate) = (of(Role::Baseline), of(Role::Candidate));
    if let (Some(old), Some(new)) = (baseline.and_then(text), candidate.and_then(text)) {
        let segments = word_diff(&old, &new);
        if old == new {
            let same = [(DIM, "(both) ".to_owned()), (PLAIN, new)];
            return write_block((DIM, "  answer    "), &same, DIFFERENCE_ROWS, writer);
        }
        if common_share(&segments) >= MIN_COMMON {
            return write_block((DIM, "  answer    "), &excerpt(segments), DIFFERENCE_ROWS, writer);
        }
    }
    let room = ANSWER_ROWS * usize::from(writer.width).saturating_sub(LABEL_WIDTH + MAX_BREAK);
    let shown = |answer: &CaseAnswer, other: Option<&CaseAnswer>| -> Vec<Span> {
        match (text(answer), &answer.error) {
            (Some(text), _) if text.is_empty() => vec![(DIM, "(empty)".to_owned())],
            (Some(own), _) => {
                let other = other.and_then(text).unwrap_or_default();
                vec![(PLAIN, around_difference(&own, &other, room))]
            }
            (None, Some(error)) => {
                vec![(YELLOW, format!("no answer: {}", one_line(redactor, error, MAX_TEXT)))]
            }
            (None, None) => vec![(DIM, "no answer".to_owned())],
        }
    };
    if let Some(baseline) = baseline {
        write_block((DIM, "  before    "), &shown(baseline, candidate), ANSWER_ROWS, writer)?;
    }
    if let Some(candidate) = candidate {
        let label = if baseline.is_some() { "  now       " } else { "  answer    " };
        write_block((DIM, label), &shown(candidate, baseline), ANSWER_ROWS, writer)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::v1::Report;
    use crate::{Format, Style, fixtures, write};

    /// Rows of a terminal below the verdict, for what changed and the worst cases.
    const SCREENFUL: usize = 40;

    fn shown(report: &Report, answers: bool, color: bool, width: usize) -> String {
        let mut out = Vec::new();
        write(report, Format::Terminal, &mut out, Style { answers, color, width, ..Style::default() })
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn worst_answers_come_before_the_tables_and_fit_a_screen() {
        for (name, report) in fixtures::all() {
            for width in [60, 80, 100] {
                let (with, without) =
                    (shown(&report, true, false, width), shown(&report, false, false, width));
                let added = with.lines().count() - without.lines().count();
                assert!(added <= SCREENFUL, "{name}: {added}\n{with}");
                assert!(with.lines().all(|line| line.chars().count() <= width), "{name}\n{with}");
            }
        }
        let text = shown(&fixtures::fail(), true, false, 80);
        let position = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part} in\n{text}"));
        assert!(position("refund-002 · broken") < position("  question  "), "{text}");
        assert!(position("  question  ") < position("criterion"), "{text}");
        assert!(text.contains("  fails     "), "{text}");
        insta::assert_snapshot!("terminal_answers", text);
    }

    #[test]
    fn color_replaces_no_mark() {
        let report = fixtures::fail();
        let colored = shown(&report, true, true, 80);
        let stripped: String = anstream_strip(&colored);
        assert_eq!(stripped, shown(&report, true, false, 80));
    }

    /// The text without sequences that set styles.
    fn anstream_strip(text: &str) -> String {
        let mut parts = text.split('\u{1b}');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| out + part.split_once('m').map_or("", |(_, rest)| rest))
    }

    #[test]
    fn answers_are_neutralized() {
        let mut report = fixtures::fail();
        fixtures::edit_trials(&mut report, |trial| {
            trial.output = Some("a \u{1b}[2J\n::error::x\n##[endgroup] \u{202e}b".to_owned());
        });
        let text = shown(&report, true, false, 80);
        for part in ["\u{1b}", "\n::error", "##[", "\u{202e}"] {
            assert!(!text.contains(part), "{text}");
        }
    }
}
