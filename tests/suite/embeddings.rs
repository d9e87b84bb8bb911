//! `similar`: answers compared by embeddings.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::servers::{Server, says};
use crate::support::{Folder, KEY, MockServer, finish};

const CONFIGURATION: &str = "\
version: 1
name: shop
dataset: cases.jsonl
target: {answers: answers.jsonl}
baseline: none
gate: {repeats: 1, max_repeats: 1}
endpoint: {attempts: 2, max_wait: 2s, timeout: 5s}
embeddings: {model: tiny-embedding}
checks:
  - similar: {min: 0.8}
    name: means
";

const GOOD: &str = "A refund takes 30 days.";

/// Recorded answers to three cases, which expect about the same.
fn embedded(answer: &str) -> Folder {
    let folder = Folder::new();
    folder.write("promptgate.yaml", CONFIGURATION);
    let lines = |line: &dyn Fn(String) -> Value| -> String {
        (1..=3).map(|number| format!("{}\n", line(format!("case-{number}")))).collect()
    };
    folder.write(
        "cases.jsonl",
        &lines(
            &|id| json!({"id": id, "query": "How long does it take?", "expected": "Refunds take 30 days."}),
        ),
    );
    folder.write("answers.jsonl", &lines(&|id| json!({"id": id, "output": answer})));
    folder
}

fn grades(folder: &Folder) -> Vec<Value> {
    let report = folder.report();
    let cases = report["cases"].as_array().expect("cases").iter();
    let trials = cases.flat_map(|case| case["trials"].as_array().expect("trials").clone());
    trials.flat_map(|trial| trial["grades"].as_array().cloned().unwrap_or_default()).collect()
}

/// A server that embeds every text with these numbers, and keeps the requests.
fn embedding(of: impl Fn(&str) -> Value + Send + Sync + 'static) -> (Server, Arc<Mutex<Vec<Value>>>) {
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let requests = Arc::clone(&seen);
    let server = Server::start(move |request, _| {
        requests.lock().expect("requests").push(request.clone());
        let text = request["input"][0].as_str().expect("a text");
        (
            200,
            json!({"data": [{"index": 0, "embedding": of(text)}], "model": "tiny-embedding",
            "usage": {"prompt_tokens": 5, "total_tokens": 5}}),
        )
    });
    (server, seen)
}

#[test]
fn answers_of_the_same_meaning_pass_and_others_fail() {
    for (answer, code) in [(GOOD, 0), ("Parcels arrive within four weeks.", 10)] {
        let folder = embedded(answer);
        folder.promptgate(&["run", "--offline"]).expect_code(code);
        let grade = grades(&folder)[0].clone();
        assert_eq!(grade["scorer"], "check.means");
        let cosine = grade["details"]["cosine"].as_f64().expect("a cosine");
        assert_eq!(cosine >= 0.8, code == 0, "{grade}");
        assert_eq!(folder.report()["simulated"], true, "simulated embeddings measure nothing");
    }
}

#[test]
fn negation_and_checks_of_cases_use_embeddings_too() {
    for (answer, code) in [(GOOD, 10), ("Parcels arrive within four weeks.", 0)] {
        let folder = embedded(answer);
        folder.edit("promptgate.yaml", "  - similar: {min: 0.8}\n    name: means", "  - not: {similar: 0.8}");
        folder.promptgate(&["run", "--offline"]).expect_code(code);
        assert_eq!(grades(&folder)[0]["scorer"], "check.not.similar");
    }
    for (answer, code) in [(GOOD, 0), ("Parcels arrive within four weeks.", 10)] {
        let folder = embedded(answer);
        folder.edit(
            "promptgate.yaml",
            "  - similar: {min: 0.8}\n    name: means",
            "  - length: {min_chars: 1}",
        );
        let check =
            "\"checks\": [{\"similar\": {\"value\": \"Refunds take 30 days.\", \"min\": 0.8}}], \"query\"";
        let rows = folder.read("cases.jsonl").replacen("\"query\"", check, 1);
        folder.write("cases.jsonl", &rows);
        folder.promptgate(&["run", "--offline"]).expect_code(code);
        let of_check = grades(&folder).into_iter().filter(|grade| grade["scorer"] == "check.similar");
        assert_eq!(of_check.count(), 1);
    }
}

