//! Whether a schema rejects any value at all.

use serde_json::{Map, Value};

/// Maximum number of references that are followed, which may form circles.
const MAX_REFERENCES: usize = 20;

/// Whether a schema rejects some value; true where that is not obvious.
pub(super) fn constrains(root: &Value, schema: &Value) -> bool {
    follow(root, schema, MAX_REFERENCES)
}

fn follow(root: &Value, schema: &Value, references: usize) -> bool {
    match schema {
        Value::Bool(passes) => !passes,
        Value::Object(map) => {
            map.iter().any(|(keyword, value)| keyword_constrains(root, map, keyword, value, references))
        }
        _ => true,
    }
}

fn keyword_constrains(
    root: &Value,
    schema: &Map<String, Value>,
    keyword: &str,
    value: &Value,
    references: usize,
) -> bool {
    let inner = |schema: &Value| follow(root, schema, references);
    let any_of_map = || value.as_object().is_some_and(|map| map.values().any(inner));
    let any_of_list = || value.as_array().is_some_and(|list| list.iter().any(inner));
    match keyword {
        "type" => value.as_array().is_none_or(|types| types.len() < 6),
        "enum" | "const" | "pattern" | "multipleOf" | "maximum" | "exclusiveMaximum" | "minimum"
        | "exclusiveMinimum" | "maxLength" | "maxItems" | "maxProperties" | "oneOf" | "not" | "contains"
        | "dependentRequired" | "dependencies" => true,
        "minLength" | "minItems" | "minProperties" => value.as_f64().is_none_or(|bound| bound > 0.0),
        "required" => value.as_array().is_none_or(|names| !names.is_empty()),
        "uniqueItems" => value != &Value::Bool(false),
        "properties" | "patternProperties" | "dependentSchemas" => any_of_map(),
        "additionalProperties"
        | "unevaluatedProperties"
        | "unevaluatedItems"
        | "additionalItems"
        | "propertyNames" => inner(value),
        "items" => {
            if value.is_array() {
                any_of_list()
            } else {
                inner(value)
            }
        }
        "allOf" | "prefixItems" => any_of_list(),
        // A branch that accepts everything makes the choice accept everything.
        "anyOf" => value.as_array().is_none_or(|branches| branches.iter().all(inner)),
        "then" | "else" => schema.contains_key("if") && inner(value),
        "$ref" => reference(root, value, references),
        "$dynamicRef" | "$recursiveRef" => true,
        _ => false,
    }
}

/// Whether the target of a reference constrains; true for a target that is not followed.
fn reference(root: &Value, value: &Value, references: usize) -> bool {
    let pointer = value.as_str().and_then(|text| text.strip_prefix('#'));
    let Some(target) = pointer.and_then(|pointer| root.pointer(pointer)) else { return true };
    match references {
        0 => false,
        _ => follow(root, target, references - 1),
    }
}
