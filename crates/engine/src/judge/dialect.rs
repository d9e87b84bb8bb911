//! The dialect of an endpoint: the output mode and parameters that it has not refused so far.
//!
//! The output modes are json_schema (strict), then json_object, then plain text with one fenced block. The dialect moves
//! one mode down when an error message names the current one. It drops a parameter (or sends a token limit under its
//! other name) when an error message names that parameter. Nothing refused is tried again. Other faults change nothing.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use promptgate_core::model::ResponseFormat;
use promptgate_core::text::word_list;

use super::reply::Form;

/// Parameters that may be dropped: they control the sampling of tokens, not the question.
const DROPPABLE: [&str; 7] = [
    "temperature",
    "seed",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "max_tokens",
    "max_completion_tokens",
];
/// The older and the newer name of the token limit.
const LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];
/// Words for structured output in error messages of servers.
static FORMAT_WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| word_list(include_str!("data/format_words.txt")));
/// Words that distinguish a refused parameter from one with an invalid value.
static REFUSAL_WORDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| word_list(include_str!("data/refusal_words.txt")));

/// The way to request structured output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutputMode {
    /// `response_format: json_schema`, strict.
    JsonSchema,
    /// `response_format: json_object`.
    JsonObject,
    /// No `response_format`; one fenced block.
    Fenced,
}

impl OutputMode {
    /// The name in reports.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::JsonSchema => "json_schema",
            Self::JsonObject => "json_object",
            Self::Fenced => "fenced",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::JsonSchema => Self::JsonObject,
            Self::JsonObject | Self::Fenced => Self::Fenced,
        }
    }
}

/// The output mode and parameters that an endpoint accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) output_mode: OutputMode,
    /// Whether schemas may fix the length of a list.
    lengths: bool,
    refused: BTreeSet<&'static str>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { output_mode: OutputMode::JsonSchema, lengths: true, refused: BTreeSet::new() }
    }
}

impl Dialect {
    /// The parameters to send, of those configured.
    pub(super) fn parameters(&self, configured: &Map<String, Value>) -> Map<String, Value> {
        let mut sent = Map::new();
        for (name, value) in configured {
            if !self.refused.contains(name.as_str()) {
                sent.insert(name.clone(), value.clone());
            } else if let Some(other) = self.other_limit(name)
                && !configured.contains_key(other)
            {
                sent.insert(other.to_owned(), value.clone());
            }
        }
        sent
    }

    /// The other name of a refused token limit, unless that is refused too.
    fn other_limit(&self, name: &str) -> Option<&'static str> {
        let other = match LIMITS.iter().position(|limit| *limit == name)? {
            0 => LIMITS[1],
            _ => LIMITS[0],
        };
        (!self.refused.contains(other)).then_some(other)
    }

    /// The `response_format` for a reply on the ids 1 to `asked`.
    pub(super) fn response_format(&self, form: Form, asked: usize) -> Option<ResponseFormat> {
        match self.output_mode {
            OutputMode::JsonSchema => Some(ResponseFormat::JsonSchema {
                name: form.name.to_owned(),
                schema: form.cached_schema(asked, self.lengths),
            }),
            OutputMode::JsonObject => Some(ResponseFormat::JsonObject),
            OutputMode::Fenced => None,
        }
    }

    /// The refused parameters.
    pub(super) fn refused(&self) -> Vec<String> {
        self.refused.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Stops sending parameters that were refused in an earlier session.
    pub(super) fn recall(&mut self, refused: &[String]) {
        let known = DROPPABLE.iter().filter(|name| refused.iter().any(|other| other == *name));
        self.refused.extend(known);
    }

    /// Flags of the grade: `parameter_refused:temperature`.
    pub(super) fn flags(&self, configured: &Map<String, Value>) -> Vec<String> {
        self.refused
            .iter()
            .filter(|name| configured.contains_key(**name))
            .map(|name| format!("parameter_refused:{name}"))
            .collect()
    }

    /// Finds the refused feature in the error message for a request that was sent in this dialect; `None` if it names
    /// none that was sent.
    pub(super) fn refusal(&self, message: &str, configured: &Map<String, Value>) -> Option<Refusal> {
        let message = message.to_lowercase();
        if self.output_mode == OutputMode::JsonSchema
            && self.lengths
            && (message.contains("minitems") || message.contains("maxitems"))
        {
            return Some(Refusal::Lengths);
        }
        if self.output_mode != OutputMode::Fenced && FORMAT_WORDS.iter().any(|word| message.contains(word)) {
            return Some(Refusal::OutputMode(self.output_mode));
        }
        if !REFUSAL_WORDS.iter().any(|word| message.contains(word)) {
            return None;
        }
        // In "max_tokens is not supported, use max_completion_tokens", the first name is the refused one.
        let sent = self.parameters(configured);
        DROPPABLE
            .iter()
            .filter(|name| sent.contains_key(**name))
            .filter_map(|name| Some((position_of_word(&message, name)?, *name)))
            .min()
            .map(|(_, name)| Refusal::Parameter(name))
    }

    /// Stops using a feature. Has no effect if another call has done so already.
    pub(super) fn drop_feature(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Lengths => self.lengths = false,
            Refusal::OutputMode(output_mode) => self.output_mode = self.output_mode.max(output_mode.next()),
            Refusal::Parameter(name) => {
                self.refused.insert(name);
            }
        }
    }
}

