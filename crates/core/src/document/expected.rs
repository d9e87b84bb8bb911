//! Descriptions of the values that a schema allows.

use serde_json::Value;

use super::explain::{quoted, quoted_list, shown_option};
use super::suggest;

/// Maximum depth of nested schemas, for schemas that refer to themselves.
const MAX_FOLLOWED: usize = 16;

/// The values that a schema allows.
#[derive(Debug, Default)]
pub(super) struct Expectation {
    /// Allowed forms: `a number`, `a duration`.
    forms: Vec<String>,
    /// Allowed values, where the schema lists them.
    options: Vec<Value>,
    /// Example values.
    examples: Vec<Value>,
    /// The keys of maps of which one key names the form, with the form: `{git: {…}}`.
    keyed: Vec<(String, String)>,
}

impl Expectation {
    /// The values allowed by a schema within `root`.
    pub(super) fn of(root: &Value, schema: &Value) -> Self {
        let mut expectation = Self::default();
        expectation.add(root, schema, 0);
        expectation
    }

    fn add(&mut self, root: &Value, schema: &Value, depth: usize) {
        if depth > MAX_FOLLOWED {
            return;
        }
        self.examples.extend(schema.get("examples").and_then(Value::as_array).into_iter().flatten().cloned());
        // The title of a complete schema is its name, not a description of the value.
        let whole = schema.get("$schema").is_some();
        if let Some(title) = schema.get("title").and_then(Value::as_str).filter(|_| !whole) {
            self.form(title);
            return;
        }
        if let Some(target) = referenced(root, schema) {
            self.add(root, target, depth + 1);
        } else if let Some(options) = schema.get("enum").and_then(Value::as_array) {
            self.options.extend(options.iter().filter(|option| !option.is_null()).cloned());
        } else if let Some(option) = schema.get("const") {
            self.options.push(option.clone());
        } else if let Some(forms) = forms(schema) {
            for form in forms {
                self.add(root, form, depth + 1);
            }
        } else if let Some(properties) = alternatives(schema) {
            for (key, value) in properties {
                let is_map = allows_map(root, value, 0);
                let form = if is_map { format!("{{{key}: {{…}}}}") } else { format!("{{{key}: …}}") };
                self.form(&format!("`{form}`"));
                self.keyed.push((key.clone(), form));
            }
        } else {
            type_names(schema).filter_map(type_words).for_each(|words| self.form(words));
        }
    }

    fn form(&mut self, words: &str) {
        if !self.forms.iter().any(|form| form == words) {
            self.forms.push(words.to_owned());
        }
    }

    /// Describes the allowed values: `a number or a map`, `one of …`.
    pub(super) fn describe(&self) -> String {
        let mut parts = self.forms.clone();
        let options: Vec<String> = self.options.iter().map(shown_option).collect();
        match (options.as_slice(), parts.is_empty()) {
            ([], _) => {}
            ([only], _) => parts.push(only.clone()),
            ([_, ..], true) => parts.push(format!("one of {}", options.join(", "))),
            ([_, ..], false) => parts.extend(options),
        }
        match parts.split_last() {
            None => "of another form".to_owned(),
            Some((only, [])) => only.clone(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        }
    }

    /// Suggests the option nearest to the value, or shows examples.
    pub(super) fn help(&self, value: Option<&Value>) -> Option<String> {
        if let Some(Value::String(text)) = value
            && let Some(suggestion) = suggest(text, self.options.iter().filter_map(Value::as_str))
        {
            return Some(format!("did you mean {}?", quoted(&suggestion)));
        }
        if let Some(Value::String(text)) = value
            && let Some(key) = suggest(text, self.keyed.iter().map(|(key, _)| key.as_str()))
            && let Some((_, form)) = self.keyed.iter().find(|(known, _)| *known == key)
        {
            return Some(format!("did you mean `{form}`?"));
        }
        let examples: Vec<String> = self.examples.iter().map(example).collect();
        (!examples.is_empty()).then(|| format!("write it like {}", quoted_list(&examples)))
    }
}

/// The keys of a schema for maps of exactly one of them.
fn alternatives(schema: &Value) -> Option<&serde_json::Map<String, Value>> {
    let is_single = schema.get("maxProperties").and_then(Value::as_u64) == Some(1);
    schema.get("properties").and_then(Value::as_object).filter(|_| is_single)
}

/// Whether a schema allows a map.
fn allows_map(root: &Value, schema: &Value, depth: usize) -> bool {
    if depth > MAX_FOLLOWED {
        return false;
    }
    let follow = |schema: &Value| allows_map(root, schema, depth + 1);
    type_names(schema).any(|name| name == "object")
        || referenced(root, schema).is_some_and(follow)
        || forms(schema).is_some_and(|forms| forms.iter().any(follow))
}

fn example(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns the keys that a schema within `root` defines, in schema order.
pub(super) fn known_keys(root: &Value, schema: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    collect_keys(root, schema, 0, &mut keys);
    keys
}

fn collect_keys(root: &Value, schema: &Value, depth: usize, keys: &mut Vec<String>) {
    if depth > MAX_FOLLOWED {
        return;
    }
    for key in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|map| map.keys()) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    if let Some(target) = referenced(root, schema) {
        collect_keys(root, target, depth + 1, keys);
    }
    let all = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for form in all.chain(forms(schema).into_iter().flatten()) {
        collect_keys(root, form, depth + 1, keys);
    }
}

/// Returns the words for a type of JSON Schema. That a value may be null is of no help to users.
pub(crate) fn type_words(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" => "text",
        "number" => "a number",
        "integer" => "a whole number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a map",
        _ => return None,
    })
}

/// Returns the types that a schema allows, which are all if it names none.
pub(crate) fn type_names(schema: &Value) -> impl Iterator<Item = &str> {
    let names = match schema.get("type") {
        Some(Value::Array(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    names.iter().filter_map(Value::as_str)
}

pub(crate) fn forms(schema: &Value) -> Option<&Vec<Value>> {
    schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array)
}

fn referenced<'a>(root: &'a Value, schema: &Value) -> Option<&'a Value> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}
