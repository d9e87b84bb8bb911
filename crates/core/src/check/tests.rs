//! Tests of all checks: fixtures of answers, fixtures of invalid entries, and common properties.

mod documentation;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Case, Completion, FinishReason, ToolCall, Usage};
use crate::port::{Finding, Subject};

use super::registry::{CHECKS, with_schemas};
use super::{EntryDiagnostic, NamedCheck, answer, compile, entry_schema, names, shape};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    entry: Value,
    answer: String,
    passes: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    expected: Option<Value>,
    #[serde(default)]
    tokens: Option<u64>,
    #[serde(default)]
    finish_reason: Option<FinishReason>,
    #[serde(default)]
    answer_field: Option<String>,
    /// Name and arguments of each tool call.
    #[serde(default)]
    calls: Vec<(String, String)>,
    #[serde(default)]
    retrieved: Retrieved,
    /// Those of the answer and of the text it is compared with.
    #[serde(default)]
    embeddings: Option<[Vec<f64>; 2]>,
}

/// The passages of an answer, and what its case has for them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Retrieved {
    contexts: Option<Vec<String>>,
    context_ids: Vec<Option<String>>,
    query: String,
    case_context: Option<Vec<String>>,
    expected_sources: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvalidEntry {
    entry: Value,
    /// Pointer, part of the message, part of the help.
    diagnostics: Vec<(String, String, Option<String>)>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/checks")
}

fn fixtures<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let path = folder().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(folder().join(path)).map_err(|_| "no such file".to_owned())
}

fn compiled(entry: &Value) -> NamedCheck {
    compile(entry, &read).unwrap_or_else(|diagnostics| panic!("{entry}: {diagnostics:?}"))
}

fn grade(fixture: &Fixture) -> Finding {
    let call = |(name, arguments): &(String, String)| ToolCall {
        id: None,
        name: name.clone(),
        arguments: arguments.clone(),
    };
    let retrieved = &fixture.retrieved;
    let case = Case {
        expected: fixture.expected.clone(),
        query: retrieved.query.clone(),
        context: retrieved.case_context.clone().map(Into::into),
        expected_sources: retrieved.expected_sources.clone(),
        ..Case::default()
    };
    let completion = Completion {
        tool_calls: fixture.calls.iter().map(call).collect(),
        finish_reason: fixture.finish_reason.clone().unwrap_or(FinishReason::Stop),
        usage: fixture.tokens.map(|completion_tokens| Usage::new(1, completion_tokens)),
        latency_ms: 1.0,
        contexts: retrieved.contexts.clone(),
        context_ids: retrieved.context_ids.clone(),
        ..Completion::from_text(fixture.answer.clone())
    };
    let extracted = answer::extract(&fixture.answer, fixture.answer_field.as_deref());
    let subject = Subject {
        case: &case,
        completion: &completion,
        answer: extracted.as_deref().map_err(String::as_str),
    };
    let check = compiled(&fixture.entry).check;
    match &fixture.embeddings {
        None => check.grade(&subject),
        Some([answer, other]) => match check.embedded_texts(&subject) {
            Ok(_) => check.embedded_finding([answer, other]).unwrap(),
            Err(finding) => finding,
        },
    }
}

fn on(entry: &Value, answer: &str) -> Fixture {
    Fixture {
        entry: entry.clone(),
        answer: answer.to_owned(),
        passes: true,
        reason: String::new(),
        expected: Some(json!("expected")),
        tokens: Some(1),
        finish_reason: None,
        answer_field: None,
        calls: Vec::new(),
        retrieved: Retrieved::default(),
        embeddings: None,
    }
}

