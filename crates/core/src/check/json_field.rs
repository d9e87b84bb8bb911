//! `json_field`: a field of a JSON answer meets conditions.

use ::regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};
use crate::text::json;

use super::diagnostic::EntryDiagnostic;
use super::path::Path;
use super::pattern::{self, Flags};
use super::reason::{excerpt, fail, finding, kind, pass, quoted, shown};
use super::spec::{Built, Files, Spec, present};
use super::texts::duplicates;
use super::tolerance::{Tolerance, ToleranceSpec};
use super::whole::{self, Extract};

/// A path and at least one condition; all of them have to hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JsonField {
    /// Path such as citations[0].source.
    path: String,
    /// The field equals this value; 1 equals 1.0, and the order of keys is ignored.
    #[serde(default, deserialize_with = "present")]
    equals: Option<Value>,
    /// The field is text, and this regular expression matches a part of it.
    matches: Option<String>,
    /// The field is one of these values.
    #[schemars(length(min = 1))]
    one_of: Option<Vec<Value>>,
    /// The field is this number, within the tolerance.
    number: Option<Near>,
    /// fenced: the JSON is the only fenced code block of the answer. Default: the JSON is the whole answer.
    extract: Option<Extract>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Near {
    /// Exactly this number.
    Number(f64),
    /// A number with a tolerance.
    Map(NearMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NearMap {
    /// The expected number.
    value: f64,
    /// Maximum deviation: a number, or a share of the expected number such as "5%". Default: 0.
    tolerance: Option<ToleranceSpec>,
}

impl Spec for JsonField {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let mut diagnostics = Vec::new();
        let mut conditions = Vec::new();
        let mut warning = None;
        if let Some(value) = self.equals {
            conditions.push(Condition::Equals(value));
        }
        if let Some(pattern) = self.matches {
            match pattern::compile(&pattern, Flags::default()) {
                Ok(regex) => {
                    // `.*` requires a text; an empty alternative cannot be meant.
                    warning = pattern::matches_everything(&regex)
                        .filter(|message| message.ends_with("is empty"))
                        .map(|message| EntryDiagnostic::new("/matches", message));
                    conditions.push(Condition::Matches(regex));
                }
                Err(error) => diagnostics.push(EntryDiagnostic::new("/matches", error)),
            }
        }
        if let Some(values) = self.one_of {
            diagnostics.extend(duplicates(&values, "/one_of", json::equal, shown));
            conditions.push(Condition::OneOf(values));
        }
        if let Some(near) = self.number {
            let (value, tolerance) = match near {
                Near::Number(value) => (value, None),
                Near::Map(map) => (map.value, map.tolerance),
            };
            match Tolerance::new(tolerance, "/number/tolerance") {
                Ok(tolerance) => conditions.push(Condition::Near(value, tolerance)),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        if conditions.is_empty() && diagnostics.is_empty() {
            diagnostics.push(
                EntryDiagnostic::new("", "has no condition")
                    .help("give `equals`, `matches`, `one_of` or `number`, or use `required_fields`"),
            );
        }
        let path =
            Path::parse(&self.path).map_err(|error| diagnostics.push(EntryDiagnostic::new("/path", error)));
        match path {
            Ok(path) if diagnostics.is_empty() => {
                Ok(Built::new(JsonFieldCheck { path, conditions, extract: self.extract }).warning(warning))
            }
            _ => Err(diagnostics),
        }
    }
}

#[derive(Debug)]
struct JsonFieldCheck {
    path: Path,
    conditions: Vec<Condition>,
    extract: Option<Extract>,
}

#[derive(Debug)]
enum Condition {
    Equals(Value),
    Matches(Regex),
    OneOf(Vec<Value>),
    Near(f64, Tolerance),
}

impl Condition {
    /// Describes the violation of the condition, if any.
    fn violation(&self, value: &Value) -> Option<String> {
        match self {
            Self::Equals(expected) => (!json::equal(expected, value))
                .then(|| format!("expected {}, found {}", shown(expected), shown(value))),
            Self::Matches(regex) => match value {
                Value::String(text) if regex.is_match(text) => None,
                Value::String(text) => {
                    Some(format!("{} does not match {}", quoted(text), quoted(regex.as_str())))
                }
                other => Some(format!("expected text, found {}", kind(other))),
            },
            Self::OneOf(values) => (!values.iter().any(|option| json::equal(option, value))).then(|| {
                let options: Vec<String> = values.iter().map(shown).collect();
                format!("{} is not one of {}", shown(value), excerpt(&options.join(", "), 200))
            }),
            Self::Near(expected, tolerance) => match value.as_f64() {
                Some(found) if tolerance.admits(*expected, found) => None,
                Some(found) => Some(format!("expected {expected}, found {found}")),
                None => Some(format!("expected a number, found {}", kind(value))),
            },
        }
    }
}

impl Check for JsonFieldCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = whole::json(subject, self.extract)?;
        let value = self.path.find(&answer).map_err(fail)?;
        let field = format!("field {}", quoted(&self.path.to_string()));
        Ok(match self.conditions.iter().find_map(|condition| condition.violation(value)) {
            None => pass(format!("{field} is as expected")),
            Some(violation) => {
                finding(false, &format!("{field}: {violation}"), json!({ "found": shown(value) }))
            }
        })
    }
}
