//! Files that are carried: a prompt that promptgate reads itself stays where it is, anything else is copied.

use super::draft::{Draft, DraftPrompt};
use super::names::Names;
use super::template::Dialect;
use crate::app::init::survey::recognize::{NO_MODEL, parse, problem};
use promptgate_core::model::MessageRole;
use promptgate_core::text::neutral;

/// A file of the source.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Original {
    /// Its path in messages.
    pub(super) shown: String,
    /// Its path from the folder that is written.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl Original {
    /// Whether the file names a model, so that its parameters are those of its model, too.
    pub(super) fn has_model(&self) -> bool {
        let parsed = parse(&self.path, &self.bytes, "");
        let names_default =
            || String::from_utf8_lossy(&self.bytes).lines().any(|line| line.starts_with("model:"));
        parsed.is_ok_and(|prompt| prompt.variant.facts.model != NO_MODEL || names_default())
    }
}

impl DraftPrompt {
    /// Whether promptgate reads the file of the prompt as the same messages, with variables that have the same names here.
    pub(super) fn can_stay(&self, dialect: Dialect, names: &Names) -> bool {
        let Some(original) = &self.original else { return false };
        let Ok(parsed) = parse(&original.path, &original.bytes, "") else { return false };
        if problem(&parsed).is_some() || !names.are_kept(&self.names(dialect)) {
            return false;
        }
        let mut plain = self.clone();
        plain.translate(dialect, &str::to_owned);
        let messages = &parsed.variant.messages;
        let is_same = |(own, read): (&super::draft::DraftMessage, &promptgate_core::model::Message)| {
            role(read.role) == Some(own.role.as_str()) && even(&own.text) == even(&read.content)
        };
        messages.len() == plain.messages.len() && plain.messages.iter().zip(messages).all(is_same)
    }
}

fn role(role: MessageRole) -> Option<&'static str> {
    match role {
        MessageRole::System => Some("system"),
        MessageRole::Developer => Some("developer"),
        MessageRole::User => Some("user"),
        MessageRole::Assistant => Some("assistant"),
        _ => None,
    }
}

/// A text without the differences between `{{ name }}` and `{{name}}`, and at its end.
fn even(text: &str) -> String {
    text.trim_end().replace("{{ ", "{{").replace(" }}", "}}")
}

impl Draft {
    /// The files that were copied, each with its copy by `written` and what that means.
    pub(super) fn copies(
        &self,
        written: &dyn Fn(&str) -> String,
        shown: &dyn Fn(&Original) -> String,
    ) -> Vec<String> {
        let prompts = self.prompts.iter().filter(|prompt| !prompt.is_original).filter_map(|prompt| {
            let (from, to) = (shown(prompt.original.as_ref()?), written(&super::layout::path_of(prompt)));
            Some(format!(
                "copied {from} to {to}: only the copy is gated; let your application read it, or its edits go untested"
            ))
        });
        let cases = self.copied.iter().map(|(original, count)| {
            let (from, to) = (shown(original), written(super::layout::DATASET));
            let cases = if *count == 1 { "case" } else { "cases" };
            format!("copied {count} {cases} from {from} to {to}: only the copy is read from now on")
        });
        prompts.chain(cases).map(|line| neutral::source_line(&line)).collect()
    }
}
