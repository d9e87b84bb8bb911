//! `checks`: deterministic checks of every answer. They stay as written here and are compiled by the suite.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use super::load::{Placed, Reader};

/// A check as written; its schema comes from the specifications of the checks.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct CheckEntry(Value);

impl CheckEntry {
    /// Name of the definition that the specifications fill.
    pub(super) const SCHEMA: &str = "Check";
}

impl JsonSchema for CheckEntry {
    fn schema_name() -> Cow<'static, str> {
        Self::SCHEMA.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object"})
    }
}

pub(super) fn resolve(reader: &Reader<'_>, written: Vec<CheckEntry>) -> Vec<Placed<Value>> {
    let entries = written.into_iter().enumerate();
    entries.map(|(index, entry)| reader.placed(&format!("/checks/{index}"), entry.0)).collect()
}
