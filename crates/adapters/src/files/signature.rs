//! Rows of other tools, recognized by the names of their columns.
//!
//! A signature is a set of columns that one tool alone writes. Rows that fit several signatures, or none, are read as they
//! are. What `fields` maps, and a field that the row has by its own name, comes first.

use serde_json::{Map, Value};

use promptgate_core::model::Diagnostic;

use super::field::Field;

/// The columns of one tool.
struct Signature {
    tool: &'static str,
    /// Columns that a row must have.
    columns: &'static [&'static str],
    /// The path of each field that is read from them.
    fields: &'static [(&'static str, Field)],
}

const SIGNATURES: [Signature; 12] = [
    Signature {
        tool: "Ragas",
        columns: &["question", "contexts", "ground_truth"],
        fields: &[
            ("question", Field::Query),
            ("contexts", Field::Context),
            ("ground_truth", Field::Expected),
        ],
    },
    Signature {
        tool: "Ragas",
        columns: &["question", "contexts", "ground_truths"],
        fields: &[
            ("question", Field::Query),
            ("contexts", Field::Context),
            ("ground_truths", Field::Expected),
        ],
    },
    Signature {
        tool: "Ragas",
        columns: &["user_input", "reference"],
        fields: &[
            ("user_input", Field::Query),
            ("retrieved_contexts", Field::Context),
            ("reference", Field::Expected),
        ],
    },
    Signature {
        tool: "DeepEval",
        columns: &["input", "expected_output", "actual_output"],
        fields: &[
            ("input", Field::Query),
            ("retrieval_context", Field::Context),
            ("expected_output", Field::Expected),
        ],
    },
    Signature {
        tool: "DeepEval",
        columns: &["input", "expected_output", "retrieval_context"],
        fields: &[
            ("input", Field::Query),
            ("retrieval_context", Field::Context),
            ("expected_output", Field::Expected),
        ],
    },
    Signature {
        tool: "OpenAI evals",
        columns: &["input", "ideal"],
        fields: &[("input", Field::Query), ("ideal", Field::Expected)],
    },
    Signature {
        tool: "Braintrust",
        columns: &["input", "expected", "metadata"],
        fields: &[("input", Field::Query)],
    },
    Signature {
        tool: "LangSmith",
        columns: &["inputs", "outputs"],
        fields: &[("inputs.*", Field::Query), ("outputs.*", Field::Expected)],
    },
    Signature {
        tool: "MLflow",
        columns: &["inputs", "expectations"],
        fields: &[("inputs.*", Field::Query), ("expectations.expected_response", Field::Expected)],
    },
    Signature {
        tool: "inspect_ai",
        columns: &["input", "target", "metadata"],
        fields: &[("input", Field::Query), ("target", Field::Expected)],
    },
    Signature {
        tool: "inspect_ai",
        columns: &["input", "target", "choices"],
        fields: &[("input", Field::Query), ("target", Field::Expected)],
    },
    Signature {
        tool: "Langfuse",
        columns: &["input", "expectedOutput"],
        fields: &[("input", Field::Query), ("expectedOutput", Field::Expected)],
    },
];

/// A tool whose rows these are, with the path of each field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recognized {
    pub(super) tool: &'static str,
    pub(super) fields: Vec<(String, Field)>,
}

/// The tool that the first row identifies; `None` where none does, or several do.
pub(super) fn recognize(row: &Map<String, Value>) -> Option<Recognized> {
    let fits = |signature: &&Signature| signature.columns.iter().all(|column| row.contains_key(*column));
    let fitting: Vec<&Signature> = SIGNATURES.iter().filter(fits).collect();
    let first = fitting.first()?;
    if fitting.iter().any(|signature| signature.tool != first.tool) {
        return None;
    }
    let mut fields = Vec::new();
    for (path, field) in first.fields {
        // Several inputs could each be the question: that is left to `fields`.
        let path = expanded(row, path)?;
        if !row.contains_key(field.name()) && value_at(row, &path).is_some() {
            fields.push((path, *field));
        }
    }
    let has_query = fields.iter().any(|(_, field)| *field == Field::Query);
    let is_readable = |(path, field): &(String, Field)| {
        *field != Field::Query
            || value_at(row, path).is_some_and(|value| value.is_string() || value.is_array())
    };
    (has_query && fields.iter().all(is_readable)).then_some(Recognized { tool: first.tool, fields })
}

/// A path whose `*` is replaced by the only key of an object; `None` where it has none or several.
fn expanded(row: &Map<String, Value>, path: &str) -> Option<String> {
    let Some(parent) = path.strip_suffix(".*") else { return Some(path.to_owned()) };
    let object = row.get(parent)?.as_object()?;
    match object.keys().collect::<Vec<_>>().as_slice() {
        [only] => Some(format!("{parent}.{only}")),
        _ => None,
    }
}

/// The value at a path of keys and numbers of items, separated by dots; a column with exactly this name comes first.
pub(super) fn value_at<'v>(row: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    if let Some(value) = row.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    below(row.get(first)?, rest)
}

/// The value at a path below a value.
pub(super) fn below<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, part| match value {
        Value::Object(map) => map.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A column without the value at a path below it; `None` where nothing is left.
pub(super) fn without(value: &Value, path: &str) -> Option<Value> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Value::Object(map) = value else { return Some(value.clone()) };
    let mut map = map.clone();
    let left = rest.and_then(|rest| without(map.get(first)?, rest));
    match left {
        Some(left) => _ = map.insert(first.to_owned(), left),
        None => _ = map.shift_remove(first),
    }
    (!map.is_empty()).then_some(Value::Object(map))
}

