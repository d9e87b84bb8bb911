//! `json_schema`: the answer is JSON that matches a schema of draft 7, 2019-09 or 2020-12.
//!
//! The schema is in one file or in the entry. References are limited to the schema itself and the meta-schemas of the
//! drafts; nothing is fetched. `format` is an assertion in draft 7 and an annotation in later drafts, as they specify.

use std::fmt;

use ::jsonschema::error::ValidationErrorKind;
use ::jsonschema::{PatternOptions, ValidationError, Validator};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};
use crate::text::json;

use super::diagnostic::EntryDiagnostic;
use super::reason::{excerpt, finding, kind, pass, quoted, shown};
use super::spec::{Built, Files, Spec, present};
use super::vacuous;
use super::whole::{self, Extract};

/// Maximum number of violations in a message.
const SHOWN: usize = 3;
/// Maximum number of violations that are counted.
const COUNTED: usize = 1000;
/// Maximum length of one violation.
const VIOLATION_LENGTH: usize = 160;
/// Maximum number of backtracking steps of a `pattern` with look-around on one text.
const BACKTRACK_LIMIT: usize = 100_000;
/// Maximum size of a compiled `pattern` in bytes.
const MAX_COMPILED: usize = 2 << 20;
/// Supported drafts, without scheme and empty fragment.
const DRAFTS: [&str; 3] = [
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft/2020-12/schema",
];

