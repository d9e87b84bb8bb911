//! Changes beside the prompt: model and parameters.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::v1::Report;
use promptgate_core::document::looks_like_secret;
use promptgate_core::text::neutral;

/// Characters of a value.
const MAX_VALUE: usize = 60;
/// Characters before the first difference of a long value.
const MAX_BEFORE: usize = 16;
/// Characters of a path within a parameter.
const MAX_PATH: usize = 80;
/// Differences within one parameter that are listed.
const MAX_PATHS: usize = 5;
/// Differences within one parameter that are looked for.
const MAX_FOUND: usize = 1000;
/// Replaces a value that may hold a secret.
const HIDDEN: &str = "(not shown)";

/// Differences between the candidate and its baseline in model and parameters: `temperature from 0 to 1.5`,
/// `tools[0].function.name from "a" to "b"`. Without a baseline, the candidate's parameters.
pub(crate) fn request_changes(report: &Report) -> Vec<String> {
    described(report, &|name, old, new| differences(name, old, new))
}

/// The same without free text: values that are numbers or booleans, and the names of models.
pub(crate) fn request_changes_without_text(report: &Report) -> Vec<String> {
    let is_number = |value: Option<&Value>| {
        value.is_none_or(|value| value.is_number() || value.is_boolean() || value.is_null())
    };
    described(report, &|name, old, new| match (is_number(old) && is_number(new), old, new) {
        (true, ..) => differences(name, old, new),
        (false, None, _) => vec![format!("{} added", shown_name(name))],
        (false, _, None) => vec![format!("{} removed", shown_name(name))],
        (false, Some(_), Some(_)) => vec![format!("{} changed", shown_name(name))],
    })
}

/// Describes a parameter by its name, its old value and its new one.
type Describe<'d> = &'d dyn Fn(&str, Option<&Value>, Option<&Value>) -> Vec<String>;

fn described(report: &Report, of_parameter: Describe<'_>) -> Vec<String> {
    let candidate = &report.variants.candidate;
    let nothing = Map::new();
    let baseline = report.variants.baseline.as_ref();
    let before = baseline.map_or(&nothing, |baseline| &baseline.parameters);
    let model = baseline.filter(|baseline| baseline.model != candidate.model);
    let model = model.map(|baseline| {
        let (old, new) = apart(&baseline.model, &candidate.model);
        format!("model from {old} to {new}")
    });
    let names: BTreeSet<&String> = before.keys().chain(candidate.parameters.keys()).collect();
    let parameters = names.into_iter().flat_map(|name| {
        let (old, new) = (before.get(name), candidate.parameters.get(name));
        match baseline {
            _ if old == new => Vec::new(),
            Some(_) => of_parameter(name, old, new),
            None => of_parameter(name, None, new).into_iter().map(as_it_is).collect(),
        }
    });
    model.into_iter().chain(parameters).collect()
}

/// The description of a parameter where nothing is compared.
fn as_it_is(added: String) -> String {
    match added.strip_suffix(" added") {
        Some(name) => name.to_owned(),
        None => added.replacen(" added: ", " ", 1),
    }
}

/// The differences of a parameter, each with its path; at most [`MAX_PATHS`], and how many more there are.
fn differences(name: &str, old: Option<&Value>, new: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    find(&shown_name(name), old, new, &mut found);
    let more = found.len().saturating_sub(MAX_PATHS);
    found.truncate(MAX_PATHS);
    if more > 0 {
        let at_least = if more + MAX_PATHS >= MAX_FOUND { "at least " } else { "" };
        let places = if more == 1 { "place" } else { "places" };
        found.push(format!("{} in {at_least}{more} more {places}", shown_name(name)));
    }
    found
}

/// Adds the differences below a path, leaf by leaf.
fn find(path: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<String>) {
    if found.len() >= MAX_FOUND || old == new {
        return;
    }
    match (old, new) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                find(&format!("{path}.{}", shown_name(name)), before.get(name), after.get(name), found);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for index in 0..before.len().max(after.len()) {
                find(&format!("{path}[{index}]"), before.get(index), after.get(index), found);
            }
        }
        (Some(old), Some(new)) => found.push(changed(path, old, new)),
        (Some(old), None) => found.push(format!("{} removed, was {}", end(path), shown(old))),
        (None, Some(new)) => found.push(format!("{} added: {}", end(path), shown(new))),
        (None, None) => {}
    }
}

fn changed(path: &str, old: &Value, new: &Value) -> String {
    // A text may read like a number or a list.
    let (old, new) = match (old, new) {
        (Value::String(old), Value::String(new)) => (old.clone(), new.clone()),
        (old, new) if text(old) == text(new) => (old.to_string(), new.to_string()),
        (old, new) => (text(old), text(new)),
    };
    if looks_like_secret(&old) || looks_like_secret(&new) {
        return format!("{} changed {HIDDEN}", end(path));
    }
    let (old, new) = apart(&old, &new);
    format!("{} from {old} to {new}", end(path))
}

/// Both texts, cut around their first difference, so that they never look the same.
fn apart(old: &str, new: &str) -> (String, String) {
    if old.chars().count() <= MAX_VALUE && new.chars().count() <= MAX_VALUE {
        return (old.to_owned(), new.to_owned());
    }
    let common = old.chars().zip(new.chars()).take_while(|(one, other)| one == other).count();
    let skipped = common.saturating_sub(MAX_BEFORE);
    let part = |text: &str| {
        let rest: String = text.chars().skip(skipped).collect();
        let mark = if skipped > 0 { "…" } else { "" };
        format!("{mark}{}", cut(&rest))
    };
    (part(old), part(new))
}

