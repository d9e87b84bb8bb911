//! Assertions about an answer in JSON.

use serde_json::{Value, json};

use promptgate_core::document::Document;
use promptgate_core::model::Diagnostic;

use super::super::super::draft::{Code, Language};
use super::super::super::sources::extension;
use super::super::transform;
use super::{Assertion, Carried, Subject, disguise, pattern};

pub(super) fn convert(assertion: &Assertion, subject: &Subject<'_>) -> Result<Vec<Carried>, Diagnostic> {
    let is_whole = assertion.kind == "is-json";
    if !is_whole {
        if assertion.value.is_some() {
            let help = "write `json_schema: {path: FILE, extract: fenced}`, or `transform: {extract: json}` and `json_schema: FILE`";
            return Err(assertion.note("no counterpart for any JSON in the text that matches a schema", help));
        }
        let mut entry = json!({"code": "containsJson(String(output))"});
        if assertion.negated
            && let Value::Object(map) = &mut entry
        {
            map.insert("not".to_owned(), Value::Bool(true));
        }
        return Ok(vec![Carried::Code(Code { language: Language::JavaScript, entry })]);
    }
    let check = match &assertion.value {
        None => json!({"is_json": true}),
        Some(value) => json!({"json_schema": schema(assertion, value, subject)?}),
    };
    Ok(vec![Carried::Check(if assertion.negated { disguise::negation(&check) } else { check })])
}

/// The path of a schema that stays where it is, or the schema itself.
fn schema(assertion: &Assertion, value: &Value, subject: &Subject<'_>) -> Result<Value, Diagnostic> {
    let Value::String(text) = value else { return Ok(json!({"schema": value})) };
    if let Some((path, name)) = assertion.path(text, subject) {
        if !["json", "yaml", "yml"].contains(&extension(&path).as_str()) || name.is_some() {
            return Err(assertion.note(
                format!("the schema `{text}` is made by code"),
                "write it to a file in JSON, and import again",
            ));
        }
        let document = subject.sources.document(&path, &assertion.place).map_err(first)?;
        let here = subject.sources.suite_path(&path);
        if extension(&path) == "json" && !here.starts_with("../") && !here.starts_with('/') {
            return Ok(Value::from(here));
        }
        return Ok(json!({"schema": document.into_value()}));
    }
    let document = Document::yaml("the schema", text).map_err(|errors| {
        assertion.note(
            format!("the schema is not valid: {}", first(errors).message),
            "correct it, and import again",
        )
    })?;
    Ok(json!({"schema": document.into_value()}))
}

/// The first of several diagnostics.
pub(super) fn first(errors: promptgate_core::model::Diagnostics) -> Diagnostic {
    errors.0.into_iter().next().unwrap_or_else(|| Diagnostic::new("not readable"))
}

/// An assertion about a field, which `transform` selects.
pub(super) fn of_field(assertion: &Assertion, code: &str) -> Result<Value, Diagnostic> {
    let help = "write `json_field: {path: NAME, equals: VALUE}`, or `transform:` in the configuration for all checks";
    let refused = || assertion.note(format!("its `transform` is code: {}", code.trim()), help);
    let Some(path) = transform::field(code).filter(|_| !assertion.negated) else { return Err(refused()) };
    let condition = match assertion.kind.as_str() {
        "equals" => json!({"equals": assertion.value}),
        "contains" => json!({"contains": assertion.text()?}),
        "regex" => {
            let check = pattern::check(&assertion.text()?, "").ok_or_else(refused)?;
            json!({"matches": check.get("regex").filter(|pattern| pattern.is_string()).ok_or_else(refused)?})
        }
        _ => return Err(refused()),
    };
    let mut conditions = json!({"path": path});
    if let (Value::Object(map), Value::Object(condition)) = (&mut conditions, condition) {
        map.extend(condition);
    }
    Ok(json!({"json_field": conditions}))
}
