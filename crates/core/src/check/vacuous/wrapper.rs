//! Schemas inside of something else: a response format, a tool, an OpenAPI document.

use serde_json::{Map, Value};

use super::constrains::constrains;
use crate::document::pointer;

/// Paths of the schema in a wrapper, the outermost key first.
const PLACES: [&[&str]; 13] = [
    &["response_format", "json_schema", "schema"],
    &["json_schema", "schema"],
    &["text", "format", "schema"],
    &["format", "schema"],
    &["schema"],
    &["function", "parameters"],
    &["parameters"],
    &["input_schema"],
    &["inputSchema"],
    &["responseSchema"],
    &["response_schema"],
    &["outputSchema"],
    &["parametersJsonSchema"],
];

/// Maximum depth at which a schema inside of something else is found.
const MAX_DEPTH: usize = 8;

/// Keys that occur beside a schema in a wrapper.
const BESIDE: [&str; 9] =
    ["name", "description", "strict", "type", "title", "$schema", "version", "$comment", "cache_control"];

/// Returns the error about a wrapper, and the next step; `None` for a schema.
pub(in crate::check) fn wrapped(schema: &Value) -> Option<(String, String)> {
    if let Value::Array(items) = schema
        && let [single] = items.as_slice()
        && let Some((message, help)) = wrapped(single)
    {
        return Some((message, help.replacen("at /", "at /0/", 1)));
    }
    let map = schema.as_object()?;
    if let Some(found) = open_api(schema, map) {
        return Some(found);
    }
    let known = PLACES.iter().find_map(|path| {
        let place: String = path.iter().fold(String::new(), |at, key| pointer(&at, key));
        let inner = schema.pointer(&place)?;
        let first = path.first()?;
        let only = map.keys().all(|key| key == first || BESIDE.contains(&key.as_str()));
        (only && looks_like_schema(inner)).then_some((place, inner))
    });
    if states_a_type(map) {
        return None;
    }
    let is_known = known.is_some();
    let (place, inner) = match known {
        Some(found) => found,
        None if constrains(schema, schema) => return None,
        None => nested(schema, "", MAX_DEPTH)?,
    };
    let kind = match place.as_str() {
        "/function/parameters"
        | "/parameters"
        | "/input_schema"
        | "/inputSchema"
        | "/parametersJsonSchema" => "the definition of a tool",
        _ if is_known => "a response format",
        _ => "something else",
    };
    let named =
        inner.get("title").and_then(Value::as_str).map_or_else(String::new, |title| format!(" ({title})"));
    Some((
        format!("this is {kind} around a schema, which by itself would pass every JSON answer"),
        format!("the schema is at {place}{named}: keep only that value"),
    ))
}

/// The first object or list schema inside of a value, other than in a part of a schema, and its JSON pointer.
fn nested<'a>(value: &'a Value, at: &str, depth: usize) -> Option<(String, &'a Value)> {
    const PARTS: [&str; 6] = ["$defs", "definitions", "default", "example", "examples", "properties"];
    let is_schema = |value: &Value| {
        value.as_object().is_some_and(|map| {
            states_a_type(map) && (map.contains_key("properties") || map.contains_key("items"))
        })
    };
    if depth == 0 {
        return None;
    }
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            let parts = map.iter().filter(|(key, _)| !PARTS.contains(&key.as_str()));
            parts.map(|(key, value)| (pointer(at, key), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (format!("{at}/{index}"), item)).collect()
        }
        _ => return None,
    };
    inside.into_iter().find_map(|(place, value)| match is_schema(value) {
        true => Some((place, value)),
        false => nested(value, &place, depth - 1),
    })
}

/// Whether the map itself is a schema of some type.
fn states_a_type(map: &Map<String, Value>) -> bool {
    const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
    match map.get("type") {
        Some(Value::String(name)) => TYPES.contains(&name.as_str()),
        Some(Value::Array(_)) => true,
        _ => false,
    }
}

fn looks_like_schema(value: &Value) -> bool {
    const KEYS: [&str; 8] = ["type", "properties", "$ref", "anyOf", "oneOf", "allOf", "enum", "items"];
    value.as_object().is_some_and(|map| KEYS.iter().any(|key| map.contains_key(*key)))
}

/// An OpenAPI document, or its components, where no reference selects one of them.
fn open_api(schema: &Value, map: &Map<String, Value>) -> Option<(String, String)> {
    let is_document = map.contains_key("openapi") || map.contains_key("swagger");
    let place = ["/components/schemas", "/schemas", "/definitions"].into_iter().find(|place| {
        let in_components = *place == "/components/schemas";
        (is_document || in_components || *place == "/schemas")
            && schema
                .pointer(place)
                .and_then(Value::as_object)
                .is_some_and(|schemas| !schemas.is_empty() && schemas.values().all(looks_like_schema))
    });
    if place.is_none() && !is_document || constrains(schema, schema) {
        return None;
    }
    let what = if is_document { "an OpenAPI document" } else { "the components of an OpenAPI document" };
    let message = format!("this is {what}, which by itself would pass every JSON answer");
    let Some(place) = place else {
        return Some((message, "write the schema of the answer into a file of its own".to_owned()));
    };
    let names: Vec<&String> = schema.pointer(place)?.as_object()?.keys().collect();
    let first = names.first()?;
    let listed: Vec<String> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    let help = format!(
        "the schemas are at {place} ({}): add \"$ref\": \"#{}\" at the top of the file",
        listed.join(", "),
        pointer(place, first)
    );
    Some((message, help))
}
