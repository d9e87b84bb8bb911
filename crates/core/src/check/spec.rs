//! The trait of spec types, which are deserialized, described by a schema and built into a check.

use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::port::Check;

use super::diagnostic::{EntryDiagnostic, no_errors};
use super::shape;

/// Returns the text of a file.
pub(crate) type Files<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// A check without its common keys.
#[derive(Debug)]
pub(crate) struct Built {
    /// The check.
    pub(crate) check: Box<dyn Check>,
    /// Whether a case needs `expected` for it.
    pub(crate) needs_expected: bool,
    /// Whether it reads the tool calls of an answer.
    pub(crate) reads_tool_calls: bool,
    /// Valid values that are probably unintended.
    pub(crate) warnings: Vec<EntryDiagnostic>,
}

impl Built {
    /// A check that needs no `expected`.
    pub(crate) fn new(check: impl Check + 'static) -> Self {
        Self { check: Box::new(check), needs_expected: false, reads_tool_calls: false, warnings: Vec::new() }
    }

    /// Sets whether the check compares with the case's `expected`.
    pub(crate) fn needing_expected(mut self, needs_expected: bool) -> Self {
        self.needs_expected = needs_expected;
        self
    }

    /// Adds warnings.
    pub(crate) fn warning(mut self, warnings: impl IntoIterator<Item = EntryDiagnostic>) -> Self {
        self.warnings.extend(warnings);
        self
    }
}

/// The value of a check's key, as written.
pub(crate) trait Spec: DeserializeOwned + JsonSchema {
    /// Whether an entry without a value of its own compares with the case's `expected`.
    const READS_EXPECTED: bool = false;

    /// Builds the check.
    ///
    /// # Errors
    /// All errors that the schema does not cover; pointers are relative to the value.
    fn build(self, files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>>;
}

/// Validates a value against the schema of `S` and builds the check.
pub(crate) fn compile<S: Spec>(
    schema: &Value,
    value: &Value,
    files: &Files<'_>,
) -> Result<Built, Vec<EntryDiagnostic>> {
    no_errors(shape::diagnostics(schema, value))?;
    let spec: S = serde_json::from_value(value.clone())
        .map_err(|error| vec![EntryDiagnostic::new("", error.to_string())])?;
    spec.build(files)
}

/// Returns the self-contained JSON Schema of `S`, draft 2020-12.
pub(crate) fn schema<S: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut generator = SchemaGenerator::new(settings);
    let mut schema = generator.root_schema_for::<S>();
    schemars::transform::Transform::transform(&mut RecursiveTransform(simplify), &mut schema);
    schema.remove("title");
    schema.to_value()
}

/// Removes Rust details: formats of integers, nulls of absent options, titles.
fn simplify(schema: &mut Schema) {
    for keyword in ["format", "default", "title"] {
        schema.remove(keyword);
    }
    if let Some(Value::Array(names)) = schema.get_mut("type") {
        names.retain(|name| name != "null");
        if let [single] = names.as_slice() {
            let single = single.clone();
            schema.insert("type".to_owned(), single);
        }
    }
    if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
        branches.retain(|branch| branch.get("type") != Some(&Value::from("null")));
        if let [Value::Object(single)] = branches.as_slice() {
            let single: Map<String, Value> = single.clone();
            schema.remove("anyOf");
            for (keyword, value) in single {
                // The field's own description is more specific than that of its type.
                if schema.get(&keyword).is_none() {
                    schema.insert(keyword, value);
                }
            }
        }
    }
}

/// Deserializes a value that may be null, which differs from an absent value.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
