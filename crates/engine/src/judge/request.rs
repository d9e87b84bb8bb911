//! What a judge is handed: data as one JSON document between boundaries, never mixed with instructions.
//!
//! The rubric stands in the system message alone. The user message holds the data, JSON-encoded, between two
//! lines that carry a boundary drawn at random for each call, so that text inside cannot forge its end.

use serde::{Deserialize, Serialize};

/// A numbered statement or checklist item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    /// Counted from 1.
    pub id: u32,
    /// The text.
    pub text: String,
}

/// The data of one judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
pub enum Payload {
    /// Is every statement of the answer backed by the context?
    Faithfulness {
        /// The question.
        question: String,
        /// The passages, joined by blank lines.
        context: String,
        /// The whole answer.
        answer: String,
        /// The answer's statements.
        statements: Vec<Numbered>,
    },
    /// Does the answer fulfil each item? (relevance and rubrics)
    Checklist {
        /// The question.
        question: String,
        /// The whole answer.
        answer: String,
        /// The items.
        items: Vec<Numbered>,
    },
    /// Does the answer cover each statement of the reference?
    Correctness {
        /// The question.
        question: String,
        /// The whole answer.
        answer: String,
        /// The reference's statements.
        statements: Vec<Numbered>,
    },
    /// Which rating does the answer get?
    Scale {
        /// The question.
        question: String,
        /// The whole answer.
        answer: String,
        /// What is rated.
        of: String,
        /// What the ratings mean.
        anchors: Vec<Anchor>,
    },
}

/// What a rating means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// From 0 to 5.
    pub rating: u8,
    /// Its meaning.
    pub text: String,
}

/// The fixed items of the relevance judge, in the order of their ids; a case's own items come after them.
pub const RELEVANCE_ITEMS: [&str; 4] = [
    "addresses the question that was asked",
    "answers every part of the question",
    "stays on topic",
    "does not evade or refuse what it could answer",
];

const BEGIN: &str = "=== BEGIN DATA ";
const END: &str = "=== END DATA ";

impl Payload {
    /// The answer that is judged.
    pub fn answer(&self) -> &str {
        match self {
            Self::Faithfulness { answer, .. }
            | Self::Checklist { answer, .. }
            | Self::Correctness { answer, .. }
            | Self::Scale { answer, .. } => answer,
        }
    }

    /// The JSON document: one line.
    pub(super) fn document(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The user message: the JSON document between two lines that carry `boundary`.
    pub fn wrap(&self, boundary: &str) -> String {
        Self::wrap_document(&self.document(), boundary)
    }

    /// The same for a document that is there already.
    pub(super) fn wrap_document(document: &str, boundary: &str) -> String {
        format!("{BEGIN}{boundary} ===\n{document}\n{END}{boundary} ===")
    }

    /// The inverse of [`Payload::wrap`]; `None` for any other text.
    pub fn unwrap(message: &str) -> Option<Self> {
        let (head, rest) = message.split_once('\n')?;
        let boundary = head.strip_prefix(BEGIN)?.strip_suffix(" ===")?;
        let json = rest.strip_suffix(&format!("\n{END}{boundary} ==="))?;
        serde_json::from_str(json).ok()
    }
}
