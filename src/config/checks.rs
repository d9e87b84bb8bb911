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
    // An entry that lost a key to an error has that error alone.
    let is_whole = |at: &str, entry: &CheckEntry| {
        entry.0.as_object().is_none_or(|map| map.len() == reader.keys(at).len())
    };
    entries
        .map(|(index, entry)| (format!("/checks/{index}"), entry))
        .filter(|(at, entry)| is_whole(at, entry))
        .map(|(at, entry)| reader.placed(&at, entry.0))
        .collect()
}
