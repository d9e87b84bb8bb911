//! LLM judges.
//!
//! A [`Judge`] grades one answer with a score in 0..=1. It splits texts into numbered statements (`statements`), sends
//! the data between random boundaries (`request`), requests structured output (`dialect`, `reply`), parses replies
//! strictly and asks again if one is invalid (`conversation`), and checks the quotes of the faithfulness judge against
//! the context (`quote`). Without a valid reply the grade is missing, never a score. `registry` lists the kinds of
//! judges, one file each.
//!
//! Transport, retries and caching belong to the model behind the port; prices, repeats and thresholds to the callers.

mod conversation;
mod details;
mod dialect;
mod fingerprint;
mod kind;
mod normalize;
mod numbers;
mod pair;
mod panel;
mod precheck;
mod quote;
pub mod registry;
pub mod reply;
pub mod request;
mod self_test;
mod statements;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::future::join_all;
use serde_json::Value;

use promptgate_core::model::{Case, Grade, Judging, Outcome, Score};
use promptgate_core::port::{ChatModel, Subject};

pub(crate) use dialect::UNKNOWN_END;

use conversation::Stop;
use kind::Call;

pub use fingerprint::{Fingerprint, fingerprint};
pub use kind::{Kind, Row};
pub use pair::Answers;
pub(crate) use pair::readable;
pub use panel::Member;
pub use registry::scale::Scale;
pub(crate) use self_test::self_test_calls;
pub use self_test::{Planted, self_test};

/// Fields that a judge needs of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the fields of a case")]
pub struct Needs {
    pub context: bool,
    pub expected: bool,
    pub query: bool,
}

impl Needs {
    /// No field.
    pub const NOTHING: Self = Self { context: false, expected: false, query: false };
}

/// A judge: a kind of judge and the models that give the verdicts.
#[derive(Debug)]
pub struct Judge {
    name: String,
    kind: Kind,
    panel: Vec<Arc<Member>>,
    votes: u32,
}

impl Judge {
    /// Creates a judge for the metric `name`. Each member of the panel judges every answer `votes` times.
    pub fn new(name: String, kind: Kind, panel: Vec<Arc<Member>>, votes: u32) -> Self {
        Self { name, kind, panel, votes: votes.max(1) }
    }

    /// The metric.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The models of the panel.
    pub fn panel(&self) -> &[Arc<Member>] {
        &self.panel
    }

    /// Judgements of one answer, or of one order of a pair, without repairs.
    pub fn judgements(&self) -> usize {
        self.panel.len() * self.votes as usize
    }

    /// Whether it compares the answers of both variants instead of grading one.
    pub fn is_pairwise(&self) -> bool {
        self.kind.is_pairwise()
    }

    /// Fields that it needs of every case.
    pub fn needs(&self) -> Needs {
        self.kind.row.needs()
    }

    /// Whether it grades the case; the judge of criteria grades only cases that have some.
    pub fn applies(&self, case: &Case) -> bool {
        self.kind.row.applies(case)
    }

    /// Whether it grades the passages that came with an answer, and not the answer.
    pub fn grades_retrieval(&self) -> bool {
        self.kind.row.grades_retrieval
    }

    /// Grades one answer by the models of the panel, which are in the same order. An empty or incomplete answer
    /// (`precheck`) scores 0 without a call. A fault of an endpoint or an invalid reply leaves the grade missing.
    pub async fn grade(&self, models: &[&dyn ChatModel], subject: &Subject<'_>, repeat: u32) -> Grade {
        match precheck::answer(subject) {
            Ok(answer) => self.grade_unchecked(models, subject.case, answer, repeat).await,
            Err(refusal) => Grade {
                flags: vec![refusal.flag.to_owned()],
                ..Grade::unjudged(&self.name, Outcome::Score(Score::ZERO), refusal.reason)
            },
        }
    }

    /// Grades one answer by the models of the panel, without the precheck.
    pub async fn grade_unchecked(
        &self,
        models: &[&dyn ChatModel],
        case: &Case,
        answer: &str,
        repeat: u32,
    ) -> Grade {
        self.judge(models, case, Answers::One(answer), repeat).await
    }

    /// Judges by all members of the panel, and combines their grades.
    async fn judge(
        &self,
        models: &[&dyn ChatModel],
        case: &Case,
        answers: Answers<'_>,
        repeat: u32,
    ) -> Grade {
        if let ([member], [model], 1) = (&*self.panel, models, self.votes) {
            return self.judge_once(member, *model, case, answers, repeat).await;
        }
        if models.len() != self.panel.len() {
            let reason = format!("{} models for a panel of {}", models.len(), self.panel.len());
            return Grade::unjudged(&self.name, Outcome::Ungraded(None), reason);
        }
        let opinions = (0..).zip(self.panel.iter().zip(models)).map(|(index, (member, model))| async move {
            // Every vote has its own repeat number, so that two members with the same model send different requests.
            let first = repeat.wrapping_mul(self.panel.len() as u32).wrapping_add(index);
            let votes = (0..self.votes).map(|vote| first.wrapping_mul(self.votes).wrapping_add(vote));
            let grades = votes.map(|repeat| self.judge_once(member, *model, case, answers, repeat));
            (member.model.clone(), join_all(grades).await)
        });
        panel::combine(&self.name, join_all(opinions).await)
    }

    /// One judgement by one member.
    pub async fn judge_once(
        &self,
        member: &Member,
        model: &dyn ChatModel,
        case: &Case,
        answers: Answers<'_>,
        repeat: u32,
    ) -> Grade {
        let (scored, judging) = match answers {
            Answers::One(answer) => {
                let answer = &normalize::visible(answer);
                self.kind.judge(Call { member, model, case, answer, second: None, repeat }).await
            }
            Answers::Pair { candidate, baseline } => {
                let (candidate, baseline) = (normalize::visible(candidate), normalize::visible(baseline));
                pair::judge(&self.kind, (member, model), case, [&candidate, &baseline], repeat).await
            }
        };
        self.grade_of(member, scored, judging)
    }

    fn grade_of(&self, member: &Member, scored: ScoreResult, judging: Option<Judging>) -> Grade {
        let (outcome, reason, details, mut flags) = match scored {
            Ok(scored) => match Score::new(scored.score) {
                Some(score) => (Outcome::Score(score), scored.reason, scored.details, scored.flags),
                None => {
                    let reason = "invalid weights of items: each must be above 0 and finite";
                    (Outcome::Ungraded(None), reason.to_owned(), scored.details, scored.flags)
                }
            },
            Err(Stop::Fault(fault)) => {
                let reason = format!("the judge call failed: {}", fault.message);
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

/// The score of valid verdicts, with its explanation.
#[derive(Debug)]
struct Scored {
    score: f64,
    reason: String,
    details: Value,
    flags: Vec<String>,
}

/// A score, or the reason why there is none.
type ScoreResult = Result<Scored, Stop>;

/// `part / whole`, both counts of statements; `whole` is above 0.
#[expect(clippy::cast_precision_loss, reason = "counts of statements are far below 2^52")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
