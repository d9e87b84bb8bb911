//! Entries of the configuration: exactly one check with its common keys.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::document::{advice_for, pointer, suggest};
use crate::port::Check;

use super::diagnostic::EntryDiagnostic;
use super::reason::{kind, quoted};
use super::registry::{names, with_schemas};
use super::{shape, spec};

/// Maximum length of a check's name.
const MAX_NAME: usize = 64;

/// A check with its name and criteria.
#[derive(Debug)]
pub struct NamedCheck {
    /// Its name; the check's key by default.
    pub name: String,
    /// Minimum share of trials that pass, in 0..=1.
    pub min: f64,
    /// Whether the share is also compared with the baseline's.
    pub baseline: bool,
    /// Whether only cases that passed before have to pass.
    pub no_new_failures: bool,
    /// Whether all its cases need `expected`.
    pub needs_expected: bool,
    /// Valid values that are probably unintended.
    pub warnings: Vec<EntryDiagnostic>,
    /// The check.
    pub check: Box<dyn Check>,
}

/// Optional keys of every entry.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Common {
    /// Name in reports, required if two checks are of the same kind: letters, digits, `_`, `.` and `-`. Default: the check's
    /// key.
    // For editors only, since `compile` has a better message.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_.-]{1,64}$"))]
    name: Option<String>,
    /// Minimum share of trials that pass. Default: 1.0, every trial.
    #[schemars(range(min = 0, max = 1))]
    min: Option<f64>,
    /// Whether the share must also not fall below the baseline's. Default: false.
    baseline: Option<bool>,
    /// Which answers must pass: every_answer, or no_new_failures, those to cases that pass with the baseline. Not beside
    /// min. Default: every_answer.
    require: Option<Required>,
}

/// Which answers must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Required {
    /// All of them.
    EveryAnswer,
    /// Those to cases that pass in every repeat of the baseline.
    NoNewFailures,
}

static COMMON: LazyLock<Value> = LazyLock::new(spec::schema::<Common>);

/// Compiles the check of an entry; `read` returns the text of a file.
///
/// # Errors
/// All diagnostics of the entry.
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
    // A key of another tool was reported, so that the missing check is not.
    let mut is_foreign = false;
    let common_keys = keys_of(&COMMON);
    let known: Vec<&str> = names().chain(common_keys.iter().copied()).collect();
    for (key, value) in entry {
        if common_keys.contains(&key.as_str()) {
            common.insert(key.clone(), value.clone());
        } else if let Some((kind, schema)) = with_schemas().find(|(kind, _)| kind.key == key) {
            checks.push(kind.key);
            let parent = pointer("", key);
            match (kind.compile)(schema, value, read) {
                Ok(mut check) => {
                    let warnings = std::mem::take(&mut check.warnings).into_iter();
                    check.warnings = warnings.map(|warning| warning.below(&parent)).collect();
                    built.push(check);
                }
                Err(errors) => {
                    diagnostics.extend(errors.into_iter().map(|diagnostic| diagnostic.below(&parent)))
                }
            }
        } else {
            diagnostics.push(EntryDiagnostic::unknown_key("", key, value, &known));
            if advice_for(key, Some(value), &known).is_some() {
                is_foreign = true;
            } else if suggest(key, known.iter().copied()).is_some_and(|name| !common_keys.contains(&&*name)) {
                // A misspelled check is not reported as missing as well.
                checks.push(key);
            }
        }
    }
    match checks.as_slice() {
        [_] => {}
        [] if is_foreign => {}
        [] => diagnostics.push(
            EntryDiagnostic::new("", "the entry has no check")
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
            no_new_failures: common.require == Some(Required::NoNewFailures),
            needs_expected: built.needs_expected,
            warnings: built.warnings,
            check: built.check,
        }),
        _ => Err(diagnostics),
    }
}

/// Returns the self-contained JSON Schema (draft 2020-12) of an entry.
///
/// Only [`compile`] requires exactly one check, with a better message.
pub fn entry_schema() -> Value {
    let mut properties = Map::new();
    for (kind, schema) in with_schemas() {
        let mut schema = schema.clone();
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), Value::from(capitalized(kind.summary)));
        }
        properties.insert(kind.key.to_owned(), schema);
    }
    if let Some(common) = COMMON.get("properties").and_then(Value::as_object) {
        properties.extend(common.clone());
    }
    json!({
        "description": "One check: exactly one of the check keys, and optionally name, min and baseline.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
    })
}

fn capitalized(sentence: &str) -> String {
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
    let errors = shape::diagnostics(&COMMON, value);
    if !errors.is_empty() {
        diagnostics.extend(errors);
        return Common::default();
    }
    match serde_json::from_value::<Common>(value.clone()) {
        Ok(common) => {
            if let Some(name) = common.name.as_ref().filter(|name| !is_name(name)) {
                diagnostics.push(
                    EntryDiagnostic::new("/name", format!("invalid name {}", quoted(name))).help(format!(
                        "use 1 to {MAX_NAME} of the letters a to z and A to Z, digits, `_`, `.` and `-`"
                    )),
                );
            }
            if common.require.is_some() && common.min.is_some() {
                let message = "`require` and `min` exclude each other";
                diagnostics.push(EntryDiagnostic::new("/require", message).help("remove one of them"));
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
    let help = match entry.as_str() {
        Some("is_json") => "write `is_json: true`".to_owned(),
        word => match word.and_then(|word| suggest(word, names())) {
            Some(key) => format!("write `{key}:` and its value"),
            None => "write, for example, `contains: \"30 days\"`".to_owned(),
        },
    };
    EntryDiagnostic::new("", format!("a check must be a map, but is {}", kind(entry))).help(help)
}
