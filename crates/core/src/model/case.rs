//! One row of the golden dataset.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Place;

/// A case: the inputs of one question and what is expected of its answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Case {
    /// Unique in its dataset; the row number where the row names none.
    pub id: String,
    /// The question; empty where the dataset has none (then no judge or `{{query}}` may need it).
    pub query: String,
    /// The passages an answer may rely on; `None` where the row has no context. Shared with the run and its report.
    pub context: Option<Arc<[String]>>,
    /// The reference answer.
    pub expected: Option<Value>,
    /// Checks of this case alone, as written; compiled by the check room.
    pub checks: Vec<Value>,
    /// Labels for slices and `--tag`.
    pub tags: Vec<String>,
    /// Cluster for cluster-robust intervals: cases of one group are not independent.
    pub group: Option<String>,
    /// Whether this case is a criterion of its own.
    pub must_pass: bool,
    /// Whether an answer without any claim scores 0 for faithfulness.
    pub must_answer: bool,
    /// Further items that the relevance judge asks of this case.
    pub criteria: Vec<Item>,
    /// Everything else in the row: variables for the prompt.
    pub vars: Map<String, Value>,
    /// Where the row stands.
    pub place: Place,
}

impl Case {
    /// The context as one text: passages joined by blank lines.
    pub fn context_text(&self) -> Option<String> {
        self.context.as_ref().map(|passages| passages.join("\n\n"))
    }

    /// The expectation as text: a string as it is, anything else as JSON.
    pub fn expected_text(&self) -> Option<String> {
        self.expected.as_ref().map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

/// One yes/no item of a checklist or rubric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What is asked, a statement about the answer: `names the next step`.
    pub text: String,
    /// Its share in the score, above 0.
    pub weight: f64,
    /// Whether a no makes the whole score 0.
    pub critical: bool,
}
