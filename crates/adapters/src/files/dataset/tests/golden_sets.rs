//! Golden sets as people keep them for other tools.

use super::*;

#[test]
fn object_around_a_list_is_read_like_the_list() {
    let list = read("c.json", r#"[{"query": "a"}, {"query": "b"}]"#).unwrap().value;
    for (name, text) in [
        ("c.json", r#"{"tests": [{"query": "a"}, {"query": "b"}]}"#),
        ("c.json", r#"{"name": "set", "version": 2, "test_cases": [{"query": "a"}, {"query": "b"}]}"#),
        ("c.yaml", "description: set\ndata:\n  - query: a\n  - query: b\n"),
        ("c.yml", "examples: [{query: a}, {query: b}]\n"),
    ] {
        let found = read(name, text).unwrap().value;
        assert_eq!(found.facts.digest, list.facts.digest, "{text}");
        assert!(found.facts.format.contains("the list of `"), "{}", found.facts.format);
    }
    let shown = load_error("c.json", "{\"tests\": [\n{\"query\": 3}]}");
    assert!(shown.starts_with("c.json:2:"), "{shown}");
    assert!(matches!(read("c.json", r#"{"tests": []}"#), Err(LoadError::Empty(_))));
}

#[test]
fn object_that_is_more_than_a_list_is_refused() {
    for text in [
        r#"{"tests": [{"query": "a"}], "defaultTest": {"must_pass": true}}"#,
        r#"{"tests": [{"query": "a"}], "data": [{"query": "b"}]}"#,
        r#"{"query": "q", "data": [{"query": "b"}]}"#,
        r#"{"tests": [{"query": "a"}, 3]}"#,
        r#"{"set": [{"query": "a"}]}"#,
    ] {
        assert!(load_error("c.json", text).contains("a dataset must be a list of rows"), "{text}");
    }
}

#[test]
fn comments_in_jsonl_are_skipped_and_keep_line_numbers() {
    let text = "# Refunds\n{\"query\": \"a # b\"}\n  # more\n{\"query\": \"c\"}\n";
    let found = cases("c.jsonl", text);
    let read: Vec<_> = found.iter().map(|case| (case.query.as_str(), case.place.line)).collect();
    assert_eq!(read, [("a # b", Some(2)), ("c", Some(4))]);
    assert!(load_error("c.jsonl", "// no\n{\"query\": \"a\"}\n").starts_with("c.jsonl:1"));
}

#[test]
fn names_of_other_tools_say_how_to_map_them() {
    let warnings = |column: &str| {
        let text = format!("[{{\"{column}\": \"a\", \"id\": 1}}]");
        read("c.json", &text).unwrap().warnings.join("\n")
    };
    for (field, columns) in [
        (
            "query",
            vec!["question", "input", "user_input", "input_text", "chat_input", "prompt", "instruction"],
        ),
        (
            "expected",
            vec![
                "expected_answer",
                "ground_truth",
                "expected_behavior",
                "reference",
                "reference_answer",
                "truth",
                "keypoints",
                "expected_keywords",
                "expected_facts",
                "must_include_facts",
                "acceptance_points",
            ],
        ),
    ] {
        for column in columns {
            let shown = warnings(column);
            assert!(shown.contains(&format!("fields: {{{field}: {column}}}")), "{column}: {shown}");
        }
    }
    for column in ["text", "doc", "statement", "title"] {
        assert_eq!(warnings(column), "", "{column}");
    }
}

#[test]
fn references_to_files_are_refused() {
    for row in [
        r#"{"notes": "file://notes/one.md"}"#,
        r#"{"vars": {"notes": "file://./one.md"}}"#,
        r#"{"context": ["text", "file://one.md"]}"#,
        r#"{"notes": ["file://one.md"]}"#,
    ] {
        let shown = load_error("c.jsonl", row);
        assert!(shown.contains("refers to a file") && shown.contains("write the text"), "{row}: {shown}");
    }
    for row in [
        r#"{"query": "file://one.md"}"#,
        r#"{"notes": "file:///etc/hosts"}"#,
        r#"{"notes": "file://one.md is a name"}"#,
    ] {
        assert_eq!(cases("c.jsonl", row).len(), 1, "{row}");
    }
}
