//! The few instructions that the simulated answerer follows, matched by patterns in the system message.
//!
//! - a JSON object whose values are placeholders: the answer is such an object;
//! - `code block` or `fenced`, unless negated: the answer is wrapped in a fence;
//! - `at most three sentences`, `in one sentence`, `under 60 words`: the answer is truncated;
//! - `If … not …, say "…"`: the answer if no sentence of the request matches the question.
//!
//! The rest of a prompt is text like any other, and may end up in an answer.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::language::sentences;
use super::lexicon;
use promptgate_core::model::ResponseFormat;

/// The instructions of a prompt about the format of the answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Instructions {
    /// The JSON object to fill.
    pub(super) skeleton: Option<Map<String, Value>>,
    /// Whether to wrap the answer in a code fence.
    pub(super) fenced: bool,
    pub(super) max_sentences: Option<usize>,
    pub(super) max_words: Option<usize>,
    /// The answer if no sentence matches the question.
    pub(super) fallback: Option<String>,
    /// Parts of the prompt that are no content for an answer: the skeleton and the fallback.
    pub(super) non_content: Vec<String>,
}

const NUMBER: &str = r"(\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|sixty)";

static LIMIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?:at most|no more than|up to|within|under|below|fewer than|less than|maximum of|in|exactly)\s+{NUMBER}\s+(?:\w+\s+)?(sentence|word)s?\b"
    ))
});
static TRAILING_LIMIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(&format!(r"(?i)\b{NUMBER}\s+(sentence|word)s?\s+(?:or (?:fewer|less)|at most|maximum)\b"))
});
static FALLBACK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r#"(?is)\b(?:if|when|where)\b[^"“.]*?(?:\b(?:not|no|cannot|nothing|none|unable|missing|without)\b|n['’]t\b)[^"“.]*?\b(?:say|reply|answer|respond|write|state|tell)\b[^"“.]{0,60}(["“]([^"”]{1,400})["”])"#,
    )
});
static FENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(?i)\b(?:code[ -]?block|code[ -]?fence|fenced)"));

/// Compiles a pattern of this file; a test checks that each compiles.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

impl Instructions {
    /// Parses the instructions of a prompt; a response format takes precedence over a skeleton in the text.
    pub(super) fn read(prompt: &str, format: Option<&ResponseFormat>) -> Self {
        let mut instructions = Self::default();
        let mut prose = prompt.to_owned();
        if let Some((skeleton, written)) = find_skeleton(prompt) {
            prose = prompt.replacen(&written, " ", 1);
            instructions.skeleton = Some(skeleton);
            instructions.non_content.push(written);
        }
        match format {
            Some(ResponseFormat::JsonSchema { schema, .. }) => {
                instructions.skeleton = skeleton_of_schema(schema).or(instructions.skeleton);
            }
            Some(ResponseFormat::JsonObject) if instructions.skeleton.is_none() => {
                instructions.skeleton = Some(Map::from_iter([("answer".to_owned(), Value::from(""))]));
            }
            _ => {}
        }
        instructions.read_prose(&prose);
        // Under a response format the model cannot add a fence.
        instructions.fenced &= format.is_none();
        instructions
    }

    fn read_prose(&mut self, prose: &str) {
        if let Some(captures) = FALLBACK.as_ref().and_then(|fallback| fallback.captures(prose)) {
            self.fallback =
                captures.get(2).map(|text| text.as_str().split_whitespace().collect::<Vec<_>>().join(" "));
            // With its quotation marks, so that only this occurrence in the prompt is removed.
            self.non_content.extend(captures.get(1).map(|quoted| quoted.as_str().to_owned()));
        }
        for limit in [&LIMIT, &TRAILING_LIMIT].into_iter().filter_map(|limit| limit.as_ref()) {
            for captures in limit.captures_iter(prose) {
                let Some(number) = captures.get(1).and_then(|number| count(number.as_str())) else {
                    continue;
                };
                let of_words = captures.get(2).is_some_and(|unit| unit.as_str().eq_ignore_ascii_case("word"));
                let limit = if of_words { &mut self.max_words } else { &mut self.max_sentences };
                *limit = Some(limit.map_or(number, |before| before.min(number)));
            }
        }
        self.fenced = FENCE.as_ref().is_some_and(|fence| {
            sentences(prose).iter().any(|sentence| {
                fence.is_match(sentence)
                    && !sentence
                        .to_lowercase()
                        .split_whitespace()
                        .any(|word| lexicon::is_negation(word.trim_matches(|c: char| !c.is_alphanumeric())))
            })
        });
    }
}

