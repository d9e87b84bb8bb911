//! Properties of every kind of judge in the registry.

use std::collections::BTreeSet;

use super::*;
use crate::judge::self_test::planted::library;
use crate::judge::{Needs, fingerprint};
use promptgate_core::model::{Expected, ResponseFormat};

/// The example reply of a prompt.
fn example(kind: &Kind) -> Value {
    let line = kind.row.prompt.lines().find(|line| line.starts_with('{')).unwrap();
    serde_json::from_str(line).unwrap()
}

/// The first request of a judgement of the library case, and the grade.
async fn first_request(kind: &Kind, replies: &[&str]) -> (ChatRequest, Grade) {
    let model = scripted(replies);
    let case = library();
    let grade = judge(kind.clone()).grade_unchecked(&[&model], &case, "Keep it.", 0).await;
    (model.requests()[0].clone(), grade)
}

#[test]
fn names_of_kinds_are_unique() {
    let kinds = registry::all();
    let names: BTreeSet<&str> = kinds.iter().map(|kind| kind.row.name()).collect();
    assert_eq!(names.len(), kinds.len());
    assert!(registry::names().all(|name| registry::built_in(name).unwrap().row.name() == name));
    assert_eq!(registry::built_in("faithfullness"), None);
}

#[test]
fn forms_with_the_same_name_are_the_same() {
    for (one, other) in registry::all().iter().zip(registry::all().iter().skip(1)) {
        assert_eq!(one.row.form.name == other.row.form.name, one.row.form == other.row.form);
    }
}

#[test]
fn schema_puts_evidence_before_the_verdict() {
    for kind in registry::all() {
        let text = kind.row.form.schema(2, true).to_string();
        let position = |property: &str| text.find(&format!("\"{property}\":{{")).unwrap();
        assert!(position("reasoning") < position("verdict"), "{text}");
        assert!(!kind.row.form.quotes || position("quotes") < position("reasoning"), "{text}");
    }
}

#[test]
fn example_in_the_prompt_fits_the_schema() {
    for kind in registry::all() {
        let validator = jsonschema::validator_for(&kind.row.form.schema(1, true)).unwrap();
        let example = example(&kind);
        assert!(validator.is_valid(&example), "{example}");
        let other = example.to_string().replace("\"id\":1", "\"id\":\"1\"");
        assert!(!validator.is_valid(&serde_json::from_str(&other).unwrap()));
    }
}

#[tokio::test]
async fn every_verdict_of_the_schema_gives_a_score() {
    for kind in registry::all() {
        let (request, _) = first_request(&kind, &[]).await;
        let Some(ResponseFormat::JsonSchema { schema, name }) = &request.response_format else {
            panic!("no schema");
        };
        assert_eq!(*name, untyped(&request).task());
        let list = kind.row.form.list;
        let ids = schema["properties"][list]["minItems"].as_u64().unwrap();
        let mut entry = example(&kind)[list][0].clone();
        for verdict in kind.row.form.verdicts {
            entry["verdict"] = json!(verdict);
            let entries: Vec<Value> = (1..=ids)
                .map(|id| {
                    entry["id"] = json!(id);
                    entry.clone()
                })
                .collect();
            let reply = json!({list: entries}).to_string();
            let (_, grade) = first_request(&kind, &[&reply, &reply]).await;
            assert!(grade.score().is_some(), "{verdict}: {grade:?}");
        }
        entry["verdict"] = json!("perhaps");
        let reply = json!({list: [entry]}).to_string();
        let (_, grade) = first_request(&kind, &[&reply, &reply, &reply]).await;
        assert!(grade.reason.contains("unknown variant"), "{grade:?}");
    }
}

#[test]
fn every_kind_has_planted_answers_of_both_classes() {
    for kind in registry::all() {
        for class in [Expected::Low, Expected::High] {
            let answers = kind.row.planted().filter(|answer| answer.expected == class);
            assert!(answers.count() >= 2, "{kind:?} {class:?}");
        }
    }
}

