//! An entry of the configuration: exactly one check with its common keys.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::port::Check;

use super::diagnostic::{EntryDiagnostic, child, similar};
use super::reason::{kind, quoted};
use super::registry::{described, names};
use super::{shape, spec};

/// Characters of a check's name, at most.
const MAX_NAME: usize = 64;

/// A check with its name and what the gate requires of it.
#[derive(Debug)]
pub struct NamedCheck {
    /// Its name; the check's key where the entry gives none.
    pub name: String,
    /// The share of trials that have to pass, in 0..=1.
    pub min: f64,
    /// Whether it also gates against the baseline.
    pub baseline: bool,
    /// Whether every case it applies to needs `expected`.
    pub needs_expected: bool,
    /// The check.
    pub check: Box<dyn Check>,
}

/// The keys every entry may have beside its check.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Common {
    /// Name in reports, when two checks are of a kind: letters, digits, `_`, `.` and `-`. Default: the check's key.
    // For editors; the message of `compile` is better.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_.-]{1,64}$"))]
    name: Option<String>,
    /// Share of trials that have to pass. Default: 1.0, every trial.
    #[schemars(range(min = 0, max = 1))]
    min: Option<f64>,
    /// Whether the share must also not fall below the baseline's. Default: false.
    baseline: Option<bool>,
}

static COMMON: LazyLock<Value> = LazyLock::new(spec::schema::<Common>);

/// Makes the check of one entry; `read` gives the text of a file that the entry names.
///
/// # Errors
/// All mistakes of the entry at once.
pub fn compile(
    entry: &Value,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<NamedCheck, Vec<EntryDiagnostic>> {
    let Value::Object(entry) = entry else {
        return Err(vec![not_a_map(entry)]);
    };
    let mut diagnostics = Vec::new();
    let mut common = Map::new();
    let mut built = Vec::new();
    let mut checks: Vec<&str> = Vec::new();
    let common_keys = keys_of(&COMMON);
    let known: Vec<&str> = names().chain(common_keys.iter().copied()).collect();
    for (key, value) in entry {
        if common_keys.contains(&key.as_str()) {
            common.insert(key.clone(), value.clone());
        } else if let Some((row, schema)) = described().find(|(row, _)| row.key == key) {
            checks.push(row.key);
            let pointer = child("", key);
            match (row.compile)(schema, value, read) {
                Ok(check) => built.push(check),
                Err(found) => {
                    diagnostics.extend(found.into_iter().map(|diagnostic| diagnostic.below(&pointer)))
                }
            }
        } else {
            diagnostics.push(EntryDiagnostic::unknown_key("", key, &known));
            if similar(key, &known).is_some_and(|meant| !common_keys.contains(&meant)) {
                // A misspelt check is not a missing one.
                checks.push(key);
            }
        }
    }
    match checks.as_slice() {
        [_] => {}
        [] => diagnostics.push(
            EntryDiagnostic::new("", "the entry names no check")
                .help(format!("known checks: {}", names().collect::<Vec<_>>().join(", "))),
        ),
        several => diagnostics.push(
            EntryDiagnostic::new(
                "",
                format!("the entry has {} checks: {}", several.len(), several.join(", ")),
            )
            .help("give each check an entry of its own"),
        ),
    }
    let common = read_common(&Value::Object(common), &mut diagnostics);
    match (built.pop(), checks.first()) {
        (Some(built), Some(key)) if diagnostics.is_empty() => Ok(NamedCheck {
            name: common.name.unwrap_or_else(|| (*key).to_owned()),
            min: common.min.unwrap_or(1.0),
            baseline: common.baseline.unwrap_or(false),
            needs_expected: built.needs_expected,
            check: built.check,
        }),
        _ => Err(diagnostics),
    }
}

/// The JSON Schema (draft 2020-12) of one entry, strict, complete in itself.
///
/// That an entry has exactly one check is left to [`compile`], whose message is better.
pub fn entry_schema() -> Value {
    let mut properties = Map::new();
    for (row, schema) in described() {
        let mut schema = schema.clone();
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), Value::from(capitalised(row.summary)));
        }
        properties.insert(row.key.to_owned(), schema);
    }
    if let Some(common) = COMMON.get("properties").and_then(Value::as_object) {
        properties.extend(common.clone());
    }
    json!({
        "description": "One check: exactly one of the check keys, with name, min and baseline if wanted.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
    })
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters
        .next()
        .map(|first| format!("{}{}.", first.to_uppercase(), characters.as_str()))
        .unwrap_or_default()
}

fn keys_of(schema: &'static Value) -> Vec<&'static str> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

fn read_common(value: &Value, diagnostics: &mut Vec<EntryDiagnostic>) -> Common {
    let found = shape::diagnostics(&COMMON, value);
    if !found.is_empty() {
        diagnostics.extend(found);
        return Common::default();
    }
    match serde_json::from_value::<Common>(value.clone()) {
        Ok(common) => {
            if let Some(name) = common.name.as_ref().filter(|name| !is_name(name)) {
                diagnostics.push(EntryDiagnostic::new("/name", format!("{} is no name", quoted(name))).help(
                    format!("use 1 to {MAX_NAME} of the letters a to z and A to Z, digits, `_`, `.` and `-`"),
                ));
            }
            common
        }
        Err(error) => {
            diagnostics.push(EntryDiagnostic::new("", error.to_string()));
            Common::default()
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

fn not_a_map(entry: &Value) -> EntryDiagnostic {
    let diagnostic = EntryDiagnostic::new("", format!("a check must be a map, but is {}", kind(entry)));
    match entry.as_str() {
        Some("is_json") => diagnostic.help("write `is_json: true`"),
        Some(word) => match similar(word, &names().collect::<Vec<_>>()) {
            Some(key) => diagnostic.help(format!("write `{key}:` and what it needs")),
            None => diagnostic.help("write, for example, `contains: \"30 days\"`"),
        },
        None => diagnostic.help("write, for example, `contains: \"30 days\"`"),
    }
}