fn count(number: &str) -> Option<usize> {
    let lower = number.to_lowercase();
    let digits = lexicon::NUMBER_WORDS.get(&*lower).map_or(&*lower, |digits| digits);
    digits.parse().ok().filter(|count| *count > 0)
}

/// The first JSON object of a text whose values are placeholders, and its source text.
fn find_skeleton(text: &str) -> Option<(Map<String, Value>, String)> {
    // Bounded, as a parse starts at each opening brace.
    text.match_indices('{').take(64).find_map(|(start, _)| {
        let rest = &text[start..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Map<String, Value>>();
        let object = values.next()?.ok()?;
        let written = rest.get(..values.byte_offset())?;
        (!object.is_empty() && object.values().all(is_placeholder)).then(|| (object, written.to_owned()))
    })
}

fn is_placeholder(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let text = text.trim();
            text.is_empty()
                || text.contains("...")
                || text.contains('…')
                || text == "string"
                || (text.starts_with('<') && text.ends_with('>'))
        }
        Value::Array(items) => items.iter().all(is_placeholder),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::Object(_) => false,
    }
}

/// An object with an empty value for each property of a schema, in the schema's order.
fn skeleton_of_schema(schema: &Value) -> Option<Map<String, Value>> {
    let properties = schema.get("properties")?.as_object()?;
    let empty = |property: &Value| {
        if let Some(first) = property.pointer("/enum/0") {
            return first.clone();
        }
        let kind = property.pointer("/type/0").or_else(|| property.get("type")).and_then(Value::as_str);
        match kind {
            Some("array") => Value::Array(Vec::new()),
            Some("boolean") => Value::Bool(false),
            Some("integer" | "number") => Value::from(0),
            Some("object") => Value::Object(Map::new()),
            Some("null") => Value::Null,
            _ => Value::String(String::new()),
        }
    };
    Some(properties.iter().map(|(name, property)| (name.clone(), empty(property))).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn read(prompt: &str) -> Instructions {
        Instructions::read(prompt, None)
    }

    #[test]
    fn patterns_all_compile() {
        for pattern in [&LIMIT, &TRAILING_LIMIT, &FALLBACK, &FENCE] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn length_limits_several_uses_the_lowest() {
        assert_eq!(read("Answer in one sentence.").max_sentences, Some(1));
        assert_eq!(read("Use at most three short sentences.").max_sentences, Some(3));
        assert_eq!(read("Stay under 60 words. Never go up to 80 words.").max_words, Some(60));
        assert_eq!(read("Two sentences or fewer.").max_sentences, Some(2));
        assert_eq!(read("Read every sentence of the passages.").max_sentences, None);
    }

    #[test]
    fn fallback_is_the_quoted_sentence() {
        let prompt =
            "If the passages do not answer the question, reply with exactly: \"I could not find that.\"";
        assert_eq!(read(prompt).fallback.as_deref(), Some("I could not find that."));
        assert_eq!(read("If it doesn't say, say “No idea.”").fallback.as_deref(), Some("No idea."));
        assert_eq!(read("Sign with \"The team\". Do not shout.").fallback, None);
    }

    #[test]
    fn skeleton_is_an_object_of_placeholders_only() {
        let prompt = "Example: {\"answer\": \"Ten days.\"}\nReply as {\"answer\": \"<text>\", \"citations\": [\"...\"]}";
        let skeleton = read(prompt).skeleton.map(|skeleton| skeleton.keys().cloned().collect::<Vec<_>>());
        assert_eq!(skeleton, Some(vec!["answer".to_owned(), "citations".to_owned()]));
        assert_eq!(read("Use {braces} { and \"more\"").skeleton, None);
    }

    #[test]
    fn fence_is_set_unless_negated() {
        assert!(read("Return it in a code block.").fenced);
        assert!(!read("Do not use a code block.").fenced);
        let format = ResponseFormat::JsonObject;
        assert!(!Instructions::read("Return a fenced block.", Some(&format)).fenced);
    }

    #[test]
    fn response_schema_becomes_the_skeleton() {
        let schema = serde_json::json!({"properties": {
            "b": {"type": "array"}, "a": {"type": ["string", "null"]}, "c": {"enum": ["x", "y"]}
        }});
        let format = ResponseFormat::JsonSchema { name: "reply".to_owned(), schema: Arc::new(schema) };
        let skeleton = Instructions::read("", Some(&format)).skeleton.map(Value::Object);
        assert_eq!(skeleton, Some(serde_json::json!({"b": [], "a": "", "c": "x"})));
    }
}
