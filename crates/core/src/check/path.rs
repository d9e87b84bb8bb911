//! Paths into a JSON value, as used by `required_fields`, `json_field` and `answer_field`.
//!
//! A path is a sequence of steps: names, indices or quoted names. Names are separated by dots; an index is a whole number
//! in brackets, counted from 0; a name that contains dots, brackets or quotes is a JSON string in brackets.
//!
//! ```text
//! answer
//! citations[0].source
//! [2].total
//! labels["a.b"]
//! ```

use std::fmt;

use serde_json::Value;

use super::reason::{kind, quoted};

/// Maximum number of steps of a path.
const MAX_STEPS: usize = 64;

/// A path into a JSON value; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    written: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Path {
    /// Parses a path such as `citations[0].source`.
    ///
    /// # Errors
    /// The syntax error, in lower case.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        if text.is_empty() {
            return Err("the path is empty".to_owned());
        }
        loop {
            rest = if let Some(inner) = rest.strip_prefix('[') {
                let (step, after) = bracket(inner)?;
                steps.push(step);
                after
            } else {
                let end = rest.find(['.', '[', ']', '"']).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if name.is_empty() {
                    return Err(format!("the path {} has an empty name", quoted(text)));
                }
                steps.push(Step::Name(name.to_owned()));
                after
            };
            if steps.len() > MAX_STEPS {
                return Err(format!("the path has more than {MAX_STEPS} steps"));
            }
            if rest.is_empty() {
                return Ok(Self { written: text.to_owned(), steps });
            }
            if let Some(after) = rest.strip_prefix('.') {
                if after.starts_with('[') {
                    return Err(format!("the path {} has a dot before a bracket", quoted(text)));
                }
                rest = after;
                if rest.is_empty() {
                    return Err(format!("the path {} ends with a dot", quoted(text)));
                }
            } else if !rest.starts_with('[') {
                return Err(format!("the path {} needs a dot or [ before {}", quoted(text), quoted(rest)));
            }
        }
    }

    /// Returns the value at the path.
    ///
    /// # Errors
    /// The first step without a value, in lower case.
    pub fn find<'a>(&self, value: &'a Value) -> Result<&'a Value, String> {
        let mut current = value;
        for (depth, step) in self.steps.iter().enumerate() {
            let next = match (step, current) {
                (Step::Name(name), Value::Object(map)) => map.get(name),
                (Step::Index(index), Value::Array(list)) => list.get(*index),
                (Step::Name(_), other) => {
                    return Err(format!(
                        "{} is absent: {} is {}",
                        self.describe(),
                        self.prefix(depth),
                        kind(other)
                    ));
                }
                (Step::Index(_), other) => {
                    return Err(format!(
                        "{} is absent: {} is {}, not a list",
                        self.describe(),
                        self.prefix(depth),
                        kind(other)
                    ));
                }
            };
            current = match next {
                Some(next) => next,
                None if depth + 1 == self.steps.len() => {
                    return Err(format!("{} is absent", self.describe()));
                }
                None => {
                    return Err(format!(
                        "{} is absent: there is no {}",
                        self.describe(),
                        self.prefix(depth + 1)
                    ));
                }
            };
        }
        Ok(current)
    }

    fn describe(&self) -> String {
        format!("field {}", quoted(&self.written))
    }

    /// Returns the first steps of the path, for messages.
    fn prefix(&self, depth: usize) -> String {
        let mut text = String::new();
        for step in self.steps.iter().take(depth) {
            match step {
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::Name(name) if text.is_empty() => text.push_str(name),
                Step::Name(name) => text.push_str(&format!(".{name}")),
            }
        }
        if text.is_empty() { "the answer".to_owned() } else { quoted(&text) }
    }
}

/// Parses an index or a quoted name after an opening bracket, and the closing bracket.
fn bracket(inner: &str) -> Result<(Step, &str), String> {
    if inner.starts_with('"') {
        let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<String>();
        let Some(Ok(name)) = stream.next() else {
            return Err(format!("the name in [{} is not a JSON string", quoted(inner)));
        };
        let after = inner.get(stream.byte_offset()..).and_then(|rest| rest.strip_prefix(']'));
        return after
            .map(|after| (Step::Name(name), after))
            .ok_or_else(|| format!("a ] is missing after [{}", quoted(inner)));
    }
    let (digits, after) = inner.split_once(']').ok_or_else(|| "a ] is missing in the path".to_owned())?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "[{digits}] is neither an index such as [0] nor a quoted name such as [\"a.b\"]"
        ));
    }
    let index = digits.parse().map_err(|_| format!("the index [{digits}] is too large"))?;
    Ok((Step::Index(index), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn find(path: &str, value: &Value) -> Result<Value, String> {
        Path::parse(path)?.find(value).cloned()
    }

    #[test]
    fn paths_consist_of_names_and_indices() {
        let value = json!({"a": {"b": [{"c": 1}, 2]}, "x.y": {"": 3}, "größe": 4, "with space": 5});
        assert_eq!(find("a.b[0].c", &value), Ok(json!(1)));
        assert_eq!(find("a[\"b\"][1]", &value), Ok(json!(2)));
        assert_eq!(find("[\"x.y\"][\"\"]", &value), Ok(json!(3)));
        assert_eq!(find("größe", &value), Ok(json!(4)));
        assert_eq!(find("with space", &value), Ok(json!(5)));
        assert_eq!(find("[0][1]", &json!([[7, 8]])), Ok(json!(8)));
    }

    #[test]
    fn absent_values_are_explained() {
        let value = json!({"a": {"b": "text"}, "list": []});
        assert_eq!(find("a.c", &value), Err("field \"a.c\" is absent".to_owned()));
        assert_eq!(find("a.b.c", &value), Err("field \"a.b.c\" is absent: \"a.b\" is text".to_owned()));
        assert_eq!(find("q.r", &value), Err("field \"q.r\" is absent: there is no \"q\"".to_owned()));
        assert_eq!(find("list[0]", &value), Err("field \"list[0]\" is absent".to_owned()));
        assert_eq!(
            find("a[0]", &value),
            Err("field \"a[0]\" is absent: \"a\" is a map, not a list".to_owned())
        );
        assert_eq!(find("a", &json!([1])), Err("field \"a\" is absent: the answer is a list".to_owned()));
    }

    #[test]
    fn invalid_paths_are_rejected() {
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a[",
            "a[]",
            "a[-1]",
            "a[x]",
            "a[0",
            "a]",
            "a[\"b\"",
            "a[0]b",
            "a.[0]",
            "a\"b",
            "a[99999999999999999999999]",
        ] {
            assert!(Path::parse(text).is_err(), "{text:?} passed");
        }
        assert!(Path::parse(&"a.".repeat(1000)).is_err());
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in "[a.\\[\\]\"0-9ü]{0,20}") {
            if let Ok(path) = Path::parse(&text) {
                let _ = path.find(&json!({"a": [{"a": 1}]}));
                prop_assert_eq!(path.to_string(), text);
            }
        }

        #[test]
        fn quoted_names_can_be_any_key(key in ".{0,20}") {
            let path = format!("[{}]", serde_json::to_string(&key).unwrap());
            prop_assert_eq!(find(&path, &json!({key: 1})), Ok(json!(1)));
        }
    }
}
