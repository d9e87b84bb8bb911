//! Changes from the baseline to the candidate: messages word by word, model and parameters.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MessageChange, PromptMessage, Report, Segment, Variant};
use crate::wire::message_diff::message_diffs;
use promptgate_core::model::Message;

/// Differences between what the candidate and the baseline send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// Whether both send the same: prompt, model and parameters.
    pub equal: bool,
    /// The sources of the prompts; absent where they are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ChangedText>,
    /// The commits of the prompts; absent where they are the same, or one is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<ChangedText>,
    /// The models; absent where they are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ChangedText>,
    /// Parameters that differ, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ChangedParameter>,
    /// Messages that differ, in order; empty where a text is not known, as with a baseline of an earlier version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<ChangedMessage>,
}

/// A text that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedText {
    /// The baseline's.
    pub baseline: String,
    /// The candidate's.
    pub candidate: String,
}

/// A parameter that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedParameter {
    /// Its name.
    pub name: String,
    /// The baseline's value; null where it has none.
    pub baseline: Option<Value>,
    /// The candidate's value; null where it has none.
    pub candidate: Option<Value>,
}

/// A message that one variant alone has, or whose text differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedMessage {
    /// The role of the author.
    pub role: String,
    /// Its number among the messages of the candidate, of the baseline for a removed one, from 1.
    pub number: usize,
    /// `changed`, `added` to the candidate or `removed` from the baseline.
    pub change: MessageChange,
    /// The text in pieces: those that are not added are the baseline's, those that are not removed the candidate's.
    pub segments: Vec<Segment>,
}

impl Report {
    /// Adds the differences that a report of an earlier version lacks, as far as it tells them.
    pub(super) fn add_changes(&mut self) {
        if self.changes.is_none() {
            let candidate = &self.variants.candidate;
            self.changes = self.variants.baseline.as_ref().map(|baseline| Changes::of(baseline, candidate));
        }
    }
}

impl Changes {
    /// The differences between two variants.
    pub(crate) fn of(baseline: &Variant, candidate: &Variant) -> Self {
        let are_known = !baseline.messages.is_empty() && !candidate.messages.is_empty();
        let messages = if are_known { messages(&baseline.messages, &candidate.messages) } else { Vec::new() };
        let same_prompt = match are_known {
            true => baseline.messages == candidate.messages,
            false => baseline.prompt.digest == candidate.prompt.digest,
        };
        let model = changed(&baseline.model, &candidate.model);
        let parameters = parameters(baseline, candidate);
        let commits = baseline.prompt.commit.as_ref().zip(candidate.prompt.commit.as_ref());
        Self {
            equal: same_prompt && model.is_none() && parameters.is_empty(),
            source: changed(&baseline.prompt.source, &candidate.prompt.source),
            commit: commits.and_then(|(baseline, candidate)| changed(baseline, candidate)),
            model,
            parameters,
            messages,
        }
    }
}

fn changed(baseline: &str, candidate: &str) -> Option<ChangedText> {
    let text = || ChangedText { baseline: baseline.to_owned(), candidate: candidate.to_owned() };
    (baseline != candidate).then(text)
}

fn parameters(baseline: &Variant, candidate: &Variant) -> Vec<ChangedParameter> {
    let names: BTreeSet<&String> = baseline.parameters.keys().chain(candidate.parameters.keys()).collect();
    let values = names.into_iter().map(|name| ChangedParameter {
        name: name.clone(),
        baseline: baseline.parameters.get(name).cloned(),
        candidate: candidate.parameters.get(name).cloned(),
    });
    values.filter(|parameter| parameter.baseline != parameter.candidate).collect()
}

fn messages(baseline: &[PromptMessage], candidate: &[PromptMessage]) -> Vec<ChangedMessage> {
    let texts = |messages: &[PromptMessage]| -> Vec<Message> {
        let text = |message: &PromptMessage| Message::new(message.role, message.content.clone());
        messages.iter().map(text).collect()
    };
    let (mut of_baseline, mut of_candidate) = (0, 0);
    let mut found = Vec::new();
    for message in message_diffs(&texts(baseline), &texts(candidate)) {
        of_baseline += usize::from(message.change != MessageChange::Added);
        of_candidate += usize::from(message.change != MessageChange::Removed);
        let number = if message.change == MessageChange::Removed { of_baseline } else { of_candidate };
        if message.change != MessageChange::Equal {
            let (change, segments) = (message.change, message.segments);
            found.push(ChangedMessage { role: message.role, number, change, segments });
        }
    }
    found
}
