//! Whole judgements with scripted models: honest ones, broken ones, fooled ones.

mod attacks;
mod honest;
mod hostile;
mod kinds;
mod ladder;
mod panel;
mod replies;
mod scale;
mod self_test;

use std::sync::Arc;

use serde_json::{Value, json};

use promptgate_core::model::{Case, ChatRequest, Completion, Fault, FinishReason, Grade, Item};
use promptgate_core::port::{ChatModel, Subject};
use promptgate_testing::{Reply, ScriptedModel};

use super::registry::correctness::CorrectnessPayload;
use super::registry::faithfulness::FaithfulnessPayload;
use super::registry::{self, ChecklistPayload};
use super::request::{Payload, UntypedPayload};
use super::{Judge, Kind, Member};

/// A model that gives these replies in order, and then an invalid one.
fn scripted(replies: impl IntoIterator<Item = Reply>) -> ScriptedModel<'static> {
    ScriptedModel::replies(replies, "the script is at its end")
}

/// A model that gives these texts in order, and then an invalid one.
fn scripted_texts(texts: &[&str]) -> ScriptedModel<'static> {
    scripted(texts.iter().map(|text| Ok(completion(text))).collect::<Vec<_>>())
}

/// A model that replies by a function of the request.
fn scripted_by<'s>(script: impl Fn(&ChatRequest) -> Reply + Send + Sync + 's) -> ScriptedModel<'s> {
    ScriptedModel::new(move |request, _| script(request))
}

fn completion(text: &str) -> Completion {
    Completion {
        latency_ms: 5.0,
        model: Some("judge-2026-01-01".to_owned()),
        system_fingerprint: Some("fp_1".to_owned()),
        ..promptgate_testing::completion(text)
    }
}

fn built_in(name: &str) -> Kind {
    registry::built_in(name).unwrap()
}

fn judge(kind: Kind) -> Judge {
    judge_with(kind, json!({}))
}

/// A judge of one member that is asked with these parameters.
fn judge_with(kind: Kind, parameters: Value) -> Judge {
    let parameters = parameters.as_object().cloned().unwrap_or_default();
    let member = Member::new("judge-model".to_owned(), parameters);
    Judge::new("metric".to_owned(), kind, vec![Arc::new(member)], 1)
}

fn rubric(items: &[(&str, f64, bool)]) -> Kind {
    let item = |(text, weight, critical): &(&str, f64, bool)| Item {
        text: (*text).to_owned(),
        weight: *weight,
        critical: *critical,
    };
    registry::rubric(items.iter().map(item).collect())
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
    let model = scripted_texts(texts);
    let grade = grade_of(&judge(built_in("faithfulness")), &model, &case(), answer).await;
    (grade, model.requests())
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
fn payload<P: Payload>(request: &ChatRequest) -> P {
    untyped(request).typed().unwrap()
}

fn untyped(request: &ChatRequest) -> UntypedPayload {
    UntypedPayload::unwrap(&request.messages[1].content).unwrap()
}

fn details_of(grade: &Grade, index: usize) -> &Value {
    &grade.details["statements"][index]
}
