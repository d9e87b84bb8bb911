//! The dialect of an endpoint: the output mode and parameters that it has not refused so far.
//!
//! The output modes are json_schema (strict), then json_object, then plain text with one fenced block. The dialect moves
//! one mode down when an error message names the current one, and when a request is refused without a known reason before
//! any reply has come in that mode. It drops a parameter (or sends a token limit under its other name) when an error
//! message names that parameter, and sends no system message when one names that role. Nothing refused is tried again.
//! Other faults change nothing.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use promptgate_core::model::{Fault, FaultKind, FinishReason, Message, MessageRole, ResponseFormat};
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
    /// Whether there is a system role.
    system_role: bool,
    /// Whether a reply has come in this output mode.
    is_proven: bool,
    refused: BTreeSet<&'static str>,
    /// Finish reasons of replies that no vendor is known to use.
    unknown_ends: BTreeSet<String>,
}

/// Flag of a reply that ended in a way that is not known.
pub(crate) const UNKNOWN_END: &str = "unknown_finish_reason:";
/// Statuses that may mean that the endpoint does not know `response_format`.
const UNEXPLAINED: [u16; 4] = [400, 415, 422, 501];
/// Maximum number of unknown finish reasons that are remembered.
const MAX_ENDS: usize = 8;

impl Default for Dialect {
    fn default() -> Self {
        Self {
            output_mode: OutputMode::JsonSchema,
            lengths: true,
            system_role: true,
            is_proven: false,
            refused: BTreeSet::new(),
            unknown_ends: BTreeSet::new(),
        }
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

    /// The messages of a request. Without a system role its message is part of the first one of the user.
    pub(super) fn messages(&self, system: String, messages: &[Message]) -> Vec<Message> {
        match messages {
            [first, rest @ ..] if !self.system_role => {
                let content = format!("{system}\n\n{}", first.content);
                let merged = Message::new(first.role, content);
                std::iter::once(merged).chain(rest.iter().cloned()).collect()
            }
            messages => {
                let system = Message::new(MessageRole::System, system);
                std::iter::once(system).chain(messages.iter().cloned()).collect()
            }
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

    /// Flags of the grade: `parameter_refused:temperature`, `system_role_refused`, `unknown_finish_reason:…`.
    pub(super) fn flags(&self, configured: &Map<String, Value>) -> Vec<String> {
        let refused = self.refused.iter().filter(|name| configured.contains_key(**name));
        let refused = refused.map(|name| format!("parameter_refused:{name}"));
        let role = (!self.system_role).then(|| "system_role_refused".to_owned());
        let ends = self.unknown_ends.iter().map(|name| format!("{UNKNOWN_END}{name}"));
        refused.chain(role).chain(ends).collect()
    }

    /// Remembers a reply to a request that was sent in this output mode.
    pub(super) fn accept(&mut self, output_mode: OutputMode, finish_reason: &FinishReason) {
        self.is_proven |= self.output_mode == output_mode;
        if let Some(name) = finish_reason.unknown()
            && self.unknown_ends.len() < MAX_ENDS
        {
            self.unknown_ends.insert(name.to_owned());
        }
    }

    /// Whether [`Dialect::accept`] would change anything.
    pub(super) fn learns_from(&self, finish_reason: &FinishReason) -> bool {
        let is_known = |name: &str| self.unknown_ends.contains(name);
        !self.is_proven || finish_reason.unknown().is_some_and(|name| !is_known(name))
    }

    /// This dialect, knowing whether a reply to another call has come in its output mode since.
    pub(super) fn informed_by(&self, current: &Self) -> Self {
        let is_proven = self.is_proven || (current.is_proven && current.output_mode == self.output_mode);
        Self { is_proven, ..self.clone() }
    }

    /// Finds the refused feature in the fault of a request that was sent in this dialect; `None` if there is none.
    pub(super) fn refusal(&self, fault: &Fault, configured: &Map<String, Value>) -> Option<Refusal> {
        // Templates of models that know no system role fail with 500 on some servers.
        let is_template = fault.kind == FaultKind::Unavailable && self.refuses_system_role(&fault.message);
        if fault.kind != FaultKind::Rejected && !is_template {
            return None;
        }
        self.named(&fault.message, configured).or_else(|| {
            let unexplained = fault.status.is_some_and(|status| UNEXPLAINED.contains(&status));
            let may_be_format = unexplained && !self.is_proven && self.output_mode != OutputMode::Fenced;
            may_be_format.then_some(Refusal::OutputMode(self.output_mode))
        })
    }

    /// Whether an error message says that the endpoint knows no system role: `System role not supported`.
    fn refuses_system_role(&self, message: &str) -> bool {
        let message = message.to_lowercase();
        let names = [
            "system role",
            "role system",
            "'system'",
            "\"system\"",
            "`system`",
            "system message",
            "system prompt",
            "system instruction",
            "developer instruction",
            "roles must alternate",
        ];
        self.system_role
            && names.iter().any(|name| message.contains(name))
            && (REFUSAL_WORDS.iter().any(|word| message.contains(word))
                || ["not enabled", "must alternate"].iter().any(|words| message.contains(words)))
    }

    /// Finds the refused feature that an error message names.
    fn named(&self, message: &str, configured: &Map<String, Value>) -> Option<Refusal> {
        if self.refuses_system_role(message) {
            return Some(Refusal::SystemRole);
        }
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
            Refusal::SystemRole => self.system_role = false,
            Refusal::OutputMode(output_mode) => {
                let next = self.output_mode.max(output_mode.next());
                self.is_proven &= next == self.output_mode;
                self.output_mode = next;
            }
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
    SystemRole,
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
mod tests;
