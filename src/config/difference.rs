//! Differences between the policies of two configurations, by dotted path, as written.
//!
//! The candidate's own keys are left out, since a change may choose them. Comparing values as written covers every key
//! that is added to the format. Callers redact and shorten them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use promptgate_core::text::json::equal;

/// Keys that come from the candidate, and keys that do not count.
const CANDIDATE: [&str; 7] = ["version", "extends", "prompt", "user", "model", "parameters", "dataset"];
/// Keys of a target that come from the candidate.
const OF_A_TARGET: [&str; 5] = ["command", "http", "answers", "setup", "inputs"];
/// Options of a check beside its kind, which names it.
const OF_A_CHECK: [&str; 3] = ["name", "min", "baseline"];

/// A difference between two configurations.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its path: `gate.max_missing`, `checks.length.max_chars`, `metrics.tone.rubric[2]`.
    pub path: String,
    /// The value in the configuration that decides; `None` where it is absent.
    pub old: Option<Value>,
    /// The value in the other one.
    pub new: Option<Value>,
}

/// Differences of `new` from the policy of `old`, in the order of `old`, then additions.
pub fn differences(old: &Value, new: &Value) -> Vec<Difference> {
    let policy = |value: &Value| {
        let mut map = value.as_object().cloned().unwrap_or_default();
        map.retain(|key, _| !CANDIDATE.contains(&key.as_str()));
        if let Some(target) = map.get_mut("target") {
            let rest = target.as_object().cloned().unwrap_or_default().into_iter();
            *target = rest.filter(|(key, _)| !OF_A_TARGET.contains(&key.as_str())).collect();
        }
        map
    };
    let mut found = Vec::new();
    maps("", &policy(old), &policy(new), &mut found);
    found
}

fn maps(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<Difference>) {
    let at = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    for (key, value) in old {
        values(&at(key), Some(value), new.get(key), found);
    }
    for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        values(&at(key), None, Some(value), found);
    }
}

fn values(path: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Difference>) {
    match (old, new) {
        (Some(old), Some(new)) if equal(old, new) => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => maps(path, old, new, found),
        (Some(Value::Array(old)), Some(Value::Array(new))) => lists(path, old, new, found),
        _ => found.push(Difference { path: path.to_owned(), old: old.cloned(), new: new.cloned() }),
    }
}

/// Items by their names, so that a removal does not appear to change all following items.
fn lists(path: &str, old: &[Value], new: &[Value], found: &mut Vec<Difference>) {
    if let (Some(old), Some(new)) = (named(old), named(new)) {
        return maps(path, &old, &new, found);
    }
    for index in 0..old.len().max(new.len()) {
        values(&format!("{path}[{index}]"), old.get(index), new.get(index), found);
    }
}

/// The items by name; `None` where one has none, or two have the same.
fn named(items: &[Value]) -> Option<Map<String, Value>> {
    let mut taken = BTreeSet::new();
    let named = items.iter().map(|item| {
        let name = match item {
            Value::String(text) => text.clone(),
            Value::Object(map) => {
                let given = ["name", "text", "model"].iter().find_map(|key| map.get(*key)?.as_str());
                let kind = || map.keys().find(|key| !OF_A_CHECK.contains(&key.as_str())).map(String::as_str);
                given.or_else(kind)?.to_owned()
            }
            _ => return None,
        };
        taken.insert(name.clone()).then(|| (name, item.clone()))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(old: Value, new: Value) -> Vec<String> {
        let text = |value: Option<Value>| value.map_or_else(|| "nothing".to_owned(), |it| it.to_string());
        let line = |it: Difference| format!("{}: {} to {}", it.path, text(it.old), text(it.new));
        differences(&old, &new).into_iter().map(line).collect()
    }

    #[test]
    fn candidate_keys_are_ignored() {
        let old = json!({"version": 1, "prompt": "a.md", "model": "m", "dataset": "a.jsonl", "user": "u"});
        let new =
            json!({"version": 1, "prompt": "b.md", "parameters": {"temperature": 1}, "dataset": "b.csv"});
        assert!(described(old, new).is_empty());
    }

    #[test]
    fn changed_values_are_named_by_path() {
        let old = json!({"gate": {"max_missing": "2%", "repeats": 3}, "metrics": {"tone": {"min": 0.7}}});
        let new = json!({"gate": {"max_missing": "90%", "repeats": 3.0}, "metrics": {"tone": {"min": 0.70}},
                         "endpoint": {"base_url": "https://elsewhere.example"}});
        assert_eq!(
            described(old, new),
            [
                "gate.max_missing: \"2%\" to \"90%\"",
                "endpoint: nothing to {\"base_url\":\"https://elsewhere.example\"}"
            ]
        );
    }

    #[test]
    fn checks_are_matched_by_name() {
        let old =
            json!({"checks": [{"json_schema": "a.json"}, {"length": {"max_chars": 9}}, {"regex": "x"}]});
        let new =
            json!({"checks": [{"length": {"max_chars": 99}, "min": 0.5}, {"regex": "x", "name": "other"}]});
        assert_eq!(
            described(old, new),
            [
                "checks.json_schema: {\"json_schema\":\"a.json\"} to nothing",
                "checks.length.length.max_chars: 9 to 99",
                "checks.length.min: nothing to 0.5",
                "checks.regex: {\"regex\":\"x\"} to nothing",
                "checks.other: nothing to {\"regex\":\"x\",\"name\":\"other\"}",
            ]
        );
    }

    #[test]
    fn unnamed_items_are_matched_by_index() {
        let old = json!({"a": [1, 2, 3], "b": ["x", "x"], "metrics": {"tone": {"rubric": ["one", "two"]}}});
        let new = json!({"a": [1, 3], "b": ["x"], "metrics": {"tone": {"rubric": ["two"]}}});
        assert_eq!(
            described(old, new),
            [
                "a[1]: 2 to 3",
                "a[2]: 3 to nothing",
                "b[1]: \"x\" to nothing",
                "metrics.tone.rubric.one: \"one\" to nothing"
            ]
        );
    }
}
