//! The JSON Schemas of the configuration and of a dataset row.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::Written;
use super::case::CaseRow;
use super::checks::CheckEntry;
use super::release::ReleaseAlone;
use super::scorer;

/// The JSON Schema of a configuration. `check_entry` is the schema of one entry of `checks`.
pub fn schema(check_entry: &Value) -> Value {
    let mut check_entry = check_entry.clone();
    scorer::add_to_schema(&mut check_entry);
    let mut schema = generate::<Written>(&check_entry);
    // A key without a value usually had lines that are commented out, so it is an error.
    RecursiveTransform(refuse_null).transform(&mut schema);
    if let Some(kind) = schema.pointer_mut("/$defs/Endpoint/properties/api_key_env/type") {
        *kind = json!(["string", "null"]);
    }
    schema.to_value()
}

/// The JSON Schema for editors: of a configuration, of one that extends a file with the rest, or of a list of suites.
pub fn published_schema(check_entry: &Value) -> Value {
    let mut schema = schema(check_entry);
    if let Some(map) = schema.as_object_mut() {
        let required = map.shift_remove("required").unwrap_or_default();
        if let Some(Value::Object(properties)) = map.get_mut("properties") {
            let suites = json!({
                "description": "Suites in place of one: paths or globs of configurations or their folders, relative to this \
                                file. Beside it only `version`.",
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "minLength": 1},
            });
            properties.insert(super::suites::KEY.to_owned(), suites);
        }
        let list = json!({"required": super::suites::KEYS, "propertyNames": {"enum": super::suites::KEYS}});
        let suite = json!({"required": required, "not": {"required": [super::suites::KEY]}});
        let rest = json!({"required": ["extends"], "not": {"required": [super::suites::KEY]}});
        map.insert("anyOf".to_owned(), json!([suite, rest, list]));
    }
    schema
}

/// The JSON Schema of the keys of a configuration that say where a prompt is released.
pub(super) fn release_schema() -> Value {
    let mut schema = generate::<ReleaseAlone>(&Value::Null);
    RecursiveTransform(refuse_null).transform(&mut schema);
    schema.to_value()
}

/// The JSON Schema of a dataset row. `check_entry` is the schema of one entry of `checks`.
pub fn case_schema(check_entry: &Value) -> Value {
    generate::<CaseRow>(check_entry).to_value()
}

fn generate<T: JsonSchema>(check_entry: &Value) -> Schema {
    let generator = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(tidy)).into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    if let Some(definition) = schema.pointer_mut(&format!("/$defs/{}", CheckEntry::SCHEMA)) {
        *definition = check_entry.clone();
    }
    schema
}

/// Removes number formats and defaults, which matter only to Rust.
fn tidy(schema: &mut Schema) {
    let Some(map) = schema.as_object_mut() else { return };
    let format = map.get("format").and_then(Value::as_str);
    if format.is_some_and(|format| format.starts_with("uint") || format == "double") {
        map.shift_remove("format");
    }
    if ["type", "$ref", "anyOf", "const"].iter().any(|keyword| map.contains_key(*keyword)) {
        map.shift_remove("default");
    }
    if let Some(Value::String(text)) = map.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// Removes `null` from types and alternatives.
fn refuse_null(schema: &mut Schema) {
    let Some(map) = schema.as_object_mut() else { return };
    if let Some(Value::Array(names)) = map.get_mut("type") {
        names.retain(|name| name != "null");
        if let [only] = names.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(options)) = map.get_mut("enum") {
        options.retain(|option| !option.is_null());
    }
    if let Some(Value::Array(forms)) = map.get_mut("anyOf") {
        forms.retain(|form| *form != json!({"type": "null"}));
        if let [Value::Object(only)] = forms.as_slice() {
            let only = only.clone();
            map.shift_remove("anyOf");
            for (key, value) in only {
                map.entry(key).or_insert(value);
            }
        }
    }
}
