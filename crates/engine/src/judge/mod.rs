//! LLM judges: instruments with a scale, evidence that the program verifies, and strict replies.
//!
//! A [`Judge`] grades one answer at a time in 0..=1. It cuts texts into numbered statements (`statements`), hands
//! the data over between random boundaries (`request`), asks for structured output by a ladder of ways
//! (`dialect`, `schema`), reads replies strictly (`parse`), asks again where a reply is invalid (`ask`), and
//! verifies the quotes of the faithfulness judge against the context (`quote`). A reply that stays invalid is a
//! missing grade and never a score.
//!
//! Left to others: transport, retries and caching (the model behind the port), prices, repeats, and whether a
//! score is good enough (gate). The self-test and calibration build on [`Judge::grade_unchecked`].

mod ask;
mod checklist;
mod correctness;
mod details;
mod dialect;
mod faithfulness;
mod fingerprint;
mod numbers;
mod panel;
mod parse;
mod precheck;
mod quote;
pub mod reply;
pub mod request;
mod scale;
mod schema;
mod self_test;
mod statements;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::future::join_all;
use serde_json::Value;

use promptgate_core::model::{Case, Grade, Item, Judging, Outcome, Score};
use promptgate_core::port::{ChatModel, Subject};

use ask::{Conversation, Stop};

pub use fingerprint::{Fingerprint, fingerprint};
pub use panel::Member;
pub use scale::Scale;
pub use self_test::{Planted, self_test};

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
    /// Which rating does the answer get on a scale from 0 to 5?
    Scale(Scale),
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

/// A judge: a question, and the models that answer it.
#[derive(Debug)]
pub struct Judge {
    name: String,
    spec: Spec,
    panel: Vec<Arc<Member>>,
    votes: u32,
}

impl Judge {
    /// A judge whose grades count for the metric `name`: each member of the panel judges every answer `votes` times.
    pub fn new(name: String, spec: Spec, panel: Vec<Arc<Member>>, votes: u32) -> Self {
        Self { name, spec, panel, votes: votes.max(1) }
    }

    /// The metric its grades count for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it asks.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The models that are asked.
    pub fn panel(&self) -> &[Arc<Member>] {
        &self.panel
    }

    /// Judgements of one answer, without second questions.
    pub fn judgements(&self) -> usize {
        self.panel.len() * self.votes as usize
    }

    /// What it needs of every case that it grades; a case without is a mistake of the configuration.
    pub fn needs(&self) -> Needs {
        match self.spec {
            Spec::Faithfulness => Needs { context: true, ..Needs::default() },
            Spec::Relevance => Needs { query: true, ..Needs::default() },
            Spec::Correctness => Needs { expected: true, ..Needs::default() },
            Spec::Rubric { .. } | Spec::Scale(_) => Needs::default(),
        }
    }

    /// Grades one answer by the models of the panel, in its order. An answer that is none (absent, cut short, empty,
    /// only punctuation or an opener) scores 0 without a call. The fault of an endpoint or of a judge leaves the
    /// grade missing.
    pub async fn grade(&self, models: &[&dyn ChatModel], subject: &Subject<'_>, repeat: u32) -> Grade {
        match precheck::answer(subject) {
            Ok(answer) => self.grade_unchecked(models, subject.case, answer, repeat).await,
            Err(refusal) => Grade {
                flags: vec![refusal.flag.to_owned()],
                ..Grade::unjudged(&self.name, Outcome::Score(Score::ZERO), refusal.reason)
            },
        }
    }

    /// Grades one answer by asking the models, whatever the answer is: no check comes before.
    pub async fn grade_unchecked(
        &self,
        models: &[&dyn ChatModel],
        case: &Case,
        answer: &str,
        repeat: u32,
    ) -> Grade {
        if let ([member], [model], 1) = (&*self.panel, models, self.votes) {
            return self.judge_once(member, *model, case, answer, repeat).await;
        }
        if models.len() != self.panel.len() {
            let reason = format!("{} models for a panel of {}", models.len(), self.panel.len());
            return Grade::unjudged(&self.name, Outcome::Ungraded(None), reason);
        }
        let opinions = (0..).zip(self.panel.iter().zip(models)).map(|(index, (member, model))| async move {
            // Every vote is a request of its own, also where two members are one model behind one address.
            let first = repeat.wrapping_mul(self.panel.len() as u32).wrapping_add(index);
            let votes = (0..self.votes).map(|vote| first.wrapping_mul(self.votes).wrapping_add(vote));
            let asked = votes.map(|repeat| self.judge_once(member, *model, case, answer, repeat));
            (member.model.clone(), join_all(asked).await)
        });
        panel::combine(&self.name, join_all(opinions).await)
    }

    /// One judgement by one member.
    pub async fn judge_once(
        &self,
        member: &Member,
        model: &dyn ChatModel,
        case: &Case,
        answer: &str,
        repeat: u32,
    ) -> Grade {
        let answer = &words::visible(answer);
        let open = |question| Conversation::begin(member, model, repeat, question);
        match &self.spec {
            Spec::Faithfulness => match faithfulness::prepare(case, answer) {
                Ok((question, statements)) => {
                    let mut conversation = open(question).await;
                    let scored = faithfulness::score(&mut conversation, case, &statements).await;
                    self.finish(member, conversation, scored)
                }
                Err(stop) => self.grade_of(member, Err(stop), None),
            },
            Spec::Relevance => {
                let items = checklist::relevance_items(case);
                match checklist::relevance(case, answer, &items) {
                    Ok(question) => {
                        let mut conversation = open(question).await;
                        let scored = checklist::score(&mut conversation, &items).await;
                        self.finish(member, conversation, scored)
                    }
                    Err(stop) => self.grade_of(member, Err(stop), None),
                }
            }
            Spec::Rubric { items } => {
                let mut conversation = open(checklist::rubric(case, answer, items)).await;
                let scored = checklist::score(&mut conversation, items).await;
                self.finish(member, conversation, scored)
            }
            Spec::Scale(scale) => {
                let mut conversation = open(scale::prepare(case, answer, scale)).await;
                let scored = scale::score(&mut conversation, scale).await;
                self.finish(member, conversation, scored)
            }
            Spec::Correctness => match correctness::prepare(case, answer) {
                Ok((question, statements)) => {
                    let mut conversation = open(question).await;
                    let scored = correctness::score(&mut conversation, &statements).await;
                    self.finish(member, conversation, scored)
                }
                Err(stop) => self.grade_of(member, Err(stop), None),
            },
        }
    }

    fn finish(&self, member: &Member, conversation: Conversation<'_>, scored: Result<Scored, Stop>) -> Grade {
        let graded = scored.as_ref().is_ok_and(|scored| Score::new(scored.score).is_some());
        if graded {
            conversation.keep();
        }
        self.grade_of(member, scored, Some(conversation.into_judging()))
    }

    fn grade_of(&self, member: &Member, scored: Result<Scored, Stop>, judging: Option<Judging>) -> Grade {
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
            flags.extend(member.dialect().flags(&member.parameters));
        }
        Grade { details, flags, judging, ..Grade::unjudged(&self.name, outcome, reason) }
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
