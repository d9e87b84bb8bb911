//! Every way in which evidence can be missing: none is green.

use std::time::{Duration, Instant};

use crate::support::{Canned, Folder, KEY, MockServer, Outcome};

/// Runs the small suite against an endpoint and asserts the exit code and that no key leaks.
#[track_caller]
fn never_green(base_url: &str, code: i32) -> Outcome {
    let folder = Folder::small(6);
    let outcome = folder.against(base_url, &["run"]).expect_code(code);
    assert!(!outcome.text().contains(KEY), "the key is in the output");
    let report = folder.read("promptgate-report/report.json");
    assert!(!report.contains(KEY), "the key is in the report");
    let report = folder.report();
    assert_ne!(report["verdict"], "pass");
    assert_eq!(report["exit_code"], code);
    outcome
}

/// Runs the small suite against a mock server with a fault.
#[track_caller]
fn never_green_with(fault: &str, code: i32) -> Outcome {
    let server = MockServer::start(&["--fault", fault]);
    never_green(&server.base_url, code)
}

const ERROR: &str = r#"{"error": {"message": "no such luck", "type": null, "code": 7}}"#;

#[test]
fn good_endpoint_passes() {
    let server = MockServer::start(&[]);
    let folder = Folder::small(6);
    folder.against(&server.base_url, &["run"]).expect_code(0);
    assert_eq!(folder.report()["verdict"], "pass");
}

#[test]
fn fatal_statuses_end_the_run() {
    for (status, words) in [
        ("401 Unauthorized", "OPENAI_API_KEY"),
        ("402 Payment Required", "402"),
        ("403 Forbidden", "403"),
        ("404 Not Found", "404"),
    ] {
        let server = Canned::answering(status, "application/json", ERROR);
        never_green(&server.base_url, 12).says(words).says("no such luck");
    }
}

#[test]
fn endless_429_is_incomplete() {
    let server = Canned::answering("429 Too Many Requests", "application/json", ERROR);
    never_green(&server.base_url, 12).says("429");
}

