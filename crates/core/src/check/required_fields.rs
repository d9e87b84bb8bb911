//! `required_fields`: fields of a JSON answer are present and not empty.
//!
//! Empty values are null, text of white space only, and lists and maps without items. `0` and `false` are not empty.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};

use super::diagnostic::{EntryDiagnostic, no_errors};
use super::path::Path;
use super::reason::{finding, pass, quoted};
use super::spec::{Built, Files, Spec};
use super::whole::{self, Extract};

/// Paths, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RequiredFields {
    /// This path.
    One(String),
    /// All of these paths.
    All(#[schemars(length(min = 1))] Vec<String>),
    /// With options.
    Map(RequiredFieldsMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequiredFieldsMap {
    /// Paths such as citations[0].source.
    #[schemars(length(min = 1))]
    paths: Vec<String>,
    /// fenced: the JSON is the only fenced code block of the answer. Default: the JSON is the whole answer.
    extract: Option<Extract>,
}

impl Spec for RequiredFields {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let mut diagnostics = Vec::new();
        let (written, extract, pointer) = match self {
            Self::One(path) => {
                let path = Path::parse(&path).map_err(|error| vec![EntryDiagnostic::new("", error)])?;
                return Ok(Built::new(RequiredFieldsCheck { paths: vec![path], extract: None }));
            }
            Self::All(paths) => (paths, None, ""),
            Self::Map(map) => (map.paths, map.extract, "/paths"),
        };
        let mut paths: Vec<Path> = Vec::new();
        for (index, text) in written.iter().enumerate() {
            let pointer = format!("{pointer}/{index}");
            match Path::parse(text) {
                Ok(path) if paths.contains(&path) => {
                    diagnostics
                        .push(EntryDiagnostic::new(pointer, format!("duplicate item {}", quoted(text))));
                }
                Ok(path) => paths.push(path),
                Err(error) => diagnostics.push(EntryDiagnostic::new(pointer, error)),
            }
        }
        no_errors(diagnostics)?;
        Ok(Built::new(RequiredFieldsCheck { paths, extract }))
    }
}

#[derive(Debug)]
struct RequiredFieldsCheck {
    paths: Vec<Path>,
    extract: Option<Extract>,
}

impl Check for RequiredFieldsCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let value = whole::json(subject, self.extract)?;
        let problems = self.paths.iter().filter_map(|path| Some((path.to_string(), problem(path, &value)?)));
        let problems: Vec<(String, String)> = problems.collect();
        let Some((_, first)) = problems.first() else {
            return Ok(pass("all fields are present"));
        };
        let reason = match problems.len() {
            1 => first.clone(),
            count => format!("{first}; {} of {} fields are missing", count, self.paths.len()),
        };
        let fields: Vec<&str> = problems.iter().map(|(path, _)| path.as_str()).collect();
        Ok(finding(false, &reason, json!({ "missing": fields })))
    }
}

/// Describes why a field counts as missing.
fn problem(path: &Path, value: &Value) -> Option<String> {
    let empty = match path.find(value) {
        Err(reason) => return Some(reason),
        Ok(Value::Null) => "null",
        Ok(Value::String(text)) if text.trim().is_empty() => "empty text",
        Ok(Value::Array(list)) if list.is_empty() => "an empty list",
        Ok(Value::Object(map)) if map.is_empty() => "an empty map",
        Ok(_) => return None,
    };
    Some(format!("field {} is {empty}", quoted(&path.to_string())))
}
