//! Case fields: names, aliases, detection of misspelled names, and validation of values.

use serde_json::Value;

use promptgate_core::model::{Diagnostic, Item};

/// A known field of a case; every other column is a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Id,
    Query,
    Context,
    Expected,
    Checks,
    Tags,
    Group,
    MustPass,
    MustAnswer,
    Criteria,
    Vars,
}

impl Field {
    pub(super) const ALL: [Self; 11] = [
        Self::Id,
        Self::Query,
        Self::Context,
        Self::Expected,
        Self::Checks,
        Self::Tags,
        Self::Group,
        Self::MustPass,
        Self::MustAnswer,
        Self::Criteria,
        Self::Vars,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Query => "query",
            Self::Context => "context",
            Self::Expected => "expected",
            Self::Checks => "checks",
            Self::Tags => "tags",
            Self::Group => "group",
            Self::MustPass => "must_pass",
            Self::MustAnswer => "must_answer",
            Self::Criteria => "criteria",
            Self::Vars => "vars",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Returns the field whose name `column` probably misspells: different letter case or separator, a missing or
    /// extra `s`, or a typo in a name of at least five letters.
    pub(super) fn similar_to(column: &str) -> Option<Self> {
        let column = normalize(column);
        let exact = Self::ALL.into_iter().find(|field| normalize(field.name()) == column);
        exact.or_else(|| {
            Self::ALL.into_iter().find(|field| {
                let name = normalize(field.name());
                let plural = name.len() >= 4 && name.trim_end_matches('s') == column.trim_end_matches('s');
                let max_typos = if name.len() >= 7 { 2 } else { usize::from(name.len() >= 5) };
                plural || (max_typos > 0 && strsim::damerau_levenshtein(&name, &column) <= max_typos)
            })
        })
    }

    /// Names of this field in other tools.
    pub(super) fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Query => &["question", "input", "prompt", "user_input", "user_query"],
            Self::Context => &["passages", "documents", "retrieved_contexts", "retrieval_context", "source"],
            Self::Expected => &["answer", "reference", "ground_truth", "expected_output", "ideal", "target"],
            _ => &[],
        }
    }
}

/// Converts to lower case and removes `_`, `-` and spaces.
fn normalize(name: &str) -> String {
    name.to_lowercase().chars().filter(|character| !matches!(character, '_' | '-' | ' ')).collect()
}

/// The type of a value, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn type_error(field: Field, expected: &str, found: &Value) -> Diagnostic {
    Diagnostic::new(format!("`{}` must be {expected}, found {}", field.name(), kind(found)))
}

/// Validates a name shown in reports: text or an integer, one line, not empty.
pub(super) fn label(field: Field, value: &Value) -> Result<String, Diagnostic> {
    const MAX: usize = 200;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        Value::Number(_) => {
            return Err(Diagnostic::new(format!("`{}` must be text or an integer", field.name()))
                .help("quote the number"));
        }
        other => return Err(type_error(field, "text or an integer", other)),
    };
    if text.trim().is_empty() {
        return Err(
            Diagnostic::new(format!("`{}` is empty", field.name())).help("set it, or remove the field")
        );
    }
    if text.chars().any(char::is_control) {
        return Err(Diagnostic::new(format!(
            "`{}` contains a line break or another control character",
            field.name()
        )));
    }
    if text.chars().any(is_invisible) {
        return Err(Diagnostic::new(format!("`{}` contains an invisible character", field.name()))
            .help("retype it: invisible characters make different names look the same"));
    }
    if text.chars().count() > MAX {
        return Err(Diagnostic::new(format!("`{}` is longer than {MAX} characters", field.name())));
    }
    Ok(text)
}

/// Whether a character has no width or changes text direction. Joiners are allowed, since some scripts need them.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}'
    )
}

pub(super) fn text(field: Field, value: &Value) -> Result<String, Diagnostic> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(type_error(field, "text", other)),
    }
}

/// Parses text or a list of texts.
pub(super) fn passages(field: Field, value: &Value) -> Result<Vec<String>, Diagnostic> {
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                item.as_str().map(str::to_owned).ok_or_else(|| {
                    let (name, number, found) = (field.name(), index + 1, kind(item));
                    Diagnostic::new(format!("`{name}` must be a list of texts, but item {number} is {found}"))
                })
            })
            .collect(),
        other => Err(type_error(field, "text or a list of texts", other)),
    }
}

pub(super) fn tags(value: &Value) -> Result<Vec<String>, Diagnostic> {
    let Value::Array(items) = value else {
        return Err(type_error(Field::Tags, "a list of texts", value).help("write `\"tags\": [\"refunds\"]`"));
    };
    let mut tags: Vec<String> = Vec::new();
    for item in items {
        let tag = label(Field::Tags, item)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

pub(super) fn flag(field: Field, value: &Value) -> Result<bool, Diagnostic> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        other => Err(type_error(field, "true or false", other)),
    }
}

pub(super) fn list(field: Field, value: &Value) -> Result<Vec<Value>, Diagnostic> {
    match value {
        Value::Array(items) => Ok(items.clone()),
        other => Err(type_error(field, "a list", other)),
    }
}

/// Parses a list of texts or `{text, weight, critical}` objects.
pub(super) fn criteria(value: &Value) -> Result<Vec<Item>, Diagnostic> {
    list(Field::Criteria, value)?.iter().enumerate().map(|(index, item)| criterion(index + 1, item)).collect()
}

fn criterion(number: usize, value: &Value) -> Result<Item, Diagnostic> {
    let invalid = |problem: &str| {
        Diagnostic::new(format!("`criteria` item {number} {problem}"))
            .help("write text, or {\"text\": \"names the next step\", \"weight\": 2, \"critical\": true}")
    };
    let non_empty = |text: &str| {
        if text.trim().is_empty() { Err(invalid("is empty")) } else { Ok(text.to_owned()) }
    };
    match value {
        Value::String(text) => Ok(Item { text: non_empty(text)?, weight: 1.0, critical: false }),
        Value::Object(map) => {
            if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "text" | "weight" | "critical"))
            {
                return Err(invalid(&format!("has the unknown key `{key}`")));
            }
            let text = match map.get("text") {
                Some(Value::String(text)) => non_empty(text)?,
                _ => return Err(invalid("has no `text`")),
            };
            let weight = match map.get("weight") {
                None => 1.0,
                Some(value) => value
                    .as_f64()
                    .filter(|weight| weight.is_finite() && *weight > 0.0)
                    .ok_or_else(|| invalid("has a `weight` that is not a number above 0"))?,
            };
            let critical = match map.get("critical") {
                None => false,
                Some(value) => {
                    value.as_bool().ok_or_else(|| invalid("has a `critical` that is not true or false"))?
                }
            };
            Ok(Item { text, weight, critical })
        }
        other => Err(invalid(&format!("must be text or an object, found {}", kind(other)))),
    }
}
