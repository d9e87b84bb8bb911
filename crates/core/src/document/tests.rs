use serde_json::json;

use super::*;

fn yaml(text: &str) -> Value {
    Document::yaml("f", text).map_or_else(|e| panic!("{e}"), Document::into_value)
}

fn yaml_diagnostics(text: &str) -> String {
    Document::yaml("f", text).expect_err("diagnostics").to_string()
}

fn json_diagnostics(text: &str) -> String {
    Document::json("f", text).expect_err("diagnostics").to_string()
}

#[test]
fn scalars_follow_the_core_schema() {
    for (text, value) in [
        ("", Value::Null),
        ("~", Value::Null),
        ("Null", Value::Null),
        ("TRUE", json!(true)),
        ("yes", json!("yes")),
        ("on", json!("on")),
        ("12", json!(12)),
        ("+12", json!(12)),
        ("-3", json!(-3)),
        ("012", json!(12)),
        ("0o17", json!(15)),
        ("0xfF", json!(255)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("1.", json!(1.0)),
        ("1e3", json!(1000.0)),
        ("1_000", json!("1_000")),
        ("1.2.3", json!("1.2.3")),
        (".", json!(".")),
        ("e5", json!("e5")),
        ("\"12\"", json!("12")),
        ("'null'", json!("null")),
        ("2026-01-02", json!("2026-01-02")),
        ("60s", json!("60s")),
        ("\u{feff}a: 1", json!({"a": 1})),
        ("a: |\n  x\n  y\n", json!({"a": "x\ny\n"})),
    ] {
        assert_eq!(yaml(text), value, "{text:?}");
    }
}

#[test]
fn numbers_that_would_change_are_texts_as_written() {
    let text =
        "a: [007, 1.20, 01234, 1e3, 0x1F, +5, 3.10, 1.0, 12, -3, 0.5]\nb: {c: 1.50 # note\n}\nd: \"1.20\"\n";
    let document = Document::yaml("f", text).unwrap();
    assert_eq!(
        document.value_as_written("").unwrap(),
        json!({
            "a": ["007", "1.20", "01234", "1e3", "0x1F", "+5", "3.10", 1.0, 12, -3, 0.5],
            "b": {"c": "1.50"},
            "d": "1.20"
        })
    );
    assert_eq!(document.value_as_written("/b/c"), Some(json!("1.50")));
    assert_eq!(document.value_as_written("/x"), None);
}

#[test]
fn odd_spaces_are_named() {
    let shown = yaml_diagnostics("- id: a\n  query:\u{a0}x\n");
    assert!(shown.contains("U+00A0"), "{shown}");
}

#[test]
fn columns_count_characters_from_one() {
    let text = "a: 1\r\nb:\r\n  - \u{e9}\u{1f600}: xy\r\n    w:\r\n";
    let document = Document::yaml("f", text).unwrap();
    let at = |place: Place| (place.line, place.column, place.length);
    assert_eq!(at(document.place("/a")), (Some(1), Some(4), 1));
    assert_eq!(at(document.key_place("/b")), (Some(2), Some(1), 1));
    assert_eq!(at(document.place("/b/0/\u{e9}\u{1f600}")), (Some(3), Some(9), 2));
    assert_eq!(at(document.key_place("/b/0/\u{e9}\u{1f600}")), (Some(3), Some(5), 2));
    assert_eq!(document.place("/b/0/\u{e9}\u{1f600}").excerpt.as_deref(), Some("  - \u{e9}\u{1f600}: xy"));
    // An empty value has the location of its key, and a missing value that of its nearest parent.
    assert_eq!(at(document.place("/b/0/w")), (Some(4), Some(5), 1));
    assert_eq!(document.place("/b/0/w/x/y").line, Some(4));
}

#[test]
fn lines_count_from_the_first_line() {
    let document = Document::json_from("f", 41, "\n{\"a\":\n true}").unwrap();
    assert_eq!(document.place("/a").to_string(), "f:43:2");
    assert_eq!(document.key_place("/a").to_string(), "f:42:2");
    assert_eq!(Document::yaml_from("f", 7, "a: [").unwrap_err().0[0].place.as_ref().unwrap().line, Some(7));
}

#[test]
fn ambiguous_yaml_is_rejected() {
    for (text, message) in [
        ("a: 1\nb: 2\na: 3\nb: 4", "f:3:1: duplicate key `a`"),
        ("a: 1\nb: 2\na: 3\nb: 4", "f:4:1: duplicate key `b`"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "f:3:3: merge keys (`<<`) are not supported"),
        ("a: !!str 1", "f:1:4: tags (`!…`) are not supported"),
        ("a: 1\n---\nb: 2", "f:2:1: unexpected second document"),
        ("user: {{query}}", "put quotes around text that contains `{{`"),
        ("a:\n\tb: 1", "indent with spaces"),
        ("a: .inf", "not finite"),
        ("a: 123456789012345678901234567890", "too large to be represented exactly"),
        ("a: &x [*x]", "this alias is inside the value that it repeats"),
        ("a: *nobody", "unknown anchor"),
        ("a: \"open", "f:"),
    ] {
        let diagnostics = yaml_diagnostics(text);
        assert!(diagnostics.contains(message), "{text:?} gave {diagnostics}");
    }
}

#[test]
fn aliases_are_limited() {
    assert_eq!(yaml("a: &x [1, {b: 2}]\nc: *x"), json!({"a": [1, {"b": 2}], "c": [1, {"b": 2}]}));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(yaml_diagnostics(&bomb).contains("aliases repeat more than"));
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..100 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(yaml_diagnostics(&chain).contains("nested deeper"));
}

#[test]
fn depth_is_limited() {
    for depth in [200, 100_000] {
        assert!(json_diagnostics(&"[".repeat(depth)).contains("nested deeper"));
        assert!(yaml_diagnostics(&"[".repeat(depth)).contains("f:1:"));
        assert!(yaml_diagnostics(&"- ".repeat(depth)).contains("nested deeper"));
        assert!(json_diagnostics(&"{\"a\":".repeat(depth)).contains("nested deeper"));
    }
}

#[test]
fn json_is_strict() {
    for (text, message) in [
        ("", "found the end of the text"),
        ("{\"a\": 1,}", "f:1:9: not valid JSON: expected a key in double quotes, found `}`"),
        ("[1, 2,]", "remove the comma before it"),
        ("{'a': 1}", "put strings in double quotes"),
        ("{\"a\": NaN}", "no NaN"),
        ("{\"a\": 01}", "f:1:7: not valid JSON: invalid number"),
        ("{\"a\": 1} x", "expected the end of the text"),
        ("{\"a\": \"b\n\"}", "a string without its closing quote"),
        ("{\"a\": \"\\q\"}", "f:1:7: not valid JSON: invalid escape"),
        ("{\"a\": \"\\ud800\"}", "f:1:7: not valid JSON:"),
        ("{\"a\": 1e999}", "not finite"),
        ("[18446744073709551616]", "too large"),
        ("[1 // one\n]", "JSON has no comments"),
        ("[truely]", "expected a value"),
        ("{\"a\": 1, \"b\": 2, \"a\": 3, \"b\": 3}", "f:1:26: duplicate key `b`"),
    ] {
        let diagnostics = json_diagnostics(text);
        assert!(diagnostics.contains(message), "{text:?} gave {diagnostics}");
    }
}

#[test]
fn lines_with_secrets_are_not_shown() {
    let secret = "sk-proj-abcdefgh12345678";
    for text in [
        format!("endpoint: {{key: {secret}}}"),
        "api_key:\n  hunter2".to_owned(),
        "base_url: \"https://me:hunter2@example.com\"".to_owned(),
        "api_key: hunter2".to_owned(),
        "headers: {Authorization: Bearer hunter2}".to_owned(),
    ] {
        let document = Document::yaml("f", &text).unwrap();
        if !text.contains('\n') {
            assert_eq!(document.place("").excerpt, None, "{text}");
        }
        let schema = json!({"type": "object", "additionalProperties": {"type": "number"}});
        let shown = format!("{:?}", validate(&document, &schema));
        assert!(!shown.contains(secret) && !shown.contains("hunter2"), "{shown}");
    }
    for text in ["max_completion_tokens: 800", "api_key_env: OPENAI_API_KEY", "headers: {api-key: {env: X}}"]
    {
        assert!(Document::yaml("f", text).unwrap().place("").excerpt.is_some(), "{text}");
    }
}

#[test]
fn long_lines_have_short_excerpts() {
    let text = format!("{{\"a\": \"{}\", \"b\": 1}}", "\u{e9}".repeat(20_000));
    let document = Document::json("f", &text).unwrap();
    let place = document.place("/a");
    assert_eq!(place.excerpt.map(|excerpt| excerpt.chars().count()), Some(200));
    assert_eq!((place.column, place.length), (Some(7), 194));
    assert_eq!(document.place("/b").line, Some(1));
    assert_eq!(document.place("/b").excerpt, None);
}

#[test]
fn suggestions_are_similar_words() {
    let known = ["max_concurrency", "timeout", "rpm", "tpm", "base_url"];
    for (word, expected) in [
        ("max_concurency", Some("max_concurrency")),
        ("Max-Concurrency", Some("max_concurrency")),
        ("tiemout", Some("timeout")),
        ("baseurl", Some("base_url")),
        ("rmp", Some("rpm")),
        ("zzz", None),
        ("colour", None),
        ("", None),
    ] {
        assert_eq!(suggest(word, known).as_deref(), expected, "{word}");
    }
}

fn violations(schema: &Value, text: &str) -> Vec<String> {
    let document = Document::yaml("f", text).unwrap();
    validate(&document, schema).iter().map(ToString::to_string).collect()
}

#[test]
fn violations_become_diagnostics_with_locations() {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "model": {"type": ["string", "null"]},
            "votes": {"type": "integer", "minimum": 1, "maximum": 9},
            "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "rule": {"enum": ["evidence", "point"]},
            "time": {"$ref": "#/$defs/Time"},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "uniqueItems": true},
            "version": {"const": 1}
        },
        "required": ["name", "model"],
        "additionalProperties": false,
        "$defs": {"Time": {"title": "a duration", "type": "string", "pattern": "^[0-9]+s$", "examples": ["60s"]}}
    });
    let shown = violations(
        &schema,
        "nmae: x\nvotes: 0\nshare: 1\nrule: evidenc\ntime: 60\ntags: [a, a, 3]\nversion: 2\nwhatever: x\n",
    );
    assert_eq!(
        shown,
        [
            "f:1:1: the key `model` is missing",
            "f:1:1: unknown key `nmae` (help: did you mean `name`?)",
            "f:2:8: `votes` must be at least 1, found the number 0",
            "f:3:8: `share` must be below 1, found the number 1",
            "f:4:7: `rule` must be one of `evidence`, `point`, found text \"evidenc\" (help: did you mean `evidence`?)",
            "f:5:7: `time` must be a duration, found the number 60 (help: write it like `60s`)",
            "f:6:7: `tags` must have at most 2 items",
            "f:6:7: `tags` must not contain duplicate items",
            "f:6:14: `tags[2]` must be text, found the number 3",
            "f:7:10: `version` must be `1`, found the number 2",
            "f:8:1: unknown key `whatever` (help: known keys are `name`, `model`, `votes`, `share`, `rule`, `time`, \
             `tags`, `version`)",
        ]
    );
    assert_eq!(
        violations(&schema, "name: ''\nmodel: 3\nvotes: 1.5\ntime: 3x"),
        [
            "f:1:7: `name` must not be empty",
            "f:2:8: `model` must be text, found the number 3",
            "f:3:8: `votes` must be a whole number, found the number 1.5",
            "f:4:7: `time` must be a duration, found text \"3x\" (help: write it like `60s`)",
        ]
    );
    assert_eq!(violations(&schema, "[1]"), ["f:1:1: the document must be a map, found a list"]);
}

