//! Complete judgements by honest, broken and fooled models.

mod attacks;
mod contexts;
mod honest;
mod hostile;
mod kinds;

mod output_modes;
mod panel;
mod preference;
mod replies;
mod scale;
mod self_test;

use std::sync::Arc;

use serde_json::{Value, json};

use promptgate_core::model::{Case, ChatRequest, Completion, Fault, FinishReason, Grade, Item, Usage};
use promptgate_core::port::{ChatModel, Subject};
use promptgate_testing::{Reply, ScriptedModel};

use super::registry::context_precision::ContextPrecisionPayload;
use super::registry::context_recall::ContextRecallPayload;
use super::registry::correctness::CorrectnessPayload;
use super::registry::faithfulness::FaithfulnessPayload;
use super::registry::{self, ChecklistPayload, WordRule};
use super::request::{Numbered, Payload, UntypedPayload};
use super::{Judge, Kind, Member};

/// A model that gives these replies in order, and then prose.
fn replies(replies: impl IntoIterator<Item = Reply>) -> ScriptedModel<'static> {
    ScriptedModel::replies(replies, "the script is at its end")
}

/// A model that replies with these texts in order, and then with prose.
fn scripted(texts: &[&str]) -> ScriptedModel<'static> {
    replies(texts.iter().map(|text| Ok(completion(text))))
}

fn completion(text: &str) -> Completion {
    Completion {
        usage: Some(Usage::new(100, 10)),
        latency_ms: 5.0,
        model: Some("judge-2026-01-01".to_owned()),
        system_fingerprint: Some("fp_1".to_owned()),
        ..Completion::from_text(text)
    }
}

fn built_in(name: &str) -> Kind {
    registry::built_in(name).unwrap()
}

fn judge(kind: Kind) -> Judge {
    judge_with(kind, json!({}))
}

/// A judge with one member and these parameters.
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

/// The faithfulness grade of an answer to [`case`] by a judge with these replies, and the requests.
async fn faithfulness(answer: &str, texts: &[&str]) -> (Grade, Vec<ChatRequest>) {
    let model = scripted(texts);
    let grade = grade_of(&judge(built_in("faithfulness")), &model, &case(), answer).await;
    (grade, model.requests())
}

/// A faithfulness reply with a verdict and quotes for each id from 1.
fn verdicts(entries: &[(&str, &[&str])]) -> String {
    quoted("statements", entries)
}

/// A reply with a verdict and quotes for each id from 1.
fn quoted(name: &str, entries: &[(&str, &[&str])]) -> String {
    let entry = |(id, (verdict, quotes)): (usize, &(&str, &[&str]))| json!({"id": id, "quotes": quotes, "reasoning": "because", "verdict": verdict});
    json!({name: (1..).zip(entries).map(entry).collect::<Vec<_>>()}).to_string()
}

/// A reply of another kind with a verdict for each id from 1.
fn list(name: &str, verdicts: &[&str]) -> String {
    let entry = |(id, verdict): (usize, &&str)| json!({"id": id, "reasoning": "because", "verdict": verdict});
    json!({name: (1..).zip(verdicts).map(entry).collect::<Vec<_>>()}).to_string()
}

/// The payload in the second message of a request.
fn payload<P: Payload>(request: &ChatRequest) -> P {
    untyped(request).typed().unwrap()
}

fn untyped(request: &ChatRequest) -> UntypedPayload {
    UntypedPayload::unwrap(&request.messages[1].content).unwrap()
}

fn details_of(grade: &Grade, index: usize) -> &Value {
    &grade.details["statements"][index]
}
