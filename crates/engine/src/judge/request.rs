//! The user message of a judgement: one JSON document between boundaries, never mixed with instructions.
//!
//! The prompt is in the system message alone. The document is between two lines with a random boundary that is new for
//! each judgement, so that text inside cannot forge its end.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::normalize::visible;
use super::reply::Entry;
use promptgate_core::model::{Case, Message, MessageRole};

const BEGIN: &str = "=== BEGIN DATA ";
const END: &str = "=== END DATA ";
/// Field of the document with the name of the form.
const TASK: &str = "task";
/// Field of the document with the messages before the question.
const CONVERSATION: &str = "conversation";

/// A message before the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The role of its author.
    pub role: MessageRole,
    /// Its text, with a line for each tool call and each image.
    pub text: String,
}

/// The conversation before the question of a case, without invisible characters.
pub(super) fn conversation(case: &Case) -> Vec<Said> {
    let said = |message: &Message| Said { role: message.role, text: visible(&message.text()) };
    case.messages.iter().map(said).collect()
}

/// A numbered statement or checklist item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    /// Counted from 1.
    pub id: u32,
    /// The text.
    pub text: String,
}

impl Numbered {
    /// Numbers texts from 1.
    pub fn list(texts: impl IntoIterator<Item = String>) -> Vec<Self> {
        (1..).zip(texts).map(|(id, text)| Self { id, text }).collect()
    }
}

/// The data of one judgement, without its `task`, which is the name of the reply's form.
pub trait Payload: Serialize + DeserializeOwned + Send + Sync {
    /// An entry of the reply.
    type Entry: Entry;

    /// The number of entries that the reply must have; their ids count from 1.
    fn entries(&self) -> usize;

    /// The JSON document, on one line, with the messages before the question.
    fn document(&self, conversation: &[Said]) -> String {
        let tagged = Tagged { task: Self::Entry::FORM.name, conversation, payload: self };
        serde_json::to_string(&tagged).unwrap_or_default()
    }

    /// The user message with this boundary.
    fn wrap(&self, boundary: &str) -> String {
        wrap(&self.document(&[]), boundary)
    }
}

#[derive(Serialize)]
struct Tagged<'a, P> {
    task: &'static str,
    #[serde(skip_serializing_if = "<[Said]>::is_empty")]
    conversation: &'a [Said],
    #[serde(flatten)]
    payload: &'a P,
}

/// The user message with this document and boundary.
pub(super) fn wrap(document: &str, boundary: &str) -> String {
    format!("{BEGIN}{boundary} ===\n{document}\n{END}{boundary} ===")
}

/// The data of a judgement whose type is not known yet.
#[derive(Debug, Clone, PartialEq)]
pub struct UntypedPayload {
    task: String,
    fields: Map<String, Value>,
}

impl UntypedPayload {
    /// Parses a user message; the inverse of [`Payload::wrap`]. `None` for any other text.
    pub fn unwrap(message: &str) -> Option<Self> {
        let (head, rest) = message.split_once('\n')?;
        let boundary = head.strip_prefix(BEGIN)?.strip_suffix(" ===")?;
        let document = rest.strip_suffix(&format!("\n{END}{boundary} ==="))?;
        let mut fields: Map<String, Value> = serde_json::from_str(document).ok()?;
        let Some(Value::String(task)) = fields.shift_remove(TASK) else { return None };
        // The judges that only compare words need no conversation.
        fields.shift_remove(CONVERSATION);
        Some(Self { task, fields })
    }

    /// The name of the reply's form.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The answer that is judged.
    pub fn answer(&self) -> &str {
        self.fields.get("answer").and_then(Value::as_str).unwrap_or_default()
    }

    /// The data as a payload of type `P`; `None` if it is of another type.
    pub fn typed<P: Payload>(&self) -> Option<P> {
        if self.task != P::Entry::FORM.name {
            return None;
        }
        serde_json::from_value(Value::Object(self.fields.clone())).ok()
    }
}
