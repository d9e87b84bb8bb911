//! The few instructions that the simulated answerer follows, read from the system message by pattern.
//!
//! - a JSON object whose values are placeholders: the answer takes its form;
//! - `code block` or `fenced`, unless negated: the answer is wrapped in a fence;
//! - `at most three sentences`, `in one sentence`, `under 60 words`: the answer is cut to it;
//! - `If … not …, say "…"`: that sentence, when nothing given to the model matches the question.
//!
//! Everything else in a prompt is text like any other, and may end up in an answer.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::language::sentences;
use super::thesaurus;
use promptgate_core::model::ResponseFormat;

/// What the prompt asks of the form of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Instructions {
    /// The JSON object to fill.
    pub(super) skeleton: Option<Map<String, Value>>,
    /// Whether to wrap the answer in a code fence.
    pub(super) fenced: bool,
    /// The most sentences.
    pub(super) most_sentences: Option<usize>,
    /// The most words.
    pub(super) most_words: Option<usize>,
    /// What to say when nothing matches.
    pub(super) fallback: Option<String>,
    /// Stretches of the prompt that are form, not content: the skeleton and the fallback.
    pub(super) form: Vec<String>,
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

/// A pattern of this file; the tests compile each.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

impl Instructions {
    /// Reads the instructions of a prompt; a response format outranks a skeleton in the text.
    pub(super) fn read(prompt: &str, format: Option<&ResponseFormat>) -> Self {
        let mut instructions = Self::default();
        let mut prose = prompt.to_owned();
        if let Some((skeleton, written)) = find_skeleton(prompt) {
            prose = prompt.replacen(&written, " ", 1);
            instructions.skeleton = Some(skeleton);
            instructions.form.push(written);
        }
        match format {
            Some(ResponseFormat::JsonSchema { schema, .. }) => {
                instructions.skeleton = skeleton_of_schema(schema).or(instructions.skeleton);
            }
            Some(ResponseFormat::JsonObject) if instructions.skeleton.is_none() => {
                let mut plain = Map::new();
                plain.insert("answer".to_owned(), Value::String(String::new()));
                instructions.skeleton = Some(plain);
            }
            _ => {}
        }
        instructions.read_prose(&prose);
        // A model held to a format by the endpoint cannot add a fence.
        instructions.fenced &= format.is_none();
        instructions
    }

    fn read_prose(&mut self, prose: &str) {
        if let Some(captures) = FALLBACK.as_ref().and_then(|fallback| fallback.captures(prose)) {
            self.fallback =
                captures.get(2).map(|said| said.as_str().split_whitespace().collect::<Vec<_>>().join(" "));
            // With its quotation marks, so that only this place of the prompt is left out.
            self.form.extend(captures.get(1).map(|quoted| quoted.as_str().to_owned()));
        }
        for limit in [&LIMIT, &TRAILING_LIMIT].into_iter().filter_map(|limit| limit.as_ref()) {
            for captures in limit.captures_iter(prose) {
                let Some(number) = captures.get(1).and_then(|number| count(number.as_str())) else {
                    continue;
                };
                let of_words = captures.get(2).is_some_and(|unit| unit.as_str().eq_ignore_ascii_case("word"));
                let known = if of_words { &mut self.most_words } else { &mut self.most_sentences };
                *known = Some(known.map_or(number, |before| before.min(number)));
            }
        }
        self.fenced = FENCE.as_ref().is_some_and(|fence| {
            sentences(prose).iter().any(|sentence| {
                fence.is_match(sentence)
                    && !sentence
                        .to_lowercase()
                        .split_whitespace()
                        .any(|word| thesaurus::is_negation(word.trim_matches(|c: char| !c.is_alphanumeric())))
            })
        });
    }
}

fn count(number: &str) -> Option<usize> {
    let lower = number.to_lowercase();
    thesaurus::number_word(&lower).unwrap_or(&lower).parse().ok().filter(|count| *count > 0)
}

/// The first JSON object of a text whose values are placeholders, and how it is written there.
fn find_skeleton(text: &str) -> Option<(Map<String, Value>, String)> {
    // Bounded, since a text full of opening braces would be parsed from each of them.
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

/// An empty object of the schema's properties, in the schema's order.
fn skeleton_of_schema(schema: &Value) -> Option<Map<String, Value>> {
    let properties = schema.get("properties")?.as_object()?;
    let empty = |property: &Value| {
        if let Some(first) = property.get("enum").and_then(Value::as_array).and_then(|values| values.first())
        {
            return first.clone();
        }
        let kind = match property.get("type") {
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
            kind => kind.and_then(Value::as_str),
        };
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
    fn every_pattern_compiles() {
        for pattern in [&LIMIT, &TRAILING_LIMIT, &FALLBACK, &FENCE] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn limits_are_read_and_the_tightest_holds() {
        assert_eq!(read("Answer in one sentence.").most_sentences, Some(1));
        assert_eq!(read("Use at most three short sentences.").most_sentences, Some(3));
        assert_eq!(read("Stay under 60 words. Never go up to 80 words.").most_words, Some(60));
        assert_eq!(read("Two sentences or fewer.").most_sentences, Some(2));
        assert_eq!(read("Read every sentence of the passages.").most_sentences, None);
    }

    #[test]
    fn the_fallback_is_what_the_prompt_puts_in_quotes() {
        let prompt =
            "If the passages do not answer the question, reply with exactly: \"I could not find that.\"";
        assert_eq!(read(prompt).fallback.as_deref(), Some("I could not find that."));
        assert_eq!(read("If it doesn't say, say “No idea.”").fallback.as_deref(), Some("No idea."));
        assert_eq!(read("Sign with \"The team\". Do not shout.").fallback, None);
    }

    #[test]
    fn a_skeleton_is_an_object_of_placeholders_only() {
        let prompt = "Example: {\"answer\": \"Ten days.\"}\nReply as {\"answer\": \"<text>\", \"citations\": [\"...\"]}";
        let skeleton = read(prompt).skeleton.map(|skeleton| skeleton.keys().cloned().collect::<Vec<_>>());
        assert_eq!(skeleton, Some(vec!["answer".to_owned(), "citations".to_owned()]));
        assert_eq!(read("Use {braces} { and \"more\"").skeleton, None);
    }

    #[test]
    fn a_fence_is_asked_for_unless_the_sentence_negates_it() {
        assert!(read("Return it in a code block.").fenced);
        assert!(!read("Do not use a code block.").fenced);
        let format = ResponseFormat::JsonObject;
        assert!(!Instructions::read("Return a fenced block.", Some(&format)).fenced);
    }

    #[test]
    fn a_schema_gives_the_skeleton() {
        let schema = serde_json::json!({"properties": {
            "b": {"type": "array"}, "a": {"type": ["string", "null"]}, "c": {"enum": ["x", "y"]}
        }});
        let format = ResponseFormat::JsonSchema { name: "reply".to_owned(), schema: Arc::new(schema) };
        let skeleton = Instructions::read("", Some(&format)).skeleton.map(Value::Object);
        assert_eq!(skeleton, Some(serde_json::json!({"b": [], "a": "", "c": "x"})));
    }
}
