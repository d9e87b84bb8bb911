//! An endpoint that fails on bad answers only: a retry would replace them, and the gate must not be green.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::servers::{Server, says};
use crate::support::Folder;

/// Cases of the suite.
const CASES: usize = 20;

/// One check that each answer must pass on average as often as the baseline's.
const CHECKS: &str = "\
version: 1
name: small
dataset: cases.jsonl
prompt: prompt.md
baseline: file:baseline.md
model: tiny
endpoint: {timeout: 5s, attempts: 6, max_wait: 20s}
checks:
  - {contains: days, name: days, min: 0.5, baseline: true}
";

fn suite() -> Folder {
    let folder = Folder::small(CASES);
    folder.write("promptgate.yaml", CHECKS);
    folder
}

/// Whether a request is of the candidate's prompt.
fn is_candidate(request: &Value) -> bool {
    request["messages"].to_string().contains("Answer the question from the passages alone")
}

/// A server whose candidate gives a bad answer to every fifth request, which `on_bad` turns into a response.
fn server(on_bad: impl Fn() -> (u16, Value) + Send + Sync + 'static) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |request, _| {
        let is_bad = is_candidate(request) && asked.fetch_add(1, Ordering::SeqCst) % 5 == 2;
        if is_bad { on_bad() } else { (200, says("It gives 11 days.")) }
    })
}

#[test]
fn endpoint_that_fails_on_bad_answers_is_never_green() {
    let server = server(|| (500, json!({"error": {"message": "guard"}})));
    let folder = suite();
    let outcome = folder.against(&server.base_url, &["run"]).expect_code(12);
    outcome.says("came only after a failed attempt");
    let report = folder.report();
    assert_eq!(report["reasons"][0]["code"], "faults_differ", "{}", report["reasons"]);
    assert_eq!(report["contested"]["baseline"], 0);
    let trials = report["cases"].as_array().expect("cases").iter();
    let attempts: Vec<&Value> = trials
        .flat_map(|case| case["trials"].as_array().expect("trials"))
        .filter_map(|trial| trial.get("attempts"))
        .flat_map(|attempts| attempts.as_array().expect("a list"))
        .collect();
    assert!(!attempts.is_empty());
    assert!(attempts.iter().all(|attempt| attempt["kind"] == "unavailable" && attempt["status"] == 500));
    // A second run reads the same answers with their attempts from the cache.
    let calls = server.calls();
    folder.against(&server.base_url, &["run"]).expect_code(12);
    assert_eq!(server.calls(), calls);
    assert_eq!(folder.report()["reasons"][0]["code"], "faults_differ");
}

#[test]
fn endpoint_that_holds_back_bad_answers_is_never_green() {
    // The endpoint is slower than the timeout.
    let server = server(|| {
        std::thread::sleep(Duration::from_secs(3));
        (200, says("I cannot say."))
    });
    let folder = suite();
    folder.edit("promptgate.yaml", "timeout: 5s", "timeout: 1s");
    folder.against(&server.base_url, &["run"]).expect_code(12);
    let report = folder.report();
    assert_eq!(report["reasons"][0]["code"], "faults_differ", "{}", report["reasons"]);
    assert!(report.to_string().contains(r#""attempts":[{"kind":"timeout","ms":1"#));
}

#[test]
fn graded_bad_answers_of_the_same_candidate_are_red() {
    let server = server(|| (200, says("I cannot say.")));
    suite().against(&server.base_url, &["run"]).expect_code(10);
}

#[test]
fn rate_limits_on_the_candidate_alone_stay_green() {
    let server = server(|| (429, json!({"error": {"message": "slow down"}})));
    let folder = suite();
    folder.against(&server.base_url, &["run"]).expect_code(0);
    assert_eq!(folder.report().get("contested"), None);
}
