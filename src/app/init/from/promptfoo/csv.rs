//! Tests in CSV: columns are variables, `__expected` columns assertions.

use std::io::Cursor;

use serde_json::{Map, Value, json};

use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::assertions::Assertion;
use super::tests::Test;

/// Types whose threshold may be in parentheses.
const WITH_THRESHOLD: [&str; 4] = ["similar", "latency", "cost", "levenshtein"];

/// The tests of a file.
///
/// # Errors
/// Rows with more or fewer cells than the header, and quotes that are not closed.
pub(super) fn tests(shown: &str, path: &str, text: &str) -> Result<Vec<Test>, Diagnostics> {
    let separator = separator(text, path);
    let mut reader =
        ::csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(Cursor::new(text));
    let unreadable = |error: ::csv::Error| {
        Diagnostic::new(format!("cannot be read as CSV: {error}"))
            .at(Place::file(shown))
            .help("save it as UTF-8 with commas")
    };
    let header: Vec<String> =
        reader.headers().map_err(unreadable)?.iter().map(|name| name.trim().to_owned()).collect();
    let (mut tests, mut errors) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(1));
        let place = Place::line(shown, line);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != header.len() {
            let message = format!("the row has {} cells, but the header has {}", record.len(), header.len());
            let help = "quote cells that contain a separator, a quote or a line break, and close every quote";
            errors.push(Diagnostic::new(message).at(place).help(help));
            continue;
        }
        tests.push(test(&header, &record, place, path));
    }
    if errors.is_empty() { Ok(tests) } else { Err(Diagnostics(errors)) }
}

/// A tab in files of that name, else whichever of comma and semicolon the header has more often.
fn separator(text: &str, path: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |separator: char| header.matches(separator).count();
    match () {
        () if path.ends_with(".tsv") => b'\t',
        () if count(';') > count(',') => b';',
        () => b',',
    }
}

fn test(header: &[String], record: &::csv::StringRecord, place: Place, path: &str) -> Test {
    let mut test = Test { place: place.clone(), file: path.to_owned(), keeps_lists: true, ..Test::default() };
    let (mut metric, mut thresholds) = (None, Vec::new());
    for (name, cell) in header.iter().zip(record) {
        let is_empty = cell.trim().is_empty();
        match name.as_str() {
            "" => {}
            "__description" => test.description = (!is_empty).then(|| cell.trim().to_owned()),
            "__metric" => metric = (!is_empty).then(|| Value::from(cell.trim())),
            "__threshold" => test.threshold = cell.trim().parse().ok(),
            name if name.starts_with("__expected") => {
                if !is_empty {
                    test.asserts.push(Assertion::read(&assertion(cell.trim()), place.clone(), path));
                }
            }
            name if name.starts_with("__config:__expected") => {
                let column =
                    name.trim_start_matches("__config:__expected").split(':').next().unwrap_or_default();
                let index = column.parse::<usize>().unwrap_or(1).saturating_sub(1);
                thresholds.push((index, cell.trim().parse::<f64>().ok()));
            }
            name if name.starts_with("__") => {}
            name => {
                test.vars.insert(name.to_owned(), Value::from(cell));
            }
        }
    }
    for (index, threshold) in thresholds {
        if let Some(assertion) = test.asserts.get_mut(index) {
            assertion.threshold = threshold.or(assertion.threshold);
        }
    }
    let metric = metric.as_ref().and_then(Value::as_str).map(super::super::draft::slug);
    for assertion in &mut test.asserts {
        assertion.name = metric.clone().filter(|name| !name.is_empty());
    }
    test
}

