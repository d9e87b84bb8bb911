//! Whole judgements with scripted models: honest ones, broken ones, fooled ones.

mod attacks;
mod honest;
mod hostile;
mod ladder;
mod panel;
mod replies;
mod scale;
mod self_test;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use promptgate_core::model::{Case, ChatRequest, Completion, Fault, FinishReason, Grade, Item, Usage};
use promptgate_core::port::{ChatModel, Subject};

use super::request::Payload;
use super::{Judge, Member, Spec};

/// What a scripted model does next.
type Step = Result<Completion, Fault>;

/// Says what it was told to, in order, and keeps what it was asked. When the script is at its end it says nothing
/// valid.
struct Scripted {
    steps: Mutex<VecDeque<Step>>,
    asked: Mutex<Vec<ChatRequest>>,
}

impl Scripted {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: Mutex::new(steps.into_iter().collect()), asked: Mutex::default() }
    }

    /// A model that says these texts.
    fn saying(texts: &[&str]) -> Self {
        Self::new(texts.iter().map(|text| Ok(completion(text))))
    }

    fn asked(&self) -> Vec<ChatRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ChatModel for Scripted {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(request.clone());
            self.steps
                .lock()
                .unwrap()
                .pop_front()
                .unwrap_or_else(|| Ok(completion("the script is at its end")))
        })
    }
}

/// A model that answers each request by a function of it.
struct Answering<F>(F);

impl<F: Fn(&ChatRequest) -> Step + Send + Sync> ChatModel for Answering<F> {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        Box::pin(async move { (self.0)(request) })
    }
}

fn completion(text: &str) -> Completion {
    Completion {
        usage: Some(Usage { prompt_tokens: 100, completion_tokens: 10 }),
        latency_ms: 5.0,
        model: Some("judge-2026-01-01".to_owned()),
        system_fingerprint: Some("fp_1".to_owned()),
        ..Completion::from_text(text)
    }
}

fn judge(spec: Spec) -> Judge {
    judge_with(spec, json!({}))
}

/// A judge of one member that is asked with these parameters.
fn judge_with(spec: Spec, parameters: Value) -> Judge {
    let parameters = parameters.as_object().cloned().unwrap_or_default();
    let member = Member::new("judge-model".to_owned(), parameters);
    Judge::new("metric".to_owned(), spec, vec![Arc::new(member)], 1)
}

fn rubric(items: &[(&str, f64, bool)]) -> Spec {
    let item = |(text, weight, critical): &(&str, f64, bool)| Item {
        text: (*text).to_owned(),
        weight: *weight,
        critical: *critical,
    };
    Spec::Rubric { items: items.iter().map(item).collect() }
}

/// A case about returns, with a context of two passages.
fn case() -> Case {
    Case {
        id: "returns".to_owned(),
        query: "How long can I return an item?".to_owned(),
        context: Some(
            [
                "[KB-1] Unopened items can be returned within 30 days of delivery.".to_owned(),
                "[KB-2] Gift cards are not refundable.".to_owned(),
            ]
            .into(),
        ),
        expected: Some(json!("Items can be returned within 30 days. Gift cards cannot.")),
        ..Case::default()
    }
}

async fn grade_of(judge: &Judge, model: &dyn ChatModel, case: &Case, answer: &str) -> Grade {
    let completion = completion(answer);
    let subject = Subject { case, completion: &completion, answer: Ok(answer) };
    judge.grade(&[model], &subject, 0).await
}

/// The faithfulness grade of an answer to [`case`] by a judge that says these texts.
async fn faithfulness(answer: &str, texts: &[&str]) -> (Grade, Vec<ChatRequest>) {
    let model = Scripted::saying(texts);
    let grade = grade_of(&judge(Spec::Faithfulness), &model, &case(), answer).await;
    (grade, model.asked())
}

/// A faithfulness reply: verdict and quotes of the ids from 1.
fn verdicts(entries: &[(&str, &[&str])]) -> String {
    let entry = |(id, (verdict, quotes)): (usize, &(&str, &[&str]))| json!({"id": id, "quotes": quotes, "reasoning": "because", "verdict": verdict});
    json!({"statements": (1..).zip(entries).map(entry).collect::<Vec<_>>()}).to_string()
}

/// A reply on items or reference statements: verdicts of the ids from 1.
fn list(name: &str, verdicts: &[&str]) -> String {
    let entry = |(id, verdict): (usize, &&str)| json!({"id": id, "reasoning": "because", "verdict": verdict});
    json!({name: (1..).zip(verdicts).map(entry).collect::<Vec<_>>()}).to_string()
}

/// The payload that a request carries in its second message.
fn payload(request: &ChatRequest) -> Payload {
    Payload::unwrap(&request.messages[1].content).unwrap()
}

fn details_of(grade: &Grade, index: usize) -> &Value {
    &grade.details["statements"][index]
}
