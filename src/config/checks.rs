//! `checks`: deterministic checks of every answer, which stay as written here and are compiled by the suite, and scorers by
//! command.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use super::load::{Placed, Reader};
use super::scorer::{self, ScorerSettings};

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

/// Resolves the checks and the scorers by command.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    written: Vec<CheckEntry>,
) -> (Vec<Placed<Value>>, Vec<ScorerSettings>) {
    let (mut checks, mut scorers) = (Vec::new(), Vec::new());
    let entries = written.into_iter().enumerate();
    // An entry that lost a key to an error has that error alone.
    let is_whole = |reader: &Reader<'_>, at: &str, entry: &Value| {
        entry.as_object().is_none_or(|map| map.len() == reader.keys(at).len())
    };
    for (index, CheckEntry(entry)) in entries {
        let at = format!("/checks/{index}");
        if !is_whole(reader, &at, &entry) {
            continue;
        }
        if scorer::is_scorer(&entry) {
            scorers.extend(scorer::resolve(reader, &at, &entry));
        } else {
            checks.push(reader.placed(&at, entry));
        }
    }
    (checks, scorers)
}
