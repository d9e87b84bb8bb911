//! Expressions that are checks, and those that stay code.

use super::*;

fn converted(code: &str) -> Option<Value> {
    let vars = json!({"word": "tea", "n": 3});
    checks(code, false, vars.as_object().unwrap()).map(Value::from)
}

#[test]
fn checks_in_disguise_are_found() {
    for (code, expected) in [
        ("output.includes('x')", json!([{"contains": "x"}])),
        ("!output.includes(\"x\")", json!([{"not_contains": "x"}])),
        ("output.toLowerCase().includes('x')", json!([{"contains": {"all": ["x"], "ignore_case": true}}])),
        ("output.length < 200", json!([{"length": {"max_chars": 199}}])),
        ("200 >= output.length;", json!([{"length": {"max_chars": 200}}])),
        ("output.length > 1 && output.length <= 9", json!([{"length": {"min_chars": 2, "max_chars": 9}}])),
        ("output.trim().length > 0", json!([{"regex": "\\S"}])),
        ("JSON.parse(output).a === 1", json!([{"json_field": {"path": "a", "equals": 1}}])),
        (
            "JSON.parse(output).a['b c'][0] === 'x'",
            json!([{"json_field": {"path": "a[\"b c\"][0]", "equals": "x"}}]),
        ),
        (
            "JSON.parse(output.trim()).a.includes('x')",
            json!([{"json_field": {"path": "a", "contains": "x"}}]),
        ),
        ("output === 'yes'", json!([{"equals": "yes"}])),
        (
            "output.trim().toLowerCase() == 'yes'",
            json!([{"equals": {"value": "yes", "ignore_case": true, "trim": true}}]),
        ),
        ("output !== 'yes'", json!([{"not": {"equals": "yes"}}])),
        ("/a+/i.test(output)", json!([{"regex": {"pattern": "a+", "ignore_case": true}}])),
        ("output.match(/^a$/m)", json!([{"regex": {"pattern": "^a$", "multi_line": true}}])),
        (
            "['a','b'].includes(output)",
            json!([{"one_of": {"values": ["a", "b"], "normalize_unicode": false}}]),
        ),
        ("output.startsWith('{') && output.endsWith('}')", json!([{"starts_with": "{"}, {"ends_with": "}"}])),
        ("output.includes('a') || output.includes('b')", json!([{"contains": {"any": ["a", "b"]}}])),
        ("output.includes(context.vars.word)", json!([{"contains": "tea"}])),
        ("(output.includes('a')) === false", json!([{"not_contains": "a"}])),
        ("return output.includes('a');", json!([{"contains": "a"}])),
    ] {
        assert_eq!(converted(code), Some(expected), "{code}");
    }
}

#[test]
fn code_stays_code() {
    for code in [
        "output.toLowerCase().includes('X')",
        "JSON.parse(output).a > 1",
        "JSON.parse(output).a !== 1",
        "JSON.parse(output).a == 1",
        "JSON.parse(output).a.length === 1",
        "!(JSON.parse(output).a === 1)",
        "output.split(' ').length < 5",
        "output.includes(context.vars.missing)",
        "output.includes('')",
        "output.length",
        "context.vars.n === 3",
        "const x = 1; return x;",
        "/(?=a)b/.test(output)",
        "output.includes('a') || output.length < 3",
    ] {
        assert_eq!(converted(code), None, "{code}");
    }
}

#[test]
fn negations_are_those_of_javascript() {
    let vars = Map::new();
    assert_eq!(checks("output.includes('x')", true, &vars), Some(vec![json!({"not_contains": "x"})]));
    assert_eq!(
        checks("!output.includes('x')", true, &vars),
        Some(vec![json!({"not": {"not_contains": "x"}})])
    );
    assert_eq!(checks("JSON.parse(output).a === 1", true, &vars), None);
    assert_eq!(checks("output.length > 1 && output.includes('x')", true, &vars), None);
}