#[test]
fn embeddings_come_from_the_endpoint_and_are_cached() {
    let (server, seen) = embedding(|text| if text == GOOD { json!([3, 4]) } else { json!([4, 3]) });
    let folder = embedded(GOOD);
    folder.edit(
        "promptgate.yaml",
        "{model: tiny-embedding}",
        "{model: tiny-embedding, parameters: {dimensions: 2}}",
    );
    folder.append(
        "promptgate.yaml",
        "prices: {tiny-embedding: {input_per_million: 1000, output_per_million: 0}}\n",
    );
    folder.against(&server.base_url, &["run"]).expect_code(0);
    let requests = seen.lock().expect("requests").clone();
    // Three equal answers and references are one request each.
    assert_eq!(requests.len(), 2, "{requests:?}");
    for request in &requests {
        assert_eq!((&request["model"], &request["dimensions"]), (&json!("tiny-embedding"), &json!(2)));
        assert_eq!(request["input"].as_array().map(Vec::len), Some(1));
    }
    assert!((grades(&folder)[0]["details"]["cosine"].as_f64().expect("a cosine") - 0.96).abs() < 1e-9);
    let usage = &folder.report()["usage"];
    assert_eq!(usage["judgements"]["prompt_tokens"], 10);
    assert!((usage["judgements"]["cost_usd"].as_f64().expect("a cost") - 0.01).abs() < 1e-9, "{usage}");
    folder.against(&server.base_url, &["run"]).expect_code(0);
    assert_eq!(server.calls(), 2, "a second run pays nothing");
    folder.against(&server.base_url, &["run", "--cached-only"]).expect_code(0);
    folder.against(&server.base_url, &["run", "--refresh"]).expect_code(0);
    assert_eq!(server.calls(), 4);
    folder.edit("promptgate.yaml", "dimensions: 2", "dimensions: 3");
    folder.against(&server.base_url, &["run", "--cached-only"]).expect_code(12);
    assert_eq!(server.calls(), 4);
}

#[test]
fn mock_server_embeds() {
    let server = MockServer::start(&[]);
    let folder = embedded(GOOD);
    folder.against(&server.base_url, &["run"]).expect_code(0);
    assert_eq!(folder.report()["simulated"], false);
    let failing = MockServer::start(&["--fault", "no-choices=1"]);
    folder.against(&failing.base_url, &["run", "--no-cache"]).expect_code(12);
    assert!(grades(&folder).iter().all(|grade| grade["score"].is_null()));
}

#[test]
fn embeddings_that_cannot_be_compared_leave_answers_ungraded() {
    for (answer, reference, reason) in [
        (json!([1, 0]), json!([1, 0, 0]), "2 and 3 dimensions"),
        (json!([0, 0]), json!([1, 0]), "the zero vector"),
        (json!([]), json!([]), "no dimension"),
        (json!([1, null]), json!([1, 0]), "not a finite number"),
        (json!("AACAPw=="), json!([1, 0]), "encoding_format"),
    ] {
        let (server, _) =
            embedding(move |text| if text == GOOD { answer.clone() } else { reference.clone() });
        let folder = embedded(GOOD);
        folder.against(&server.base_url, &["run"]).expect_code(12);
        for grade in grades(&folder) {
            let reported = grade["reason"].as_str().unwrap_or_default();
            assert!(grade["score"].is_null() && reported.contains(reason), "{reason}: {grade}");
        }
    }
}

