//! Entries whose texts are compared with the typography that they have.

use serde_json::{Map, Value, json};

use super::negated;

/// The checks that ignore typography by default, with the option that a text or list in the short form is.
const CHECKS: [(&str, &str); 5] = [
    ("contains", "all"),
    ("not_contains", "any"),
    ("starts_with", "any"),
    ("ends_with", "any"),
    ("one_of", "values"),
];

/// Returns an entry that does not ignore typography, unless it says so itself.
pub fn as_written(entry: &Value) -> Value {
    let Value::Object(map) = entry else { return entry.clone() };
    let option = |key: &str| CHECKS.iter().find(|(check, _)| *check == key).map(|(_, option)| *option);
    let written = map.iter().map(|(key, value)| {
        let value = match option(key) {
            Some(option) => with_typography(value, option),
            None if key == negated::KEY => as_written(value),
            None => value.clone(),
        };
        (key.clone(), value)
    });
    Value::Object(written.collect())
}

fn with_typography(value: &Value, option: &str) -> Value {
    let mut map = match value {
        Value::Object(map) => map.clone(),
        Value::Array(_) => Map::from_iter([(option.to_owned(), value.clone())]),
        single => Map::from_iter([(option.to_owned(), json!([single]))]),
    };
    map.entry("normalize_unicode").or_insert(Value::Bool(false));
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::compile;

    #[test]
    fn short_forms_become_long_ones() {
        let read = |_: &str| Err(String::new());
        for (entry, expected) in [
            (json!({"contains": "a"}), json!({"contains": {"all": ["a"], "normalize_unicode": false}})),
            (json!({"contains": {}}), json!({"contains": {"normalize_unicode": false}})),
            (
                json!({"not_contains": ["a"]}),
                json!({"not_contains": {"any": ["a"], "normalize_unicode": false}}),
            ),
            (
                json!({"one_of": ["a"], "min": 0.5}),
                json!({"one_of": {"values": ["a"], "normalize_unicode": false}, "min": 0.5}),
            ),
            (
                json!({"starts_with": {"any": ["a"], "normalize_unicode": true}}),
                json!({"starts_with": {"any": ["a"], "normalize_unicode": true}}),
            ),
            (
                json!({"not": {"ends_with": "a"}}),
                json!({"not": {"ends_with": {"any": ["a"], "normalize_unicode": false}}}),
            ),
            (json!({"equals": "a"}), json!({"equals": "a"})),
        ] {
            assert_eq!(as_written(&entry), expected);
            assert!(compile(&expected, &read).is_ok(), "{expected}");
        }
        assert_eq!(as_written(&json!(3)), json!(3));
    }
}
