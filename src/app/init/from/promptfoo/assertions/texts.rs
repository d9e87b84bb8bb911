//! Assertions about the text of an answer.

use serde_json::{Value, json};

use promptgate_core::model::Diagnostic;

use super::super::super::draft::{Code, Language};
use super::{Assertion, Carried, disguise, pattern};

pub(super) fn convert(assertion: &Assertion) -> Result<Vec<Carried>, Diagnostic> {
    let negated = assertion.negated;
    let check = match assertion.kind.as_str() {
        "contains" if negated => json!({"not_contains": assertion.text()?}),
        "contains" => json!({"contains": assertion.text()?}),
        "icontains" if negated => json!({"not_contains": {"any": [assertion.text()?], "ignore_case": true}}),
        "icontains" => json!({"contains": {"all": [assertion.text()?], "ignore_case": true}}),
        kind @ ("contains-any" | "icontains-any" | "contains-all" | "icontains-all") => {
            let share = if kind.ends_with("any") { "any" } else { "all" };
            let mut texts = json!({share: assertion.texts()?});
            if kind.starts_with('i')
                && let Value::Object(map) = &mut texts
            {
                map.insert("ignore_case".to_owned(), Value::Bool(true));
            }
            if negated { json!({"not_contains": texts}) } else { json!({"contains": texts}) }
        }
        "equals" => match &assertion.value {
            Some(value @ (Value::Object(_) | Value::Array(_))) => {
                not(negated, json!({"equals": {"value": value}}))
            }
            _ => not(negated, json!({"equals": assertion.text()?})),
        },
        "starts-with" => not(negated, json!({"starts_with": assertion.text()?})),
        "word-count" => not(negated, json!({"length": words(assertion)?})),
        _ => return regex(assertion),
    };
    Ok(vec![Carried::Check(check)])
}

fn not(negated: bool, check: Value) -> Value {
    if negated { disguise::negation(&check) } else { check }
}

fn words(assertion: &Assertion) -> Result<Value, Diagnostic> {
    let wrong = || {
        assertion.note(
            "its `value` is neither a number nor a map of `min` and `max`",
            "write `length: {max_words: 80}`",
        )
    };
    match assertion.value.as_ref().ok_or_else(wrong)? {
        Value::Object(map) => {
            let bounds = [("min", "min_words"), ("max", "max_words")];
            Ok(bounds
                .iter()
                .filter_map(|(there, here)| Some(((*here).to_owned(), map.get(*there)?.clone())))
                .collect())
        }
        count => {
            let count = count.as_u64().or_else(|| count.as_str()?.trim().parse().ok()).ok_or_else(wrong)?;
            Ok(json!({"min_words": count, "max_words": count}))
        }
    }
}

/// A pattern that the check cannot express is left to JavaScript.
fn regex(assertion: &Assertion) -> Result<Vec<Carried>, Diagnostic> {
    let source = assertion.text()?;
    if let Some(check) = pattern::check(&source, "") {
        return Ok(vec![Carried::Check(not(assertion.negated, check))]);
    }
    let code = format!("new RegExp({}).test(String(output))", Value::from(source));
    let mut entry = json!({"code": code});
    if assertion.negated
        && let Value::Object(map) = &mut entry
    {
        map.insert("not".to_owned(), Value::Bool(true));
    }
    Ok(vec![Carried::Code(Code { language: Language::JavaScript, entry })])
}

/// The parts of a text separated by commas; a part in double quotes may contain them, and `""` in it is a quote.
pub(super) fn separated(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches([',', ' ', '\n', '\t']);
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"')
            && let Some(end) = closing_quote(quoted)
        {
            parts.push(quoted.get(..end).unwrap_or_default().replace("\"\"", "\""));
            rest = quoted.get(end + 1..).unwrap_or_default();
            rest = rest.split_once(',').map_or("", |(_, rest)| rest);
        } else {
            let (part, after) = rest.split_once(',').unwrap_or((rest, ""));
            parts.push(part.trim().to_owned());
            rest = after;
        }
        rest = rest.trim_start_matches([',', ' ', '\n', '\t']);
    }
    parts
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut quotes = text.match_indices('"').peekable();
    while let Some((at, _)) = quotes.next() {
        if quotes.next_if(|(next, _)| *next == at + 1).is_none() {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_separated_by_commas() {
        for (text, expected) in [
            ("a, b,c ", vec!["a", "b", "c"]),
            ("\"a, b\",\"c \"\"d\"\"\"", vec!["a, b", "c \"d\""]),
            (" ,, x", vec!["x"]),
            ("\"open", vec!["\"open"]),
            ("", vec![]),
        ] {
            assert_eq!(separated(text), expected, "{text}");
        }
    }
}
