//! Transformations of an answer before it is graded.
//!
//! They are applied in a fixed order: reasoning is removed, a block or JSON is extracted, a field of it is read, white space
//! around it is trimmed. The answer as it came stays in [`Completion::transformed`]. A transformation that cannot be applied
//! is a finding about the answer, which scores 0, and never a fault. A program of the user that transforms answers as well is not
//! here: it comes after these.

use std::fmt;

use serde_json::Value;

use crate::check::fenced;
use crate::check::path::Path;
use crate::model::{Completion, Transformed, named};
use crate::text::json;

/// Maximum number of brackets that start no JSON value, which limits the time of a search.
const MAX_FAILURES: usize = 1000;

named! {
    /// The part of an answer that is graded.
    pub enum Extraction {
        /// The content of the only fenced code block.
        Fenced = "fenced",
        /// The only JSON value: the whole answer, the only fenced code block, or the only object or list within text.
        Json = "json",
        /// The content of the only fenced code block, or the whole answer if it has none.
        FencedOrBare = "fenced_or_bare",
    }
}

/// Path of a field in a JSON answer, such as `$.a.b`; `$` is the whole value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    written: String,
    /// `None` for the whole value.
    path: Option<Path>,
}

impl JsonPath {
    /// Parses a path with or without the leading `$`.
    ///
    /// # Errors
    /// The syntax error, in lower case.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written = text.to_owned();
        let rest = match text.strip_prefix('$') {
            Some("") => return Ok(Self { written, path: None }),
            Some(rest) if rest.starts_with('[') => rest,
            Some(rest) => rest.strip_prefix('.').unwrap_or(text),
            None => text,
        };
        Ok(Self { written, path: Some(Path::parse(rest)?) })
    }

    fn read(&self, text: &str) -> Result<String, String> {
        let value = json::parse(text).map_err(|error| format!("the answer is not JSON: {error}"))?;
        let found = match &self.path {
            None => &value,
            Some(path) => path.find(&value)?,
        };
        match found {
            Value::Null => Err(format!("{self} is null")),
            Value::String(text) => Ok(text.clone()),
            other => Ok(other.to_string()),
        }
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// The transformations of every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transform {
    /// Whether reasoning in front of an answer is removed.
    pub strip_reasoning: bool,
    /// The part that is graded; `None` for the whole answer.
    pub extract: Option<Extraction>,
    /// The field that is graded; `None` for the whole answer.
    pub json_path: Option<JsonPath>,
    /// Whether white space around the answer is removed.
    pub trim: bool,
}

impl Default for Transform {
    fn default() -> Self {
        Self { strip_reasoning: true, extract: None, json_path: None, trim: false }
    }
}

impl Transform {
    /// Transforms an answer. Refusals, and tool calls without a text, have no text of the expected form.
    #[must_use]
    pub fn apply(&self, completion: Completion) -> Completion {
        let completion = if self.strip_reasoning { completion.strip_reasoning() } else { completion };
        if completion.refusal || completion.text.is_empty() {
            return completion;
        }
        match self.text(&completion.text) {
            Ok(text) if text == completion.text => completion,
            Ok(text) => {
                let transformed = Some(Transformed { from: Some(completion.text), error: None, fault: None });
                Completion { text, transformed, ..completion }
            }
            Err(error) => {
                let transformed = Some(Transformed { from: None, error: Some(error), fault: None });
                Completion { transformed, ..completion }
            }
        }
    }

    fn text(&self, text: &str) -> Result<String, String> {
        let extracted = match self.extract {
            None => text.to_owned(),
            Some(Extraction::Fenced) => block(text)?,
            Some(Extraction::FencedOrBare) if fenced::count(text) == 0 => text.to_owned(),
            Some(Extraction::FencedOrBare) => block(text)?,
            Some(Extraction::Json) => only_json(text)?,
        };
        let text = match &self.json_path {
            None => extracted,
            Some(path) => path.read(&extracted).map_err(|reason| format!("json_path {path}: {reason}"))?,
        };
        Ok(if self.trim { text.trim().to_owned() } else { text })
    }
}

/// The content of the only fenced block, without the line break that ends it.
fn block(text: &str) -> Result<String, String> {
    let mut content = fenced::only(text)?;
    if content.ends_with('\n') {
        content.pop();
    }
    Ok(content)
}

/// The only JSON value of a text.
fn only_json(text: &str) -> Result<String, String> {
    if json::parse(text).is_ok() {
        return Ok(text.trim().to_owned());
    }
    if fenced::count(text) > 0 {
        let content = block(text)?;
        json::parse(&content).map_err(|error| format!("the fenced block is not JSON: {error}"))?;
        return Ok(content);
    }
    // `[1]` in prose is a reference, so lists count only where there is no object.
    for open in ['{', '['] {
        match values(text, open)?.as_slice() {
            [] => {}
            [value] => {
                json::parse(value).map_err(|error| format!("the JSON of the answer is invalid: {error}"))?;
                return Ok((*value).to_owned());
            }
            several => return Err(format!("the answer has {} JSON values, not one", several.len())),
        }
    }
    Err("the answer has no JSON value".to_owned())
}

