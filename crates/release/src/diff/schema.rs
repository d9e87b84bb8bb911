//! Differences of two JSON Schemas: everything is part of the contract but annotations and added optional properties.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Change, place};
use crate::{Level, canonical};

/// Keywords that only describe.
const ANNOTATIONS: [&str; 10] = [
    "title",
    "description",
    "$comment",
    "default",
    "deprecated",
    "example",
    "examples",
    "readOnly",
    "writeOnly",
    "contentMediaType",
];

/// Keywords whose value is one schema, in which an added optional property is one of the answer.
const ONE: [&str; 3] = ["items", "additionalProperties", "additionalItems"];

/// Keywords whose value is a list of schemas.
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];

/// Keywords whose value is a map of definitions.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// Keywords whose value is a list without an order.
const SETS: [&str; 2] = ["enum", "type"];

/// Compares the schemas of a place called `noun`, at a JSON pointer.
pub(super) fn compare_roots(
    old: Option<&Value>,
    new: Option<&Value>,
    noun: &str,
    pointer: &str,
) -> Vec<Change> {
    let place = if pointer.is_empty() { format!("the {noun}") } else { format!("{noun} `{pointer}`") };
    match (old, new) {
        (None, None) => Vec::new(),
        (Some(old), Some(new)) if canonical::same(old, new) => Vec::new(),
        (Some(old), Some(new)) => {
            let mut comparison = Schemas { noun, changes: Vec::new() };
            comparison.schema(old, new, pointer);
            if comparison.changes.is_empty() {
                comparison.changes.push(Change::new(Level::Minor, format!("{place} changed")));
            }
            comparison.changes
        }
        _ => vec![Change::new(Level::Major, format!("{place} {}", place::verb(old, new)))],
    }
}

struct Schemas<'a> {
    noun: &'a str,
    changes: Vec<Change>,
}

impl Schemas<'_> {
    fn push(&mut self, level: Level, pointer: &str, text: &str) {
        let pointer = if pointer.is_empty() { "/" } else { pointer };
        self.changes.push(Change::new(level, format!("{} `{pointer}`: {text}", self.noun)));
    }

    /// Compares two schemas at one place.
    fn schema(&mut self, old: &Value, new: &Value, pointer: &str) {
        if canonical::same(old, new) {
            return;
        }
        let (Value::Object(old), Value::Object(new)) = (old, new) else {
            return self.push(Level::Major, pointer, "changed");
        };
        self.properties(old, new, pointer);
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            if matches!(key.as_str(), "properties" | "required") {
                continue;
            }
            let (before, after) = (old.get(key), new.get(key));
            if !canonical::same_option(before, after) {
                self.keyword(key, before, after, &place::child(pointer, key));
            }
        }
    }

    fn keyword(&mut self, key: &str, old: Option<&Value>, new: Option<&Value>, pointer: &str) {
        let verb = place::verb(old, new);
        if ANNOTATIONS.contains(&key) || key.starts_with("x-") {
            return self.push(Level::Minor, pointer, &format!("annotation {verb}"));
        }
        match (old, new) {
            (Some(old), Some(new)) if ONE.contains(&key) => self.schema(old, new, pointer),
            (Some(Value::Array(old)), Some(Value::Array(new)))
                if LISTS.contains(&key) && old.len() == new.len() =>
            {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.schema(old, new, &place::child(pointer, &index.to_string()));
                }
            }
            (Some(Value::Array(old)), Some(Value::Array(new)))
                if SETS.contains(&key) && set(old) == set(new) =>
            {
                self.push(Level::Minor, pointer, "order changed");
            }
            _ if DEFINITIONS.contains(&key) => self.definitions(old, new, pointer),
            _ => self.push(Level::Major, pointer, verb),
        }
    }

    /// Compares `properties` and `required`.
    fn properties(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, pointer: &str) {
        let (old_required, new_required) = (old.get("required"), new.get("required"));
        let is_required = |name: &str| {
            let names = new_required.and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name)))
        };
        if !canonical::same_option(old_required, new_required) {
            let place = place::child(pointer, "required");
            match (names(old_required), names(new_required)) {
                (Some(before), Some(after)) if before == after => {
                    self.push(Level::Minor, &place, "order changed");
                }
                (Some(before), Some(after)) => {
                    for name in after.difference(&before) {
                        self.push(Level::Major, &place, &format!("property `{name}` became required"));
                    }
                    for name in before.difference(&after) {
                        self.push(
                            Level::Major,
                            &place,
                            &format!("property `{name}` is not required any more"),
                        );
                    }
                }
                _ => self.push(Level::Major, &place, "changed"),
            }
        }
        let place = place::child(pointer, "properties");
        let empty = Value::Object(Map::new());
        let map = |schema: &'_ Map<String, Value>| schema.get("properties").cloned().unwrap_or(empty.clone());
        let (Value::Object(before), Value::Object(after)) = (map(old), map(new)) else {
            if !canonical::same_option(old.get("properties"), new.get("properties")) {
                self.push(Level::Major, &place, "changed");
            }
            return;
        };
        for (name, schema) in &before {
            let place = place::child(&place, name);
            match after.get(name) {
                Some(other) => self.schema(schema, other, &place),
                None => self.push(Level::Major, &place, "property was removed"),
            }
        }
        for name in after.keys().filter(|name| !before.contains_key(*name)) {
            let place = place::child(&place, name);
            if is_required(name) {
                self.push(Level::Major, &place, "required property was added");
            } else {
                self.push(Level::Minor, &place, "optional property was added");
            }
        }
    }

    /// Compares definitions: an added one has no effect before something refers to it.
    fn definitions(&mut self, old: Option<&Value>, new: Option<&Value>, pointer: &str) {
        let empty = Value::Object(Map::new());
        let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
        let (Value::Object(old), Value::Object(new)) = (old, new) else {
            return self.push(Level::Major, pointer, "changed");
        };
        for (name, schema) in old {
            let place = place::child(pointer, name);
            match new.get(name) {
                Some(other) => self.schema(schema, other, &place),
                None => self.push(Level::Major, &place, "definition was removed"),
            }
        }
        for name in new.keys().filter(|name| !old.contains_key(*name)) {
            self.push(Level::Minor, &place::child(pointer, name), "definition was added");
        }
    }
}

/// The values of a list without order and repetition, as canonical JSON.
fn set(values: &[Value]) -> BTreeSet<String> {
    values.iter().map(canonical::text).collect()
}

/// The names of `required`; none without the keyword, `None` if it is not a list of texts.
fn names(required: Option<&Value>) -> Option<BTreeSet<&str>> {
    match required {
        None => Some(BTreeSet::new()),
        Some(Value::Array(names)) => names.iter().map(Value::as_str).collect(),
        Some(_) => None,
    }
}
