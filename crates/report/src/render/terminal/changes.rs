//! Changes from the baseline to the candidate, for a developer at a terminal.

use std::io;

use super::line_writer::{DIM, LineWriter, PLAIN};
use super::wrapped::{Span, marked, one_line, write_block};
use crate::v1::{MessageChange, Report};
use crate::view::changes::{MessageView, changes};
use crate::view::{Sanitizer, number};

/// Messages of the prompt that are shown.
const MAX_MESSAGES: usize = 2;
/// Rows of a message.
const MAX_ROWS: usize = 3;
/// Characters of a message, and of a change of model or parameters.
const MAX_TEXT: usize = 400;

/// Writes that both variants send the same, or the changed words of the prompt, and model and parameters.
pub(super) fn write_changes(report: &Report, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let redactor = writer.redactor;
    let Some(changes) = changes(report, MAX_TEXT, &Sanitizer::new(redactor)) else { return Ok(()) };
    let label = (DIM, "changed     ");
    if changes.equal {
        let nothing = "nothing: prompt, model and parameters equal the baseline's".to_owned();
        write_block(label, &[(PLAIN, nothing)], 1, writer)?;
        return writer.blank();
    }
    if !changes.request.is_empty() {
        let request = one_line(redactor, &changes.request.join("; "), MAX_TEXT);
        write_block(label, &[(PLAIN, request)], MAX_ROWS, writer)?;
    }
    for message in changes.messages.iter().take(MAX_MESSAGES) {
        write_block(label, &spans(message, writer), MAX_ROWS, writer)?;
    }
    match changes.messages.len().saturating_sub(MAX_MESSAGES) {
        0 => {}
        more => {
            let more = number::counted(more as u64, "more message");
            writer.line(&format!("            and {more}"), DIM)?;
        }
    }
    if changes.request.is_empty() && changes.messages.is_empty() { Ok(()) } else { writer.blank() }
}

fn spans(message: &MessageView, writer: &LineWriter<'_>) -> Vec<Span> {
    let what = match message.change {
        MessageChange::Added => " message, added: ",
        MessageChange::Removed => " message, removed: ",
        MessageChange::Equal | MessageChange::Changed => " message: ",
    };
    let mut spans = vec![(DIM, format!("{}{what}", one_line(writer.redactor, &message.role, 20)))];
    spans.extend(message.segments.iter().map(|segment| {
        let (ansi, text) = marked(segment);
        // Pieces keep the blanks at their ends.
        let blank = |is_there: bool| if is_there { " " } else { "" };
        let (before, after) = (text.starts_with(char::is_whitespace), text.ends_with(char::is_whitespace));
        let line = one_line(writer.redactor, &text, MAX_TEXT);
        (ansi, format!("{}{line}{}", blank(before), blank(after)))
    }));
    spans
}

#[cfg(test)]
mod tests {
    use crate::v1::{Changes, PromptMessage, Report};
    use crate::{Format, Style, fixtures, write};
    use promptgate_core::model::MessageRole;

    fn shown(report: &Report) -> String {
        let mut out = Vec::new();
        let style = Style { answers: true, width: 80, ..Style::default() };
        write(report, Format::Terminal, &mut out, style).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn with(old: &str, new: &str) -> Report {
        let mut report = fixtures::fail();
        let message = |content: &str| {
            vec![PromptMessage { role: MessageRole::System, content: content.to_owned(), omitted: 0 }]
        };
        report.variants.candidate.messages = message(new);
        let baseline = report.variants.baseline.as_mut().unwrap();
        baseline.messages = message(old);
        report.changes = Some(Changes::of(baseline, &report.variants.candidate));
        report
    }

    #[test]
    fn changed_words_come_before_the_cases() {
        let text = shown(&with("Be brief.\nUse only the passages.", "Be brief.\nUse the passages.\u{1b}[2J"));
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part} in\n{text}"));
        assert!(
            at("changed     system message: Be brief. Use [-only -]the passages.") < at("refund-002 · "),
            "{text}"
        );
        assert!(!text.contains('\u{1b}') && text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn equal_variants_show_no_changes() {
        let text = shown(&with("Be brief.", "Be brief."));
        assert!(
            text.contains("changed     nothing: prompt, model and parameters equal the baseline's\n"),
            "{text}"
        );
    }
}
