//! Whole runs over each protocol, against the mock server.

use serde_json::{Value, json};

use crate::support::{Canned, Folder, KEY, MockServer, Outcome, finish};

/// The protocols, with the variables of key and base URL.
const PROTOCOLS: [(&str, &str, &str); 3] = [
    ("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    ("anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    ("gemini", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
];

/// The small suite over a protocol.
fn suite(protocol: &str, more: &str) -> Folder {
    let folder = Folder::small(4);
    folder.edit(
        "promptgate.yaml",
        "endpoint: {timeout: 5s,",
        &format!("endpoint: {{protocol: {protocol}, {more}timeout: 5s,"),
    );
    folder
}

fn run(folder: &Folder, (_, key, base_url): (&str, &str, &str), url: &str, arguments: &[&str]) -> Outcome {
    let mut command = folder.command(&[&["run"], arguments].concat());
    command.env(key, KEY).env(base_url, url);
    let outcome = finish(command);
    assert!(!outcome.text().contains(KEY), "{}", outcome.text());
    outcome
}

/// The counts of a mock server.
fn stats(server: &MockServer) -> Value {
    use std::io::{Read as _, Write as _};
    let address = server.base_url.trim_start_matches("http://").trim_end_matches("/v1");
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    stream.write_all(b"GET /v1/stats HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("a request");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    serde_json::from_str(reply.rsplit("\r\n").next().expect("a body")).expect("JSON")
}

/// Answers and grades, without what differs between runs.
fn essence(report: &Value) -> Vec<Value> {
    let cases = report["cases"].as_array().expect("cases");
    let trials = cases.iter().flat_map(|case| case["trials"].as_array().expect("trials"));
    let of = |trial: &Value| {
        let grades: Vec<_> = trial["grades"]
            .as_array()
            .expect("grades")
            .iter()
            .map(|grade| json!([grade["scorer"], grade["score"], grade["judging"]["output_mode"]]))
            .collect();
        json!([trial["output"], trial["finish_reason"], trial["usage"]["completion_tokens"], grades])
    };
    trials.map(of).collect()
}

#[test]
fn every_protocol_gives_the_same_green_run() {
    let mut found: Vec<Vec<Value>> = Vec::new();
    for protocol in PROTOCOLS {
        let server = MockServer::start(&["--require-key", KEY]);
        let folder = suite(protocol.0, "");
        run(&folder, protocol, &server.base_url, &[]).expect_code(0);
        found.push(essence(&folder.report()));
    }
    assert!(!found[0].is_empty());
    assert_eq!(found[0], found[1], "anthropic");
    assert_eq!(found[0], found[2], "gemini");
}

#[test]
fn every_protocol_is_red_where_answers_are_bad() {
    for protocol in PROTOCOLS {
        let server = MockServer::start(&["--fault", "length=1"]);
        run(&suite(protocol.0, ""), protocol, &server.base_url, &["--no-judge"]).expect_code(10);
    }
}

#[test]
fn judges_fall_back_to_what_an_endpoint_accepts() {
    for protocol in PROTOCOLS {
        for (refused, mode) in
            [("refuse-json_schema=1", "json_object"), ("refuse-response_format=1", "fenced")]
        {
            let server = MockServer::start(&["--fault", refused]);
            let folder = suite(protocol.0, "");
            run(&folder, protocol, &server.base_url, &["--repeats", "1"]);
            let report = folder.report();
            let grades = report["cases"][0]["trials"][0]["grades"].as_array().expect("grades");
            let modes: Vec<_> =
                grades.iter().filter_map(|grade| grade["judging"]["output_mode"].as_str()).collect();
            assert!(modes.iter().all(|found| *found == mode), "{}: {modes:?}", protocol.0);
            assert!(!modes.is_empty());
        }
    }
}

#[test]
fn refused_keys_and_dead_quotas_are_never_green() {
    for protocol in PROTOCOLS {
        let server = MockServer::start(&["--require-key", "another"]);
        run(&suite(protocol.0, ""), protocol, &server.base_url, &[]).expect_code(12).says(protocol.1);
        let server = MockServer::start(&["--fault", "quota-after=2"]);
        run(&suite(protocol.0, ""), protocol, &server.base_url, &[]).expect_code(12).says("quota");
        let server = MockServer::start(&["--fault", "null-content=1"]);
        run(&suite(protocol.0, ""), protocol, &server.base_url, &["--no-judge"]).expect_code(12);
    }
}

#[test]
fn replies_of_another_protocol_are_never_green() {
    let message = json!({"role": "assistant", "content": "hello"});
    let replies = [
        json!({"choices": [{"message": message, "finish_reason": "stop"}]}),
        json!({"type": "message", "content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn"}),
        json!({"candidates": [{"content": {"parts": [{"text": "hello"}]}, "finishReason": "STOP"}]}),
    ];
    for (own, protocol) in PROTOCOLS.into_iter().enumerate() {
        for (other, reply) in replies.iter().enumerate() {
            let server = Canned::answering("200 OK", "application/json", &reply.to_string());
            let outcome = run(&suite(protocol.0, ""), protocol, &server.base_url, &["--no-judge"]);
            outcome.expect_code(if own == other { 0 } else { 12 });
        }
    }
}

#[test]
fn waits_of_every_protocol_are_obeyed() {
    for protocol in PROTOCOLS {
        let server = MockServer::start(&["--fault", "rate-limit=20"]);
        let folder = suite(protocol.0, "");
        run(&folder, protocol, &server.base_url, &["--no-judge", "--repeats", "6"]).expect_code(0);
        assert!(stats(&server)["refused"].as_u64() > Some(0));
    }
}

#[test]
fn streams_measure_the_time_to_the_first_token() {
    for protocol in PROTOCOLS {
        let server = MockServer::start(&[]);
        let folder = suite(protocol.0, "stream: always, ");
        let limits = |ttft: &str| format!("limits: {{ttft_p50: {ttft}}}\nendpoint: {{");
        folder.edit("promptgate.yaml", "endpoint: {", &limits("60s"));
        run(&folder, protocol, &server.base_url, &["--repeats", "6", "--no-cache"]).expect_code(0);
        let report = folder.report();
        let metric = |name: &str| -> f64 {
            let metrics = report["metrics"].as_array().expect("metrics");
            let metric = metrics.iter().find(|metric| metric["name"] == name).expect("the metric");
            metric["candidate"]["mean"].as_f64().expect("a mean")
        };
        assert!(metric("ttft") > 0.0 && metric("ttft") <= metric("latency"), "{}", protocol.0);
        let criteria = report["criteria"].to_string();
        assert!(criteria.contains("limit.ttft_p50"), "{criteria}");
        folder.edit("promptgate.yaml", "ttft_p50: 60s", "ttft_p50: {max: 1ms}");
        let server = MockServer::start(&["--latency", "20ms"]);
        run(&folder, protocol, &server.base_url, &["--repeats", "6", "--no-cache"]).expect_code(10);
    }
}

#[test]
fn limit_on_the_first_token_without_streams_is_incomplete() {
    let server = MockServer::start(&[]);
    let folder = suite("openai", "");
    folder.edit("promptgate.yaml", "endpoint: {", "limits: {ttft_p50: 60s}\nendpoint: {");
    let outcome = run(&folder, PROTOCOLS[0], &server.base_url, &["--repeats", "6"]);
    outcome.expect_code(12).says("ttft was not measured");
}

#[test]
fn candidate_and_judge_may_speak_different_protocols() {
    let (candidate, judge) = (MockServer::start(&[]), MockServer::start(&[]));
    let folder = suite("anthropic", "");
    let endpoint = format!("{{protocol: gemini, base_url: \"{}\", api_key_env: OTHER}}", judge.base_url);
    folder.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge",
        &format!("judge: {{model: tiny-judge, endpoint: {endpoint}"),
    );
    let mut command = folder.command(&["run"]);
    command.env("ANTHROPIC_API_KEY", KEY).env("ANTHROPIC_BASE_URL", &candidate.base_url).env("OTHER", "o");
    finish(command).expect_code(0);
    let count = |server: &MockServer, name: &str| stats(server)[name].as_u64().expect("a count");
    assert_eq!(count(&candidate, "judgements"), 0);
    assert!(count(&judge, "judgements") > 0);
    assert_eq!(count(&judge, "requests"), count(&judge, "judgements"));
}

#[test]
fn telemetry_names_the_provider() {
    for (protocol, provider) in PROTOCOLS.into_iter().zip(["openai", "anthropic", "gcp.gemini"]) {
        let server = MockServer::start(&[]);
        let folder = suite(protocol.0, "");
        let receiver = crate::telemetry::Receiver::start("200 OK");
        let otlp = receiver.url();
        run(&folder, protocol, &server.base_url, &["--repeats", "1", "--otlp", &otlp]);
        let (_, spans) = receiver.received();
        let names: std::collections::BTreeSet<String> = spans
            .iter()
            .filter_map(|span| {
                let provider = span.attributes.iter().find(|it| it.key == "gen_ai.provider.name")?;
                crate::telemetry::texts(std::slice::from_ref(provider)).remove(&provider.key)
            })
            .collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), [provider]);
    }
}
