//! The table of all checks.

use std::sync::LazyLock;

use serde_json::Value;

use super::diagnostic::EntryDiagnostic;
use super::spec::{self, Built, Files, Spec};
use super::{
    contains, ends_with, equals, is_json, json_field, json_schema, length, no_tool_called, not_contains,
    numeric, one_of, regex, required_fields, similar, similarity, starts_with, tool_arguments, tool_called,
};

/// A kind of check.
#[derive(Debug, Clone, Copy)]
pub struct CheckKind {
    /// Its key in the configuration.
    pub key: &'static str,
    /// Its requirement in one line.
    pub summary: &'static str,
    /// Whether an entry without a value of its own compares with the case's `expected`.
    pub reads_expected: bool,
    pub(crate) schema: fn() -> Value,
    pub(crate) compile: fn(&Value, &Value, &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>>,
}

const fn kind<S: Spec>(key: &'static str, summary: &'static str) -> CheckKind {
    let (schema, compile) = (spec::schema::<S>, spec::compile::<S>);
    CheckKind { key, summary, reads_expected: S::READS_EXPECTED, schema, compile }
}

/// All checks: JSON checks, text checks, checks of tool calls.
pub const CHECKS: &[CheckKind] = &[
    kind::<is_json::IsJson>("is_json", "the answer is JSON and nothing else"),
    kind::<json_schema::JsonSchemaSpec>("json_schema", "the answer is JSON that matches a schema"),
    kind::<required_fields::RequiredFields>(
        "required_fields",
        "fields of a JSON answer are present and not empty",
    ),
    kind::<json_field::JsonField>("json_field", "a field of a JSON answer meets conditions"),
    kind::<contains::Contains>("contains", "texts occur in the answer"),
    kind::<not_contains::NotContains>("not_contains", "texts do not occur in the answer"),
    kind::<super::no_pii::NoPii>("no_pii", "the answer contains no personal data"),
    kind::<equals::Equals>("equals", "the answer equals a text or value"),
    kind::<one_of::OneOf>("one_of", "the answer is one of several texts"),
    kind::<starts_with::StartsWith>("starts_with", "the answer starts with a text"),
    kind::<ends_with::EndsWith>("ends_with", "the answer ends with a text"),
    kind::<regex::RegexSpec>("regex", "a regular expression matches the answer"),
    kind::<length::Length>("length", "characters, words, sentences or tokens are within bounds"),
    kind::<numeric::Numeric>("numeric", "the answer is a number, within a tolerance"),
    kind::<similarity::Similarity>("similarity", "the answer is similar to a text"),
    kind::<similar::Similar>("similar", "the answer means about the same as a text"),
    kind::<tool_called::ToolCalled>("tool_called", "the answer calls tools"),
    kind::<no_tool_called::NoToolCalled>("no_tool_called", "the answer does not call tools"),
    kind::<tool_arguments::ToolArguments>("tool_arguments", "an argument of a tool call meets conditions"),
    kind::<super::retrieval::Retrieval>("retrieval", "the retrieved passages contain the expected sources"),
];

/// The schemas of all checks, in the order of [`CHECKS`].
static SCHEMAS: LazyLock<Vec<Value>> = LazyLock::new(|| CHECKS.iter().map(|kind| (kind.schema)()).collect());

/// Returns all checks with their schemas.
pub(crate) fn with_schemas() -> impl Iterator<Item = (&'static CheckKind, &'static Value)> {
    CHECKS.iter().zip(SCHEMAS.iter())
}

/// Whether a check reads the tool calls of an answer.
pub fn reads_tool_calls(key: &str) -> bool {
    ["tool_called", "no_tool_called", "tool_arguments"].contains(&key)
}

/// Returns the keys of all checks.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|kind| kind.key)
}
