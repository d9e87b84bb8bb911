//! Diagnostics for errors of the strict JSON reader.

use serde_json::Value;

use super::lines::Lines;
use super::{MAX_DEPTH, explain};
use crate::model::{Diagnostic, Diagnostics};
use crate::text::json::{Error, Limits, Node, Problem, Span, read};

/// Parses one value.
pub(super) fn parse(lines: &Lines) -> Result<(Value, Node), Diagnostics> {
    let limits = Limits { depth: MAX_DEPTH, exact_integers: true };
    read(lines.text(), limits)
        .map_err(|errors| Diagnostics(errors.into_iter().map(|error| diagnostic(lines, error)).collect()))
}

/// The diagnostic of a duplicate key in a map.
pub(super) fn duplicate(lines: &Lines, key: &str, span: Span, first: Option<Span>) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("duplicate key {}", explain::quoted(key))).at(lines.place(span));
    match first.and_then(|first| lines.place(first).line) {
        Some(line) => diagnostic.help(format!("keep one of the two; the first is on line {line}")),
        None => diagnostic.help("keep one of the two"),
    }
}

/// The diagnostic of a number that is infinite, not a number, or an integer of more than 64 bits.
pub(super) fn unusable_number(lines: &Lines, span: Span) -> Diagnostic {
    Diagnostic::new("this number is not finite, or too large to be represented exactly")
        .at(lines.place(span))
        .help("put quotes around it if it is an identifier")
}

fn diagnostic(lines: &Lines, Error { problem, span }: Error) -> Diagnostic {
    let at = |message: String| Diagnostic::new(message).at(lines.place(span));
    match problem {
        Problem::DuplicateKey { key, first } => duplicate(lines, &key, span, first),
        Problem::UnusableNumber => unusable_number(lines, span),
        Problem::TooDeep => at(explain::too_deep()),
        Problem::InvalidNumber | Problem::EndOfText(_) => at(format!("not valid JSON: {problem}")),
        Problem::Unclosed => at(format!("not valid JSON: {problem}"))
            .help("close it with `\"`; write a line break in a string as `\\n`"),
        Problem::HalfCharacter => at(format!("not valid JSON: {problem}"))
            .help("a tool cut the text inside an emoji or another character of two escapes: write both, or remove it"),
        Problem::InvalidString(reason) => at(format!("not valid JSON: {reason}"))
            .help("write a backslash as `\\\\` and a control character as `\\u00XX`"),
        Problem::Unexpected { expected, found } => {
            let shown = explain::quoted(&found.to_string());
            let diagnostic = at(format!("not valid JSON: expected {expected}, found {shown}"));
            match found {
                '}' | ']' => diagnostic.help("remove the comma before it"),
                '\'' => diagnostic.help("put strings in double quotes"),
                '/' | '#' => diagnostic.help("JSON has no comments"),
                'N' | 'I' => diagnostic.help("JSON has no NaN or Infinity; use null"),
                _ => diagnostic,
            }
        }
    }
}
