//! Assertions as checks, criteria, scorers and limits.

mod code;
mod disguise;
mod expression;
mod json;
mod judged;
mod measured;
mod pattern;
mod texts;

pub(super) use code::environment;

use serde_json::{Map, Value};

use promptgate_core::check;
use promptgate_core::model::{Diagnostic, Place};

use super::super::draft::{Code, slug};
use super::super::sources::{Sources, extension};
use super::super::template::{Dialect, render, value_at};

/// An assertion as written, with its values inserted.
#[derive(Debug, Clone)]
pub(super) struct Assertion {
    /// Its type without `not-`.
    pub(super) kind: String,
    pub(super) negated: bool,
    pub(super) value: Option<Value>,
    pub(super) threshold: Option<f64>,
    pub(super) weight: f64,
    /// The name of its metric.
    pub(super) name: Option<String>,
    /// A transformation of the answer for this assertion.
    pub(super) transform: Option<String>,
    /// Keys that have no counterpart.
    pub(super) other: Vec<String>,
    /// The place of its type.
    pub(super) place: Place,
    /// The file that it is written in.
    pub(super) file: String,
}

/// The counterpart of an assertion.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Carried {
    Check(Value),
    Criterion(Value),
    Code(Code),
    /// A limit on the latency, in milliseconds.
    Latency(f64),
}

/// The case of an assertion.
pub(super) struct Subject<'a> {
    /// The variables of the case.
    pub(super) vars: &'a Map<String, Value>,
    /// Whether the tool parses the answer as JSON before assertions.
    pub(super) is_json: bool,
    pub(super) sources: &'a Sources<'a>,
}

impl Assertion {
    /// Reads a map; its kind is empty where it has no type.
    pub(super) fn read(map: &Map<String, Value>, place: Place, file: &str) -> Self {
        let known = ["type", "value", "threshold", "weight", "metric", "transform", "description"];
        let written = map.get("type").and_then(Value::as_str).unwrap_or_default();
        let (negated, kind) = written.strip_prefix("not-").map_or((false, written), |kind| (true, kind));
        let name = map.get("metric").and_then(Value::as_str).map(slug).filter(|name| !name.is_empty());
        Self {
            kind: kind.to_owned(),
            negated,
            value: map.get("value").filter(|value| !value.is_null()).cloned(),
            threshold: map.get("threshold").and_then(Value::as_f64),
            weight: map.get("weight").and_then(Value::as_f64).unwrap_or(1.0),
            name,
            transform: map.get("transform").and_then(Value::as_str).map(str::to_owned),
            other: map.keys().filter(|key| !known.contains(&key.as_str())).cloned().collect(),
            place,
            file: file.to_owned(),
        }
    }

    /// The type as written.
    pub(super) fn written(&self) -> String {
        format!("{}{}", if self.negated { "not-" } else { "" }, self.kind)
    }

    /// A note about it.
    pub(super) fn note(&self, message: impl std::fmt::Display, help: impl Into<String>) -> Diagnostic {
        Diagnostic::new(format!("`{}`: {message}", self.written())).at(self.place.clone()).help(help)
    }

    fn text(&self) -> Result<String, Diagnostic> {
        match &self.value {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
            _ => Err(self.note("it has no text as its `value`", "write the text, and import again")),
        }
    }

    /// The texts of a list, or of a text separated by commas.
    fn texts(&self) -> Result<Vec<String>, Diagnostic> {
        match &self.value {
            Some(Value::Array(items)) => Ok(items.iter().map(super::super::sources::text_of).collect()),
            Some(Value::String(text)) => Ok(texts::separated(text)),
            _ => Err(self.note("it has no list as its `value`", "write the texts, and import again")),
        }
    }

