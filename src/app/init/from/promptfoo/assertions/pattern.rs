//! Regular expressions of JavaScript in the syntax of the check `regex`.

use serde_json::{Value, json};

use promptgate_core::check;

/// The check for a pattern with its flags; `None` where the check has no counterpart, as for look-around.
pub(super) fn check(source: &str, flags: &str) -> Option<Value> {
    if flags.chars().any(|flag| !"gimsuy".contains(flag)) || flags.contains('y') {
        return None;
    }
    let pattern = translated(source)?;
    let mut map = json!({"pattern": pattern});
    for (flag, key) in [('i', "ignore_case"), ('m', "multi_line"), ('s', "dot_matches_new_line")] {
        if flags.contains(flag) {
            map.as_object_mut()?.insert(key.to_owned(), Value::Bool(true));
        }
    }
    let is_plain = map.as_object().is_some_and(|map| map.len() == 1);
    let entry = if is_plain { json!({"regex": pattern}) } else { json!({"regex": map}) };
    check::compile(&entry, &|_| Err(String::new())).is_ok().then_some(entry)
}

/// `\d`, `\w` and `\b` mean ASCII in JavaScript; a bracket or a double sign within a class is a plain one.
fn translated(source: &str) -> Option<String> {
    let mut result = String::new();
    let mut in_class = false;
    let mut characters = source.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escaped = characters.next()?;
                match (escaped, in_class) {
                    ('d', false) => result.push_str("[0-9]"),
                    ('d', true) => result.push_str("0-9"),
                    ('w', false) => result.push_str("[0-9A-Za-z_]"),
                    ('w', true) => result.push_str("0-9A-Za-z_"),
                    ('D', _) => result.push_str("[^0-9]"),
                    ('W', _) => result.push_str("[^0-9A-Za-z_]"),
                    ('b', true) => result.push_str("\\x08"),
                    ('b', false) => result.push_str("(?-u:\\b)"),
                    ('B', false) => result.push_str("(?-u:\\B)"),
                    // A backreference, a named one, a control character.
                    ('1'..='9' | 'k' | 'c', _) => return None,
                    (escaped, _) if escaped.is_ascii_alphabetic() && !"nrtfvsSpPux".contains(escaped) => {
                        result.push(escaped);
                    }
                    (escaped, _) => {
                        if escaped.is_ascii() {
                            result.push('\\');
                        }
                        result.push(escaped);
                    }
                }
            }
            '[' if in_class => result.push_str("\\["),
            '[' => {
                in_class = true;
                result.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    result.push('^');
                }
                // An empty class matches nothing, or everything.
                if characters.peek() == Some(&']') {
                    return None;
                }
            }
            ']' if in_class => {
                in_class = false;
                result.push(']');
            }
            '&' | '~' if in_class => {
                result.push('\\');
                result.push(character);
            }
            other => result.push(other),
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_mean_ascii() {
        for (source, expected) in [
            (r"\d{4}-\d\d", "[0-9]{4}-[0-9][0-9]"),
            (r"[\d.]+", "[0-9.]+"),
            (r"\bx\b", r"(?-u:\b)x(?-u:\b)"),
            (r"[a[b&&c]", r"[a\[b\&\&c]"),
            (r"\/\-", r"\/\-"),
            (r"[^\w]", "[^0-9A-Za-z_]"),
        ] {
            assert_eq!(check(source, ""), Some(json!({"regex": expected})), "{source}");
        }
    }

    #[test]
    fn patterns_without_counterpart_are_left() {
        for (source, flags) in
            [("(?=a)", ""), (r"(a)\1", ""), ("a", "y"), ("[]", ""), ("[^]", ""), ("(", ""), ("a{", "")]
        {
            assert_eq!(check(source, flags), None, "{source}");
        }
    }
}
