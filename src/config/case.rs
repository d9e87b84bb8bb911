//! A dataset row as written; only its schema is of use, reading rows is the matter of the load room.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::written::{CheckEntry, WrittenItem};

/// One row of the golden dataset. Further fields are variables of the prompt.
#[derive(JsonSchema)]
#[schemars(rename = "promptgate case")]
#[expect(dead_code, reason = "the type is there for its schema")]
pub(super) struct CaseRow {
    /// Unique in the dataset; by default the number of the row.
    id: Option<Label>,
    /// The question.
    query: Option<String>,
    /// The passages an answer may rely on: a text or a list of texts.
    context: Option<Texts>,
    /// The reference answer: a text, or any value.
    expected: Option<Value>,
    /// Checks of this case alone.
    checks: Option<Vec<CheckEntry>>,
    /// Labels for slices and --tag: a text or a list of texts.
    tags: Option<Texts>,
    /// Cluster of cases that are not independent of each other.
    group: Option<Label>,
    /// Whether this case is a criterion of its own; false by default.
    must_pass: Option<bool>,
    /// Whether an answer without any claim scores 0 for faithfulness; false by default.
    must_answer: Option<bool>,
    /// Further items that the relevance judge asks of this case.
    criteria: Option<Vec<WrittenItem>>,
    /// Variables of the prompt, beside the further fields of the row.
    vars: Option<Map<String, Value>>,
    /// The further fields of the row: variables of the prompt.
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
