//! A difference as a reviewer reads it: the level with its reasons, then the words that changed, in their lines.

use std::io::{self, Write};

use serde_json::Value;

use super::{field, short, writer};
use crate::release::diff::{ChangedValue, Diff, MessageChange, MessageDiff, Segment, SegmentOp};
use crate::render::Style;
use crate::render::terminal::line_writer::{BULLET, DIM, LineWriter, PLAIN, RED, YELLOW};
use crate::render::terminal::wrapped::{Span, marked, rows, write_row};
use promptgate_core::text::neutral;

/// Unchanged lines that are shown before and after a change.
const CONTEXT: usize = 1;
/// Columns before each line.
const INDENT: usize = 2;

/// Writes a difference.
///
/// # Errors
/// Those of `out`.
pub fn write_diff(diff: &Diff, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut writer = writer(out, style);
    let side = |version: &crate::release::ResolvedVersion| format!("{}@{}", version.name, version.version);
    writer.line(&format!("{} → {}", side(&diff.old), side(&diff.new)), PLAIN.bold())?;
    if diff.equal {
        return writer.line("the contents are equal", PLAIN);
    }
    let level = diff.least_level.as_deref().unwrap_or("patch");
    let ansi = if level == "major" { RED } else { YELLOW };
    writer.line(&format!("at least {level}"), ansi)?;
    for reason in &diff.reasons {
        writer.labelled(BULLET, "  -", &format!("{}: {}", reason.level, short(&reason.text, 300)), ansi)?;
    }
    let values = diff.kind.iter().map(|kind| ("kind".to_owned(), kind));
    let model = diff.model.iter().map(|model| ("model".to_owned(), model));
    let parameters = diff.parameters.iter().map(|it| (it.name.clone(), &it.values));
    let values: Vec<(String, &ChangedValue)> = values.chain(model).chain(parameters).collect();
    if !values.is_empty() {
        writer.blank()?;
    }
    for (name, ChangedValue { old, new }) in values {
        field(&mut writer, &short(&name, 13), &format!("{} → {}", shown(old), shown(new)))?;
    }
    for message in &diff.messages {
        write_message(message, &mut writer)?;
    }
    if !diff.answer_schema.is_empty() {
        writer.blank()?;
        writer.line("answer schema", PLAIN.bold())?;
        write_segments(&diff.answer_schema, &mut writer)?;
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => short(text, 100),
        other => short(&other.to_string(), 100),
    }
}

fn write_message(message: &MessageDiff, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let change = match message.change {
        MessageChange::Equal => return Ok(()),
        MessageChange::Changed => "changed",
        MessageChange::Added => "added",
        MessageChange::Removed => "removed",
    };
    writer.blank()?;
    writer.line(&format!("{} message {change}", message.role), PLAIN.bold())?;
    write_segments(&message.segments, writer)
}

fn write_segments(segments: &[Segment], writer: &mut LineWriter<'_>) -> io::Result<()> {
    let lines = lines(segments);
    let is_changed = |line: &Vec<Segment>| line.iter().any(|piece| piece.op != SegmentOp::Equal);
    let changed: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| is_changed(line)).map(|(index, _)| index).collect();
    let mut skipped = false;
    for (index, line) in lines.iter().enumerate() {
        let near = changed.partition_point(|changed| changed + CONTEXT < index);
        if changed.get(near).is_none_or(|changed| *changed > index + CONTEXT) {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) {
            writer.line("  …", DIM)?;
        }
        write_line(line, writer)?;
    }
    if skipped { writer.line("  …", DIM) } else { Ok(()) }
}

/// Segments by lines. A line break that differs is shown as `↵`.
fn lines(segments: &[Segment]) -> Vec<Vec<Segment>> {
    let mut lines = vec![Vec::new()];
    for Segment { op, text } in segments {
        let mut parts = text.split('\n').peekable();
        while let Some(part) = parts.next() {
            let ends = parts.peek().is_some();
            let mut text = neutral::source_line(part);
            if ends && *op != SegmentOp::Equal && part.is_empty() {
                text.push('↵');
            }
            if let Some(line) = lines.last_mut().filter(|_| !text.is_empty()) {
                line.push(Segment { op: *op, text });
            }
            if ends {
                lines.push(Vec::new());
            }
        }
    }
    if lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines
}

/// Writes a line with markers, wrapped at words.
fn write_line(line: &[Segment], writer: &mut LineWriter<'_>) -> io::Result<()> {
    let room = usize::from(writer.width).saturating_sub(INDENT);
    let spans: Vec<Span> = line.iter().map(marked).collect();
    let indent = " ".repeat(INDENT);
    rows(&spans, room).iter().try_for_each(|row| write_row((PLAIN, &indent), row, writer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::terminal::line_writer::GREEN;
    use proptest::prelude::*;

    fn segment(op: SegmentOp, text: &str) -> Segment {
        Segment { op, text: text.to_owned() }
    }

    fn written(segments: &[Segment], color: bool) -> String {
        let style = Style { width: 60, color, ..Style::default() };
        let mut out = Vec::new();
        write_segments(segments, &mut writer(&mut out, &style)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn changed_lines_are_shown_with_context() {
        let segments = [
            segment(SegmentOp::Equal, "one\ntwo\nthree\nYou may "),
            segment(SegmentOp::Removed, "offer"),
            segment(SegmentOp::Added, "deny"),
            segment(SegmentOp::Equal, " it.\nfive\nsix\n"),
        ];
        assert_eq!(written(&segments, false), "  …\n  three\n  You may [-offer-]{+deny+} it.\n  five\n  …\n");
        assert!(
            written(&segments, true).contains(&format!("{RED}[-offer-]{RED:#}{GREEN}{{+deny+}}{GREEN:#}"))
        );
    }

    #[test]
    fn changed_line_breaks_are_visible() {
        let segments = [
            segment(SegmentOp::Equal, "a\n"),
            segment(SegmentOp::Added, "\nb\n"),
            segment(SegmentOp::Equal, "c"),
        ];
        assert_eq!(written(&segments, false), "  a\n  {+↵+}\n  {+b+}\n  c\n");
    }

    #[test]
    fn control_sequences_and_commands_are_neutralized() {
        let segments = [
            segment(SegmentOp::Added, "\u{1b}[31mred\n::set-env name=a::b\n"),
            segment(SegmentOp::Removed, "#"),
            segment(SegmentOp::Added, "#[add-mask]"),
        ];
        for color in [false, true] {
            let text = written(&segments, color);
            assert!(!text.contains("\u{1b}[31mred") && !text.contains("\n::set-env"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn lines_fit_the_width(text in "[a-z \n]{0,300}", added in "[a-z \n]{1,200}") {
            let segments = [segment(SegmentOp::Equal, &text), segment(SegmentOp::Added, &added)];
            for line in written(&segments, false).lines() {
                prop_assert!(line.chars().count() <= 60, "{line}");
            }
        }
    }
}
