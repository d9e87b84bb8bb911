//! Strict JSON: RFC 8259 without duplicate keys.
//!
//! Rejects trailing commas, comments, `NaN` and `Infinity`, single quotes, text before or after the value, numbers
//! beyond the range of a double, lone surrogates, deep nesting, and duplicate keys: some readers take the first of
//! two equal keys and some the last, so they would see different answers.

mod reader;
mod surrogate;

use serde_json::Value;

pub(crate) use reader::{Error, Limits, Node, Problem, Span, read};
pub use surrogate::half_character;

/// Limits for JSON from models and servers, those of serde_json.
const LIMITS: Limits = Limits { depth: 127, exact_integers: false };

/// Reads one JSON value that is the whole text.
///
/// # Errors
/// The first error in the text, with line and column, in lower case.
pub fn parse(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Err("the text is empty".to_owned());
    }
    read(text, LIMITS).map(|(value, _)| value).map_err(|errors| {
        let Some(error) = errors.first() else { return "invalid JSON".to_owned() };
        let before = text.get(..error.span.start as usize).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{} at line {line} column {column}", error.problem)
    })
}

/// Whether two JSON values are equal: numbers by value (`1` equals `1.0`), objects regardless of order.
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64(), a.as_u64(), b.as_u64()) {
            (Some(a), Some(b), _, _) => a == b,
            (_, _, Some(a), Some(b)) => a == b,
            _ => matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a == b),
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn valid_json_is_read() {
        assert_eq!(
            parse(" {\"a\": [1, -2.5, null, true, \"ü\"]}\n"),
            Ok(json!({"a": [1, -2.5, null, true, "ü"]}))
        );
        assert_eq!(parse("3"), Ok(json!(3)));
    }

    #[test]
    fn almost_json_is_rejected() {
        for text in [
            "",
            "  \n",
            "{\"a\": 1,}",
            "[1,]",
            "{'a': 1}",
            "{a: 1}",
            "NaN",
            "[Infinity]",
            "1e999",
            "{\"a\": 1} trailing",
            "{\"a\": 1}{\"b\": 2}",
            "{\"a\": 1",
            "{\"a\": \"cut",
            "// note\n{}",
            "\u{feff}{}",
            "\"\\ud800\"",
            "01",
            "\"tab\tinside\"",
            "```json\n{}\n```",
        ] {
            assert!(parse(text).is_err(), "{text:?} passed");
        }
    }

    #[test]
    fn half_a_character_is_named() {
        let error = parse(r#"{"query": "\ud83d broken"}"#).unwrap_err();
        assert!(error.contains(r"\ud83d is half a character"), "{error}");
    }

    #[test]
    fn duplicate_keys_are_rejected_at_any_depth() {
        assert!(parse(r#"{"a": 1, "a": 1}"#).unwrap_err().contains("\"a\" occurs twice"));
        assert!(parse(r#"[{"b": {"c": 1, "d": 2, "c": 3}}]"#).is_err());
        assert!(parse(r#"{"a": 1, "\u0061": 2}"#).is_err());
        assert!(parse(r#"[{"a": 1}, {"a": 2}]"#).is_ok());
    }

    #[test]
    fn half_characters_are_named() {
        for text in [r#""\ud83d broken""#, r#""\ude00""#, r#""\ud83d\u0041""#, r#""\\\ud83d""#] {
            assert!(parse(text).unwrap_err().contains("half a character"), "{text}");
        }
        assert_eq!(parse(r#""\ud83d\ude00 \\ud83d""#), Ok(json!("😀 \\ud83d")));
        assert!(!parse(r#""\x""#).unwrap_err().contains("half"));
    }

    #[test]
    fn deep_nesting_is_rejected() {
        assert!(parse(&"[".repeat(1_000_000)).is_err());
        assert!(parse(&format!("{}{}", "[".repeat(127), "]".repeat(127))).is_ok());
        assert!(parse(&format!("{}{}", "[".repeat(200), "]".repeat(200))).is_err());
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(equal(&json!({"a": 1, "b": [2.0]}), &json!({"b": [2], "a": 1.0})));
        assert!(!equal(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
        assert!(!equal(&json!(1), &json!("1")));
        assert!(!equal(&json!({"a": 1}), &json!({"a": 1, "b": 1})));
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in ".{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn accepted_texts_equal_those_of_serde_json(text in r#"[\[\]{}:,"a1 .e\-]{0,12}"#) {
            match (parse(&text), serde_json::from_str::<Value>(&text)) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
                (Err(error), theirs) => prop_assert!(theirs.is_err() || error.contains("occurs twice")),
                (Ok(_), Err(_)) => prop_assert!(false, "{text:?} was accepted"),
            }
        }
    }
}
