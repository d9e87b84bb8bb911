//! Cases of a dataset.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Completion, Image, Message, MessageRole, Place};

/// A case: inputs of a prompt and the expectation of its answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Case {
    /// Unique in its dataset; the row number by default.
    pub id: String,
    /// Whether the id is the row number, because the row has none of its own.
    pub numbered: bool,
    /// Whether the dataset of the base lacks it.
    pub added: bool,
    /// The question; empty where the dataset has none.
    pub query: String,
    /// Whether the question is given and empty.
    pub is_query_empty: bool,
    /// Images of the question.
    pub images: Vec<Image>,
    /// The conversation before the question, or before the first turn.
    pub messages: Vec<Message>,
    /// Questions that are asked one after the other, of which `query` is the last; empty where there is one question.
    pub turns: Vec<String>,
    /// The id of the case that this one is a turn of, where each turn is graded.
    pub turn_of: Option<String>,
    /// The passages an answer may rely on; `None` where the row has no context. Shared with the run and its report.
    pub context: Option<Arc<[String]>>,
    /// The reference answer.
    pub expected: Option<Value>,
    /// The sources that an application has to retrieve, as texts or ids; empty where the row has none.
    pub expected_sources: Vec<String>,
    /// Uncompiled checks of this case alone.
    pub checks: Vec<Value>,
    /// Labels for slices and `--tag`.
    pub tags: Vec<String>,
    /// Cluster for cluster-robust intervals; cases of one group are not independent.
    pub group: Option<String>,
    /// Whether this case is a criterion of its own.
    pub must_pass: bool,
    /// Whether it has to pass even where it flickers with the baseline too.
    pub must_pass_strict: bool,
    /// Whether a refusal is one of its right answers, so that refusals of it are not counted.
    pub may_refuse: bool,
    /// Whether an answer without any claim scores 0 for faithfulness.
    pub must_answer: bool,
    /// Statements about its answers that the judge of [`CRITERIA`] decides.
    pub criteria: Vec<Item>,
    /// All other fields of the row, which are variables of the prompt.
    pub vars: Map<String, Value>,
    /// Location of the row.
    pub place: Place,
}

impl Case {
    /// Whether the case has a question, which may be empty.
    pub fn has_query(&self) -> bool {
        self.is_query_empty || !self.query.is_empty()
    }

    /// The images of its history and of its question.
    pub fn images_mut(&mut self) -> impl Iterator<Item = &mut Image> {
        self.messages.iter_mut().flat_map(|message| &mut message.images).chain(&mut self.images)
    }

    /// The passages of the context, joined by blank lines.
    pub fn context_text(&self) -> Option<String> {
        self.context.as_ref().map(|passages| passages.join("\n\n"))
    }

    /// The case with the passages that an application retrieved for its answer in place of its own, and with the
    /// earlier turns as part of the conversation before its question.
    pub fn answered_by(&self, completion: &Completion) -> Cow<'_, Self> {
        if completion.contexts.is_none() && self.turns.len() < 2 {
            return Cow::Borrowed(self);
        }
        let mut case = self.clone();
        if let Some(contexts) = &completion.contexts {
            case.context = Some(contexts.as_slice().into());
        }
        let questions = std::mem::take(&mut case.turns);
        let earlier = questions.len().saturating_sub(1);
        for (index, question) in questions.into_iter().take(earlier).enumerate() {
            case.messages.push(Message::new(MessageRole::User, question));
            let reply = completion.turns.get(index).map(|turn| turn.reply.clone());
            case.messages.extend(reply.filter(|reply| !reply.text().is_empty()));
        }
        Cow::Owned(case)
    }

    /// Number of questions that are asked, at least 1.
    pub fn questions(&self) -> usize {
        self.turns.len().max(1)
    }

    /// The case as it is asked at a turn, counted from 0.
    pub fn at_turn(&self, turn: usize) -> Cow<'_, Self> {
        match self.turns.get(turn) {
            Some(question) if *question != self.query => {
                Cow::Owned(Self { query: question.clone(), is_query_empty: false, ..self.clone() })
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// The case as programs of the user get it.
    pub fn for_programs(&self) -> Value {
        json!({
            "id": self.id,
            "query": self.has_query().then_some(&self.query),
            "context": self.context,
            "expected": self.expected,
            "tags": self.tags,
            "vars": self.vars,
        })
    }

    /// The reference answer as text: a string as it is, any other value as JSON.
    pub fn expected_text(&self) -> Option<String> {
        self.expected.as_ref().map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

/// The metric of the `criteria` of single cases.
pub const CRITERIA: &str = "criteria";

/// The metric of the judge that compares the answers of both variants: 1 where the candidate's wins, 0 where the
/// baseline's does, one half for a tie.
pub const PREFERENCE: &str = "preference";

/// The score of a tie, and the win rate of variants that are equally good.
pub const EVEN: f64 = 0.5;

/// One yes/no item of a checklist or rubric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// A statement about the answer: `names the next step`.
    pub text: String,
    /// Its weight in the score, above 0.
    pub weight: f64,
    /// Whether a no sets the whole score to 0.
    pub critical: bool,
}
