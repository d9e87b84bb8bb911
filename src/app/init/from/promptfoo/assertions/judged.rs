//! Assertions that a judge decides: criteria of the case.

use serde_json::{Value, json};

use promptgate_core::model::Diagnostic;

use super::super::super::sources::{extension, text_of};
use super::{Assertion, Carried, Subject};

pub(super) fn convert(assertion: &Assertion, subject: &Subject<'_>) -> Result<Vec<Carried>, Diagnostic> {
    let texts: Vec<String> = match &assertion.value {
        Some(Value::Array(items)) => items.iter().map(text_of).collect(),
        Some(Value::String(text)) => vec![file_or_text(assertion, text, subject)?],
        _ => {
            return Err(assertion.note(
                "it has no text as its `value`",
                "write a statement about a good answer, and import again",
            ));
        }
    };
    let texts = texts.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        return Err(
            assertion.note("its `value` is empty", "write a statement about a good answer, and import again")
        );
    }
    let criterion = |text: String| {
        let text = if assertion.negated { format!("this is not true of the answer: {text}") } else { text };
        let has_weight = assertion.weight.is_finite() && assertion.weight > 0.0 && assertion.weight != 1.0;
        if has_weight { json!({"text": text, "weight": assertion.weight}) } else { Value::from(text) }
    };
    Ok(texts.into_iter().map(|text| Carried::Criterion(criterion(text))).collect())
}

fn file_or_text(assertion: &Assertion, text: &str, subject: &Subject<'_>) -> Result<String, Diagnostic> {
    let Some((path, name)) = assertion.path(text, subject) else { return Ok(text.to_owned()) };
    if name.is_some() || ["js", "mjs", "cjs", "ts", "py"].contains(&extension(&path).as_str()) {
        return Err(assertion
            .note(format!("`{text}` makes the statement by code"), "write it as text, and import again"));
    }
    subject.sources.text(&path, &assertion.place)
}
