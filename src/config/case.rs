//! A dataset row as written; only its schema is used, rows are read by the adapters.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::checks::CheckEntry;
use super::dataset::WrittenMustPass;
use super::metrics::WrittenItem;
use promptgate_core::model::MessageRole;

/// One row of the golden dataset. Additional fields are variables of the prompt.
#[derive(JsonSchema)]
#[schemars(rename = "promptgate case")]
#[expect(dead_code, reason = "the type is there for its schema")]
pub(super) struct CaseRow {
    /// Unique in the dataset; the number of the row by default.
    id: Option<Label>,
    /// The question.
    query: Option<String>,
    /// The conversation before the question, as messages of chat completions. Without a `query` and `turns`, a last message
    /// of the user is the question.
    messages: Option<Vec<CaseMessage>>,
    /// Questions of the user that are asked one after the other, in place of `query`.
    #[schemars(length(min = 1))]
    turns: Option<Vec<String>>,
    /// Passages that an answer may rely on: a text or a list of texts.
    context: Option<Texts>,
    /// The reference answer: a text, or any value.
    expected: Option<Value>,
    /// Sources that an application has to retrieve, as texts or ids: one or a list.
    expected_sources: Option<Texts>,
    /// Checks of this case only.
    checks: Option<Vec<CheckEntry>>,
    /// Labels for slices and --tag: a text or a list of texts.
    tags: Option<Texts>,
    /// Group of cases that are not independent of each other.
    group: Option<Label>,
    /// Whether this case is a criterion of its own; by default as the dataset says.
    must_pass: Option<WrittenMustPass>,
    /// Whether a refusal is one of its right answers; false by default.
    may_refuse: Option<bool>,
    /// Whether an answer without any claim scores 0 for faithfulness; false by default.
    must_answer: Option<bool>,
    /// Statements about a good answer to this case, which a judge decides; all have to hold.
    criteria: Option<Vec<WrittenItem>>,
    /// Variables of the prompt, in addition to the additional fields of the row.
    vars: Option<Map<String, Value>>,
    /// Additional fields of the row: variables of the prompt.
    #[schemars(flatten)]
    further: Map<String, Value>,
}

/// A text or a whole number.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the type is there for its schema")]
enum Label {
    /// A text.
    Text(#[schemars(length(min = 1))] String),
    /// A whole number.
    Number(i64),
}

/// A text or a list of texts.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the type is there for its schema")]
enum Texts {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A message of a conversation.
#[derive(JsonSchema)]
#[schemars(rename = "CaseMessage")]
#[expect(dead_code, reason = "the type is there for its schema")]
struct CaseMessage {
    /// The author.
    role: MessageRole,
    /// The text, or a list of parts: {type: text, text}, {type: image_url, image_url: {url}} and {image: PATH}.
    content: Option<Content>,
    /// Calls of tools by the assistant: {id, type: function, function: {name, arguments}}.
    tool_calls: Option<Vec<Map<String, Value>>>,
    /// The id of the call whose result a message of the role tool is.
    tool_call_id: Option<String>,
}

/// A text or a list of parts.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the type is there for its schema")]
enum Content {
    /// A text.
    Text(String),
    /// Texts and images.
    Parts(Vec<Map<String, Value>>),
}