#[test]
fn spent_quota_is_not_retried() {
    let body = r#"{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}"#;
    let server = Canned::answering("429 Too Many Requests", "application/json", body);
    let started = Instant::now();
    never_green(&server.base_url, 12).says("quota");
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn endless_5xx_is_incomplete() {
    for status in ["500 Internal Server Error", "503 Service Unavailable"] {
        let server = Canned::answering(status, "application/json", ERROR);
        never_green(&server.base_url, 12).says(&status[..3]);
    }
}

#[test]
fn invalid_answers_are_incomplete() {
    let whole = |content: &str| {
        format!("{{\"choices\": [{{\"message\": {{{content}}}, \"finish_reason\": \"stop\"}}]}}")
    };
    for (content_type, body) in [
        ("text/html", "<html><body>Sign in to continue</body></html>".to_owned()),
        ("application/json", String::new()),
        ("application/json", r#"{"choices": [{"message": {"content": "cut"#.to_owned()),
        ("application/json", r#"{"choices": []}"#.to_owned()),
        ("application/json", r#"{"id": "x"}"#.to_owned()),
        ("application/json", "null".to_owned()),
        ("application/json", ERROR.to_owned()),
        ("application/json", whole(r#""content": null"#)),
        ("application/json", whole(r#""role": "assistant""#)),
        ("application/json", whole(r#""content": 7"#)),
    ] {
        let server = Canned::answering("200 OK", content_type, &body);
        never_green(&server.base_url, 12);
    }
}

#[test]
fn truncated_body_is_incomplete() {
    let server = Canned::raw(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"choices\""
            .to_owned(),
    );
    never_green(&server.base_url, 12);
}

#[test]
fn failed_connections_are_incomplete() {
    // Nobody listens on a port that was free a moment ago.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
    never_green(&format!("http://127.0.0.1:{port}/v1"), 12).says("refused");
    // Closed without an answer.
    let server = Canned::raw(String::new());
    never_green(&server.base_url, 12);
}

#[test]
fn no_answer_is_incomplete() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let folder = Folder::small(2);
    folder.edit("promptgate.yaml", "timeout: 5s, attempts: 2", "timeout: 300ms, attempts: 2");
    folder.against(&format!("http://{address}/v1"), &["run"]).expect_code(12);
    drop(listener);
}

#[test]
fn key_revoked_midway_is_incomplete() {
    never_green_with("401-after=9", 12).says("OPENAI_API_KEY");
}

#[test]
fn judge_without_verdicts_is_incomplete() {
    for fault in ["prose=1", "no-verdict=1", "bad-verdict=1", "unknown-id=1", "echo=1"] {
        let server = MockServer::start(&["--fault", fault]);
        let folder = Folder::small(4);
        let outcome = folder.against(&server.base_url, &["run"]);
        assert!([10, 11, 12].contains(&outcome.code), "{fault}: {}\n{}", outcome.code, outcome.text());
        assert_ne!(folder.report()["verdict"], "pass", "{fault}");
    }
}

#[test]
fn cut_or_filtered_answers_score_zero() {
    for fault in ["length=1", "content-filter=1", "tool-calls=1"] {
        let folder = Folder::small(4);
        let server = MockServer::start(&["--fault", fault]);
        let outcome = folder.against(&server.base_url, &["run"]);
        assert!([10, 12].contains(&outcome.code), "{fault}: {}\n{}", outcome.code, outcome.text());
        assert_ne!(folder.report()["verdict"], "pass", "{fault}");
    }
}

#[test]
fn empty_datasets_are_refused() {
    for (name, text) in [
        ("e.jsonl", ""),
        ("e.jsonl", "\n\n"),
        ("e.json", "[]"),
        ("e.csv", "id,query,context\n"),
        ("e.yaml", ""),
    ] {
        let folder = Folder::small(1);
        folder.write(name, text);
        folder.edit("promptgate.yaml", "dataset: cases.jsonl", &format!("dataset: {name}"));
        folder.promptgate(&["run", "--offline"]).expect_code(3).says(name);
        folder.promptgate(&["check"]).expect_code(3);
        assert!(!folder.path().join("promptgate-report").exists());
    }
}

#[test]
fn globs_and_filters_without_a_match_are_refused() {
    let folder = Folder::small(2);
    folder.promptgate(&["run", "--offline", "--filter", "no-such-*"]).expect_code(3).says("no-such-*");
    folder.promptgate(&["run", "--offline", "--tag", "no-such-tag"]).expect_code(3).says("no-such-tag");
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", "dataset: none/*.jsonl");
    folder.promptgate(&["run", "--offline"]).expect_code(2).says("none/*.jsonl");
}

#[test]
fn suite_without_scorers_is_refused() {
    let folder = Folder::small(2);
    folder.write(
        "promptgate.yaml",
        "version: 1\ndataset: cases.jsonl\nprompt: prompt.md\nbaseline: none\nmodel: tiny\n",
    );
    folder.promptgate(&["run", "--offline"]).expect_code(3);
    // Judges alone, and none of them asked.
    let folder = Folder::small(2);
    folder.edit("promptgate.yaml", "checks:\n  - length: {min_chars: 1}\n", "");
    folder.promptgate(&["run", "--offline", "--no-judge"]).expect_code(3);
}

#[test]
fn unknown_keys_are_refused_at_any_depth() {
    for (from, to, key) in [
        ("checks:", "asert: 1\nchecks:", "asert"),
        ("faithfulness: {min: 0.75}", "faithfulness: {treshold: 0.75}", "treshold"),
        ("timeout: 5s", "max_concurency: 3, timeout: 5s", "max_concurency"),
        ("length: {min_chars: 1}", "length: {min_char: 1}", "min_char"),
        ("length: {min_chars: 1}", "lenght: {min_chars: 1}", "lenght"),
        ("relevance: {min: 0.5}", "relevanse: {min: 0.5}", "relevanse"),
        ("model: tiny-judge", "modell: tiny-judge", "modell"),
    ] {
        let folder = Folder::small(2);
        folder.edit("promptgate.yaml", from, to);
        let outcome = folder.promptgate(&["run", "--offline"]).expect_code(2);
        assert!(outcome.stderr.contains(key), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("did you mean"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("promptgate.yaml:"), "{}", outcome.stderr);
        assert!(!folder.path().join("promptgate-report").exists());
    }
}

#[test]
fn undefined_template_variables_are_refused() {
    let folder = Folder::small(2);
    folder.append("prompt.md", "Customer: {{custommer}}\n");
    folder.promptgate(&["run", "--offline"]).expect_code(2).says("custommer").says("prompt.md");
}

#[test]
fn duplicate_ids_are_refused() {
    let folder = Folder::small(2);
    folder.append("cases.jsonl", "{\"id\": \"case-1\", \"query\": \"q\", \"context\": \"c\"}\n");
    folder.promptgate(&["run", "--offline"]).expect_code(2).says("case-1").says("cases.jsonl");
}

#[test]
fn missing_key_is_incomplete() {
    let folder = Folder::small(2);
    let mut command = folder.command(&["run"]);
    command.env("OPENAI_BASE_URL", "https://models.example.com/v1");
    let outcome = crate::support::finish(command).expect_code(12);
    assert!(outcome.text().contains("OPENAI_API_KEY"), "{}", outcome.text());
    let report = folder.report();
    assert_eq!(report["verdict"], "incomplete");
    assert_eq!(report["reasons"][0]["code"], "missing_credentials");
}

#[test]
fn worse_candidate_fails_despite_a_better_baseline() {
    // Candidate without passages, baseline with them: pooled, they would reach the thresholds.
    let folder = Folder::small(6);
    folder.write("prompt.md", "Answer the question politely and be of help to the customer.\n");
    folder.promptgate(&["run", "--offline"]).expect_code(10);
    let report = folder.report();
    let metric =
        report["metrics"].as_array().expect("metrics").iter().find(|it| it["name"] == "faithfulness");
    let metric = metric.expect("faithfulness");
    let mean = |side: &str| metric[side]["mean"].as_f64().expect("a mean");
    assert!(mean("candidate") < 0.3 && mean("baseline") > 0.9, "{metric}");
}

#[test]
fn values_are_data() {
    let folder = Folder::small(1);
    folder.write(
        "cases.jsonl",
        "{\"id\": \"a\", \"query\": \"What is {{ env.OPENAI_API_KEY }} {{7*7}} {# {% x %} {{context}}?\", \
         \"context\": \"The value of {{ env.OPENAI_API_KEY }} {{7*7}} {# {% x %} {{query}} is secret.\"}\n",
    );
    folder.write("prompt.md", "Reply from the passages: {\"a\": {\"b\": [{}]}} {# %} \n\n{{context}}\n");
    let server = crate::wire::Recorder::start();
    folder.against(&server.base_url(), &["run", "--baseline", "none", "--no-judge"]).expect_code(0);
    let sent = server.bodies();
    let system = sent[0]["messages"][0]["content"].as_str().expect("a system message").to_owned();
    assert!(system.contains("{\"a\": {\"b\": [{}]}} {# %}"), "{system}");
    assert!(system.contains("The value of {{ env.OPENAI_API_KEY }} {{7*7}} {# {% x %} {{query}} is secret."));
    assert!(!system.contains(KEY) && !system.contains("49"));
    let user = sent[0]["messages"][1]["content"].as_str().expect("a user message");
    assert_eq!(user, "What is {{ env.OPENAI_API_KEY }} {{7*7}} {# {% x %} {{context}}?");
}
