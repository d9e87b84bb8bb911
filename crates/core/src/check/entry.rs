//! Entries of the configuration: exactly one check with its common keys.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::document::{advice_for, pointer, suggest};
use crate::port::Check;

use super::diagnostic::EntryDiagnostic;
use super::reason::{kind, quoted};
use super::registry::{names, reads_tool_calls, with_schemas};
use super::spec::{self, Built, Files};
use super::{negated, shape};

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
    /// Whether it reads the tool calls of an answer.
    pub reads_tool_calls: bool,
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
    let mut found = Found::default();
    let common_keys = keys_of(&COMMON);
    let known: Vec<&str> = names().chain([negated::KEY]).chain(common_keys.iter().copied()).collect();
    for (key, value) in entry {
        if common_keys.contains(&key.as_str()) {
            common.insert(key.clone(), value.clone());
        } else {
            found.read(key, value, &known, read, &mut diagnostics);
        }
    }
    found.require_one("the entry", &mut diagnostics);
    let common = read_common(&Value::Object(common), &mut diagnostics);
    match found.built.pop() {
        Some((name, built)) if diagnostics.is_empty() => Ok(NamedCheck {
            name: common.name.unwrap_or(name),
            reads_tool_calls: built.reads_tool_calls,
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

/// The checks of a map, of which there must be one.
#[derive(Default)]
pub(super) struct Found {
    /// The keys that are checks, or were probably meant to be.
    keys: Vec<String>,
    /// Whether a key of another tool was reported, so that the missing check is not.
    is_foreign: bool,
    /// Valid checks with their default names.
    pub(super) built: Vec<(String, Built)>,
}

impl Found {
    /// Compiles the check of a key; one that is not `known` is reported.
    pub(super) fn read(
        &mut self,
        key: &str,
        value: &Value,
        known: &[&str],
        files: &Files<'_>,
        diagnostics: &mut Vec<EntryDiagnostic>,
    ) {
        let kind = with_schemas().find(|(kind, _)| kind.key == key);
        let compiled = match kind {
            Some((kind, schema)) => {
                let built = (kind.compile)(schema, value, files);
                let reads_tool_calls = reads_tool_calls(kind.key);
                built.map(|built| (key.to_owned(), Built { reads_tool_calls, ..built }))
            }
            None if key == negated::KEY && known.contains(&key) => negated::compile(value, files),
            None => {
                diagnostics.push(EntryDiagnostic::unknown_key("", key, value, known));
                let meant = suggest(key, known.iter().copied());
                let is_check = |name: String| name == negated::KEY || names().any(|check| check == name);
                if advice_for(key, Some(value), known).is_some() {
                    self.is_foreign = true;
                } else if meant.is_some_and(is_check) {
                    // A misspelled check is not reported as missing as well.
                    self.keys.push(key.to_owned());
                }
                return;
            }
        };
        self.keys.push(key.to_owned());
        let parent = pointer("", key);
        match compiled {
            Ok((name, mut built)) => {
                let warnings = std::mem::take(&mut built.warnings).into_iter();
                built.warnings = warnings.map(|warning| warning.below(&parent)).collect();
                self.built.push((name, built));
            }
            Err(errors) => diagnostics.extend(errors.into_iter().map(|diagnostic| diagnostic.below(&parent))),
        }
    }

    /// Reports a map without a check, or with several.
    pub(super) fn require_one(&self, whose: &str, diagnostics: &mut Vec<EntryDiagnostic>) {
        match self.keys.as_slice() {
            [_] => {}
            [] if self.is_foreign => {}
            [] => diagnostics.push(
                EntryDiagnostic::new("", format!("{whose} has no check"))
                    .help(format!("known checks: {}", names().collect::<Vec<_>>().join(", "))),
            ),
            several => diagnostics.push(
                EntryDiagnostic::new(
                    "",
                    format!("{whose} has {} checks: {}", several.len(), several.join(", ")),
                )
                .help("give each check an entry of its own"),
            ),
        }
    }
}

/// Returns the self-contained JSON Schema (draft 2020-12) of an entry.
///
/// Only [`compile`] requires exactly one check, with a better message.
pub fn entry_schema() -> Value {
    let mut properties = checks_schema();
    properties.insert(negated::KEY.to_owned(), negated::schema(checks_schema()));
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

/// The schemas of all checks by key.
fn checks_schema() -> Map<String, Value> {
    let described = with_schemas().map(|(kind, schema)| {
        let mut schema = schema.clone();
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), Value::from(capitalized(kind.summary)));
        }
        (kind.key.to_owned(), schema)
    });
    described.collect()
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
