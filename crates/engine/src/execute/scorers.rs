//! The scorers of a run: checks and judges.

use std::borrow::Cow;
use std::sync::Arc;

use futures::future::join_all;

use super::embeddings::EmbeddingModel;
use super::outside::OutsideScorer;
use super::plan::retain;
use crate::judge::{self, Judge, Planted};
use promptgate_core::check::{self, NamedCheck};
use promptgate_core::model::{
    CRITERIA, Case, Completion, Fault, FinishReason, Grade, Outcome, Score, SelfTest, with_tool_calls,
};
use promptgate_core::port::{ChatModel, Subject};

/// The scorers, in the order of the configuration.
pub struct Scorers {
    /// Checks of all cases.
    pub checks: Vec<NamedCheck>,
    /// Checks of single cases, by case index.
    pub case_checks: Vec<Vec<NamedCheck>>,
    /// Scorers outside of this process, of all cases.
    pub outside: Vec<OutsideScorer>,
    /// The program that transforms every answer before it is graded, as a model whose input is the answer; `None` without one.
    pub transformer: Option<Arc<dyn ChatModel>>,
    /// The judges.
    pub judges: Vec<Judge>,
    /// Whether a case has criteria, by case index.
    pub with_criteria: Vec<bool>,
    /// The models behind the judges, one for each member of their panel.
    pub judge_models: Vec<Arc<dyn ChatModel>>,
    /// The embedding model; `None` without a check that needs it.
    pub embeddings: Option<EmbeddingModel>,
    /// Configured planted answers for the self-test, beside the built-in ones; `None` skips the self-test.
    pub planted: Option<Vec<Planted>>,
    /// The field of a JSON answer that judges and text checks read.
    pub answer_field: Option<String>,
    /// Whether an application answers. Its retrieval is graded by the passages that came with its answer alone: those of the
    /// case would hide that none came.
    pub retrieves: bool,
}