#[test]
fn violations_of_the_most_likely_form_are_reported() {
    let schema = json!({
        "$defs": {"Limit": {"anyOf": [
            {"type": "number", "minimum": 0},
            {"type": "object", "properties": {"max": {"type": "number"}, "max_increase": {"type": "number"}},
             "additionalProperties": false}
        ]}},
        "type": "object",
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/Limit"}, {"type": "null"}]}
    });
    let shown = violations(&schema, "a: -1\nb: {maxi: 3}\nc: {max: x}\nd: x\ne: 3\nf: {max: 3}\ng:");
    assert_eq!(
        shown,
        [
            "f:1:4: `a` must be at least 0, found the number -1",
            "f:2:5: unknown key `maxi` in `b` (help: did you mean `max`?)",
            "f:3:10: `c.max` must be a number, found text \"x\"",
            "f:4:4: `d` must be a number or a map, found text \"x\"",
        ]
    );
}

#[test]
fn violations_of_the_map_with_matching_keys_are_reported() {
    let form = |key: &str, of: Value| {
        json!({"type": "object", "properties": {key: of, "name": {"type": "string"}, "min": {"type": "number"}},
               "required": [key], "additionalProperties": false})
    };
    let schema = json!({"items": {"oneOf": [
        form("contains", json!({"type": "string"})),
        form("length", json!({"type": "object", "properties": {"max": {}}, "additionalProperties": false})),
    ]}});
    let shown =
        violations(&schema, "- contians: x\n- contains: x\n  mni: 1\n- length: {maxx: 1}\n- {name: x}\n- x");
    assert_eq!(
        shown,
        [
            "f:1:3: unknown key `contians` in `[0]` (help: did you mean `contains`?)",
            "f:3:3: unknown key `mni` in `[1]` (help: did you mean `min`?)",
            "f:4:12: unknown key `maxx` in `[2].length` (help: did you mean `max`?)",
            "f:5:3: `[3]` needs one of the keys `contains`, `length`",
            "f:6:3: `[4]` must be a map, found text \"x\"",
        ]
    );
}

