//! The fields of a case: their names, what each may hold, and names that are nearly theirs.

use serde_json::Value;

use promptgate_core::model::{Diagnostic, Item};

/// A field that a case knows by name; every other column is a variable.
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

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The field whose name `column` nearly is: another case or separator, an `s` too many or too few, for names
    /// of five letters or more also a slip of the finger.
    pub(super) fn nearly(column: &str) -> Option<Self> {
        let plain = plain(column);
        let exact = Self::ALL.into_iter().find(|field| self::plain(field.name()) == plain);
        exact.or_else(|| {
            Self::ALL.into_iter().find(|field| {
                let name = self::plain(field.name());
                let singular = name.len() >= 4 && name.trim_end_matches('s') == plain.trim_end_matches('s');
                let slips = if name.len() >= 7 { 2 } else { usize::from(name.len() >= 5) };
                singular || (slips > 0 && strsim::damerau_levenshtein(&name, &plain) <= slips)
            })
        })
    }

    /// Names that other tools use for this field.
    pub(super) fn also_called(self) -> &'static [&'static str] {
        match self {
            Self::Query => &["question", "input", "prompt", "user_input", "user_query"],
            Self::Context => &["passages", "documents", "retrieved_contexts", "retrieval_context", "source"],
            Self::Expected => &["answer", "reference", "ground_truth", "expected_output", "ideal", "target"],
            _ => &[],
        }
    }
}

/// Lower case, without `_`, `-` and spaces.
fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter(|character| !matches!(character, '_' | '-' | ' ')).collect()
}

/// What kind of value this is, for messages.
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

fn wrong(field: Field, wanted: &str, found: &Value) -> Diagnostic {
    Diagnostic::new(format!("`{}` must be {wanted}, found {}", field.name(), kind(found)))
}

/// A name that is shown in reports: text or a whole number, one line, not empty.
pub(super) fn label(field: Field, value: &Value) -> Result<String, Diagnostic> {
    const MAX: usize = 200;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        Value::Number(_) => {
            return Err(Diagnostic::new(format!("`{}` must be text or a whole number", field.name()))
                .help("put the number into quotes"));
        }
        other => return Err(wrong(field, "text or a whole number", other)),
    };
    if text.trim().is_empty() {
        return Err(
            Diagnostic::new(format!("`{}` is empty", field.name())).help("name it, or leave the field out")
        );
    }
    if text.chars().any(char::is_control) {
        return Err(Diagnostic::new(format!(
            "`{}` holds a line break or another control character",
            field.name()
        )));
    }
    if text.chars().any(is_invisible) {
        return Err(Diagnostic::new(format!("`{}` holds an invisible character", field.name()))
            .help("type it again: what cannot be seen makes two names look alike"));
    }
    if text.chars().count() > MAX {
        return Err(Diagnostic::new(format!("`{}` is longer than {MAX} characters", field.name())));
    }
    Ok(text)
}

/// Takes no room or turns the direction of text; joiners, which some scripts need, are left.
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
        other => Err(wrong(field, "text", other)),
    }
}

/// Text or a list of texts.
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
        other => Err(wrong(field, "text or a list of texts", other)),
    }
}

pub(super) fn tags(value: &Value) -> Result<Vec<String>, Diagnostic> {
    let Value::Array(items) = value else {
        return Err(wrong(Field::Tags, "a list of texts", value).help("write `\"tags\": [\"refunds\"]`"));
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
        other => Err(wrong(field, "true or false", other)),
    }
}

pub(super) fn list(field: Field, value: &Value) -> Result<Vec<Value>, Diagnostic> {
    match value {
        Value::Array(items) => Ok(items.clone()),
        other => Err(wrong(field, "a list", other)),
    }
}

/// A list of texts or `{text, weight, critical}`.
pub(super) fn criteria(value: &Value) -> Result<Vec<Item>, Diagnostic> {
    list(Field::Criteria, value)?.iter().enumerate().map(|(index, item)| criterion(index + 1, item)).collect()
}

fn criterion(number: usize, value: &Value) -> Result<Item, Diagnostic> {
    let wrong = |what: &str| {
        Diagnostic::new(format!("`criteria` item {number} {what}"))
            .help("write a text, or {\"text\": \"names the next step\", \"weight\": 2, \"critical\": true}")
    };
    let checked = |text: &str| {
        if text.trim().is_empty() { Err(wrong("is empty")) } else { Ok(text.to_owned()) }
    };
    match value {
        Value::String(text) => Ok(Item { text: checked(text)?, weight: 1.0, critical: false }),
        Value::Object(map) => {
            if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "text" | "weight" | "critical"))
            {
                return Err(wrong(&format!("has the unknown key `{key}`")));
            }
            let text = match map.get("text") {
                Some(Value::String(text)) => checked(text)?,
                _ => return Err(wrong("has no `text`")),
            };
            let weight = match map.get("weight") {
                None => 1.0,
                Some(value) => value
                    .as_f64()
                    .filter(|weight| weight.is_finite() && *weight > 0.0)
                    .ok_or_else(|| wrong("has a `weight` that is not a number above 0"))?,
            };
            let critical = match map.get("critical") {
                None => false,
                Some(value) => {
                    value.as_bool().ok_or_else(|| wrong("has a `critical` that is not true or false"))?
                }
            };
            Ok(Item { text, weight, critical })
        }
        other => Err(wrong(&format!("must be text or an object, found {}", kind(other)))),
    }
}
