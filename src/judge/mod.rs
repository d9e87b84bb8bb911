//! LLM judges: instruments with a scale, evidence that the program verifies, and strict replies.
//!
//! A [`Judge`] grades one answer at a time in 0..=1. It cuts texts into numbered statements (`statements`), hands
//! the data over between random boundaries (`request`), asks for structured output by a ladder of ways
//! (`dialect`, `schema`), reads replies strictly (`parse`), asks again where a reply is invalid (`ask`), and
//! verifies the quotes of the faithfulness judge against the context (`quote`). A reply that stays invalid is a
//! missing grade and never a score.
//!
//! Left to others: transport, retries and storing (the model behind the port), prices, repeats, and whether a
//! score is good enough (gate). Several votes, the self-test and calibration build on [`Judge::grade_unchecked`].

mod ask;
mod checklist;
mod correctness;
mod details;
mod dialect;
mod faithfulness;
mod fingerprint;
mod numbers;
mod parse;
mod precheck;
mod quote;
pub mod reply;
pub mod request;
mod schema;
mod statements;
mod words;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::model::{Case, Grade, Item, Judging, Outcome, Score};
use crate::port::{ChatModel, Subject};

use ask::{Conversation, Stop};
use dialect::Dialect;

pub use fingerprint::fingerprint;

/// What a judge asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Spec {
    /// Is every statement of the answer backed by the context?
    Faithfulness,
    /// Does the answer do what the question asked? A fixed checklist and the case's own items.
    Relevance,
    /// Does the answer say what the expected answer says?
    Correctness,
    /// Does the answer have each of these properties?
    Rubric {
        /// The properties; not empty.
        items: Vec<Item>,
    },
}

/// What a judge needs of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// `context`.
    pub context: bool,
    /// `expected`.
    pub expected: bool,
    /// `query`.
    pub query: bool,
}

/// A judge: a question, and the model that answers it.
#[derive(Debug)]
pub struct Judge {
    name: String,
    spec: Spec,
    model: String,
    parameters: Map<String, Value>,
    /// How the endpoint wants to be asked, as learned from its refusals.
    dialect: Mutex<Dialect>,
}

impl Judge {
    /// A judge whose grades count for the metric `name`. The parameters are sent as they are, until refused.
    pub fn new(name: String, spec: Spec, model: String, parameters: Map<String, Value>) -> Self {
        Self { name, spec, model, parameters, dialect: Mutex::default() }
    }

    /// The metric its grades count for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it asks.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The model that is asked.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What it needs of every case that it grades; a case without is a mistake of the configuration.
    pub fn needs(&self) -> Needs {
        match self.spec {
            Spec::Faithfulness => Needs { context: true, ..Needs::default() },
            Spec::Relevance => Needs { query: true, ..Needs::default() },
            Spec::Correctness => Needs { expected: true, ..Needs::default() },
            Spec::Rubric { .. } => Needs::default(),
        }
    }

    /// Grades one answer. An answer that is none (absent, cut short, empty, only punctuation or an opener) scores
    /// 0 without a call. The fault of the endpoint or of the judge leaves the grade missing.
    pub async fn grade(&self, model: &dyn ChatModel, subject: &Subject<'_>, repeat: u32) -> Grade {
        match precheck::answer(subject) {
            Ok(answer) => self.grade_unchecked(model, subject.case, answer, repeat).await,
            Err(refusal) => Grade {
                scorer: self.name.clone(),
                outcome: Outcome::Score(Score::ZERO),
                reason: refusal.reason,
                details: Value::Null,
                flags: vec![refusal.flag.to_owned()],
                judging: None,
            },
        }
    }

    /// Grades one answer by asking the model, whatever the answer is: no check comes before.
    pub async fn grade_unchecked(
        &self,
        model: &dyn ChatModel,
        case: &Case,
        answer: &str,
        repeat: u32,
    ) -> Grade {
        let open = |question| Conversation::new(self, model, repeat, question);
        match &self.spec {
            Spec::Faithfulness => match faithfulness::prepare(case, answer) {
                Ok((question, statements)) => {
                    let mut conversation = open(question);
                    let scored = faithfulness::score(&mut conversation, case, &statements).await;
                    self.finish(conversation, scored)
                }
                Err(stop) => self.grade_of(Err(stop), None),
            },
            Spec::Relevance => {
                let items = checklist::relevance_items(case);
                match checklist::relevance(case, answer, &items) {
                    Ok(question) => {
                        let mut conversation = open(question);
                        let scored = checklist::score(&mut conversation, &items).await;
                        self.finish(conversation, scored)
                    }
                    Err(stop) => self.grade_of(Err(stop), None),
                }
            }
            Spec::Rubric { items } => {
                let mut conversation = open(checklist::rubric(case, answer, items));
                let scored = checklist::score(&mut conversation, items).await;
                self.finish(conversation, scored)
            }
            Spec::Correctness => match correctness::prepare(case, answer) {
                Ok((question, statements)) => {
                    let mut conversation = open(question);
                    let scored = correctness::score(&mut conversation, &statements).await;
                    self.finish(conversation, scored)
                }
                Err(stop) => self.grade_of(Err(stop), None),
            },
        }
    }

    fn finish(&self, conversation: Conversation<'_>, scored: Result<Scored, Stop>) -> Grade {
        self.grade_of(scored, Some(conversation.into_judging()))
    }

    fn grade_of(&self, scored: Result<Scored, Stop>, judging: Option<Judging>) -> Grade {
        let (outcome, reason, details, mut flags) = match scored {
            Ok(scored) => match Score::new(scored.score) {
                Some(score) => (Outcome::Score(score), scored.reason, scored.details, scored.flags),
                None => {
                    let reason = "the weights of the items make no score: each must be above 0 and finite";
                    (Outcome::Ungraded(None), reason.to_owned(), scored.details, scored.flags)
                }
            },
            Err(Stop::Fault(fault)) => {
                let reason = format!("the judge could not be asked: {}", fault.message);
                (Outcome::Ungraded(Some(fault)), reason, Value::Null, Vec::new())
            }
            Err(Stop::Invalid(reason)) => (Outcome::Ungraded(None), reason, Value::Null, Vec::new()),
        };
        if judging.is_some() {
            flags.extend(self.dialect().flags(&self.parameters));
        }
        Grade { scorer: self.name.clone(), outcome, reason, details, flags, judging }
    }

    /// How to ask now.
    fn dialect(&self) -> Dialect {
        self.dialect.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Learns from the refusal of a request sent in `sent`; whether it is worth asking in another way.
    fn adapt(&self, sent: &Dialect, message: &str) -> bool {
        let Some(refusal) = sent.refusal(message, &self.parameters) else {
            return false;
        };
        self.dialect.lock().unwrap_or_else(PoisonError::into_inner).leave(refusal);
        true
    }
}

/// What a judge's verdicts come to.
#[derive(Debug)]
struct Scored {
    score: f64,
    reason: String,
    details: Value,
    flags: Vec<String>,
}
