//! Golden sets that were kept for other tools.

use crate::support::Folder;

/// Names that golden sets give to a field.
const NAMES: [(&str, &str, &[&str]); 2] = [
    (
        "other names of the question",
        "query",
        &[
            "question",
            "input",
            "user_input",
            "input_text",
            "chat_input",
            "prompt",
            "instruction",
            "doc",
            "text",
            "statement",
            "title",
        ],
    ),
    (
        "other names of the reference",
        "expected",
        &[
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
];

/// Rows as text: feature, file, content.
const FILES: [(&str, &str, &str); 8] = [
    ("golden set as JSONL", "c.jsonl", "{\"query\": \"Why?\", \"context\": \"So.\"}\n"),
    ("tests in JSONL", "c.jsonl", "{\"query\": \"Why?\", \"context\": \"So.\"}\n"),
    ("golden set as a JSON list", "c.json", "[{\"query\": \"Why?\", \"context\": \"So.\"}]"),
    (
        "golden set in an object",
        "c.json",
        "{\"name\": \"x\", \"tests\": [{\"query\": \"Why?\", \"context\": \"So.\"}]}",
    ),
    ("golden set with comments", "c.jsonl", "# Refunds\n{\"query\": \"Why?\", \"context\": \"So.\"}\n"),
    ("golden set with contexts", "c.jsonl", "{\"query\": \"Why?\", \"context\": [\"So.\", \"Also.\"]}\n"),
    ("tests in YAML files", "c.yaml", "- query: Why?\n  context: So.\n"),
    ("tests in CSV", "c.csv", "query,context\nWhy?,So.\n"),
];

#[test]
fn files_of_golden_sets_are_read() {
    for (feature, file, text) in FILES {
        let folder = Folder::small(1);
        folder.write(file, text);
        folder.edit("promptgate.yaml", "dataset: cases.jsonl", &format!("dataset: {file}"));
        let outcome = folder.promptgate(&["check"]);
        assert_eq!(outcome.code, 0, "{feature}: {}", outcome.text());
        let outcome = outcome.says("1 case");
        assert!(!outcome.stderr.contains("warning"), "{feature}: {}", outcome.stderr);
    }
}

/// A suite whose rows call a field by another name.
fn renamed(field: &str, column: &str, fields: &str) -> Folder {
    let folder = Folder::small(1);
    let row = "{\"query\": \"Why?\", \"context\": \"So.\", \"expected\": \"So.\"}\n";
    folder.write("cases.jsonl", &row.replace(&format!("\"{field}\""), &format!("\"{column}\"")));
    folder.edit("promptgate.yaml", "relevance: {min: 0.5}", "correctness: {min: 0.5}");
    let dataset = format!("dataset: {{path: cases.jsonl, fields: {fields}}}");
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", &dataset);
    folder
}

#[test]
fn other_names_of_fields_are_refused_with_the_mapping() {
    for (feature, field, columns) in NAMES {
        for column in columns {
            let mapping = format!("{{{field}: {column}}}");
            let outcome = renamed(field, column, "{}").promptgate(&["check"]);
            assert_eq!(outcome.code, 2, "{feature}, {column}: {}", outcome.text());
            outcome.says(&format!("fields: {mapping}"));
            renamed(field, column, &mapping).promptgate(&["check"]).expect_code(0);
        }
    }
}

pub(super) fn features() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(feature, ..)| *feature).chain(NAMES.iter().map(|(feature, ..)| *feature))
}