#[test]
fn checks_grade_their_fixtures_as_expected() {
    let mut failures = Vec::new();
    for key in names().chain(["not"]) {
        let rows: Vec<Fixture> = fixtures(key);
        assert!(
            rows.iter().any(|row| row.passes) && rows.iter().any(|row| !row.passes),
            "{key}: needs a passing and a failing fixture"
        );
        for row in rows {
            assert!(row.entry.get(key).is_some(), "{key}: fixture of another check: {}", row.entry);
            let found = grade(&row);
            if found.passed != row.passes || !found.reason.contains(&row.reason) {
                failures.push(format!("{} on {:?}: {found:?}", row.entry, row.answer));
            }
            assert!(
                !found.reason.is_empty() && !found.reason.contains('\n'),
                "{}: {:?}",
                row.entry,
                found.reason
            );
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn invalid_entries_are_reported_with_pointers() {
    let mut failures = Vec::new();
    for row in fixtures::<InvalidEntry>("invalid") {
        let found = compile(&row.entry, &read).err().unwrap_or_default();
        let as_expected = found.len() == row.diagnostics.len()
            && found.iter().zip(&row.diagnostics).all(|(found, (pointer, message, help))| {
                found.pointer == *pointer
                    && found.message.contains(message.as_str())
                    && help
                        .as_ref()
                        .is_none_or(|help| found.help.as_ref().is_some_and(|text| text.contains(help)))
            });
        if !as_expected {
            failures.push(format!("{}: {found:#?}", row.entry));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn common_keys_have_defaults() {
    let plain = compiled(&json!({"contains": "x"}));
    assert_eq!((plain.name.as_str(), plain.min, plain.baseline), ("contains", 1.0, false));
    let full = compiled(&json!({"contains": "x", "name": "names-the-term", "min": 0.8, "baseline": true}));
    assert_eq!((full.name.as_str(), full.min, full.baseline), ("names-the-term", 0.8, true));
}

#[test]
fn negations_are_named_after_their_check() {
    let negated = compiled(&json!({"not": {"tool_called": "f"}, "min": 0.5}));
    assert_eq!(
        (negated.name.as_str(), negated.min, negated.reads_tool_calls),
        ("not.tool_called", 0.5, true)
    );
    assert!(!compiled(&json!({"contains": "f"})).reads_tool_calls);
}

#[test]
fn entries_without_a_value_need_expected() {
    for (entry, needs) in [
        (json!({"equals": {}}), true),
        (json!({"equals": {"value": null}}), false),
        (json!({"equals": "x"}), false),
        (json!({"one_of": {"trim": true}}), true),
        (json!({"one_of": ["x"]}), false),
        (json!({"numeric": {"tolerance": 1}}), true),
        (json!({"numeric": 3}), false),
        (json!({"similarity": 0.5}), true),
        (json!({"similar": 0.5}), true),
        (json!({"similar": {"min": 0.5, "value": "x"}}), false),
        (json!({"similarity": {"min": 0.5, "value": "x"}}), false),
        (json!({"contains": {"ignore_case": true}}), true),
        (json!({"contains": {"any": ["x"]}}), false),
        (json!({"is_json": true}), false),
        (json!({"not": {"equals": {}}}), true),
        (json!({"not": {"equals": "x"}}), false),
    ] {
        assert_eq!(compiled(&entry).needs_expected, needs, "{entry}");
    }
    for row in CHECKS.iter().filter(|row| !row.reads_expected) {
        for fixture in fixtures::<Fixture>(row.key) {
            assert!(!compiled(&fixture.entry).needs_expected, "{}", fixture.entry);
        }
    }
}

/// Collects the keywords of a schema and its subschemas, without the names of properties.
fn keywords(schema: &Value, found: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else { return };
    for (keyword, value) in schema {
        found.push(keyword.clone());
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                properties.values().for_each(|inner| keywords(inner, found))
            }
            ("anyOf" | "oneOf", Value::Array(branches)) => {
                branches.iter().for_each(|inner| keywords(inner, found))
            }
            ("items", inner) => keywords(inner, found),
            _ => {}
        }
    }
}

/// Whether every map schema in it rejects unknown keys.
fn strict(schema: &Value) -> bool {
    let closed =
        schema.get("properties").is_none() || schema.get("additionalProperties") == Some(&json!(false));
    let inner = match schema {
        Value::Object(map) => map.values().all(strict),
        Value::Array(list) => list.iter().all(strict),
        _ => true,
    };
    closed && inner
}

#[test]
fn schemas_are_strict_and_use_supported_keywords() {
    for (row, schema) in with_schemas() {
        let mut found = Vec::new();
        keywords(schema, &mut found);
        for keyword in found {
            assert!(
                shape::KEYWORDS.contains(&keyword.as_str()),
                "{}: unsupported keyword `{keyword}`: {schema}",
                row.key
            );
        }
        assert!(strict(schema), "{}: {schema:#}", row.key);
        for description in find_all(schema, "properties").into_iter().flat_map(|properties| {
            properties.as_object().into_iter().flatten().map(|(_, property)| property.get("description"))
        }) {
            assert!(description.is_some(), "{}: a key without description: {schema:#}", row.key);
        }
    }
}

fn find_all<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(map) => {
            map.iter().flat_map(|(k, v)| if k == key { vec![v] } else { find_all(v, key) }).collect()
        }
        Value::Array(list) => list.iter().flat_map(|item| find_all(item, key)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn entry_schema_agrees_with_compile() {
    let schema = entry_schema();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    assert!(!schema.to_string().contains("$ref"));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for key in names().chain(["not"]) {
        for fixture in fixtures::<Fixture>(key) {
            assert!(validator.is_valid(&fixture.entry), "{}", fixture.entry);
        }
    }
    // Our own validation and a JSON Schema validator agree.
    for row in fixtures::<InvalidEntry>("invalid") {
        for (check, schema) in with_schemas() {
            if let Some(value) = row.entry.get(check.key) {
                let ours = shape::diagnostics(schema, value).is_empty();
                assert_eq!(jsonschema::is_valid(schema, value), ours, "{}", row.entry);
            }
        }
    }
}

#[test]
fn reasons_of_huge_answers_are_short() {
    let texts = [
        "a".repeat(2_000_000),
        "ü. ".repeat(500_000),
        "[".repeat(1_000_000),
        format!("\"{}\"", "x\\n".repeat(300_000)),
    ];
    for key in names() {
        let entry = fixtures::<Fixture>(key).remove(0).entry;
        for text in &texts {
            let found = grade(&on(&entry, text));
            assert!(found.reason.chars().count() <= 600, "{key}");
        }
    }
}

#[test]
fn many_violations_are_counted_but_not_listed() {
    let entry = json!({"json_schema": {"schema": {"items": {"type": "string"}}}});
    let list = serde_json::to_string(&vec![1; 100_000]).unwrap();
    let found = grade(&on(&entry, &list));
    assert!(
        found.reason.starts_with("at least 1000 violations of the schema: /0: 1 is not"),
        "{}",
        found.reason
    );
    assert_eq!(found.details["violations"].as_array().map(Vec::len), Some(3));
}

#[test]
fn recursive_schemas_do_not_overflow_the_stack() {
    for schema in [json!({"$ref": "#"}), json!({"allOf": [{"$ref": "#"}]}), json!({"anyOf": [{"$ref": "#"}]})]
    {
        let entry = json!({"json_schema": {"schema": schema}});
        if compile(&entry, &read).is_ok() {
            grade(&on(&entry, "{}"));
        }
    }
}

#[test]
fn only_schema_files_are_read_once() {
    let paths = std::cell::RefCell::new(Vec::new());
    let read = |path: &str| -> Result<String, String> {
        paths.borrow_mut().push(path.to_owned());
        Ok("{}".to_owned())
    };
    assert!(compile(&json!({"json_schema": "a/b.json"}), &read).is_ok());
    assert!(compile(&json!({"contains": "a/b.json"}), &read).is_ok());
    assert_eq!(paths.into_inner(), ["a/b.json"]);
}

#[test]
fn documented_entries_compile() {
    for entry in [
        json!({"json_schema": "schemas/answer.schema.json"}),
        json!({"required_fields": ["answer", "citations"]}),
        json!({"length": {"min_chars": 1, "max_chars": 1200}}),
        json!({"not_contains": ["as an AI"]}),
        json!({"contains": "30 days", "name": "names-the-term", "min": 0.8, "baseline": true}),
    ] {
        compiled(&entry);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z(\\[.]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let keys = prop_oneof![
            prop::sample::select(vec![
                "any", "all", "value", "min", "path", "paths", "schema", "equals", "number"
            ])
            .prop_map(str::to_owned),
            "[a-z]{0,4}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys, inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn compile_never_panics(index in 0..CHECKS.len(), value in any_json(), text in ".{0,40}") {
        let entry = json!({CHECKS[index].key: value});
        match compile(&entry, &read) {
            Ok(_) => { grade(&on(&entry, &text)); }
            Err(diagnostics) => {
                prop_assert!(!diagnostics.is_empty());
                for EntryDiagnostic { pointer, message, .. } in diagnostics {
                    prop_assert!(!message.is_empty());
                    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                    prop_assert!(entry.pointer(parent).is_some(), "{} in {}", pointer, entry);
                }
            }
        }
    }

    #[test]
    fn grade_never_panics(text in "\\PC{0,60}|[{}\\[\\]\":,0-9a ]{0,30}") {
        for key in names() {
            let entry = fixtures::<Fixture>(key).remove(0).entry;
            let (first, second) = (grade(&on(&entry, &text)), grade(&on(&entry, &text)));
            prop_assert_eq!(first, second);
        }
    }
}
