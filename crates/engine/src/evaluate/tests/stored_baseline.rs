//! A baseline from the cache: a loss against it is confirmed by fresh answers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};

use super::super::{CallCounter, Evaluation, Header, evaluate};
use crate::execute::{Engine, Plan, Scorers};
use promptgate_core::check;
use promptgate_core::gate::{Criterion, Policy, Requirement, Rule};
use promptgate_core::model::{
    Case, ChatRequest, Completion, CriterionVerdict, Dataset, DatasetFacts, Message, MessageRole, Prices,
    PromptFacts, ReasonCode, Scope, Variant, VariantFacts, Verdict,
};
use promptgate_core::port::NullSink;
use promptgate_testing::ScriptedModel;

/// 2026-01-01T00:00:00Z, the start of every run here.
const NOW: u64 = 1_767_225_600;
const DAY: u64 = 86_400;

fn variant(prompt: &str) -> Variant {
    let text = || prompt.to_owned();
    let prompt = PromptFacts { name: text(), version: text(), digest: text(), source: text(), commit: None };
    Variant {
        facts: VariantFacts {
            protocol: Default::default(),
            prompt,
            model: "m-1".to_owned(),
            parameters: Map::new(),
            content_digest: None,
            published: None,
            application: None,
            messages: Vec::new(),
        },
        messages: vec![Message::new(MessageRole::User, format!("{} {{{{query}}}}", text()))],
        lines: vec![1],
        application: None,
    }
}

fn policy() -> Policy {
    Policy {
        criteria: vec![Criterion {
            id: "check.contains.baseline".to_owned(),
            metric: "check.contains".to_owned(),
            tag: None,
            requirement: Requirement::NotWorse { tolerance: 0.0 },
            labels: None,
        }],
        repeats: 3,
        max_repeats: 6,
        rule: Rule::Evidence,
        scope: Scope::Suite,
        confidence: 0.95,
        resolution: 0.05,
        max_missing: 0.02,
        seed: 1,
    }
}

/// Runs twelve cases; `script` answers for `(is candidate, refresh)`. Returns the evaluation and the number of refreshed
/// requests of (candidate, baseline).
async fn run(
    cached_only: bool,
    script: impl Fn(bool, bool) -> Completion + Send + Sync + 'static,
) -> (Evaluation, (usize, usize)) {
    let case = |number| Case { id: format!("c{number}"), query: format!("q{number}"), ..Case::default() };
    let text = || "d".to_owned();
    let dataset = Dataset {
        facts: DatasetFacts { path: text(), format: text(), digest: text(), cases: 12, partial: None },
        cases: (0..12).map(case).collect(),
    };
    let is_candidate = |request: &ChatRequest| request.messages[0].content.starts_with("new");
    let model =
        Arc::new(ScriptedModel::new(move |request, _| Ok(script(is_candidate(request), request.refresh))));
    let no_file = |_: &str| Err("no file".to_owned());
    let scorers = Scorers {
        checks: vec![check::compile(&json!({"contains": "good"}), &no_file).expect("a check")],
        case_checks: Vec::new(),
        outside: Vec::new(),
        with_criteria: Vec::new(),
        judges: Vec::new(),
        judge_models: Vec::new(),
        planted: None,
        answer_field: None,
        retrieves: false,
        embeddings: None,
        transformer: None,
    };
    let plan = Plan::new(dataset, variant("new"), Some(variant("old"))).expect("a plan");
    let engine = Engine::new(plan, Arc::clone(&model) as _, scorers, Arc::new(NullSink));
    let engine = Arc::new(Engine { cached_only, ..engine });
    let header = Header {
        requests: Default::default(),
        name: "suite".to_owned(),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        judge: None,
        rejection: None,
        notices: Vec::new(),
        prices: Prices::default(),
        simulated: false,
        baseline_note: None,
        policy_source: None,
        release: None,
        warnings: Vec::new(),
    };
    let counter = CallCounter::new(Arc::new(NullSink));
    let evaluation = evaluate(engine, header, &policy(), None, &counter, || Duration::ZERO).await;
    let refreshed = |candidate: bool| {
        let requests = model.requests();
        requests.iter().filter(|request| request.refresh && is_candidate(request) == candidate).count()
    };
    (evaluation, (refreshed(true), refreshed(false)))
}