/// The question in a list of chat messages: that of its only message of the user.
///
/// # Errors
/// A conversation of several turns.
pub(super) fn question(messages: &[Value]) -> Result<Value, Diagnostic> {
    let role = |message: &Value| message.get("role").and_then(Value::as_str).unwrap_or_default().to_owned();
    let asked: Vec<&Value> = messages.iter().filter(|message| role(message) == "user").collect();
    let is_turn = |message: &Value| !matches!(role(message).as_str(), "user" | "system" | "developer");
    match asked.as_slice() {
        [only] if !messages.iter().any(is_turn) => Ok(only.get("content").cloned().unwrap_or_default()),
        _ => Err(Diagnostic::new("the input is a conversation, and one question is asked for each case")
            .help("keep one message of the user in each row, or name a text with `fields: {query: …}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(row: &Value) -> Option<String> {
        let recognized = recognize(row.as_object().unwrap())?;
        let fields = recognized.fields.iter().map(|(path, field)| format!("{path}={}", field.name()));
        Some(format!("{}: {}", recognized.tool, fields.collect::<Vec<_>>().join(" ")))
    }

    #[test]
    fn every_tool_is_recognized_by_its_columns() {
        for (row, expected) in [
            (
                json!({"question": "q", "answer": "a", "contexts": ["c"], "ground_truth": "g"}),
                "Ragas: question=query contexts=context ground_truth=expected",
            ),
            (
                json!({"question": "q", "contexts": ["c"], "ground_truths": ["g"]}),
                "Ragas: question=query contexts=context ground_truths=expected",
            ),
            (
                json!({"user_input": "q", "retrieved_contexts": ["c"], "response": "a", "reference": "g"}),
                "Ragas: user_input=query retrieved_contexts=context reference=expected",
            ),
            (json!({"user_input": "q", "reference": "g"}), "Ragas: user_input=query reference=expected"),
            (
                json!({"input": "q", "actual_output": null, "expected_output": "g", "context": ["c"]}),
                "DeepEval: input=query expected_output=expected",
            ),
            (
                json!({"input": "q", "expected_output": "g", "retrieval_context": ["c"]}),
                "DeepEval: input=query retrieval_context=context expected_output=expected",
            ),
            (
                json!({"input": [{"role": "user", "content": "q"}], "ideal": ["g"]}),
                "OpenAI evals: input=query ideal=expected",
            ),
            (json!({"input": "q", "expected": "g", "metadata": {}}), "Braintrust: input=query"),
            (
                json!({"inputs": {"question": "q"}, "outputs": {"answer": "g"}, "id": "1"}),
                "LangSmith: inputs.question=query outputs.answer=expected",
            ),
            (
                json!({"inputs": {"question": "q"}, "expectations": {"expected_response": "g"}}),
                "MLflow: inputs.question=query expectations.expected_response=expected",
            ),
            (
                json!({"input": "q", "target": "g", "choices": ["g", "h"]}),
                "inspect_ai: input=query target=expected",
            ),
            (
                json!({"id": "1", "input": "q", "expectedOutput": "g"}),
                "Langfuse: input=query expectedOutput=expected",
            ),
        ] {
            assert_eq!(found(&row).as_deref(), Some(expected), "{row}");
        }
    }

    #[test]
    fn ambiguous_and_unknown_rows_are_left_as_they_are() {
        for row in [
            json!({"query": "q", "expected": "g"}),
            json!({"question": "q", "contexts": ["c"], "ground_truth": "g", "query": "own"}),
            json!({"input": "text", "target": "German"}),
            json!({"input": "q", "expected": "g"}),
            json!({"input": "q", "ideal": "g", "expectedOutput": "h"}),
            json!({"inputs": {"question": "q", "language": "de"}, "outputs": {"answer": "g"}}),
            json!({"input": {"question": "q"}, "expectedOutput": "g"}),
            json!({"question": "q", "ground_truth": "g"}),
        ] {
            assert_eq!(found(&row), None, "{row}");
        }
    }

    #[test]
    fn value_at_a_path_is_found_and_removed() {
        let row = json!({"a": {"b": [{"c": 1}], "d": 2}, "x.y": 3, "x": {"y": 4}});
        let row = row.as_object().unwrap();
        assert_eq!(value_at(row, "a.b.0.c"), Some(&json!(1)));
        assert_eq!(value_at(row, "x.y"), Some(&json!(3)));
        assert_eq!(value_at(row, "a.b.1.c"), None);
        assert_eq!(value_at(row, "a.e"), None);
        assert_eq!(without(&row["a"], "d"), Some(json!({"b": [{"c": 1}]})));
        assert_eq!(without(&json!({"d": 2}), "d"), None);
        assert_eq!(without(&json!({"d": {"e": 1}}), "d.e"), None);
    }

    #[test]
    fn conversation_is_not_one_question() {
        let message = |role: &str| json!({"role": role, "content": role});
        assert_eq!(question(&[message("system"), message("user")]).unwrap(), json!("user"));
        for turns in [&["user", "assistant", "user"][..], &["user", "user"], &["system"], &[]] {
            let messages: Vec<Value> = turns.iter().map(|role| message(role)).collect();
            assert!(question(&messages).is_err(), "{turns:?}");
        }
    }
}