/// An assertion in a cell: `contains: text`, `similar(0.8): text`; without a type the whole answer.
fn assertion(cell: &str) -> Map<String, Value> {
    let entry = |kind: &str, value: &str| json!({"type": kind, "value": value.trim()});
    let code = ["javascript:", "fn:", "eval:"].iter().find_map(|start| cell.strip_prefix(start));
    let is_file = |extensions: &[&str]| {
        let path = cell.strip_prefix("file://").map(|path| path.split(':').next().unwrap_or_default());
        path.is_some_and(|path| extensions.iter().any(|end| path.ends_with(end)))
    };
    let value = if let Some(code) = code {
        entry("javascript", code)
    } else if is_file(&[".js", ".mjs", ".cjs", ".ts"]) {
        entry("javascript", cell)
    } else if let Some(code) = cell.strip_prefix("python:") {
        entry("python", code)
    } else if is_file(&[".py"]) {
        entry("python", cell)
    } else if let Some(text) = ["grade:", "llm-rubric:"].iter().find_map(|start| cell.strip_prefix(start)) {
        entry("llm-rubric", text)
    } else {
        typed(cell).unwrap_or_else(|| entry("equals", cell))
    };
    value.as_object().cloned().unwrap_or_default()
}

fn typed(cell: &str) -> Option<Value> {
    let (kind, value) = match cell.split_once(':') {
        Some((kind, value)) => (kind, Some(value.trim())),
        None => (cell, None),
    };
    let (kind, threshold) = match kind.split_once('(') {
        Some((kind, rest)) => (kind, Some(rest.strip_suffix(')')?.trim().parse::<f64>().ok()?)),
        None => (kind, None),
    };
    let plain = kind.strip_prefix("not-").unwrap_or(kind);
    const KINDS: [&str; 18] = [
        "contains",
        "contains-all",
        "contains-any",
        "contains-json",
        "cost",
        "equals",
        "factuality",
        "g-eval",
        "icontains",
        "icontains-all",
        "icontains-any",
        "is-json",
        "latency",
        "levenshtein",
        "model-graded-closedqa",
        "regex",
        "similar",
        "starts-with",
    ];
    let needs_value = !["is-json", "contains-json", "latency", "cost"].contains(&plain);
    if !KINDS.contains(&plain) || (needs_value && value.is_none()) {
        return None;
    }
    let threshold = threshold.or_else(|| (WITH_THRESHOLD.contains(&plain)).then_some(0.75));
    let mut entry = json!({"type": kind});
    if let Value::Object(map) = &mut entry {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            map.insert("value".to_owned(), Value::from(value));
        }
        if let Some(threshold) = threshold {
            map.insert("threshold".to_owned(), json!(threshold));
        }
    }
    Some(entry)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn cells_are_assertions() {
        for (cell, expected) in [
            ("yes", json!({"type": "equals", "value": "yes"})),
            ("contains: a: b", json!({"type": "contains", "value": "a: b"})),
            ("not-icontains: x", json!({"type": "not-icontains", "value": "x"})),
            ("similar(0.9): x", json!({"type": "similar", "value": "x", "threshold": 0.9})),
            ("similar: x", json!({"type": "similar", "value": "x", "threshold": 0.75})),
            ("latency(500)", json!({"type": "latency", "threshold": 500.0})),
            ("is-json", json!({"type": "is-json"})),
            ("fn: output.length > 1", json!({"type": "javascript", "value": "output.length > 1"})),
            ("file://a.py:f", json!({"type": "python", "value": "file://a.py:f"})),
            ("grade: is kind", json!({"type": "llm-rubric", "value": "is kind"})),
            ("Note: not a type", json!({"type": "equals", "value": "Note: not a type"})),
        ] {
            assert_eq!(Value::Object(assertion(cell)), expected, "{cell}");
        }
    }

    #[test]
    fn odd_quoting_is_an_error_with_its_line() {
        let errors = tests("t.csv", "t.csv", "a,b\n\"x\"\"y\",1\n\"open,2\nz,3\n").unwrap_err().to_string();
        assert!(errors.contains("t.csv:3") && errors.contains("close every quote"), "{errors}");
        assert_eq!(tests("t.csv", "t.csv", "a;b\n1;2\n\n;\n").unwrap().len(), 1);
    }
}