    /// The path in `file://`, without a name behind a colon, and that name.
    fn path<'v>(&self, value: &'v str, subject: &Subject<'_>) -> Option<(String, Option<&'v str>)> {
        let path = value.trim().strip_prefix("file://")?;
        let (path, name) = match path.rsplit_once(':') {
            Some((path, name)) if !name.is_empty() && !name.contains(['/', '\\']) => (path, Some(name)),
            _ => (path, None),
        };
        Some((subject.sources.resolve(path, &self.file), name))
    }

    /// Replaces a value in a file, unless it is code, a schema or a statement, which are read where they are used.
    fn loaded(self, subject: &Subject<'_>) -> Result<Self, Diagnostic> {
        const READ_LATER: [&str; 7] = [
            "javascript",
            "python",
            "is-json",
            "contains-json",
            "llm-rubric",
            "g-eval",
            "model-graded-closedqa",
        ];
        let path = self.value.as_ref().and_then(Value::as_str).and_then(|text| self.path(text, subject));
        let Some((path, name)) = path.filter(|_| !READ_LATER.contains(&self.kind.as_str())) else {
            return Ok(self);
        };
        let value = match extension(&path).as_str() {
            "js" | "mjs" | "cjs" | "ts" | "py" | "rb" => {
                return Err(
                    self.note(format!("its value is made by `{path}`"), "write the value, and import again")
                );
            }
            _ if name.is_some() => {
                return Err(self.note("its value is a part of a file", "write the value, and import again"));
            }
            "json" | "yaml" | "yml" => {
                let document = subject.sources.document(&path, &self.place);
                document.map_err(json::first)?.into_value()
            }
            _ => Value::from(subject.sources.text(&path, &self.place)?.trim()),
        };
        Ok(Self { value: Some(value), ..self })
    }

    /// Inserts the variables into the value. Code in files has none.
    fn rendered(&self, vars: &Map<String, Value>) -> Result<Option<Value>, Diagnostic> {
        let lookup = |name: &str| value_at(vars, name).cloned();
        let insert = |text: &str| {
            render(text, Dialect::Nunjucks, &lookup).map_err(|logic| {
                let help = "write the finished text; only plain variables are inserted";
                self.note(format!("`{logic}` is not a plain variable"), help)
            })
        };
        self.value.as_ref().map(|value| inserted(value, &insert)).transpose()
    }
}

/// The value with every text replaced.
fn inserted(value: &Value, insert: &dyn Fn(&str) -> Result<String, Diagnostic>) -> Result<Value, Diagnostic> {
    Ok(match value {
        Value::String(text) => Value::String(insert(text)?),
        Value::Array(items) => {
            items.iter().map(|item| inserted(item, insert)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| Ok((key.clone(), inserted(value, insert)?)));
            Value::Object(entries.collect::<Result<_, Diagnostic>>()?)
        }
        other => other.clone(),
    })
}

/// Converts an assertion for a case.
///
/// # Errors
/// A note: what has no counterpart, and what to write in its place.
pub(super) fn convert(assertion: &Assertion, subject: &Subject<'_>) -> Result<Vec<Carried>, Diagnostic> {
    let assertion = Assertion { value: assertion.rendered(subject.vars)?, ..assertion.clone() };
    let assertion = assertion.loaded(subject)?;
    if let Some(transform) = &assertion.transform {
        let check = json::of_field(&assertion, transform)?;
        return validated(&assertion, vec![Carried::Check(check)], subject);
    }
    let carried = match assertion.kind.as_str() {
        "contains" | "icontains" | "contains-any" | "icontains-any" | "contains-all" | "icontains-all"
        | "equals" | "starts-with" | "regex" | "word-count" => texts::convert(&assertion)?,
        "is-json" | "contains-json" => json::convert(&assertion, subject)?,
        "llm-rubric" | "g-eval" | "model-graded-closedqa" => judged::convert(&assertion, subject)?,
        "javascript" | "python" => code::convert(&assertion, subject)?,
        "latency" | "cost" | "similar" => measured::convert(&assertion)?,
        _ => return Err(unknown(&assertion)),
    };
    validated(&assertion, carried, subject)
}

/// Compiles the checks, so that a suite is never written that `check` refuses.
fn validated(
    assertion: &Assertion,
    carried: Vec<Carried>,
    subject: &Subject<'_>,
) -> Result<Vec<Carried>, Diagnostic> {
    let read = |path: &str| {
        let path = path.strip_prefix(subject.sources.prefix.as_str()).unwrap_or(path);
        subject.sources.text(path, &assertion.place).map_err(|error| error.message)
    };
    for carried in &carried {
        if let Carried::Check(entry) = carried
            && let Err(errors) = check::compile(entry, &read)
        {
            let first = errors.into_iter().next();
            let (message, help) = first.map(|error| (error.message, error.help)).unwrap_or_default();
            return Err(
                assertion.note(message, help.unwrap_or_else(|| "correct it, and import again".to_owned()))
            );
        }
    }
    Ok(carried)
}

/// The advice for a type of other tools is that of the configuration.
fn unknown(assertion: &Assertion) -> Diagnostic {
    let written = assertion.written();
    let mut entry = Map::new();
    entry.insert(written.clone(), assertion.value.clone().unwrap_or(Value::Bool(true)));
    let errors = check::compile(&Value::Object(entry), &|_| Err(String::new())).err().unwrap_or_default();
    let help = errors.into_iter().find_map(|error| error.help);
    let help = help.unwrap_or_else(|| "write one of the checks of docs/checks.md".to_owned());
    match written.as_str() {
        "" => Diagnostic::new("an assertion has no `type`")
            .at(assertion.place.clone())
            .help("give it one, and import again"),
        _ => assertion.note("no counterpart", help),
    }
}