#[test]
fn planted_answers_fit_the_needs_of_their_judge() {
    for kind in registry::all() {
        let Needs { context, expected, query } = kind.row.needs();
        for planted in kind.row.planted() {
            let case = (planted.case)();
            let missing = (context && case.context.is_none())
                || (expected && case.expected.is_none())
                || (query && case.query.is_empty());
            assert!(!missing, "{kind:?} needs more of the case of {}", planted.name);
        }
    }
}

/// Digests of the messages, schemas and settings of each kind. A change invalidates caches and calibrations.
#[test]
fn fingerprints_of_the_kinds_are_pinned() {
    let digest = |kind: Kind| fingerprint(&[judge(kind)], &["h".to_owned()]).digest;
    let scale = registry::scale(crate::judge::Scale {
        of: "tone".to_owned(),
        anchors: vec![(0, "rude".to_owned()), (5, "warm".to_owned())],
    });
    let own = registry::all().into_iter().map(|kind| {
        let pinned = kind.row.fingerprint;
        (kind, pinned)
    });
    let configured = [
        (
            rubric(&[("is polite", 1.0, false)]),
            "1e73a99c2d0da1117a4771fa107f27cd4bd55abbf81b115d8912c5e31d6efcce",
        ),
        (scale, "34b294811d4dc35539cba948be2ace711c40c6eeb7ec0b363e2bae681cca8182"),
    ];
    for (kind, expected) in own.chain(configured) {
        assert_eq!(digest(kind.clone()), format!("sha256:{expected}"), "{kind:?}");
    }
}

#[tokio::test]
async fn document_has_the_task_first_and_the_fields_in_order() {
    let scale = registry::scale(crate::judge::Scale {
        of: "tone".to_owned(),
        anchors: vec![(0, "rude".to_owned()), (5, "warm".to_owned())],
    });
    let documents = [
        (
            built_in("faithfulness"),
            r#"{"task":"faithfulness","question":"How long can I return an item?","context":"[KB-1] Unopened items can be returned within 30 days of delivery.\n\n[KB-2] Gift cards are not refundable.","answer":"Within 30 days. It is free.","statements":[{"id":1,"text":"Within 30 days."},{"id":2,"text":"It is free."}]}"#,
        ),
        (
            built_in("relevance"),
            r#"{"task":"checklist","question":"How long can I return an item?","answer":"Within 30 days. It is free.","items":[{"id":1,"text":"addresses the question that was asked"},{"id":2,"text":"answers every part of the question"},{"id":3,"text":"stays on topic"},{"id":4,"text":"does not evade or refuse what it could answer"}]}"#,
        ),
        (
            built_in("correctness"),
            r#"{"task":"correctness","question":"How long can I return an item?","answer":"Within 30 days. It is free.","statements":[{"id":1,"text":"Items can be returned within 30 days."},{"id":2,"text":"Gift cards cannot."}]}"#,
        ),
        (
            built_in("context_recall"),
            r#"{"task":"context_recall","question":"How long can I return an item?","context":"[KB-1] Unopened items can be returned within 30 days of delivery.\n\n[KB-2] Gift cards are not refundable.","statements":[{"id":1,"text":"Items can be returned within 30 days."},{"id":2,"text":"Gift cards cannot."}]}"#,
        ),
        (
            built_in("context_precision"),
            r#"{"task":"context_precision","question":"How long can I return an item?","reference":"Items can be returned within 30 days.\nGift cards cannot.","passages":[{"id":1,"text":"[KB-1] Unopened items can be returned within 30 days of delivery."},{"id":2,"text":"[KB-2] Gift cards are not refundable."}]}"#,
        ),
        (
            scale,
            r#"{"task":"scale","question":"How long can I return an item?","answer":"Within 30 days. It is free.","of":"tone","anchors":[{"rating":0,"text":"rude"},{"rating":5,"text":"warm"}]}"#,
        ),
    ];
    for kind in registry::all() {
        let task = kind.row.form.name;
        let pinned = documents.iter().any(|(other, _)| other.row.form.name == task);
        assert!(pinned, "add a document of the task {task} to this test");
    }
    for (kind, expected) in documents {
        let model = scripted(&[]);
        grade_of(&judge(kind), &model, &case(), "Within 30 days. It is free.").await;
        let request = &model.requests()[0];
        assert_eq!(request.messages[1].content.lines().nth(1), Some(expected));
    }
}
