//! The table of checks: one row each. Everything that lists checks reads it.

use std::sync::LazyLock;

use serde_json::Value;

use super::diagnostic::EntryDiagnostic;
use super::spec::{self, Built, Files, Spec};
use super::{
    contains, ends_with, equals, is_json, json_field, json_schema, length, not_contains, numeric, one_of,
    regex, required_fields, similarity, starts_with,
};

/// One check.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its key in the configuration.
    pub key: &'static str,
    /// What it asks of an answer, in one line.
    pub summary: &'static str,
    /// When a case needs `expected` for it.
    pub expected: Expected,
    pub(crate) schema: fn() -> Value,
    pub(crate) compile: fn(&Value, &Value, &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>>,
}

/// Whether a check compares with the case's `expected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It does not.
    Never,
    /// It does where the entry has no value of its own.
    WithoutOwnValue,
}

impl Expected {
    /// The words of the table in the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "no",
            Self::WithoutOwnValue => "without a value of its own",
        }
    }
}

const fn row<S: Spec>(key: &'static str, summary: &'static str, expected: Expected) -> Row {
    Row { key, summary, expected, schema: spec::schema::<S>, compile: spec::compile::<S> }
}

/// All checks, JSON checks first.
pub const ROWS: &[Row] = &[
    row::<is_json::IsJson>("is_json", "the answer is JSON and nothing else", Expected::Never),
    row::<json_schema::JsonSchemaSpec>(
        "json_schema",
        "the answer is JSON that fits a schema",
        Expected::Never,
    ),
    row::<required_fields::RequiredFields>(
        "required_fields",
        "fields of a JSON answer are there and not empty",
        Expected::Never,
    ),
    row::<json_field::JsonField>(
        "json_field",
        "a field of a JSON answer has a certain value",
        Expected::Never,
    ),
    row::<contains::Contains>("contains", "texts occur in the answer", Expected::WithoutOwnValue),
    row::<not_contains::NotContains>("not_contains", "texts do not occur in the answer", Expected::Never),
    row::<equals::Equals>("equals", "the answer is a certain text or value", Expected::WithoutOwnValue),
    row::<one_of::OneOf>("one_of", "the answer is one of several texts", Expected::WithoutOwnValue),
    row::<starts_with::StartsWith>("starts_with", "the answer begins with a text", Expected::Never),
    row::<ends_with::EndsWith>("ends_with", "the answer ends with a text", Expected::Never),
    row::<regex::RegexSpec>("regex", "a regular expression matches the answer", Expected::Never),
    row::<length::Length>(
        "length",
        "characters, words, sentences or tokens are within bounds",
        Expected::Never,
    ),
    row::<numeric::Numeric>(
        "numeric",
        "the answer is a number near a certain one",
        Expected::WithoutOwnValue,
    ),
    row::<similarity::Similarity>("similarity", "the answer resembles a text", Expected::WithoutOwnValue),
];

/// The schemas of all checks, in the order of [`ROWS`].
static SCHEMAS: LazyLock<Vec<Value>> = LazyLock::new(|| ROWS.iter().map(|row| (row.schema)()).collect());

/// The rows with their schemas.
pub(crate) fn described() -> impl Iterator<Item = (&'static Row, &'static Value)> {
    ROWS.iter().zip(SCHEMAS.iter())
}

/// The keys of all checks.
pub fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.key)
}
