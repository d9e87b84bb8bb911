//! Tests of `docs/checks.md`: it lists all checks, and its examples compile.

use std::path::Path;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

use crate::check::registry::CHECKS;
use crate::check::{compile, path};

use super::read;

fn documentation() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks.md")).unwrap()
}

/// Reads a value from YAML events; `None` at the end of a list, map or document.
fn value(events: &mut dyn Iterator<Item = Event<'_>>) -> Option<Value> {
    match events.next()? {
        Event::Scalar(text, ScalarStyle::Plain, ..) => {
            Some(serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_ref())))
        }
        Event::Scalar(text, ..) => Some(Value::from(text.as_ref())),
        Event::SequenceStart(..) => Some(Value::from_iter(std::iter::from_fn(|| value(events)))),
        Event::MappingStart(..) => {
            let mut map = Map::new();
            while let Some(key) = value(events) {
                map.insert(key.as_str().unwrap().to_owned(), value(events).unwrap());
            }
            Some(Value::Object(map))
        }
        Event::SequenceEnd | Event::MappingEnd | Event::StreamEnd => None,
        Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => value(events),
        Event::Alias(_) => panic!("no aliases in examples"),
    }
}

/// Returns the entries of all YAML blocks in a text.
fn examples(text: &str) -> Vec<Value> {
    let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks
        .flat_map(|(block, _)| {
            let mut events = Parser::new_from_str(block).map(|event| event.unwrap().0);
            match value(&mut events) {
                Some(Value::Array(entries)) => entries,
                other => panic!("not a list of entries: {other:?}"),
            }
        })
        .collect()
}

/// Returns all keys in a schema.
fn keys(schema: &Value) -> Vec<String> {
    let own = schema.get("properties").and_then(Value::as_object);
    let own = own.into_iter().flatten().flat_map(|(key, inner)| [vec![key.clone()], keys(inner)].concat());
    let branches = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten().flat_map(keys);
    own.chain(branches).collect()
}

#[test]
fn table_lists_all_checks() {
    let text = documentation();
    let table: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("| check |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let expected: Vec<String> = CHECKS
        .iter()
        .map(|row| {
            let expected = if row.reads_expected { "without a value of its own" } else { "no" };
            format!("| `{}` | {} | {expected} |", row.key, row.summary)
        })
        .collect();
    assert_eq!(table, expected);
}

#[test]
fn every_check_has_a_section_with_valid_examples() {
    let text = documentation();
    for row in CHECKS {
        let heading = format!("\n## {}\n", row.key);
        let (_, section) = text.split_once(&heading).unwrap_or_else(|| panic!("no section of {}", row.key));
        let section = section.split("\n## ").next().unwrap();
        let entries = examples(section);
        assert!(!entries.is_empty(), "{} has no example", row.key);
        for entry in &entries {
            assert!(entry.get(row.key).is_some(), "{entry} is not an example of {}", row.key);
        }
        for key in keys(&(row.schema)()) {
            assert!(section.contains(&key), "{}: `{key}` is not documented", row.key);
        }
    }
    for entry in examples(&text) {
        if let Err(diagnostics) = compile(&entry, &read) {
            panic!("{entry}: {diagnostics:?}");
        }
    }
}

#[test]
fn paths_in_the_table_are_valid() {
    let text = documentation();
    let rows = text.lines().skip_while(|line| !line.starts_with("| path |")).skip(2);
    let mut count = 0;
    for row in rows.take_while(|line| line.starts_with('|')) {
        let written = row.split('`').nth(1).unwrap();
        assert_eq!(path::Path::parse(written).map(|path| path.to_string()).as_deref(), Ok(written));
        count += 1;
    }
    assert!(count > 0);
}
