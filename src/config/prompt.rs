//! `prompt`: the candidate's prompt, as a path or as the prompt itself.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use promptgate_core::model::Place;

use super::load::Reader;

/// Extensions of programs that other tools run to make a prompt.
const PROGRAMS: [&str; 8] = ["cjs", "cts", "js", "mjs", "mts", "py", "rb", "ts"];

/// The prompt: a path, or the prompt itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Prompt")]
pub(super) enum WrittenPrompt {
    /// A path, relative to this file.
    Path(#[schemars(length(min = 1))] String),
    /// The prompt itself.
    Inline(WrittenInline),
}

/// A prompt in the configuration: a text, or messages.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "InlinePrompt")]
pub(super) struct WrittenInline {
    /// The system message of a text prompt.
    #[schemars(length(min = 1))]
    text: Option<String>,
    /// The messages of a chat prompt, as in a prompt file: [{role: system, content: …}, {role: user, content: …}]
    #[schemars(length(min = 1))]
    messages: Option<Vec<Map<String, Value>>>,
    /// Name of the prompt in reports; the name of the suite by default.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Version of the prompt in reports; the start of its digest by default.
    #[schemars(schema_with = "version")]
    version: Option<Value>,
}

fn version(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": ["string", "integer"]})
}

/// The candidate's prompt.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PromptSettings {
    /// An application has none.
    #[default]
    None,
    /// Path of a file, relative to the configuration.
    File(String),
    /// The value of `prompt` in the configuration.
    Inline(InlinePrompt),
}

/// A prompt that is part of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct InlinePrompt {
    /// Name of the suite.
    pub suite: String,
    /// Name of the configuration in messages and reports.
    pub file: String,
    /// The whole configuration as written.
    pub configuration: Arc<str>,
    /// Place of the key `prompt`.
    pub place: Place,
    /// The last line of the prompt.
    pub last_line: usize,
}

impl PromptSettings {
    /// Returns the path of the file; empty where the prompt is not a file.
    pub fn path(&self) -> &str {
        match self {
            Self::File(path) => path,
            Self::None | Self::Inline(_) => "",
        }
    }

    /// Whether there is no prompt.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Returns the prompt that is part of the configuration.
    pub fn inline(&self) -> Option<&InlinePrompt> {
        match self {
            Self::Inline(inline) => Some(inline),
            Self::None | Self::File(_) => None,
        }
    }
}

/// Resolves the prompt of a suite; reports the text of a prompt in place of a path, a URL and a program.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    prompt: WrittenPrompt,
    file: &str,
    suite: &str,
) -> PromptSettings {
    match prompt {
        WrittenPrompt::Path(path) => {
            let Some((message, help)) = mistake(&path) else { return PromptSettings::File(path) };
            reader.report("/prompt", message, help);
        }
        WrittenPrompt::Inline(WrittenInline { text, messages, .. }) => {
            let problem = match (text, messages) {
                (Some(text), None) if text.trim().is_empty() => "the prompt is empty",
                (Some(_), None) | (None, Some(_)) => {
                    return PromptSettings::Inline(InlinePrompt {
                        suite: suite.to_owned(),
                        file: file.to_owned(),
                        configuration: Arc::from(reader.document.text()),
                        place: reader.document.key_place("/prompt"),
                        last_line: reader.document.last_line("/prompt"),
                    });
                }
                (Some(_), Some(_)) => "a prompt has both `text` and `messages`",
                (None, None) => "a prompt has neither `text` nor `messages`",
            };
            let help = "write `prompt: {text: …}`, `prompt: {messages: [{role: user, content: …}]}` or \
                        `prompt: prompts/NAME.md`";
            // An invalid value was removed and reported.
            if problem.contains("neither")
                && ["/prompt/text", "/prompt/messages"].iter().any(|key| reader.has(key))
            {
                return PromptSettings::None;
            }
            reader.report_key("/prompt", problem, help);
        }
    }
    PromptSettings::None
}

/// Returns why a value is not a path, and the next step.
fn mistake(prompt: &str) -> Option<(&'static str, String)> {
    if prompt.trim().contains('\n') || prompt.contains("{{") {
        let help = "write `prompt: {text: …}`; or write the text to a file such as prompts/NAME.md, which can be released, and \
                    `prompt: prompts/NAME.md`";
        return Some(("`prompt` must be the path of a file, found the text of a prompt", help.to_owned()));
    }
    if let Some(path) = prompt.strip_prefix("file://") {
        return Some(("`prompt` must be a path, found a URL", format!("write `prompt: {path}`")));
    }
    // A function may follow a colon, as in `make.py:refund`.
    let file = prompt.rsplit_once(':').map_or(prompt, |(file, _)| file);
    let extension = file.rsplit_once('.').map(|(_, extension)| extension.to_lowercase())?;
    PROGRAMS.contains(&extension.as_str()).then(|| {
        let help = "write its text to a file in a step before promptgate, or evaluate the program that uses it with `target:`";
        ("prompts are not made by programs", help.to_owned())
    })
}
