//! Case fields: names, aliases, detection of misspelled names, and validation of values.

use serde::de::DeserializeOwned;
use serde_json::Value;

use promptgate_core::document::shown;
use promptgate_core::model::{Diagnostic, Item, Message};
use promptgate_core::template;

use super::messages;

/// A known field of a case; every other column is a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Id,
    Query,
    Messages,
    Turns,
    Context,
    Expected,
    ExpectedSources,
    Checks,
    Tags,
    Group,
    MustPass,
    MustAnswer,
    MayRefuse,
    Criteria,
    Vars,
}

/// Words that are near to the name of a field and mean something else.
const NOT_MISSPELLED: [&str; 14] = [
    "content", "contents", "contest", "contact", "contacts", "concept", "concepts", "connect", "message",
    "passage", "passages", "turn", "terms", "returns",
];

impl Field {
    /// Every field with its name.
    pub(super) const NAMES: [(Self, &'static str); 15] = [
        (Self::Id, "id"),
        (Self::Query, "query"),
        (Self::Messages, "messages"),
        (Self::Turns, "turns"),
        (Self::Context, "context"),
        (Self::Expected, "expected"),
        (Self::ExpectedSources, "expected_sources"),
        (Self::Checks, "checks"),
        (Self::Tags, "tags"),
        (Self::Group, "group"),
        (Self::MustPass, "must_pass"),
        (Self::MustAnswer, "must_answer"),
        (Self::MayRefuse, "may_refuse"),
        (Self::Criteria, "criteria"),
        (Self::Vars, "vars"),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(field, _)| *field == self).map(|(_, name)| *name).unwrap_or_default()
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(field, _)| *field)
    }

    /// Returns the field whose name `column` probably misspells: different letter case or separator, a missing or
    /// extra `s`, or a typo in a name of at least five letters.
    pub(super) fn similar_to(column: &str) -> Option<Self> {
        let column = normalize(column);
        if NOT_MISSPELLED.contains(&column.as_str()) {
            return None;
        }
        // In other tools the checks of a case are its assertions.
        if matches!(column.as_str(), "assert" | "asserts" | "assertions") {
            return Some(Self::Checks);
        }
        let names = Self::NAMES.map(|(field, name)| (field, normalize(name)));
        let names_near = names.iter();
        let is_near = |name: &str| {
            let plural = name.len() >= 4 && name.trim_end_matches('s') == column.trim_end_matches('s');
            let max_typos = if name.len() >= 7 { 2 } else { usize::from(name.len() >= 5) };
            plural || (max_typos > 0 && strsim::damerau_levenshtein(name, &column) <= max_typos)
        };
        let exact = names.iter().find(|(_, name)| *name == column);
        exact.or_else(|| names_near.clone().find(|(_, name)| is_near(name))).map(|(field, _)| *field)
    }

    /// Names of this field in other tools.
    pub(super) fn aliases(self) -> &'static [&'static str] {
        template::aliases(self.name())
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
    let found = match found {
        Value::String(_) | Value::Number(_) => shown(found),
        other => kind(other).to_owned(),
    };
    Diagnostic::new(format!("`{}` must be {expected}, found {found}", field.name()))
}

/// Reads a text.
pub(super) fn text(field: Field, value: &Value) -> Result<String, Diagnostic> {
    let help = match value {
        Value::Number(number) => format!("put quotes around it: \"{number}\""),
        Value::Array(_) => {
            "write one text; the messages before it belong under `messages`, questions that follow each other under \
             `turns`"
                .to_owned()
        }
        _ => "write text".to_owned(),
    };
    typed(field, "text", value).map_err(|diagnostic: Diagnostic| diagnostic.help(help))
}

/// Reads a value of a type whose name in messages is `expected`.
pub(super) fn typed<T: DeserializeOwned>(
    field: Field,
    expected: &str,
    value: &Value,
) -> Result<T, Diagnostic> {
    T::deserialize(value).map_err(|_| type_error(field, expected, value))
}

