//! Misbehaving servers: no evidence is invented, nothing crashes, few calls are wasted.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::Folder;

/// A server that answers each request by a function of its body and its number.
pub(crate) struct Server {
    pub(crate) base_url: String,
    calls: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Server {
    /// The function returns status and body.
    pub(crate) fn start(answer: impl Fn(&Value, usize) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let answer = Arc::new(answer);
        let (calls, in_flight, peak) = <(Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let server = Self { base_url, calls: Arc::clone(&calls), peak: Arc::clone(&peak) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let (answer, calls) = (Arc::clone(&answer), Arc::clone(&calls));
                let (in_flight, peak) = (Arc::clone(&in_flight), Arc::clone(&peak));
                std::thread::spawn(move || {
                    let mut bytes = Vec::new();
                    let mut buffer = [0; 4096];
                    while let Ok(read @ 1..) = stream.read(&mut buffer) {
                        bytes.extend_from_slice(&buffer[..read]);
                        let text = String::from_utf8_lossy(&bytes);
                        let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
                        let Ok(body) = serde_json::from_str(body) else { continue };
                        peak.fetch_max(in_flight.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        let (status, body) = answer(&body, calls.fetch_add(1, Ordering::SeqCst));
                        let body = body.to_string();
                        in_flight.fetch_sub(1, Ordering::SeqCst);
                        let _ = write!(
                            stream,
                            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                             connection: close\r\n\r\n{body}",
                            body.len()
                        );
                        return;
                    }
                });
            }
        });
        server
    }

    /// Calls received.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// A chat completion.
pub(crate) fn says(text: &str) -> Value {
    json!({"choices": [{"message": {"content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 5}})
}

/// Whether a request is for the judge of [`Folder::small`].
pub(crate) fn is_judge(request: &Value) -> bool {
    request["model"] == "tiny-judge"
}

/// The list that a judge's reply has to contain.
pub(crate) fn list_of(request: &Value) -> String {
    let schema = &request["response_format"]["json_schema"]["schema"];
    schema["required"][0].as_str().expect("a list").to_owned()
}

/// A valid reply of a judge that finds nothing supported and everything relevant.
pub(crate) fn verdicts(request: &Value) -> Value {
    let list = list_of(request);
    let schema = &request["response_format"]["json_schema"]["schema"]["properties"][&list];
    let entries: Vec<Value> = (1..=schema["minItems"].as_u64().expect("a count"))
        .map(|id| match list.as_str() {
            "statements" => json!({"id": id, "quotes": [], "reasoning": "r", "verdict": "not_found"}),
            _ => json!({"id": id, "reasoning": "r", "verdict": "yes"}),
        })
        .collect();
    says(&json!({ list: entries }).to_string())
}

const ANSWER: &str = "Plan 1 gives 11 days for a refund.";

#[test]
fn implausible_usage_has_no_cost() {
    for usage in [
        json!({"prompt_tokens": 9}),
        json!({"prompt_tokens": 9, "completion_tokens": -1}),
        json!({"prompt_tokens": 0, "completion_tokens": 0}),
        json!({"prompt_tokens": u64::MAX, "completion_tokens": u64::MAX}),
        json!(null),
    ] {
        let shown = usage.clone();
        let server = Server::start(move |_, _| {
            let mut answer = says(ANSWER);
            answer["usage"] = usage.clone();
            (200, answer)
        });
        let folder = Folder::small(3).without_self_test();
        folder.append(
            "promptgate.yaml",
            "limits: {cost_per_case_usd: 0.01}\n\
             prices: {tiny: {input_per_million: 1, output_per_million: 2}}\n",
        );
        let outcome = folder.against(&server.base_url, &["run", "--no-judge"]);
        assert_eq!(outcome.code, 12, "{shown}: {}", outcome.text());
        assert_eq!(folder.report()["usage"]["cost_usd"], Value::Null, "{shown}");
    }
}

#[test]
fn judgements_without_usage_have_unknown_cost() {
    let server = Server::start(|request, _| {
        if !is_judge(request) {
            return (200, says(ANSWER));
        }
        let mut reply = verdicts(request);
        reply["usage"] = Value::Null;
        (200, reply)
    });
    let folder = Folder::small(2).without_self_test();
    folder.append(
        "promptgate.yaml",
        "prices: {tiny: {input_per_million: 1, output_per_million: 2}, \
         tiny-judge: {input_per_million: 1, output_per_million: 2}}\n",
    );
    folder.against(&server.base_url, &["run"]).expect_code(10);
    let usage = &folder.report()["usage"];
    assert!(usage["completions"]["cost_usd"].as_f64().is_some_and(|cost| cost > 0.0), "{usage}");
    assert_eq!(usage["judgements"]["cost_usd"], Value::Null);
    assert_eq!(usage["cost_usd"], Value::Null);
}

#[test]
fn judge_with_invalid_replies_ends_the_run_early() {
    let server = Server::start(|request, _| (200, says(if is_judge(request) { "10/10!" } else { ANSWER })));
    let folder = Folder::small(40).without_self_test();
    folder.against(&server.base_url, &["run"]).expect_code(12).says("no valid verdict");
    // Five answers, ten judgements, each asked three times.
    assert_eq!(server.calls(), 35);
}

#[test]
fn failing_judge_is_not_hidden_by_a_good_one() {
    let server = Server::start(|request, _| match is_judge(request) {
        true if list_of(request) == "statements" => (200, says("10/10!")),
        true => (200, verdicts(request)),
        false => (200, says(ANSWER)),
    });
    let folder = Folder::small(40).without_self_test();
    folder.against(&server.base_url, &["run", "--no-cache"]).expect_code(12);
    let reasons = folder.report()["reasons"].to_string();
    assert!(reasons.contains("no valid verdict for faithfulness in its first 10 judgements"), "{reasons}");
    assert_eq!(server.calls(), 10 + 10 + 30);
}

#[test]
fn refused_requests_are_not_retried() {
    let server = Server::start(|request, _| {
        let text = request["messages"][0]["content"].as_str().unwrap_or_default();
        match text.contains("You answer questions") {
            true => (400, json!({"error": {"message": "never", "code": 7}})),
            false => (200, says(ANSWER)),
        }
    });
    let folder = Folder::small(6).without_self_test();
    folder.against(&server.base_url, &["run", "--no-judge"]).expect_code(12);
    assert_eq!(server.calls(), 6 * 2 * 3);
}

#[test]
fn judge_that_dies_midway_ends_the_run_early() {
    let judged = AtomicUsize::new(0);
    let server = Server::start(move |request, _| {
        if !is_judge(request) {
            return (200, says(ANSWER));
        }
        match judged.fetch_add(1, Ordering::SeqCst) {
            0..10 => (200, verdicts(request)),
            _ => (500, json!({"error": "down"})),
        }
    });
    let folder = Folder::small(60).without_self_test();
    folder.edit("promptgate.yaml", "attempts: 2, max_wait: 2s", "attempts: 1");
    folder
        .against(&server.base_url, &["run", "--concurrency", "2"])
        .expect_code(12)
        .says("(given up after 10");
    // 720 judgements would follow.
    assert!(server.calls() < 60, "{}", server.calls());
}

#[test]
fn calls_in_flight_stay_within_the_limit() {
    for width in [1, 3] {
        let server = Server::start(|request, _| {
            std::thread::yield_now();
            (200, if is_judge(request) { verdicts(request) } else { says(ANSWER) })
        });
        let folder = Folder::small(10).without_self_test();
        let width_text = width.to_string();
        folder
            .against(&server.base_url, &["run", "--no-cache", "--concurrency", &width_text])
            .expect_code(10);
        assert!(server.peak.load(Ordering::SeqCst) <= width);
        assert_eq!(server.calls(), 10 * 2 * 3 * 3);
    }
}

#[test]
fn fail_fast_calls_no_judge_after_a_failed_check() {
    let server = Server::start(|request, _| {
        assert!(!is_judge(request));
        (200, says("X"))
    });
    let folder = Folder::small(20).without_self_test();
    folder.edit("promptgate.yaml", "min_chars: 1", "min_chars: 5");
    folder.against(&server.base_url, &["run", "--fail-fast", "--baseline", "none"]).expect_code(10);
    assert_eq!(server.calls(), 1);
}

#[test]
fn reasoning_in_front_of_an_answer_is_not_graded() {
    let text = "<think>It is 11 days.</think>\n\nI cannot help with that.";
    for (transform, code) in [("", 10), ("transform: {strip_reasoning: false}\n", 0)] {
        let server = Server::start(move |_, _| (200, says(text)));
        let folder = Folder::small(2).without_self_test();
        folder.edit("promptgate.yaml", "  - length: {min_chars: 1}", "  - contains: 11 days");
        folder.append("promptgate.yaml", transform);
        folder.against(&server.base_url, &["run", "--no-judge"]).expect_code(code);
        let trial = &folder.report()["cases"][0]["trials"][0];
        let reasoning = if code == 0 { Value::Null } else { json!("It is 11 days.") };
        assert_eq!(trial["reasoning"], reasoning);
    }
}

#[test]
fn answers_of_another_model_are_the_first_line() {
    let server = Server::start(|_, _| {
        let mut answer = says(ANSWER);
        answer["model"] = json!("cheap-fallback-1b");
        (200, answer)
    });
    let folder = Folder::small(2).without_self_test();
    folder.append(
        "promptgate.yaml",
        "prices: {tiny: {input_per_million: 10, output_per_million: 10}, \
         cheap-fallback-1b: {input_per_million: 1, output_per_million: 1}}\n",
    );
    let outcome = folder.against(&server.base_url, &["run", "--no-judge"]).expect_code(0);
    let line = "answers from tiny came from another model, cheap-fallback-1b.";
    let place = outcome.stdout.lines().position(|text| text.contains(line));
    assert!(place.is_some_and(|place| place < 4), "{}", outcome.stdout);
    let report = folder.report();
    assert_eq!(report["reasons"][0]["code"], "other_model");
    // The price is that of the model that answered: 14 tokens each.
    let cost =
        report["metrics"].as_array().and_then(|all| all.iter().find(|metric| metric["name"] == "cost_usd"));
    let mean = cost.and_then(|cost| cost["candidate"]["mean"].as_f64()).expect("a cost");
    assert!((mean - 14.0 / 1e6).abs() < 1e-12, "{mean}");
}

#[test]
fn limit_in_dollars_without_prices_is_refused_before_the_first_call() {
    let server = Server::start(|_, _| (200, says(ANSWER)));
    let folder = Folder::small(2).without_self_test();
    folder
        .against(&server.base_url, &["run", "--budget-usd", "1"])
        .expect_code(2)
        .says("--budget-usd")
        .says("prices: {tiny: {input_per_million: …, output_per_million: …}}")
        .says("tiny-judge");
    assert_eq!(server.calls(), 0);
}

#[test]
fn server_that_only_streams_is_read() {
    let server = crate::support::MockServer::start(&["--fault", "stream-only=1"]);
    let folder = Folder::small(6);
    folder.against(&server.base_url, &["run"]).expect_code(0);
    assert_eq!(folder.report()["verdict"], "pass");
}
