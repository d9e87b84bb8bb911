//! Transformations of answers, as far as they are declarative.

use serde_json::{Map, Value, json};

/// The counterpart of a transformation in JavaScript: the keys of `transform`, and whether assertions then get JSON.
pub(super) fn convert(code: &str) -> Option<(Map<String, Value>, bool)> {
    let code = code.trim().trim_end_matches(';').trim();
    let keys = match code {
        "output.trim()" => json!({"trim": true}),
        "JSON.parse(output)" => return Some((Map::new(), true)),
        _ => json!({"json_path": format!("$.{}", field(code)?)}),
    };
    keys.as_object().map(|keys| (keys.clone(), false))
}

/// The path in `JSON.parse(output).a.b`, `output.a[0]` or `json.a`.
pub(super) fn field(code: &str) -> Option<String> {
    const METHODS: [&str; 8] =
        ["length", "trim", "toLowerCase", "toUpperCase", "split", "replace", "slice", "match"];
    let code = code.trim().trim_end_matches(';').trim();
    let path = ["JSON.parse(output)", "output", "json"].iter().find_map(|start| code.strip_prefix(start))?;
    if !path.starts_with(['.', '[', '?']) {
        return None;
    }
    let path =
        path.replace("?.", ".").replace("['", ".").replace("[\"", ".").replace("']", "").replace("\"]", "");
    let path = path.strip_prefix('.').unwrap_or(&path).to_owned();
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let is_method = |part: &str| METHODS.contains(&part);
    let fits = !path.is_empty() && path.chars().all(is_path) && !path.split('.').any(is_method);
    fits.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        for (code, expected) in [
            ("JSON.parse(output).reply", Some("reply")),
            ("output.a.b[0].c;", Some("a.b[0].c")),
            ("json.choices[0].message.content", Some("choices[0].message.content")),
            ("output?.a?.b", Some("a.b")),
            ("output['a']", Some("a")),
            ("output.length", None),
            ("output.trim()", None),
            ("output", None),
            ("output.a.split(',')[0]", None),
            ("outputs.a", None),
        ] {
            assert_eq!(field(code).as_deref(), expected, "{code}");
        }
    }
}