#[test]
fn part_of_a_document_keeps_its_places() {
    let text = "a: 1\nprompt:\n  text: |\n    one\n    two\n\n# after\nb: 2\n";
    let document = Document::yaml("f", text).unwrap();
    let part = document.part("/prompt").unwrap();
    assert_eq!(part.value(), &json!({"text": "one\ntwo\n"}));
    assert_eq!(part.place("/text"), document.place("/prompt/text"));
    assert_eq!((document.last_line("/prompt"), document.last_line("/a")), (5, 1));
    assert!(document.part("/prompt/none").is_none());
}

proptest::proptest! {
    #[test]
    fn parsing_never_panics(text in "[-a:{}\\[\\]\"'#&*!|>%@ \t\r\n,\u{e9}\u{feff}0.e?~]{0,40}") {
        for document in [Document::yaml("f", &text), Document::json("f", &text)] {
            match document {
                Ok(document) => { let _ = document.place("/a/0"); }
                Err(diagnostics) => {
                    proptest::prop_assert!(!diagnostics.0.is_empty());
                    proptest::prop_assert!(diagnostics.0.iter().all(|diagnostic| diagnostic.place.is_some()));
                }
            }
        }
    }

    #[test]
    fn json_values_equal_those_of_serde_json(values in proptest::collection::vec(proptest::prelude::any::<(i64, bool, String)>(), 0..5)) {
        let value = json!(values);
        let text = serde_json::to_string_pretty(&value).unwrap();
        let document = Document::json("f", &text).unwrap();
        proptest::prop_assert_eq!(document.value(), &value);
    }

    /// Checks the interpretation of the YAML parser's markers.
    #[test]
    fn spans_match_the_text_of_values(words in proptest::collection::vec("[a-z\u{e9}\u{1f600}]{1,6}", 1..8), crlf: bool) {
        let end = if crlf { "\r\n" } else { "\n" };
        let text: String = words.iter().map(|word| format!("- {{\u{fc}: {word}}} # \u{e9}{end}")).collect();
        let document = Document::yaml("f", &text).unwrap();
        for (index, word) in words.iter().enumerate() {
            let place = document.place(&format!("/{index}/\u{fc}"));
            let column = place.column.unwrap() - 1;
            let marked: String = place.excerpt.unwrap().chars().skip(column).take(place.length).collect();
            proptest::prop_assert_eq!(&marked, word);
            proptest::prop_assert_eq!(place.line, Some(index + 1));
        }
    }
}

#[test]
fn yaml_names_the_bracket_that_is_not_closed() {
    for (text, help) in [
        ("a: 1\nb: {c: 2, d: 3\ne: {f: 1}\n", "close the `{` of line 2 with `}`"),
        // An inner bracket that is closed is not named.
        ("a: {b: [1, 2], c: 3\nd: 4\n", "close the `{` of line 1 with `}`"),
    ] {
        let shown = yaml_diagnostics(text);
        assert!(shown.contains(help), "{text}\n{shown}");
    }
    let shown = yaml_diagnostics("a: 1\n b: 2\n");
    assert!(!shown.contains("close the"), "{shown}");
}
