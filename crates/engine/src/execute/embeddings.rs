//! Checks by embeddings: texts are embedded by a model, and the check compares the embeddings.

use std::sync::Arc;

use futures::future::{join_all, try_join};
use serde_json::{Map, Value};

use super::scorers::{Scorers, metric_name, product_fault};
use promptgate_core::check::{NamedCheck, answer};
use promptgate_core::model::{
    CallOrigin, Case, ChatRequest, Completion, Fault, FaultKind, Grade, Judging, Message, MessageRole,
    Opinion, Outcome, Purpose,
};
use promptgate_core::port::{ChatModel, Subject};

/// The model of embeddings.
pub struct EmbeddingModel {
    /// Its name.
    pub name: String,
    /// Parameters of every request.
    pub parameters: Map<String, Value>,
    /// The endpoint; `None` where nothing is called, so that checks by embeddings give no grade.
    pub model: Option<Arc<dyn ChatModel>>,
}

impl Scorers {
    /// The grade of a check by embeddings before there are any.
    pub(super) fn not_embedded(metric: &str) -> Grade {
        Grade::unjudged(metric, Outcome::Ungraded(None), "the embeddings are not known")
    }

    /// Whether embeddings decide the metric, of any case.
    pub(super) fn is_embedded(&self, metric: &str) -> bool {
        let of_cases = self.case_checks.iter().flatten();
        let mut embedded = self.checks.iter().chain(of_cases).filter(|check| check.check.needs_embeddings());
        embedded.any(|check| metric_name(check) == metric)
    }

    /// Grades by the checks by embeddings of a case whose metrics `select` accepts. A fault leaves the grade missing.
    pub(crate) async fn check_embedded(
        &self,
        index: usize,
        case: &Case,
        completion: &Completion,
        select: impl Fn(&str) -> bool,
    ) -> Vec<Grade> {
        // Such an answer has its grades already.
        if product_fault(completion).is_some() || completion.transform_fault().is_some() {
            return Vec::new();
        }
        let Some((settings, model)) =
            self.embeddings.as_ref().and_then(|it| Some((it, it.model.as_deref()?)))
        else {
            return Vec::new();
        };
        let case = &*case.answered_by(completion);
        let answer = answer::extract(&completion.text, self.answer_field.as_deref());
        let subject = Subject { case, completion, answer: answer.as_deref().map_err(String::as_str) };
        let checks = self.of_case(index).filter(|check| check.check.needs_embeddings());
        let selected = checks.filter(|check| select(&metric_name(check)));
        join_all(selected.map(|check| grade(check, &subject, settings, model))).await
    }
}

async fn grade(
    named: &NamedCheck,
    subject: &Subject<'_>,
    settings: &EmbeddingModel,
    model: &dyn ChatModel,
) -> Grade {
    let metric = metric_name(named);
    let texts = match named.check.embedded_texts(subject) {
        Ok(texts) => texts,
        Err(finding) => {
            let outcome = Outcome::Score(finding.score());
            return Grade { details: finding.details, ..Grade::unjudged(&metric, outcome, finding.reason) };
        }
    };
    let [answer, other] = texts.map(|text| settings.request(text));
    let embedded = try_join(embed(model, &answer), embed(model, &other)).await;
    let ungraded = |fault: Fault| {
        let reason = format!("the embeddings are missing: {}", fault.message);
        Grade::unjudged(&metric, Outcome::Ungraded(Some(fault)), reason)
    };
    let [(answer, one), (other, two)] = match embedded {
        Ok((answer, other)) => [answer, other],
        Err(fault) => return ungraded(fault),
    };
    let mut judging = Judging { call: one.call.or(two.call), model: one.model.clone(), ..Judging::default() };
    for completion in [&one, &two] {
        count(&mut judging, completion);
    }
    let graded = match named.check.embedded_finding([&answer, &other]) {
        Ok(finding) => {
            let outcome = Outcome::Score(finding.score());
            Grade { details: finding.details, ..Grade::unjudged(&metric, outcome, finding.reason) }
        }
        Err(reason) => ungraded(Fault::new(FaultKind::Rejected, reason)),
    };
    // The opinion names the model, whose price counts.
    let opinion = Opinion { judge: settings.name.clone(), score: graded.score(), judging: judging.clone() };
    Grade { judging: Some(judging), opinions: vec![opinion], ..graded }
}

impl EmbeddingModel {
    fn request(&self, text: String) -> ChatRequest {
        ChatRequest {
            model: self.name.clone(),
            messages: vec![Message::new(MessageRole::User, text)],
            parameters: self.parameters.clone(),
            response_format: None,
            repeat: 0,
            purpose: Purpose::Embedding,
            refresh: false,
            input: None,
        }
    }
}

/// The embedding of a text.
async fn embed(model: &dyn ChatModel, request: &ChatRequest) -> Result<(Vec<f64>, Completion), Fault> {
    let completion = model.complete(request).await?;
    let vectors: Option<Vec<Vec<f64>>> = serde_json::from_str(&completion.text).ok();
    match vectors.and_then(|vectors| vectors.into_iter().next()) {
        Some(vector) => Ok((vector, completion)),
        None => Err(Fault::new(FaultKind::InvalidAnswer, "the reply has no embedding")),
    }
}

fn count(judging: &mut Judging, completion: &Completion) {
    let usage = completion.usage.unwrap_or_default();
    judging.calls += 1;
    judging.usage.add(usage);
    judging.latency_ms += completion.latency_ms;
    judging.attempts.extend_from_slice(&completion.attempts);
    let is_cached = completion.call.is_some_and(|call| call.how == CallOrigin::Cached);
    if is_cached {
        judging.add_cached(1, usage);
    }
}
