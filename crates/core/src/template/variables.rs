//! Variables of a case.

use std::borrow::Cow;

use serde_json::Value;

use crate::model::Case;

/// Reserved names: the case's own fields, and the reference answer, which must not leak.
pub const RESERVED: [&str; 4] = ["id", "query", "context", "expected"];

/// Names that other tools give to a field of a case, the likeliest first.
pub fn aliases(field: &str) -> &'static [&'static str] {
    match field {
        "query" => &[
            "question",
            "input",
            "prompt",
            "user_input",
            "user_query",
            "instruction",
            "input_text",
            "chat_input",
            "statement",
            "text",
            "doc",
            "title",
        ],
        "context" => &[
            "passages",
            "documents",
            "retrieved_contexts",
            "retrieval_context",
            "contexts",
            "source",
            "content",
        ],
        "expected" => &[
            "answer",
            "reference",
            "ground_truth",
            "expected_output",
            "expected_answer",
            "reference_answer",
            "ideal",
            "target",
            "expected_behavior",
            "truth",
            "keypoints",
            "acceptance_points",
            "expected_facts",
            "must_include_facts",
            "expected_keywords",
        ],
        _ => &[],
    }
}

/// The variables of one case.
#[derive(Debug, Clone, Copy)]
pub struct Variables<'c> {
    case: &'c Case,
}

/// Returns the variables of a case: `id`, `query`, `context` and its `vars`.
///
/// A missing query, a missing context and `null` are undefined; empty texts are values. `expected` is always undefined: the evaluation of a prompt
/// that contains the reference answer is worthless.
pub fn variables(case: &Case) -> Variables<'_> {
    Variables { case }
}

impl<'c> Variables<'c> {
    /// Returns the value of a variable as it is inserted into a prompt: text as it is, a list of texts joined by blank
    /// lines, any other value as compact JSON.
    pub fn get(&self, name: &str) -> Option<Cow<'c, str>> {
        match name {
            "id" => Some(Cow::Borrowed(&self.case.id)),
            "query" if !self.case.has_query() => None,
            "query" => Some(Cow::Borrowed(&self.case.query)),
            "context" => match self.case.context.as_deref() {
                None => None,
                Some([passage]) => Some(Cow::Borrowed(passage)),
                Some(passages) => Some(Cow::Owned(passages.join("\n\n"))),
            },
            "expected" => None,
            _ => self.case.vars.get(name).and_then(text),
        }
    }

    /// Whether the variable is defined; cheaper than [`Variables::get`].
    pub fn has(&self, name: &str) -> bool {
        match name {
            "id" => true,
            "query" => self.case.has_query(),
            "context" => self.case.context.is_some(),
            "expected" => false,
            _ => self.case.vars.get(name).is_some_and(|value| !value.is_null()),
        }
    }

    /// Returns the names of all defined variables: `id`, `query`, `context`, then `vars` in the order of the row.
    pub fn names(&self) -> Vec<&'c str> {
        let case = self.case;
        ["id", "query", "context"]
            .into_iter()
            .chain(case.vars.keys().map(String::as_str).filter(|name| !RESERVED.contains(name)))
            .filter(|name| self.has(name))
            .collect()
    }
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            match texts {
                Some(texts) if !texts.is_empty() => Some(Cow::Owned(texts.join("\n\n"))),
                _ => Some(Cow::Owned(value.to_string())),
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(Cow::Owned(value.to_string())),
    }
}
