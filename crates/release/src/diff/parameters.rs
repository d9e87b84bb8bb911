//! Request parameters: tools and the form of answers are part of the contract, all others are behavior.

use serde_json::{Map, Value};

use super::{Change, place, schema};
use crate::{Level, canonical};

/// Parameters that decide which tools a model may call.
const TOOLS: [&str; 5] = ["tools", "tool_choice", "functions", "function_call", "parallel_tool_calls"];

/// Parameters whose value is the JSON Schema of answers, if it is an object.
const SCHEMAS: [&str; 4] = ["format", "guided_json", "json_schema", "response_schema"];

pub(super) fn compare(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Change> {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    let mut changes = Vec::new();
    for name in old.keys().chain(added) {
        let (before, after) = (old.get(name), new.get(name));
        if canonical::same_option(before, after) {
            continue;
        }
        let pointer = place::child("", name);
        let verb = place::verb(before, after);
        if name == "response_format" {
            changes.extend(response_format(before, after, &pointer));
        } else if TOOLS.contains(&name.as_str()) {
            changes.push(Change::new(Level::Major, format!("parameter `{pointer}` {verb}: tools")));
        } else if SCHEMAS.contains(&name.as_str()) {
            changes.extend(schema::compare_roots(before, after, "parameter", &pointer));
        } else {
            changes.push(Change::new(Level::Minor, other(&pointer, before, after)));
        }
    }
    changes
}

fn other(pointer: &str, old: Option<&Value>, new: Option<&Value>) -> String {
    let shown = |value: &Value| place::excerpt(&value.to_string());
    match (old, new) {
        (Some(old), Some(new)) => {
            format!("parameter `{pointer}` changed from {} to {}", shown(old), shown(new))
        }
        (_, Some(new)) => format!("parameter `{pointer}` was added: {}", shown(new)),
        _ => format!("parameter `{pointer}` was removed"),
    }
}

/// Compares `response_format`: its schema like an answer schema, its name and description as behavior, all else as the
/// contract.
fn response_format(old: Option<&Value>, new: Option<&Value>, pointer: &str) -> Vec<Change> {
    let (Some(old), Some(new)) = (old, new) else {
        return vec![Change::new(Level::Major, format!("parameter `{pointer}` {}", place::verb(old, new)))];
    };
    let (Some(old_schema), Some(new_schema)) = (schema_of(old), schema_of(new)) else {
        return vec![Change::new(Level::Major, format!("parameter `{pointer}` changed"))];
    };
    let mut changes = schema::compare_roots(
        Some(old_schema),
        Some(new_schema),
        "parameter",
        &format!("{pointer}/json_schema/schema"),
    );
    let (old_rest, new_rest) = (without_names(old), without_names(new));
    if !canonical::same(&old_rest, &new_rest) {
        changes.push(Change::new(Level::Major, format!("parameter `{pointer}` changed beside its schema")));
    } else if changes.is_empty() {
        changes.push(Change::new(
            Level::Minor,
            format!("parameter `{pointer}` changed its name or description"),
        ));
    }
    changes
}

fn schema_of(format: &Value) -> Option<&Value> {
    format.get("json_schema")?.get("schema")
}

/// The format without its schema, name and description.
fn without_names(format: &Value) -> Value {
    let mut rest = format.clone();
    if let Some(Value::Object(inner)) = rest.get_mut("json_schema") {
        inner.retain(|key, _| !matches!(key.as_str(), "schema" | "name" | "description"));
    }
    rest
}
