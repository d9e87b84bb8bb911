//! Advice for keys of other tools that have no key of the same name here.

use serde_json::Value;

use super::foreign::{CHECK_ENTRY, FOREIGN};
use super::suggest;

/// Returns the next step for a key of another tool, where the keys here are `known`.
fn advice(key: &str, known: &[&str]) -> Option<String> {
    let ours = underscored(key);
    if known.contains(&ours.as_str()) {
        return None;
    }
    let plain = squeezed(key);
    let row = FOREIGN.iter().find(|(words, beside, _)| words.contains(&&*plain) && known.contains(beside));
    if let Some((_, _, help)) = row {
        return Some((*help).to_owned());
    }
    let negated = ours.strip_prefix("not_").filter(|_| known.contains(&CHECK_ENTRY))?;
    match advice(negated, known) {
        Some(help) => Some(format!("negated: {help}")),
        None if !known.contains(&negated) => None,
        None if known.contains(&"not") => Some(format!("write `not: {{{negated}: …}}`")),
        None => Some(format!("`{negated}` cannot be negated; `not_contains` forbids texts")),
    }
}

/// Returns the next step for a key of another tool with its value. In a check, the value of `type` is the name of the
/// check.
pub(crate) fn advice_for(key: &str, value: Option<&Value>, known: &[&str]) -> Option<String> {
    let name = value.and_then(Value::as_str).filter(|_| key == "type" && known.contains(&CHECK_ENTRY));
    let Some(name) = name else { return advice(key, known) };
    // A provider may follow a colon, as in `python:file`.
    let name = name.trim().split(':').next().unwrap_or_default();
    let as_key = |key: &str| format!("the check is the key, and its value follows: `{key}: VALUE`");
    let exact = Some(underscored(name)).filter(|name| known.contains(&name.as_str()));
    exact
        .map(|key| as_key(&key))
        .or_else(|| advice(name, known))
        .or_else(|| suggest(name, known.iter().copied()).map(|key| as_key(&key)))
        .or_else(|| Some("the check is the key, and its value follows: `contains: \"30 days\"`".to_owned()))
}

/// Converts to the spelling of keys here.
fn underscored(key: &str) -> String {
    key.to_lowercase().replace(['-', ' '], "_")
}

/// Converts to lower case and removes separators, since other tools write `defaultTest` and `llm-rubric`.
fn squeezed(key: &str) -> String {
    key.to_lowercase().chars().filter(|character| !matches!(character, '-' | '_' | ' ')).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHECKS: [&str; 8] =
        ["contains", "equals", "is_json", "not_contains", "length", "similarity", "name", "min"];

    #[test]
    fn keys_of_other_tools_have_a_next_step() {
        for key in ["icontains-any", "word-count", "weight", "latency", "llm-rubric", "javascript", "metric"]
        {
            assert!(advice(key, &CHECKS).is_some(), "{key}");
        }
        for key in ["not", "not-there", "contains", "is-json", "not-contains", "", "whatever", "tests"] {
            assert_eq!(advice(key, &CHECKS), None, "{key}");
        }
        for key in ["tests", "defaultTest", "default_test", "providers", "evaluateOptions"] {
            assert!(advice(key, &["answer_field", "dataset"]).is_some(), "{key}");
            assert_eq!(advice(key, &["model"]), None, "{key}");
        }
        assert_eq!(advice("weight", &["text", "critical"]), None);
    }

    #[test]
    fn negated_checks_depend_on_the_checks_there_are() {
        let with_not: Vec<&str> = CHECKS.into_iter().chain(["not"]).collect();
        assert_eq!(advice("not-equals", &with_not).as_deref(), Some("write `not: {equals: …}`"));
        let without = advice("not-equals", &CHECKS).unwrap_or_default();
        assert!(without.contains("`equals` cannot be negated"), "{without}");
        let foreign = advice("not-moderation", &CHECKS).unwrap_or_default();
        assert!(foreign.starts_with("negated: "), "{foreign}");
    }

    #[test]
    fn type_of_a_check_is_its_key() {
        for (name, words) in [
            ("is-json", "`is_json: VALUE`"),
            ("contains", "`contains: VALUE`"),
            ("contians", "`contains: VALUE`"),
            ("icontains", "ignore_case"),
            ("python:file", "code"),
            ("whatever", "`contains: \"30 days\"`"),
        ] {
            let help = advice_for("type", Some(&json!(name)), &CHECKS).unwrap_or_default();
            assert!(help.contains(words), "{name}: {help}");
        }
        assert_eq!(advice_for("type", Some(&json!(3)), &CHECKS), None);
        assert_eq!(advice_for("type", Some(&json!("python")), &["model"]), None);
    }

    #[test]
    fn words_of_the_table_are_squeezed_and_unique_beside_a_key() {
        let mut seen = Vec::new();
        for (words, beside, help) in FOREIGN {
            assert!(!help.ends_with('.'), "{help}");
            for word in *words {
                assert_eq!(squeezed(word), *word);
                assert!(!seen.contains(&(*word, *beside)), "{word} beside {beside}");
                seen.push((*word, *beside));
            }
        }
    }
}