/// The start of a text. Cut by characters: a cluster of many could hide the difference.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The end of a long path, which names the place.
fn end(path: &str) -> String {
    let skipped = path.chars().count().saturating_sub(MAX_PATH);
    if skipped == 0 {
        path.to_owned()
    } else {
        format!("…{}", path.chars().skip(skipped).collect::<String>())
    }
}

/// The name of a parameter or of a field within it.
fn shown_name(name: &str) -> String {
    if looks_like_secret(name) { HIDDEN.to_owned() } else { neutral::clip(name, MAX_PATH / 2) }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value as it is shown; one that may hold a secret is not.
fn shown(value: &Value) -> String {
    let text = text(value);
    if looks_like_secret(&text) { HIDDEN.to_owned() } else { cut(&text) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures;
    use crate::{Format, Style, write};

    fn rendered(report: &Report, format: Format) -> String {
        let mut out = Vec::new();
        write(report, format, &mut out, Style::default()).unwrap();
        // Without the characters that neutralize markup.
        String::from_utf8(out).unwrap().replace(['\u{200B}', '\\'], "")
    }

    fn parameters(old: Value, new: Value) -> Report {
        let mut report = fixtures::pass();
        report.variants.candidate.parameters = new.as_object().unwrap().clone();
        report.variants.baseline.as_mut().unwrap().parameters = old.as_object().unwrap().clone();
        report
    }

    #[test]
    fn changed_model_and_parameters_are_shown() {
        let mut report = parameters(
            json!({"temperature": 0, "seed": 7}),
            json!({"temperature": 1.9, "n": 2, "key": "sk-live-1234567890abcdef"}),
        );
        report.variants.baseline.as_mut().unwrap().model = "other".to_owned();
        let model = report.variants.candidate.model.clone();
        assert_eq!(
            request_changes(&report),
            [
                format!("model from other to {model}"),
                "key added: (not shown)".to_owned(),
                "n added: 2".to_owned(),
                "seed removed, was 7".to_owned(),
                "temperature from 0 to 1.9".to_owned(),
            ]
        );
        let markdown = rendered(&report, Format::Markdown);
        let (seen, _) = markdown.split_once("<details>").unwrap();
        assert!(seen.contains("**Request:**") && seen.contains("temperature from 0 to 1.9"), "{seen}");
    }

    fn tool(description: &str) -> Value {
        json!({"tools": [{"type": "function", "function": {"name": "refund", "description": description}}]})
    }

    #[test]
    fn change_within_a_long_value_is_shown_at_its_place() {
        let long = "Refunds an order of a customer who asks for it within the thirty days of the terms, ";
        let report = parameters(
            tool(&format!("{long}and never without approval.")),
            tool(&format!("{long}also without approval.")),
        );
        let [change] = request_changes(&report).try_into().unwrap();
        assert_eq!(
            change,
            "tools[0].function.description from … of the terms, and never without approval. to … of the terms, also \
             without approval."
        );
        for format in [Format::Markdown, Format::Html] {
            let text = rendered(&report, format).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("never without approval"), "{format:?}: {text}");
        }
    }

    #[test]
    fn a_change_never_has_two_equal_texts() {
        let long = "x".repeat(500);
        for (old, new) in [
            (json!(format!("{long}a")), json!(format!("{long}b"))),
            (json!(format!("{long}a{long}")), json!(format!("{long}b{long}"))),
            (json!(long.clone()), json!(format!("{long}y"))),
            (json!(format!("e{}", "\u{301}".repeat(400))), json!(format!("e{}b", "\u{301}".repeat(399)))),
            (json!({"a": long}), json!(format!("{{\"a\":\"{long}\"}}"))),
            (json!(1), json!("1")),
            (json!(1), json!(1.0)),
        ] {
            let report = parameters(json!({"stop": old}), json!({"stop": new}));
            for change in request_changes(&report) {
                let (_, values) = change.split_once("stop from ").unwrap();
                let (old, new) = values.split_once(" to ").unwrap();
                assert_ne!(old, new, "{change}");
            }
        }
    }

    #[test]
    fn changes_within_a_parameter_are_bounded_and_counted() {
        let schema = |word: &str| {
            let fields: Map<String, Value> =
                (0..40).map(|number| (format!("field{number}"), json!({"description": word}))).collect();
            json!({"response_format": {"schema": fields}})
        };
        let changes = request_changes(&parameters(schema("old"), schema("new")));
        assert_eq!(changes.len(), MAX_PATHS + 1);
        assert_eq!(changes[0], "response_format.schema.field0.description from old to new");
        assert_eq!(changes[MAX_PATHS], "response_format in 35 more places");
        let many = |word: &str| json!({"stop": vec![word; 50_000]});
        let changes = request_changes(&parameters(many("a"), many("b")));
        assert_eq!(changes[MAX_PATHS], "stop in at least 995 more places");
    }

    #[test]
    fn secrets_within_a_parameter_are_not_shown() {
        let tool = |key: &str| json!({"tools": [{"headers": {"authorization": key}}]});
        let report = parameters(tool("sk-live-1234567890abcdef"), tool("sk-live-fedcba0987654321"));
        assert_eq!(request_changes(&report), ["tools[0].headers.authorization changed (not shown)"]);
    }

    #[test]
    fn free_text_is_left_out_of_numbers() {
        let report = parameters(
            json!({"temperature": 0, "stop": ["secret plan"], "tools": [{"name": "old"}], "user": "ann"}),
            json!({"temperature": 1, "stop": ["other plan"], "response_format": {"type": "json"}, "stream": true}),
        );
        assert_eq!(
            request_changes_without_text(&report),
            [
                "response_format added",
                "stop changed",
                "stream added: true",
                "temperature from 0 to 1",
                "tools removed",
                "user removed",
            ]
        );
    }
}