/// Path of the schema, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum JsonSchemaSpec {
    /// Path of the schema's file, relative to the configuration.
    Path(#[schemars(length(min = 1))] String),
    /// With options.
    Map(JsonSchemaMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JsonSchemaMap {
    /// Path of the schema's file, relative to the configuration.
    #[schemars(length(min = 1))]
    path: Option<String>,
    /// The schema itself, instead of a path.
    #[serde(default, deserialize_with = "present")]
    schema: Option<Value>,
    /// fenced: the JSON is the only fenced code block of the answer. Default: the JSON is the whole answer.
    extract: Option<Extract>,
}

impl Spec for JsonSchemaSpec {
    fn build(self, files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (path, schema, extract, pointer) = match self {
            Self::Path(path) => (Some(path), None, None, ""),
            Self::Map(map) => (map.path, map.schema, map.extract, "/path"),
        };
        let (pointer, source, schema) = match (path, schema) {
            (Some(path), None) => {
                let named =
                    |message: String| vec![EntryDiagnostic::new(pointer, format!("{path}: {message}"))];
                let text = files(&path).map_err(named)?;
                let schema = json::parse(text.trim_start_matches('\u{feff}'))
                    .map_err(|error| named(format!("not JSON: {error}")))?;
                (pointer, path, schema)
            }
            (None, Some(schema)) => ("/schema", "schema".to_owned(), schema),
            (Some(_), Some(_)) => {
                let diagnostic = EntryDiagnostic::new("", "has both `path` and `schema`");
                return Err(vec![diagnostic.help("keep one of them")]);
            }
            (None, None) => {
                return Err(vec![EntryDiagnostic::new("", "has no schema").help("give `path` or `schema`")]);
            }
        };
        let (validator, warnings) = validator(&schema, pointer, &source)?;
        Ok(Built::new(JsonSchemaCheck { validator, extract }).warning(warnings))
    }
}

/// Compiles a schema from `source` at `pointer`, with warnings about what is probably not meant.
///
/// # Errors
/// An invalid schema, or a wrapper around one.
pub(crate) fn validator(
    schema: &Value,
    pointer: &str,
    source: &str,
) -> Result<(Validator, Vec<EntryDiagnostic>), Vec<EntryDiagnostic>> {
    if let Some((message, help)) = vacuous::wrapped(schema) {
        return Err(vec![EntryDiagnostic::new(pointer, format!("{source}: {message}")).help(help)]);
    }
    let located = |problem: Problem| problem.diagnostic(pointer, source);
    let validator = compile(schema)
        .map_err(|problems| problems.into_iter().map(located).collect::<Vec<EntryDiagnostic>>())?;
    let warnings = vacuous::warnings(schema).into_iter();
    let warnings = warnings.map(|message| EntryDiagnostic::new(pointer, format!("{source}: {message}")));
    Ok((validator, warnings.collect()))
}

/// The first violation of a schema with its place, for messages.
pub(crate) fn violation(validator: &Validator, value: &Value) -> Option<String> {
    let error = validator.iter_errors(value).next()?;
    let message = message(&error);
    Some(match error.instance_path().as_str() {
        "" => message,
        path => format!("{}: {message}", excerpt(path, VIOLATION_LENGTH)),
    })
}

/// An error in a schema.
struct Problem {
    /// JSON pointer within the schema.
    at: String,
    message: String,
    help: Option<&'static str>,
}

impl Problem {
    fn diagnostic(self, pointer: &str, source: &str) -> EntryDiagnostic {
        let place = if self.at.is_empty() { String::new() } else { format!(" at {}", self.at) };
        let message = format!("{source}: invalid schema{place}: {}", self.message);
        EntryDiagnostic { help: self.help.map(str::to_owned), ..EntryDiagnostic::new(pointer, message) }
    }
}

/// Compiles a schema without fetching anything.
fn compile(schema: &Value) -> Result<Validator, Vec<Problem>> {
    if !schema.is_object() && !schema.is_boolean() {
        let message = format!("must be a map, but is {}", kind(schema));
        return Err(vec![Problem { at: String::new(), message, help: None }]);
    }
    if let Some(draft) = schema.get("$schema").filter(|draft| !draft.as_str().is_some_and(is_known_draft)) {
        let message = format!("unknown draft {}", shown(draft));
        let help = "use \"https://json-schema.org/draft/2020-12/schema\", the same of 2019-09, or \
                    \"http://json-schema.org/draft-07/schema#\"";
        return Err(vec![Problem { at: "/$schema".to_owned(), message, help: Some(help) }]);
    }
    let meta = ::jsonschema::meta::validator_for(schema).map_err(|error| vec![problem(&error)])?;
    let problems: Vec<Problem> = meta.iter_errors(schema).take(SHOWN).map(|error| problem(&error)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    ::jsonschema::options()
        .offline()
        .with_pattern_options(
            PatternOptions::fancy_regex()
                .backtrack_limit(BACKTRACK_LIMIT)
                .size_limit(MAX_COMPILED)
                .dfa_size_limit(MAX_COMPILED),
        )
        .build(schema)
        .map_err(|error| vec![problem(&error)])
}

fn is_known_draft(uri: &str) -> bool {
    let bare = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://")).unwrap_or(uri);
    DRAFTS.contains(&bare.strip_suffix('#').unwrap_or(bare))
}

fn problem(error: &ValidationError<'_>) -> Problem {
    let at = error.instance_path().as_str().to_owned();
    match error.kind() {
        ValidationErrorKind::Referencing(::jsonschema::ReferencingError::Unretrievable { uri, .. }) => {
            Problem {
                at,
                message: format!("reference to {}, which is outside the schema", quoted(uri)),
                help: Some("copy its target into `$defs` and write `\"$ref\": \"#/$defs/NAME\"`"),
            }
        }
        _ => {
            let help = at.ends_with("/type").then_some(
                "the types are \"array\", \"boolean\", \"integer\", \"null\", \"number\", \"object\" and \"string\"",
            );
            Problem { at, message: message(error), help }
        }
    }
}

/// Returns the message of a violation, without the content of lists and maps.
fn message(error: &ValidationError<'_>) -> String {
    let instance = error.instance();
    let text = if instance.is_object() || instance.is_array() {
        error.masked_with(kind(instance)).to_string()
    } else {
        error.to_string()
    };
    excerpt(&text, VIOLATION_LENGTH)
}

struct JsonSchemaCheck {
    validator: Validator,
    extract: Option<Extract>,
}

impl fmt::Debug for JsonSchemaCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonSchemaCheck").field("extract", &self.extract).finish_non_exhaustive()
    }
}

impl Check for JsonSchemaCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let value = whole::json(subject, self.extract)?;
        let (mut listed, mut violations) = (Vec::new(), Vec::new());
        let mut errors = self.validator.iter_errors(&value).take(COUNTED);
        for error in errors.by_ref().take(SHOWN) {
            let (path, message) = (error.instance_path().as_str(), message(&error));
            violations.push(json!({ "path": path, "message": message }));
            listed.push(match path {
                "" => message,
                _ => format!("{}: {message}", excerpt(path, VIOLATION_LENGTH)),
            });
        }
        let count = violations.len() + errors.count();
        if count == 0 {
            return Ok(pass("matches the schema"));
        }
        let total = match count {
            1 => "1 violation".to_owned(),
            COUNTED.. => format!("at least {COUNTED} violations"),
            _ => format!("{count} violations"),
        };
        let reason = format!("{total} of the schema: {}", listed.join("; "));
        Ok(finding(false, &reason, json!({ "count": count, "violations": violations })))
    }
}