/// Reads true or false; `help` says which values are accepted.
pub(super) fn flag(field: Field, expected: &str, help: &str, value: &Value) -> Result<bool, Diagnostic> {
    typed(field, expected, value).map_err(|diagnostic: Diagnostic| diagnostic.help(help))
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
    let invalid = |problem: &str| Diagnostic::new(format!("`{}` {problem}", field.name()));
    if text.trim().is_empty() {
        return Err(invalid("is empty").help("set it, or remove the field"));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid("contains a line break or another control character"));
    }
    if text.chars().any(is_invisible) {
        return Err(invalid("contains an invisible character")
            .help("retype it: invisible characters make different names look the same"));
    }
    if text.chars().count() > MAX {
        return Err(invalid(&format!("is longer than {MAX} characters")));
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

/// Parses the texts or ids of sources: one or a list, none of them blank.
pub(super) fn sources(value: &Value) -> Result<Vec<String>, Diagnostic> {
    let field = Field::ExpectedSources;
    let sources = passages(field, value)?;
    if sources.is_empty() || sources.iter().any(|source| source.trim().is_empty()) {
        let message = format!("`{}` has no source, or a blank one", field.name());
        return Err(
            Diagnostic::new(message).help("list the texts or ids of the sources, or remove the field")
        );
    }
    let mut distinct: Vec<String> = Vec::new();
    for source in sources {
        if !distinct.contains(&source) {
            distinct.push(source);
        }
    }
    Ok(distinct)
}

/// Parses the conversation before the question. Images of files have their paths relative to the dataset.
pub(super) fn messages(value: &Value) -> Result<Vec<Message>, Vec<Diagnostic>> {
    let items: Vec<Value> = typed(Field::Messages, "a list", value).map_err(|diagnostic: Diagnostic| {
        vec![diagnostic.help("write `messages: [{role: user, content: …}, {role: assistant, content: …}]`")]
    })?;
    let (messages, problems) = messages::parse(&items);
    if problems.is_empty() {
        return Ok(messages.into_iter().map(|(_, message)| message).collect());
    }
    let diagnostic = |problem: messages::Problem| {
        Diagnostic::new(format!("`messages` item {}: {}", problem.number(), problem.message))
            .help(problem.help)
    };
    Err(problems.into_iter().map(diagnostic).collect())
}

/// Parses the questions of a conversation: a list of texts, none of them blank.
pub(super) fn turns(value: &Value) -> Result<Vec<String>, Diagnostic> {
    const HELP: &str = "write the lines of the user: turns: [\"Where is my parcel?\", \"Number 1004.\"]; a column that \
                        means something else is mapped: `fields: {\"vars.turns\": turns}`";
    let Value::Array(items) = value else {
        return Err(type_error(Field::Turns, "a list of texts", value).help(HELP));
    };
    let turns =
        passages(Field::Turns, &Value::from(items.as_slice())).map_err(|diagnostic| diagnostic.help(HELP))?;
    if turns.is_empty() {
        return Err(Diagnostic::new("`turns` is empty").help(HELP));
    }
    match turns.iter().position(|turn| turn.trim().is_empty()) {
        Some(index) => {
            Err(Diagnostic::new(format!("`turns` item {} is empty", index + 1))
                .help("write it, or remove it"))
        }
        None => Ok(turns),
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

/// Parses a list of texts or `{text, weight, critical}` objects.
pub(super) fn criteria(value: &Value) -> Result<Vec<Item>, Diagnostic> {
    let items: Vec<Value> = typed(Field::Criteria, "a list", value)?;
    items.iter().enumerate().map(|(index, item)| criterion(index + 1, item)).collect()
}

fn criterion(number: usize, value: &Value) -> Result<Item, Diagnostic> {
    let invalid = |problem: &str| {
        Diagnostic::new(format!("`criteria` item {number} {problem}"))
            .help("write text, or {\"text\": \"names the next step\", \"weight\": 2, \"critical\": true}")
    };
    let (text, map) = match value {
        Value::String(text) => (text, None),
        Value::Object(map) => {
            if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "text" | "weight" | "critical"))
            {
                return Err(invalid(&format!("has the unknown key `{key}`")));
            }
            let Some(Value::String(text)) = map.get("text") else { return Err(invalid("has no `text`")) };
            (text, Some(map))
        }
        other => return Err(invalid(&format!("must be text or an object, found {}", kind(other)))),
    };
    if text.trim().is_empty() {
        return Err(invalid("is empty"));
    }
    let option = |name: &str| map.and_then(|map| map.get(name));
    let weight = option("weight")
        .map_or(Some(1.0), Value::as_f64)
        .filter(|weight| weight.is_finite() && *weight > 0.0)
        .ok_or_else(|| invalid("has a `weight` that is not a number above 0"))?;
    let critical = option("critical")
        .map_or(Some(false), Value::as_bool)
        .ok_or_else(|| invalid("has a `critical` that is not true or false"))?;
    Ok(Item { text: text.clone(), weight, critical })
}

/// Whether a value, or an item of a list, names a file relative to the dataset, as other tools read it. `file:///…` is a
/// URL like any other.
pub(super) fn refers_to_file(value: &Value) -> bool {
    match value {
        Value::String(text) => text
            .trim()
            .strip_prefix("file://")
            .is_some_and(|path| !path.starts_with('/') && !path.contains(char::is_whitespace)),
        Value::Array(items) => items.iter().any(refers_to_file),
        _ => false,
    }
}

/// The error of such a value.
pub(super) fn file_reference(name: &str) -> Diagnostic {
    Diagnostic::new(format!("`{name}` refers to a file, and `dataset.files` does not list it")).help(format!(
        "write `dataset: {{path: …, files: [{name}]}}` to read its values from files; or write the text of the file here"
    ))
}
