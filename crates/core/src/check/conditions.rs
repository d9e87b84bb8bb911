//! Conditions on a value inside JSON, for a field of an answer and an argument of a tool call.

use ::regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::text::json;

use super::comparison::Comparison;
use super::diagnostic::{EntryDiagnostic, no_errors};
use super::path::Path;
use super::pattern::{self, Flags};
use super::reason::{excerpt, kind, quoted, shown};
use super::texts::{Normalized, Text, Texts, duplicates};
use super::tolerance::{Tolerance, ToleranceSpec};

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

/// The conditions as written; at least one is required.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) equals: Option<Value>,
    pub(crate) contains: Option<Text>,
    pub(crate) matches: Option<String>,
    pub(crate) one_of: Option<Vec<Value>>,
    pub(crate) number: Option<Near>,
}

/// Conditions that all have to hold.
#[derive(Debug)]
pub(crate) struct Conditions(Vec<Condition>);

#[derive(Debug)]
enum Condition {
    Equals(Value),
    Contains(Texts),
    Matches(Regex),
    OneOf(Vec<Value>),
    Near(f64, Tolerance),
}

impl Written {
    /// Compiles the conditions. The second part is a warning about one that always holds.
    ///
    /// # Errors
    /// Invalid conditions, or none; `otherwise` says what to use without one.
    fn build(self, otherwise: &str) -> Result<(Conditions, Option<EntryDiagnostic>), Vec<EntryDiagnostic>> {
        let mut diagnostics = Vec::new();
        let mut warning = None;
        let mut conditions: Vec<Condition> = self.equals.map(Condition::Equals).into_iter().collect();
        if let Some(Text(text)) = self.contains {
            conditions.push(Condition::Contains(Texts::new([text], Comparison::of_texts())));
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
            match near.condition() {
                Ok(condition) => conditions.push(condition),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        if conditions.is_empty() && diagnostics.is_empty() {
            let help =
                format!("give `equals`, `contains`, `matches`, `one_of` or `number`, or use {otherwise}");
            diagnostics.push(EntryDiagnostic::new("", "has no condition").help(help));
        }
        no_errors(diagnostics)?;
        Ok((Conditions(conditions), warning))
    }
}

/// Compiles conditions with the path of the value that they are on.
///
/// # Errors
/// All diagnostics of both; `otherwise` is as for [`Written::build`].
pub(crate) fn at_path(
    path: &str,
    written: Written,
    otherwise: &str,
) -> Result<(Path, Conditions, Option<EntryDiagnostic>), Vec<EntryDiagnostic>> {
    match (Path::parse(path), written.build(otherwise)) {
        (Ok(path), Ok((conditions, warning))) => Ok((path, conditions, warning)),
        (path, conditions) => {
            let mut diagnostics = conditions.err().unwrap_or_default();
            diagnostics.extend(path.err().map(|error| EntryDiagnostic::new("/path", error)));
            Err(diagnostics)
        }
    }
}

impl Near {
    fn condition(self) -> Result<Condition, EntryDiagnostic> {
        let (value, tolerance) = match self {
            Self::Number(value) => (value, None),
            Self::Map(map) => (map.value, map.tolerance),
        };
        Tolerance::new(tolerance, "/number/tolerance").map(|tolerance| Condition::Near(value, tolerance))
    }
}

impl Conditions {
    /// Describes the first violated condition, if any.
    pub(crate) fn violation(&self, value: &Value) -> Option<String> {
        self.0.iter().find_map(|condition| condition.violation(value))
    }
}

impl Condition {
    fn violation(&self, value: &Value) -> Option<String> {
        match self {
            Self::Equals(expected) => (!json::equal(expected, value))
                .then(|| format!("expected {}, found {}", shown(expected), shown(value))),
            Self::Contains(text) => does_not_contain(text, value),
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

/// Why a value does not contain the text: as a part of a text, or as an item of a list.
fn does_not_contain(text: &Texts, value: &Value) -> Option<String> {
    let holds = |within: &str, compare: fn(&str, &str) -> bool| {
        !text.filter(&Normalized::new(within, Comparison::of_texts()), compare).is_empty()
    };
    let found = match value {
        Value::String(within) => holds(within, |within, text| within.contains(text)),
        Value::Array(items) => {
            items.iter().filter_map(Value::as_str).any(|item| holds(item, |item, text| item == text))
        }
        other => return Some(format!("expected text or a list, found {}", kind(other))),
    };
    (!found).then(|| format!("{} does not contain {}", shown(value), text.listed()))
}