impl Scorers {
    /// Metric names in the order of the report: suite checks, case checks, outside scorers,
    /// judges.
    pub fn metrics(&self) -> Vec<String> {
        let mut names = Vec::new();
        for check in self.checks.iter().chain(self.case_checks.iter().flatten()) {
            let name = metric_name(check);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.extend(self.outside.iter().map(|outside| outside.metric.clone()));
        names.extend(self.judges.iter().map(|judge| judge.name().to_owned()));
        names
    }

    /// Removes the case checks without `keep`, with the metrics that only they have.
    pub fn retain(&mut self, keep: &[bool]) {
        retain(&mut self.case_checks, keep);
        retain(&mut self.with_criteria, keep);
    }

    /// Whether the metric is graded for the case.
    pub fn applies(&self, metric: &str, case: usize) -> bool {
        self.of_case(case).any(|check| metric_name(check) == metric)
            || self.outside.iter().any(|outside| outside.metric == metric)
            || self.judges.iter().any(|judge| judge.name() == metric)
                && (metric != CRITERIA || self.with_criteria.get(case) == Some(&true))
    }

    pub(super) fn of_case(&self, case: usize) -> impl Iterator<Item = &NamedCheck> {
        self.checks.iter().chain(self.case_checks.get(case).into_iter().flatten())
    }

    /// Grades by the checks of the case. An invalid completion scores 0 by every check. Grades by embeddings are missing.
    pub(crate) fn check(&self, index: usize, case: &Case, completion: &Completion) -> Vec<Grade> {
        let fault = product_fault(completion).map(|fault| fault.of_turn(case, completion));
        let case = &*case.answered_by(completion);
        let answer = check::answer::extract(&completion.text, self.answer_field.as_deref());
        let subject = Subject { case, completion, answer: answer.as_deref().map_err(String::as_str) };
        self.of_case(index)
            .map(|named| {
                let scorer = metric_name(named);
                if let Some(fault) = &fault {
                    return zero(&scorer, fault);
                }
                if let Some(fault) = completion.transform_fault() {
                    return untransformed(&scorer, fault);
                }
                if named.check.needs_embeddings() {
                    return Self::not_embedded(&scorer);
                }
                let finding = named.check.grade(&subject);
                let outcome = Outcome::Score(finding.score());
                Grade { details: finding.details, ..Grade::unjudged(&scorer, outcome, finding.reason) }
            })
            .collect()
    }

    /// Grades by the judges whose names `select` accepts.
    pub(crate) async fn judge(
        &self,
        case: &Case,
        completion: &Completion,
        repeat: u32,
        select: impl Fn(&str) -> bool,
    ) -> Vec<Grade> {
        let judges = self.judges.iter().filter(|judge| !judge.is_pairwise());
        let judges = judges.filter(|judge| judge.applies(case) && select(judge.name()));
        let models = self.models();
        if let Some(fault) = product_fault(completion).map(|fault| fault.of_turn(case, completion)) {
            return judges.map(|judge| zero(judge.name(), &fault)).collect();
        }
        if let Some(fault) = completion.transform_fault() {
            return judges.map(|judge| untransformed(judge.name(), fault)).collect();
        }
        let case = &*case.answered_by(completion);
        let answer = self.judged_answer(completion);
        let subject = Subject { case, completion, answer: answer.as_deref().map_err(String::as_str) };
        let has_passages = completion.contexts.is_some() || !self.retrieves;
        let grade = async |judge: &Judge| {
            if judge.grades_retrieval() && !has_passages {
                let reason = "no passages came with the answer; an application returns them as `contexts`";
                return Grade::unjudged(judge.name(), Outcome::Ungraded(None), reason);
            }
            judge.grade(&models, &subject, repeat).await
        };
        join_all(judges.map(grade)).await
    }

    /// Whether a metric compares the answers of both variants.
    pub fn is_pairwise(&self, metric: &str) -> bool {
        self.judges.iter().any(|judge| judge.is_pairwise() && judge.name() == metric)
    }

    /// Compares the candidate's answer with the baseline's, by the judges of pairs whose names `select` accepts. An invalid
    /// completion loses.
    pub(crate) async fn compare(
        &self,
        case: &Case,
        [candidate, baseline]: [&Completion; 2],
        repeat: u32,
        select: impl Fn(&str) -> bool,
    ) -> Vec<Grade> {
        let judges = self.judges.iter().filter(|judge| judge.is_pairwise() && select(judge.name()));
        let models = self.models();
        let (ours, theirs) = (self.comparable(case, candidate), self.comparable(case, baseline));
        let (ours, theirs) = (ours.as_deref(), theirs.as_deref());
        let answers = [ours.map_err(String::as_str), theirs.map_err(String::as_str)];
        join_all(judges.map(|judge| judge.compare(&models, case, answers, repeat))).await
    }

    /// The answer as a judge of pairs reads it.
    ///
    /// # Errors
    /// Why there is none.
    fn comparable(&self, case: &Case, completion: &Completion) -> Result<String, String> {
        if let Some(fault) = product_fault(completion) {
            return Err(fault.reason);
        }
        let answer = self.judged_answer(completion);
        let subject = Subject { case, completion, answer: answer.as_deref().map_err(String::as_str) };
        judge::readable(&subject).map(str::to_owned)
    }

    /// The answer as judges read it: its text, then its tool calls. An answer of calls alone has no field to read.
    fn judged_answer<'a>(&self, completion: &'a Completion) -> Result<Cow<'a, str>, String> {
        let calls = &completion.tool_calls;
        if !calls.is_empty() && completion.text.trim().is_empty() {
            return Ok(with_tool_calls("", calls));
        }
        let answer = check::answer::extract(&completion.text, self.answer_field.as_deref())?;
        Ok(if calls.is_empty() { answer } else { Cow::Owned(with_tool_calls(&answer, calls).into_owned()) })
    }

    fn models(&self) -> Vec<&dyn ChatModel> {
        self.judge_models.iter().map(AsRef::as_ref).collect()
    }

    /// The calls of a self-test in which every score is as expected.
    pub fn self_test_calls(&self) -> usize {
        self.planted.as_ref().map_or(0, |configured| judge::self_test_calls(&self.judges, configured))
    }

    /// Runs the self-test of the judges; `None` if there is no judge or the self-test is off.
    ///
    /// # Errors
    /// The fault of an endpoint that could not be reached.
    pub(crate) async fn self_test(&self) -> Result<Option<SelfTest>, Fault> {
        match &self.planted {
            Some(configured) if !self.judges.is_empty() => {
                judge::self_test(&self.judges, &self.models(), configured).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

pub(super) fn metric_name(check: &NamedCheck) -> String {
    format!("check.{}", check.name)
}

pub(super) fn zero(scorer: &str, fault: &ProductFault) -> Grade {
    let flags = ["product_fault"].into_iter().chain(fault.flag).map(str::to_owned).collect();
    Grade { flags, ..Grade::unjudged(scorer, Outcome::Score(Score::ZERO), fault.reason.as_str()) }
}

/// The missing grade of an answer whose transformation failed.
pub(super) fn untransformed(scorer: &str, fault: &Fault) -> Grade {
    let reason = format!("the answer could not be transformed: {}", fault.message);
    Grade::unjudged(scorer, Outcome::Ungraded(Some(fault.clone())), reason)
}

/// Why a completion scores 0 by every scorer.
pub(super) struct ProductFault {
    reason: String,
    /// A flag beside `product_fault`.
    flag: Option<&'static str>,
}

impl ProductFault {
    /// The fault with the turn at which it ended the conversation of the case.
    pub(super) fn of_turn(self, case: &Case, completion: &Completion) -> Self {
        let (turn, turns) = (completion.turns.len() + 1, case.questions());
        if turn >= turns {
            return self;
        }
        Self { reason: format!("turn {turn} of {turns}: {}", self.reason), ..self }
    }
}

/// The reason why a completion is invalid: cut off, filtered, not the JSON it had to be, or empty. A call of a tool is an
/// answer.
pub(super) fn product_fault(completion: &Completion) -> Option<ProductFault> {
    let fault = |reason: String, flag| Some(ProductFault { reason, flag });
    let in_reasoning = completion.is_reasoning_alone();
    let transformed = completion.transformed.as_ref().and_then(|transformed| transformed.error.as_deref());
    match &completion.finish_reason {
        FinishReason::Length if in_reasoning => {
            let reason = "the answer ended with finish_reason length, within its reasoning";
            fault(reason.to_owned(), Some("unfinished_reasoning"))
        }
        FinishReason::Length | FinishReason::ContentFilter => {
            fault(format!("the answer ended with finish_reason {}", completion.finish_reason.as_str()), None)
        }
        FinishReason::Other(name) if name == FinishReason::INVALID_JSON => {
            let reason = format!("the endpoint could not generate the requested JSON ({name})");
            fault(reason, Some(FinishReason::INVALID_JSON))
        }
        _ if in_reasoning => {
            fault("the answer is empty: it is reasoning alone".to_owned(), Some("reasoning_alone"))
        }
        _ if completion.text.is_empty() && completion.tool_calls.is_empty() => {
            fault("the answer is empty".to_owned(), None)
        }
        _ => fault(format!("the answer cannot be transformed: {}", transformed?), Some("not_transformed")),
    }
}