/// The JSON values of a text that start with a bracket and are not part of another one.
///
/// # Errors
/// The text has too many brackets that start no value.
fn values(text: &str, open: char) -> Result<Vec<&str>, String> {
    let mut found = Vec::new();
    let mut failures = 0;
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find(open)).map(|place| at + place) {
        let rest = text.get(start..).unwrap_or_default();
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        at = match stream.next() {
            Some(Ok(_)) => {
                let end = start + stream.byte_offset();
                found.extend(text.get(start..end));
                end
            }
            _ if failures == MAX_FAILURES => {
                return Err("the answer has too many brackets to find JSON among them".to_owned());
            }
            _ => {
                failures += 1;
                start + 1
            }
        };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn transform(extract: Option<Extraction>, json_path: Option<&str>, trim: bool) -> Transform {
        Transform {
            extract,
            json_path: json_path.map(|path| JsonPath::parse(path).unwrap()),
            trim,
            ..Transform::default()
        }
    }

    fn applied(transform: &Transform, text: &str) -> Result<String, String> {
        let completion = transform.apply(Completion::from_text(text));
        match completion.transformed {
            Some(Transformed { error: Some(error), .. }) => {
                assert_eq!(completion.text, text);
                Err(error)
            }
            _ => Ok(completion.text),
        }
    }

    #[test]
    fn steps_come_in_their_order() {
        let all = transform(Some(Extraction::Fenced), Some("$.answer.text"), true);
        let text =
            "<think>a ```fence```</think>Here:\n```json\n{\"answer\": {\"text\": \" 30 days \"}}\n```\nDone.";
        let completion = all.apply(Completion::from_text(text));
        assert_eq!(completion.text, "30 days");
        assert_eq!(completion.reasoning.as_deref(), Some("a ```fence```"));
        let from = completion.transformed.and_then(|transformed| transformed.from);
        assert_eq!(
            from.as_deref(),
            Some("Here:\n```json\n{\"answer\": {\"text\": \" 30 days \"}}\n```\nDone.")
        );
    }

    #[test]
    fn fenced_needs_one_block() {
        let fenced = transform(Some(Extraction::Fenced), None, false);
        assert_eq!(applied(&fenced, "```sql\nselect 1;\n```").as_deref(), Ok("select 1;"));
        assert_eq!(applied(&fenced, "select 1;"), Err("the answer has no fenced block".to_owned()));
        assert!(applied(&fenced, "```\na\n```\n```\nb\n```").is_err());
        let either = transform(Some(Extraction::FencedOrBare), None, false);
        assert_eq!(applied(&either, "select 1;").as_deref(), Ok("select 1;"));
        assert_eq!(applied(&either, "So:\n```\nselect 1;\n```").as_deref(), Ok("select 1;"));
        assert!(applied(&either, "```\nselect 1;").is_err());
    }

    #[test]
    fn json_is_found_where_there_is_one_value() {
        let json = transform(Some(Extraction::Json), None, false);
        for (text, expected) in [
            ("{\"a\": 1}", "{\"a\": 1}"),
            (" 7\n", "7"),
            ("See [1]: {\"a\": [1, {\"b\": 2}]} as asked.", "{\"a\": [1, {\"b\": 2}]}"),
            ("Here: [1, 2]", "[1, 2]"),
            ("So:\n```json\n[3]\n```", "[3]"),
            ("a { b {\"c\": \"}\"}", "{\"c\": \"}\"}"),
        ] {
            assert_eq!(applied(&json, text).as_deref(), Ok(expected), "{text:?}");
        }
        for (text, expected) in [
            ("no", "no JSON value"),
            ("{\"a\": 1} or {\"a\": 2}", "2 JSON values"),
            ("{\"a\": 1, \"a\": 2} is it", "occurs twice"),
            ("```\nplain\n```", "the fenced block is not JSON"),
        ] {
            assert!(applied(&json, text).unwrap_err().contains(expected), "{text:?}");
        }
    }

    #[test]
    fn path_reads_a_field_of_json() {
        let path = transform(None, Some("$.a[0].b"), false);
        assert_eq!(applied(&path, "{\"a\": [{\"b\": \"x\"}]}").as_deref(), Ok("x"));
        assert_eq!(applied(&path, "{\"a\": [{\"b\": {\"c\": 1}}]}").as_deref(), Ok("{\"c\":1}"));
        assert!(applied(&path, "{\"a\": []}").unwrap_err().starts_with("json_path $.a[0].b: "));
        assert_eq!(
            applied(&path, "{\"a\": [{\"b\": null}]}"),
            Err("json_path $.a[0].b: $.a[0].b is null".to_owned())
        );
        assert!(applied(&path, "plain").unwrap_err().contains("not JSON"));
        assert_eq!(JsonPath::parse("$[0]").unwrap().read("[5]").as_deref(), Ok("5"));
        assert_eq!(JsonPath::parse("$").unwrap().read(" [5]").as_deref(), Ok("[5]"));
        for invalid in ["", "$.", "$..a", "$.a[*]", "a b["] {
            assert!(JsonPath::parse(invalid).is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn refusals_and_calls_stay() {
        let fenced = transform(Some(Extraction::Fenced), None, true);
        let refusal = Completion { refusal: true, ..Completion::from_text("I cannot.") };
        assert_eq!(fenced.apply(refusal.clone()), refusal);
        let call = Completion::from_text("");
        assert_eq!(fenced.apply(call.clone()), call);
    }

    #[test]
    fn deep_brackets_take_bounded_work() {
        let json = transform(Some(Extraction::Json), None, false);
        for text in ["[".repeat(300_000), "{\"a\":".repeat(100_000), "[[],".repeat(100_000)] {
            assert!(applied(&json, &text).is_err());
        }
    }

    proptest! {
        #[test]
        fn apply_never_panics(text in "[`{}\\[\\]\":,a1ü \\n]{0,60}") {
            for extract in [Extraction::Fenced, Extraction::Json, Extraction::FencedOrBare] {
                let _ = applied(&transform(Some(extract), Some("$.a"), true), &text);
            }
        }
    }
}
