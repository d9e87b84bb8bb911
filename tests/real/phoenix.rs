//! The trace of a run, sent to the real Phoenix and read over its REST API.

use serde_json::{Value, json};

use crate::prepared::{ExpectText as _, until};
use crate::python_server::{PythonServer, client, runtime};
use crate::support::Folder;

pub(crate) static SERVER: PythonServer = PythonServer::new("phoenix", "/healthz");

/// The spans of the project that are of a rollout, or those that are not; empty until there is one.
pub(crate) fn spans(url: &str, of_rollout: bool) -> Vec<Value> {
    let url = format!("{url}/v1/projects/promptgate/spans?limit=1000");
    let body = runtime().block_on(async {
        let response = client().get(url).send().await.expect("a response");
        response.text().await.expect("a body")
    });
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let spans = body["data"].as_array().cloned().unwrap_or_default();
    spans.into_iter().filter(|span| (span["name"] == "promptgate.rollout") == of_rollout).collect()
}

#[test]
fn phoenix_has_the_spans_tokens_and_grades_of_a_run() {
    let Some(url) = SERVER.url() else { return };
    let folder = Folder::small(2);
    let run = ["run", "--offline", "--repeats", "2", "--inconclusive", "pass", "--otlp", &url];
    folder.promptgate(&run).expect_code(0).expect_text("sent 11 spans");
    // Phoenix stores spans some time after it accepted them.
    let spans = until("the spans", || Some(spans(&url, false)).filter(|spans| spans.len() >= 11));
    assert_eq!(spans.len(), 11);
    let root = spans.iter().find(|span| span["name"] == "promptgate run small").expect("the run");
    assert_eq!(root["parent_id"], Value::Null);
    assert_eq!(root["attributes"]["promptgate.verdict"], "inconclusive");
    let trials: Vec<&Value> = spans.iter().filter(|span| span["name"] == "chat tiny").collect();
    assert_eq!(trials.len(), 8);
    let sum = |name: &str| -> u64 {
        trials.iter().map(|trial| trial["attributes"][name].as_u64().expect("a count")).sum()
    };
    // The names of OpenInference, to which Phoenix translates the conventions.
    let usage = &folder.report()["usage"]["completions"];
    assert!(usage["prompt_tokens"].as_u64() > Some(0));
    assert_eq!(usage["prompt_tokens"], sum("llm.token_count.prompt"));
    assert_eq!(usage["completion_tokens"], sum("llm.token_count.completion"));
    for trial in trials {
        assert_eq!(trial["span_kind"], "LLM");
        assert_eq!(trial["attributes"]["llm.model_name"], "tiny");
        let events = trial["events"].as_array().expect("events");
        assert_eq!(events.len(), 3);
        let length = json!({
            "gen_ai.evaluation.name": "check.length",
            "gen_ai.evaluation.score.value": 1.0,
            "gen_ai.evaluation.score.label": "pass",
        });
        assert!(events.iter().any(|event| event["attributes"] == length), "{events:?}");
        assert!(events.iter().all(|event| event["name"] == "gen_ai.evaluation.result"));
    }
}
