//! Validates the value of a check against the schema of its spec type.
//!
//! The schemas are generated and use few keywords, so only these are supported; a test rejects any other. Unlike
//! deserialization, validation reports all errors at once, with their pointers and suggestions.

use serde_json::Value;

use crate::document::{forms, pointer as child, suggest, type_names, type_words};

use super::diagnostic::EntryDiagnostic;
use super::reason::{kind, shown};

/// The supported keywords, and annotations that [`diagnostics`] may ignore.
#[cfg(test)]
pub(crate) const KEYWORDS: &[&str] = &[
    "additionalProperties",
    "anyOf",
    "const",
    "description",
    "enum",
    "exclusiveMinimum",
    "items",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "oneOf",
    "properties",
    "required",
    "type",
];

/// Returns all violations of `schema` by `value`; pointers are relative to the value.
pub(crate) fn diagnostics(schema: &Value, value: &Value) -> Vec<EntryDiagnostic> {
    let mut found = Vec::new();
    inspect(schema, value, "", &mut found);
    found
}

fn inspect(schema: &Value, value: &Value, pointer: &str, found: &mut Vec<EntryDiagnostic>) {
    if let Some(options) = constants(schema) {
        if !options.contains(&value) {
            found.push(not_an_option(&options, value, pointer));
        }
        return;
    }
    if let Some(branches) = forms(schema) {
        // Short and long forms differ in their type, so the type selects the form.
        match branches.iter().find(|branch| admits(branch, value)) {
            Some(branch) => inspect(branch, value, pointer, found),
            None => found.push(wrong_type(schema, value, pointer)),
        }
        return;
    }
    if !admits(schema, value) {
        found.push(wrong_type(schema, value, pointer));
        return;
    }
    match value {
        Value::Object(map) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let known: Vec<&str> = properties
                .map(|properties| properties.keys().map(String::as_str).collect())
                .unwrap_or_default();
            for (key, value) in map {
                match properties.and_then(|properties| properties.get(key)) {
                    Some(schema) => inspect(schema, value, &child(pointer, key), found),
                    None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                        found.push(EntryDiagnostic::unknown_key(pointer, key, value, &known));
                    }
                    None => {}
                }
            }
            for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
                if let Some(key) = key.as_str().filter(|key| !map.contains_key(*key)) {
                    found.push(EntryDiagnostic::new(pointer, format!("`{key}` is missing")));
                }
            }
            if count(schema, "minProperties") > map.len() as u64 {
                found.push(
                    EntryDiagnostic::new(pointer, "is empty")
                        .help(format!("give one of: {}", known.join(", "))),
                );
            }
        }
        Value::Array(list) => {
            if count(schema, "minItems") > list.len() as u64 {
                found.push(EntryDiagnostic::new(pointer, "the list is empty").help("list at least one item"));
            }
            if let Some(items) = schema.get("items") {
                for (index, item) in list.iter().enumerate() {
                    inspect(items, item, &format!("{pointer}/{index}"), found);
                }
            }
        }
        Value::String(text) => {
            if count(schema, "minLength") > 0 && text.is_empty() {
                found.push(EntryDiagnostic::new(pointer, "the text is empty"));
            }
        }
        Value::Number(number) => inspect_number(schema, number.as_f64().unwrap_or(f64::NAN), pointer, found),
        Value::Null | Value::Bool(_) => {}
    }
}

fn inspect_number(schema: &Value, number: f64, pointer: &str, found: &mut Vec<EntryDiagnostic>) {
    let mut check = |keyword: &str, violates: fn(&f64, &f64) -> bool, relation: &str| {
        let limit = schema.get(keyword).and_then(Value::as_f64);
        if let Some(limit) = limit.filter(|limit| violates(&number, limit)) {
            found.push(EntryDiagnostic::new(pointer, format!("{number} is {relation} {limit}")));
        }
    };
    check("minimum", f64::lt, "less than");
    check("exclusiveMinimum", f64::le, "not more than");
    check("maximum", f64::gt, "more than");
}

fn count(schema: &Value, keyword: &str) -> u64 {
    schema.get(keyword).and_then(Value::as_u64).unwrap_or(0)
}

