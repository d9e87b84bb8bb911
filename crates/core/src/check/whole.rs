//! Parsing of a whole answer for JSON checks.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::model::FinishReason;
use crate::port::{Finding, Subject};
use crate::text::json;

use super::reason::fail;

/// Location of the JSON in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Extract {
    /// In the only fenced code block of the answer, with or without text around it.
    Fenced,
}

/// Parses the JSON of a whole answer.
///
/// # Errors
/// A failed finding with the reason in one line.
pub(crate) fn json(subject: &Subject<'_>, extract: Option<Extract>) -> Result<Value, Finding> {
    read(subject, extract).map_err(fail)
}

fn read(subject: &Subject<'_>, extract: Option<Extract>) -> Result<Value, String> {
    // A truncated answer may still be valid JSON: `12` of `1234`.
    match subject.completion.finish_reason {
        FinishReason::Length => return Err("the answer was cut off by the token limit".to_owned()),
        FinishReason::ContentFilter => return Err("the answer was cut off by a filter".to_owned()),
        FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other(_) => {}
    }
    let text = &subject.completion.text;
    match extract {
        None => json::parse(text).map_err(|error| {
            let hint = if text.trim_start().starts_with("```") {
                " (it is fenced; `extract: fenced` allows that)"
            } else {
                ""
            };
            format!("the answer is not JSON: {error}{hint}")
        }),
        Some(Extract::Fenced) => {
            let block = fenced(text)?;
            json::parse(&block).map_err(|error| format!("the fenced block is not JSON: {error}"))
        }
    }
}

/// Returns the content of the only fenced code block of a text (CommonMark 0.31, section 4.5).
fn fenced(text: &str) -> Result<String, String> {
    let mut blocks = 0_usize;
    let mut content = String::new();
    let mut open: Option<(char, usize)> = None;
    for line in text.lines() {
        match (open, fence(line)) {
            (None, Some((mark, length, _))) => {
                blocks += 1;
                open = Some((mark, length));
            }
            (Some((mark, length)), Some((closing, closing_length, true)))
                if closing == mark && closing_length >= length =>
            {
                open = None;
            }
            (Some(_), _) if blocks == 1 => {
                content.push_str(line);
                content.push('\n');
            }
            _ => {}
        }
    }
    match (blocks, open) {
        (0, _) => Err("the answer has no fenced block".to_owned()),
        (_, Some(_)) => Err("the fenced block of the answer is not closed".to_owned()),
        (1, None) => Ok(content),
        (blocks, None) => Err(format!("the answer has {blocks} fenced blocks, not one")),
    }
}

/// Returns the fence of a line: its character, its length, and whether nothing follows, so that it can close a block.
fn fence(line: &str) -> Option<(char, usize, bool)> {
    let trimmed = line.trim_start_matches(' ');
    if line.len() - trimmed.len() > 3 {
        return None;
    }
    let mark = trimmed.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let after = trimmed.trim_start_matches(mark);
    let length = trimmed.len() - after.len();
    if length < 3 || (mark == '`' && after.contains('`')) {
        return None;
    }
    Some((mark, length, after.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn exactly_one_fenced_block_is_required() {
        assert_eq!(fenced("Here:\n```json\n{\"a\": 1}\n```\nDone."), Ok("{\"a\": 1}\n".to_owned()));
        assert_eq!(fenced("  ~~~~\n[\n```\n]\n ~~~~~"), Ok("[\n```\n]\n".to_owned()));
        assert_eq!(fenced("```\r\n1\r\n```"), Ok("1\n".to_owned()));
        for text in ["", "{}", "``` {} ```", "    ```\n{}\n    ```"] {
            assert_eq!(fenced(text), Err("the answer has no fenced block".to_owned()), "{text:?}");
        }
        assert_eq!(fenced("```\n{}\n"), Err("the fenced block of the answer is not closed".to_owned()));
        assert_eq!(fenced("```\n{}\n``` x"), Err("the fenced block of the answer is not closed".to_owned()));
        assert_eq!(fenced("````\n{}\n```"), Err("the fenced block of the answer is not closed".to_owned()));
        assert_eq!(
            fenced("```\n1\n```\n```\n2\n```"),
            Err("the answer has 2 fenced blocks, not one".to_owned())
        );
    }

    proptest! {
        #[test]
        fn fenced_never_panics(text in "[`~ \\na1ü]{0,60}") {
            let _ = fenced(&text);
        }
    }
}