fn answer(text: &str, cached_at: Option<u64>) -> Completion {
    Completion { cached_at, model: Some("m-1".to_owned()), ..Completion::from_text(text) }
}

#[tokio::test]
async fn loss_against_stored_answers_alone_is_not_red() {
    // The endpoint has drifted: the baseline is as bad today.
    let (evaluation, refreshed) = run(false, |is_candidate, refresh| match (is_candidate, refresh) {
        (false, false) => answer("good", Some(NOW - 30 * DAY)),
        _ => answer("bad", None),
    })
    .await;
    assert_ne!(evaluation.decision.verdict, Verdict::Fail, "{:?}", evaluation.decision.reasons);
    assert!(refreshed.1 >= 36 && refreshed.0 == 0, "{refreshed:?}");
    let said = &evaluation.run.warnings[0];
    assert!(said.contains("the baseline's answers of 2025-12-02"), "{said}");
    assert!(
        said.ends_with("3 fresh repeats of the baseline decided instead, and did not confirm it"),
        "{said}"
    );
    assert!(evaluation.analysis.stored_baseline.is_none(), "no stored answer is read any more");
}

#[tokio::test]
async fn loss_against_fresh_answers_too_is_red() {
    let (evaluation, refreshed) = run(false, |is_candidate, refresh| match (is_candidate, refresh) {
        (false, false) => answer("good", Some(NOW - 30 * DAY)),
        (false, true) => answer("good", None),
        _ => answer("bad", None),
    })
    .await;
    assert_eq!(evaluation.decision.verdict, Verdict::Fail);
    assert_eq!(refreshed, (0, 36));
    assert!(evaluation.run.warnings[0].ends_with("confirmed it"), "{:?}", evaluation.run.warnings);
}

#[tokio::test]
async fn stored_candidate_is_asked_again_with_its_baseline() {
    let (evaluation, refreshed) = run(false, |is_candidate, refresh| match (is_candidate, refresh) {
        (false, false) => answer("good", Some(NOW - 30 * DAY)),
        (true, false) => answer("bad", Some(NOW - 2 * DAY)),
        (false, true) => answer("good", None),
        (true, true) => answer("bad", None),
    })
    .await;
    assert_eq!(evaluation.decision.verdict, Verdict::Fail);
    assert_eq!(refreshed, (36, 36));
}

#[tokio::test]
async fn loss_that_cannot_be_confirmed_is_inconclusive() {
    let (evaluation, refreshed) = run(true, |is_candidate, _| match is_candidate {
        false => answer("good", Some(NOW - 30 * DAY)),
        true => answer("bad", None),
    })
    .await;
    let decision = &evaluation.decision;
    assert_eq!(
        (decision.verdict, decision.criteria[0].verdict),
        (Verdict::Inconclusive, CriterionVerdict::Inconclusive)
    );
    assert!(decision.criteria[0].unconfirmed);
    assert_eq!(decision.reasons[0].code, ReasonCode::BaselineReused);
    assert!(decision.reasons[0].message.contains("cache: {baseline: fresh}"), "{:?}", decision.reasons);
    assert_eq!(refreshed, (0, 0));
}

#[tokio::test]
async fn answers_of_one_session_need_no_confirmation() {
    let (evaluation, refreshed) = run(false, |is_candidate, _| match is_candidate {
        false => answer("good", Some(NOW - 30 * DAY)),
        true => answer("bad", Some(NOW - 30 * DAY + 60)),
    })
    .await;
    assert_eq!((evaluation.decision.verdict, refreshed), (Verdict::Fail, (0, 0)));
}

#[tokio::test]
async fn another_model_ends_the_reuse() {
    // Nothing is lost against the stored answers.
    let (evaluation, refreshed) = run(false, |is_candidate, refresh| match (is_candidate, refresh) {
        (false, false) => Completion { model: Some("m-0".to_owned()), ..answer("bad", Some(NOW - 30 * DAY)) },
        (false, true) => answer("good", None),
        (true, _) => answer("bad", None),
    })
    .await;
    assert_eq!(evaluation.decision.verdict, Verdict::Fail);
    assert_eq!(refreshed, (0, 36));
    assert!(evaluation.run.warnings[0].contains("m-0 then, m-1 now"), "{:?}", evaluation.run.warnings);
}
