//! Finds the line where a colon is missing. A YAML parser takes such a line for text that goes on, and reports a later one.

use std::sync::LazyLock;

use regex::Regex;

use crate::text::json::Span;

/// A key and its value without a colon between them, or a key alone.
static ENTRY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[ ]*([A-Za-z_][A-Za-z0-9_.-]*)(?:[ ]+[^ ].*)?$").ok());

/// The key that has no colon, if the syntax error at the byte `at` can be told to come from that.
pub(super) fn missing_colon(text: &str, at: usize) -> Option<Span> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let mut before = lines_before(text, start);
    let (offset, line) = before.next()?;
    let here = text.get(start..)?.lines().next().unwrap_or_default();
    let key = ENTRY.as_ref()?.captures(line)?.get(1)?;
    // The text of a value that goes on is deeper than its key.
    let goes_on = before
        .next()
        .is_some_and(|(_, above)| indent(above) < indent(line) && !without_comment(above).ends_with(':'));
    let is_entry = !line.contains(": ") && !line.ends_with(':') && !goes_on;
    let fits = here.trim().is_empty() || indent(line) <= indent(here);
    (is_entry && fits).then(|| Span::new(offset + key.start(), offset + key.end()))
}

/// The lines that end before `end`, last first, with their offsets, without comments and empty lines.
fn lines_before(text: &str, end: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text.get(..end).unwrap_or_default();
    let all = std::iter::from_fn(move || {
        let whole = rest.strip_suffix('\n').unwrap_or(rest);
        let start = whole.rfind('\n').map_or(0, |newline| newline + 1);
        let line = whole.get(start..)?;
        let ended = rest.is_empty();
        rest = rest.get(..start)?;
        (!ended).then_some((start, line))
    });
    all.map(|(start, line)| (start, without_comment(line))).filter(|(_, line)| !line.trim().is_empty())
}

fn without_comment(line: &str) -> &str {
    let text = if line.trim_start().starts_with('#') { "" } else { line };
    text.split(" #").next().unwrap_or_default().trim_end()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use crate::document::Document;

    /// Line and text of the first diagnostic.
    fn parse(text: &str) -> (Option<usize>, String) {
        let diagnostics = Document::yaml("f", text).unwrap_err();
        let first = diagnostics.0.first().unwrap();
        (first.place.as_ref().and_then(|place| place.line), first.to_string())
    }

    #[test]
    fn line_without_a_colon_is_named() {
        for (text, line, key) in [
            ("version: 1\nmodel gpt\nprompt: p.md\n", 2, "model"),
            ("version 1\nmodel: gpt\n", 1, "version"),
            ("metrics\n  relevance: {min: 0.5}\n", 1, "metrics"),
            ("a: 1\nmetrics # all\n\n  # none\n  relevance: {min: 0.5}\n", 2, "metrics"),
            ("judge:\n  model j\n  votes: 3\n", 2, "model"),
            ("a: 1\nmodel gpt\n", 2, "model"),
        ] {
            let (at, message) = parse(text);
            assert_eq!(
                (at, message.contains(&format!("no `:` after `{key}`"))),
                (Some(line), true),
                "{text}{message}"
            );
        }
        for text in [
            "description: long text\n  more text\n  model: x\n",
            "a: \"x\n  y\" z\nb: 1\n",
            "- a\nb: 1\n",
            "a: {b: 1\nc: 2\n",
            "model: gpt: 4\n",
        ] {
            let (_, message) = parse(text);
            assert!(!message.contains("no `:`"), "{text}{message}");
        }
    }
}
