//! Every check over its fixtures, every mistake over its own, and what holds of all checks.

mod documentation;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Case, Completion, FinishReason, Usage};
use crate::port::{Finding, Subject};

use super::registry::{Expected, ROWS, described};
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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistaken {
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
    let case = Case { expected: fixture.expected.clone(), ..Case::default() };
    let completion = Completion {
        finish_reason: fixture.finish_reason.clone().unwrap_or(FinishReason::Stop),
        usage: fixture.tokens.map(|completion_tokens| Usage { prompt_tokens: 1, completion_tokens }),
        latency_ms: 1.0,
        ..Completion::from_text(fixture.answer.clone())
    };
    let extracted = answer::extract(&fixture.answer, fixture.answer_field.as_deref());
    let subject = Subject {
        case: &case,
        completion: &completion,
        answer: extracted.as_deref().map_err(String::as_str),
    };
    compiled(&fixture.entry).check.grade(&subject)
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
    }
}

#[test]
fn every_check_does_what_its_fixtures_say() {
    let mut wrong = Vec::new();
    for key in names() {
        let rows: Vec<Fixture> = fixtures(key);
        assert!(
            rows.iter().any(|row| row.passes) && rows.iter().any(|row| !row.passes),
            "{key}: one side only"
        );
        for row in rows {
            assert!(row.entry.get(key).is_some(), "{key}: another check's fixture: {}", row.entry);
            let found = grade(&row);
            if found.passed != row.passes || !found.reason.contains(&row.reason) {
                wrong.push(format!("{} on {:?}: {found:?}", row.entry, row.answer));
            }
            assert!(
                !found.reason.is_empty() && !found.reason.contains('\n'),
                "{}: {:?}",
                row.entry,
                found.reason
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_diagnostic_is_found_and_placed() {
    let mut wrong = Vec::new();
    for row in fixtures::<Mistaken>("invalid") {
        let found = compile(&row.entry, &read).err().unwrap_or_default();
        let as_wanted = found.len() == row.diagnostics.len()
            && found.iter().zip(&row.diagnostics).all(|(found, (pointer, message, help))| {
                found.pointer == *pointer
                    && found.message.contains(message.as_str())
                    && help
                        .as_ref()
                        .is_none_or(|help| found.help.as_ref().is_some_and(|said| said.contains(help)))
            });
        if !as_wanted {
            wrong.push(format!("{}: {found:#?}", row.entry));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn common_keys_have_their_defaults() {
    let plain = compiled(&json!({"contains": "x"}));
    assert_eq!((plain.name.as_str(), plain.min, plain.baseline), ("contains", 1.0, false));
    let full = compiled(&json!({"contains": "x", "name": "names-the-term", "min": 0.8, "baseline": true}));
    assert_eq!((full.name.as_str(), full.min, full.baseline), ("names-the-term", 0.8, true));
}

#[test]
fn says_which_entries_need_expected() {
    for (entry, needs) in [
        (json!({"equals": {}}), true),
        (json!({"equals": {"value": null}}), false),
        (json!({"equals": "x"}), false),
        (json!({"one_of": {"trim": true}}), true),
        (json!({"one_of": ["x"]}), false),
        (json!({"numeric": {"tolerance": 1}}), true),
        (json!({"numeric": 3}), false),
        (json!({"similarity": 0.5}), true),
        (json!({"similarity": {"min": 0.5, "value": "x"}}), false),
        (json!({"contains": {"ignore_case": true}}), true),
        (json!({"contains": {"any": ["x"]}}), false),
        (json!({"is_json": true}), false),
    ] {
        assert_eq!(compiled(&entry).needs_expected, needs, "{entry}");
    }
    for row in ROWS.iter().filter(|row| row.expected == Expected::Never) {
        for fixture in fixtures::<Fixture>(row.key) {
            assert!(!compiled(&fixture.entry).needs_expected, "{}", fixture.entry);
        }
    }
}

/// The keywords of a schema and of the schemas in it, but not the names of properties.
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

/// Whether every map schema in it refuses unknown keys.
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
fn schemas_are_strict_and_use_no_keyword_that_goes_unread() {
    for (row, schema) in described() {
        let mut found = Vec::new();
        keywords(schema, &mut found);
        for keyword in found {
            assert!(
                shape::KEYWORDS.contains(&keyword.as_str()),
                "{}: `{keyword}` goes unread: {schema}",
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
fn the_entry_schema_accepts_what_compiles_and_refuses_misshapen_entries() {
    let schema = entry_schema();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    assert!(!schema.to_string().contains("$ref"));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for key in names() {
        for fixture in fixtures::<Fixture>(key) {
            assert!(validator.is_valid(&fixture.entry), "{}", fixture.entry);
        }
    }
    // Where our own reading of the schema finds a mistake, a validator does so too, and the reverse.
    for row in fixtures::<Mistaken>("invalid") {
        for (check, schema) in described() {
            if let Some(value) = row.entry.get(check.key) {
                let ours = shape::diagnostics(schema, value).is_empty();
                assert_eq!(jsonschema::is_valid(schema, value), ours, "{}", row.entry);
            }
        }
    }
}

#[test]
fn huge_answers_are_graded_with_short_reasons() {
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
fn a_schema_that_turns_in_circles_ends() {
    for schema in [json!({"$ref": "#"}), json!({"allOf": [{"$ref": "#"}]}), json!({"anyOf": [{"$ref": "#"}]})]
    {
        let entry = json!({"json_schema": {"schema": schema}});
        // Refused when compiled or decided when graded, but never a stack that overflows.
        if compile(&entry, &read).is_ok() {
            grade(&on(&entry, "{}"));
        }
    }
}

#[test]
fn a_file_is_read_once_and_only_where_named() {
    let asked = std::cell::RefCell::new(Vec::new());
    let read = |path: &str| -> Result<String, String> {
        asked.borrow_mut().push(path.to_owned());
        Ok("{}".to_owned())
    };
    assert!(compile(&json!({"json_schema": "a/b.json"}), &read).is_ok());
    assert!(compile(&json!({"contains": "a/b.json"}), &read).is_ok());
    assert_eq!(asked.into_inner(), ["a/b.json"]);
}

#[test]
fn entries_of_the_interface_compile() {
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
    fn no_entry_makes_compile_panic(index in 0..ROWS.len(), value in any_json(), text in ".{0,40}") {
        let entry = json!({ROWS[index].key: value});
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
    fn no_answer_makes_a_check_panic(text in "\\PC{0,60}|[{}\\[\\]\":,0-9a ]{0,30}") {
        for key in names() {
            let entry = fixtures::<Fixture>(key).remove(0).entry;
            let (first, second) = (grade(&on(&entry, &text)), grade(&on(&entry, &text)));
            prop_assert_eq!(first, second);
        }
    }
}
