//! Picoschema, the short form of a JSON Schema.

use serde_json::{Map, Value, json};

/// Maximum depth of nested types.
const MAX_DEPTH: usize = 20;

/// The JSON Schema of a picoschema; one that is a JSON Schema already is left as it is.
///
/// # Errors
/// A type that is not known, such as the name of a schema elsewhere.
pub(super) fn schema(written: &Value) -> Result<Value, String> {
    let is_schema =
        written.get("type").and_then(Value::as_str).is_some_and(|kind| kind == "object" || kind == "array");
    if is_schema && (written.get("properties").is_some() || written.get("items").is_some()) {
        return Ok(written.clone());
    }
    typed(written, 0)
}

fn typed(written: &Value, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err("the schema is nested too deeply".to_owned());
    }
    match written {
        Value::String(text) => scalar(text),
        Value::Object(map) => object(map, depth),
        other => Err(format!("`{other}` is not a type")),
    }
}

/// `string, a description`.
fn scalar(text: &str) -> Result<Value, String> {
    let (kind, description) =
        text.split_once(',').map_or((text, None), |(kind, rest)| (kind, Some(rest.trim())));
    let mut schema = match kind.trim() {
        "any" => Map::new(),
        kind @ ("string" | "number" | "integer" | "boolean" | "null") => {
            [("type".to_owned(), json!(kind))].into_iter().collect()
        }
        other => return Err(format!("the type `{other}` is not known here")),
    };
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        schema.insert("description".to_owned(), json!(description));
    }
    Ok(Value::Object(schema))
}

fn object(map: &Map<String, Value>, depth: usize) -> Result<Value, String> {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let mut additional = json!(false);
    for (key, value) in map {
        // name?(array, description)
        let (name, kind) = match key.split_once('(') {
            Some((name, rest)) => (name, rest.strip_suffix(')')),
            None => (key.as_str(), None),
        };
        if let Some(kind) = kind.filter(|_| name == "*").or((name == "*").then_some("")) {
            additional =
                if kind.is_empty() { typed(value, depth + 1)? } else { composed(kind, value, depth)? };
            continue;
        }
        let (name, is_optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        let schema = match kind {
            Some(kind) => composed(kind, value, depth)?,
            None => typed(value, depth + 1)?,
        };
        properties.insert(name.to_owned(), schema);
        if !is_optional {
            required.push(name.to_owned());
        }
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": additional});
    if !required.is_empty()
        && let Value::Object(schema) = &mut schema
    {
        schema.insert("required".to_owned(), json!(required));
    }
    Ok(schema)
}

fn composed(kind: &str, value: &Value, depth: usize) -> Result<Value, String> {
    let (kind, description) =
        kind.split_once(',').map_or((kind, None), |(kind, rest)| (kind, Some(rest.trim())));
    let mut schema = match kind.trim() {
        "array" => json!({"type": "array", "items": typed(value, depth + 1)?}),
        "object" => typed(value, depth + 1)?,
        "enum" => json!({"enum": value}),
        other => return Err(format!("the type `{other}` is not known here")),
    };
    if let (Some(description), Value::Object(schema)) = (description, &mut schema) {
        schema.insert("description".to_owned(), json!(description));
    }
    Ok(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_form_becomes_a_schema() {
        let written = json!({
            "title": "string, the title", "tags?(array, labels)": "string", "kind(enum)": ["a", "b"],
            "author(object)": {"name": "string"}, "*": "any",
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "title": {"type": "string", "description": "the title"},
                "tags": {"type": "array", "items": {"type": "string"}, "description": "labels"},
                "kind": {"enum": ["a", "b"]},
                "author": {
                    "type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": false,
                    "required": ["name"],
                },
            },
            "additionalProperties": {},
            "required": ["title", "kind", "author"],
        });
        assert_eq!(schema(&written), Ok(expected.clone()));
        assert_eq!(schema(&expected), Ok(expected));
        assert_eq!(schema(&json!({"a": "Recipe"})), Err("the type `Recipe` is not known here".to_owned()));
    }
}