/// Returns the values of a `const`, an `enum` or a choice of these; `None` for any other schema.
fn constants(schema: &Value) -> Option<Vec<&Value>> {
    if let Some(value) = schema.get("const") {
        return Some(vec![value]);
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().collect());
    }
    let choices: Option<Vec<Vec<&Value>>> = forms(schema)?.iter().map(constants).collect();
    choices.map(|choices| choices.concat())
}

fn admits(schema: &Value, value: &Value) -> bool {
    if let Some(options) = constants(schema) {
        return options.iter().any(|option| kind(option) == kind(value));
    }
    if let Some(branches) = forms(schema) {
        return branches.iter().any(|branch| admits(branch, value));
    }
    let mut names = type_names(schema).peekable();
    names.peek().is_none() || names.any(|name| is_of_type(name, value))
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn not_an_option(options: &[&Value], value: &Value, pointer: &str) -> EntryDiagnostic {
    let listed: Vec<String> = options.iter().map(|option| option.to_string()).collect();
    let diagnostic =
        EntryDiagnostic::new(pointer, format!("must be {}, but is {}", either(&listed), shown(value)));
    let words: Vec<&str> = options.iter().filter_map(|option| option.as_str()).collect();
    match value.as_str().and_then(|word| suggest(word, words)) {
        Some(suggestion) => diagnostic.help(format!("did you mean `{suggestion}`?")),
        None => diagnostic,
    }
}

/// Joins words as `a, b or c`.
fn either(words: &[String]) -> String {
    match words {
        [] => "something else".to_owned(),
        [single] => single.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn wrong_type(schema: &Value, value: &Value, pointer: &str) -> EntryDiagnostic {
    let mut types = Vec::new();
    collect_types(schema, &mut types);
    EntryDiagnostic::new(pointer, format!("must be {}, but is {}", either(&types), kind(value)))
}

fn collect_types(schema: &Value, types: &mut Vec<String>) {
    let mut add = |name: String| {
        if !types.contains(&name) {
            types.push(name);
        }
    };
    if let Some(options) = constants(schema) {
        options.iter().for_each(|option| add(option.to_string()));
    } else if let Some(branches) = forms(schema) {
        branches.iter().for_each(|branch| collect_types(branch, types));
    } else {
        type_names(schema).for_each(|name| add(type_words(name).unwrap_or(name).to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(schema: Value, value: Value) -> Vec<(String, String)> {
        diagnostics(&schema, &value)
            .into_iter()
            .map(|diagnostic| (diagnostic.pointer, diagnostic.message))
            .collect()
    }

    #[test]
    fn the_form_is_selected_by_type() {
        let schema = json!({"anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "object", "properties": {"any": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
             "additionalProperties": false},
        ]});
        assert_eq!(found(schema.clone(), json!("x")), []);
        assert_eq!(found(schema.clone(), json!("")), [(String::new(), "the text is empty".to_owned())]);
        assert_eq!(
            found(schema.clone(), json!(3)),
            [(String::new(), "must be text or a map, but is a number".to_owned())]
        );
        assert_eq!(
            found(schema, json!({"any": ["a", 1], "ayn": 2})),
            [
                ("/any/1".to_owned(), "must be text, but is a number".to_owned()),
                ("/ayn".to_owned(), "unknown key \"ayn\"".to_owned()),
            ]
        );
    }

    #[test]
    fn invalid_options_are_reported_with_all_options() {
        let schema = json!({"oneOf": [{"const": "rouge_l"}, {"enum": ["levenshtein"]}]});
        let diagnostic = diagnostics(&schema, &json!("rouge-l")).remove(0);
        assert_eq!(diagnostic.message, "must be \"rouge_l\" or \"levenshtein\", but is \"rouge-l\"");
        assert_eq!(diagnostic.help.as_deref(), Some("did you mean `rouge_l`?"));
        assert_eq!(found(json!({"const": true}), json!(false)).len(), 1);
    }

    #[test]
    fn numbers_out_of_bounds_are_reported() {
        let schema = json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1});
        assert_eq!(found(schema.clone(), json!(0)).len(), 1);
        assert_eq!(found(schema.clone(), json!(0.5)).len(), 0);
        assert_eq!(found(schema, json!(1.5)).len(), 1);
        assert_eq!(found(json!({"type": "integer", "minimum": 0}), json!(-1)).len(), 1);
        assert_eq!(found(json!({"type": "integer"}), json!(1.5)).len(), 1);
    }
}