/// A feature that an endpoint refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `minItems` and `maxItems` in a schema.
    Lengths,
    OutputMode(OutputMode),
    Parameter(&'static str),
}

/// The position of `word` in `text` as a whole name.
fn position_of_word(text: &str, word: &str) -> Option<usize> {
    let of_a_name = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).map(|(start, _)| start).find(|start| {
        let before = text.get(..*start).and_then(|head| head.chars().next_back());
        let after = text.get(start + word.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(of_a_name) && !after.is_some_and(of_a_name)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::judge::registry::YesNo;
    use crate::judge::reply::Verdict as _;

    const FORM: Form = YesNo::FORM;

    fn parameters(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn refused_format_moves_one_output_mode_down() {
        let mut dialect = Dialect::default();
        let none = Map::new();
        let message =
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.";
        let refusal = dialect.refusal(message, &none).unwrap();
        assert_eq!(refusal, Refusal::OutputMode(OutputMode::JsonSchema));
        dialect.drop_feature(refusal);
        assert_eq!(dialect.output_mode, OutputMode::JsonObject);
        // A call that was sent earlier gets the same refusal.
        dialect.drop_feature(refusal);
        assert_eq!(dialect.output_mode, OutputMode::JsonObject);
        let refusal = dialect.refusal("json mode is not available", &none).unwrap();
        dialect.drop_feature(refusal);
        assert_eq!(dialect.output_mode, OutputMode::Fenced);
        assert_eq!(dialect.response_format(FORM, 1), None);
        assert_eq!(dialect.refusal("response_format", &none), None);
    }

    #[test]
    fn refused_list_length_keeps_the_schema() {
        let mut dialect = Dialect::default();
        let message = "Invalid schema for response_format 'faithfulness': 'minItems' is not permitted.";
        let refusal = dialect.refusal(message, &Map::new()).unwrap();
        dialect.drop_feature(refusal);
        assert_eq!(dialect.output_mode, OutputMode::JsonSchema);
        let Some(ResponseFormat::JsonSchema { schema, .. }) = dialect.response_format(FORM, 3) else {
            panic!("no schema");
        };
        assert!(!schema.to_string().contains("minItems"));
        assert_eq!(dialect.refusal(message, &Map::new()), Some(Refusal::OutputMode(OutputMode::JsonSchema)));
    }

    #[test]
    fn refused_token_limit_is_sent_once_under_its_other_name() {
        let configured = parameters(json!({"max_tokens": 500, "temperature": 0}));
        let mut dialect = Dialect::default();
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. \
                       Use 'max_completion_tokens' instead.";
        dialect.drop_feature(dialect.refusal(message, &configured).unwrap());
        let sent = dialect.parameters(&configured);
        assert_eq!(Value::Object(sent), json!({"max_completion_tokens": 500, "temperature": 0}));
        let message = "Unrecognized request argument supplied: max_completion_tokens";
        dialect.drop_feature(dialect.refusal(message, &configured).unwrap());
        assert_eq!(Value::Object(dialect.parameters(&configured)), json!({"temperature": 0}));
        let message = "'temperature' does not support 0 with this model";
        dialect.drop_feature(dialect.refusal(message, &configured).unwrap());
        assert!(dialect.parameters(&configured).is_empty());
        assert_eq!(dialect.refusal(message, &configured), None);
        assert_eq!(
            dialect.flags(&configured),
            ["parameter_refused:max_tokens", "parameter_refused:temperature"]
        );
    }

    #[test]
    fn unrelated_faults_refuse_nothing() {
        let configured = parameters(json!({"temperature": 3, "seed": 1, "reasoning_effort": "low"}));
        let dialect = Dialect::default();
        for message in [
            "temperature must be between 0 and 2",
            "unsupported: 'seeds' and 'my_temperature'",
            "unknown parameter: reasoning_effort",
            "unsupported parameter: top_p",
            "",
        ] {
            assert_eq!(dialect.refusal(message, &configured), None, "{message}");
        }
    }
}
