//! A dataset row as written; only its schema is used, rows are read by the adapters.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::checks::CheckEntry;
use super::dataset::WrittenMustPass;
use super::metrics::WrittenItem;

/// One row of the golden dataset. Additional fields are variables of the prompt.
#[derive(JsonSchema)]
#[schemars(rename = "promptgate case")]
#[expect(dead_code, reason = "the type is there for its schema")]
pub(super) struct CaseRow {
    /// Unique in the dataset; the number of the row by default.
    id: Option<Label>,
    /// The question.
    query: Option<String>,
    /// Passages that an answer may rely on: a text or a list of texts.
    context: Option<Texts>,
    /// The reference answer: a text, or any value.
    expected: Option<Value>,
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