#[test]
fn failing_endpoint_is_retried_and_then_named() {
    let server = Server::start(|_, call| match call {
        0 => (500, json!({"error": {"message": "try again"}})),
        _ => (200, json!({"data": [{"embedding": [1, 0]}]})),
    });
    embedded(GOOD).against(&server.base_url, &["run"]).expect_code(0);
    for (reply, reason) in [
        ((500, json!({"error": {"message": "overloaded"}})), "overloaded"),
        ((200, says("hello")), "no `data`"),
    ] {
        let server = Server::start(move |_, _| reply.clone());
        let folder = embedded(GOOD);
        folder.against(&server.base_url, &["run"]).expect_code(12);
        for grade in grades(&folder) {
            let reported = grade["reason"].as_str().unwrap_or_default();
            assert!(grade["score"].is_null() && reported.contains(reason), "{reason}: {grade}");
        }
    }
    // Nothing can go on without the model.
    let server = Server::start(|_, _| (404, json!({"error": {"message": "no such model"}})));
    embedded(GOOD).against(&server.base_url, &["run"]).expect_code(12).says("no such model");
}

#[test]
fn blank_answers_score_0_without_a_call() {
    let (server, seen) = embedding(|_| json!([1, 0]));
    let folder = embedded(" ");
    folder.against(&server.base_url, &["run"]).expect_code(10);
    assert!(seen.lock().expect("requests").is_empty());
    assert_eq!(grades(&folder)[0]["score"], 0.0);
}

#[test]
fn mistakes_are_named_before_the_first_call() {
    for (from, to, words) in [
        ("embeddings: {model: tiny-embedding}\n", "", "check `means` needs a model of embeddings"),
        ("{model: tiny-embedding}", "{endpoint: {}}", "`model`"),
        (
            "{model: tiny-embedding}",
            "{model: m, endpoint: {protocol: anthropic}}",
            "Anthropic has no API for embeddings",
        ),
        ("{model: tiny-embedding}", "{model: m, endpoint: {protocol: gemini}}", "v1beta/openai"),
        (
            "endpoint: {attempts",
            "endpoint: {protocol: anthropic, attempts",
            "Anthropic has no API for embeddings",
        ),
        (
            "{model: tiny-embedding}",
            "{model: m, endpoint: {base_url: 'http://127.0.0.1:9/v1/embeddings'}}",
            "the URL ends with /embeddings",
        ),
        ("{min: 0.8}", "{min: 1.5}", "1.5"),
        ("{min: 0.8}", "{value: a}", "min"),
        ("{min: 0.8}", "{min: 0.8, model: m}", "model"),
    ] {
        let folder = embedded(GOOD);
        folder.edit("promptgate.yaml", from, to);
        let mut command = folder.command(&["run"]);
        command.env("OPENAI_API_KEY", KEY).env("ANTHROPIC_API_KEY", KEY);
        finish(command).expect_code(2).says(words);
    }
    let folder = embedded(GOOD);
    folder.write("cases.jsonl", "{\"id\": \"case-1\", \"query\": \"q\"}\n");
    folder.promptgate(&["check"]).expect_code(2).says("check `means` needs `expected`");
    let folder = embedded(GOOD);
    folder.edit("promptgate.yaml", "similar: {min: 0.8}", "contains: refund");
    folder.promptgate(&["check"]).expect_code(0).says("`embeddings` has no effect");
}

/// The key of the environment goes only to the hosts that it was set for.
#[test]
fn key_is_not_sent_to_another_host() {
    let folder = embedded(GOOD);
    let elsewhere = "{model: tiny-embedding, endpoint: {base_url: 'https://e.example/v1'}}";
    folder.edit("promptgate.yaml", "{model: tiny-embedding}", elsewhere);
    let mut command = folder.command(&["run"]);
    command.env("OPENAI_API_KEY", KEY);
    finish(command).expect_code(2).says("no key is configured for e.example");
}

#[test]
fn budget_in_dollars_needs_the_price_of_embeddings() {
    let folder = embedded(GOOD);
    folder.append("promptgate.yaml", "budget: {usd: 1}\n");
    folder.promptgate(&["check"]).expect_code(2).says("there is no price for `tiny-embedding`");
}

#[test]
fn report_without_a_judge_is_read_back() {
    let folder = embedded(GOOD);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    for arguments in [&["case", "case-1"][..], &["report", "promptgate-report/report.json"]] {
        folder.promptgate(arguments).expect_code(0);
    }
}
