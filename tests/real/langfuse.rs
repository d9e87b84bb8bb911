//! Langfuse's SDKs, unchanged, read prompts from `promptgate serve` as they do from Langfuse: by name, label and version,
//! compile variables, and tag a trace with name and version.

use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::prepared;
use crate::recorder::{Recorder, Request};
use crate::served::Released;
use crate::support::{finish, repository};

const PUBLIC_KEY: &str = "pk-lf-local";
const SECRET_KEY: &str = "sk-lf-local-0123456789";

/// Runs a script with an SDK; returns what it got, its standard error and the requests that it made.
fn run(sdk: &str, version: &str) -> Option<(Value, String, Vec<Request>)> {
    let folder = prepared::folder("langfuse")?;
    let scripts = repository().join("tests/real/langfuse");
    let released = Released::new();
    let serving = released.serve(&["--token-env", "SERVE_TOKEN"], &[("SERVE_TOKEN", SECRET_KEY)]);
    let recorder = Recorder::start(&serving.address);
    let mut command = match sdk {
        "python" => {
            let mut command = Command::new(folder.join(format!("python{version}/bin/python")));
            command.arg(scripts.join("access.py"));
            command
        }
        _ => {
            let node = std::fs::read_to_string(folder.join("node")).expect("the path of Node.js");
            let mut command = Command::new(node.trim());
            command.arg(scripts.join(format!("access_v{version}.mjs")));
            command.arg(folder.join(format!("node{version}/node/node_modules")));
            command
        }
    };
    for name in ["LANGFUSE_HOST", "LANGFUSE_BASE_URL", "LANGFUSE_BASEURL"] {
        command.env(name, format!("http://{}", recorder.address));
    }
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name);
    }
    command.env("LANGFUSE_PUBLIC_KEY", PUBLIC_KEY).env("LANGFUSE_SECRET_KEY", SECRET_KEY);
    let outcome = finish(command).expect_code(0);
    let got: Value = serde_json::from_str(outcome.stdout.trim()).expect("JSON");
    let requests = recorder.requests();
    print_calls(got["sdk"].as_str().expect("a version"), &requests);
    Some((got, outcome.stderr, requests))
}

/// Prints the version of an SDK and its calls past the test harness, which hides the output of passing tests.
fn print_calls(sdk: &str, requests: &[Request]) {
    let calls: Vec<String> =
        requests.iter().map(|request| format!("  {} {}\n", request.method, request.path)).collect();
    let _ = std::io::stderr().write_all(format!("\n{sdk}\n{}", calls.concat()).as_bytes());
}

/// Checks what a script got, and that the requests have the credentials and the paths of Langfuse's API.
#[track_caller]
fn expect(sdk: &str, got: &Value, stderr: &str, requests: &[Request]) {
    assert!(got["sdk"].as_str().is_some_and(|version| version.contains(sdk)), "{got}");
    let production = "You are ACME's agent. Where is my order?";
    let staging = "You help ACME.\n\nWhere is my order?";
    for (key, number, semantic, compiled, labels) in [
        ("production", 1, "2.3.1", production, json!(["production", "v2.3.1"])),
        ("by_number", 1, "2.3.1", production, json!(["production", "v2.3.1"])),
        ("staging", 2, "2.4.0", staging, json!(["latest", "staging", "v2.4.0"])),
        ("by_version", 2, "2.4.0", staging, json!(["latest", "staging", "v2.4.0"])),
    ] {
        let prompt = &got[key];
        assert_eq!(prompt["name"], "support/reply", "{key}");
        assert_eq!(prompt["version"], number, "{key}");
        assert_eq!(prompt["config"]["promptgate"]["version"], semantic, "{key}");
        assert_eq!(prompt["config"]["model"], "gpt-5-mini", "{key}");
        assert_eq!(prompt["config"]["temperature"], 0.2, "{key}");
        assert_eq!(prompt["compiled"], compiled, "{key}");
        assert_eq!(prompt["labels"], labels, "{key}");
        assert_eq!(prompt["is_fallback"], false, "{key}");
    }
    let chat = got["chat"]["compiled"].as_array().expect("messages");
    let text: Vec<_> = chat.iter().map(|message| (&message["role"], &message["content"])).collect();
    assert_eq!(
        text,
        [(&json!("system"), &json!("Sort for ACME.")), (&json!("user"), &json!("Where is my order?"))]
    );
    assert_eq!(got["fallback"], json!({"compiled": "Be kind.", "is_fallback": true}));
    let absent = got["absent"].as_str().expect("an error");
    assert!(absent.contains("Prompt not found: 'absent' with label 'production'"), "{absent}");
    // JavaScript 3.x does not throw the error of a write, it logs it.
    let refused = format!("{}{stderr}", got["refused"]);
    assert!(refused.contains("promptgate serve only reads: publish with"), "{refused}");

    let basic = "authorization: Basic cGstbGYtbG9jYWw6c2stbGYtbG9jYWwtMDEyMzQ1Njc4OQ==";
    for request in requests {
        assert!(request.has_header(basic), "{request:?}");
    }
    for (method, path) in [
        ("GET", "/api/public/v2/prompts/support%2Freply"),
        ("GET", "/api/public/v2/prompts/support%2Freply?label=staging"),
        ("GET", "/api/public/v2/prompts/support%2Freply?version=1"),
        ("POST", "/api/public/v2/prompts"),
    ] {
        assert!(requests.iter().any(|made| made.method == method && made.path == path), "{method} {path}");
    }
    for noise in ["Failed to export", "Transient error", "OTLPExporterError", "Error while flushing"] {
        assert!(!stderr.contains(noise), "{stderr}");
    }
}

/// The bodies of traces that name the prompt.
#[track_caller]
fn expect_traces(requests: &[Request], path: &str, parts: &[&str]) {
    let traces: Vec<_> = requests.iter().filter(|request| request.path == path).collect();
    let has_all = |request: &&&Request| {
        let text = request.text();
        parts.iter().all(|part| text.contains(part))
    };
    assert!(traces.iter().any(|request| has_all(&request)), "no {parts:?} in {traces:?}");
}

const TRACES: &str = "/api/public/otel/v1/traces";
const LINK: [&str; 4] =
    ["langfuse.observation.prompt.name", "langfuse.observation.prompt.version", "support/reply", "2.3.1"];

#[test]
fn python_3_reads_prompts_and_tags_a_trace() {
    let Some((got, stderr, requests)) = run("python", "3") else { return };
    expect("langfuse 3.", &got, &stderr, &requests);
    assert_eq!(got["connected"], true);
    assert_eq!(got["production"]["variables"], json!(["company", "question"]));
    expect_traces(&requests, TRACES, &LINK);
    expect_traces(&requests, "/api/public/ingestion", &["score-create", "helpful"]);
}

#[test]
fn python_5_reads_prompts_and_tags_a_trace() {
    let Some((got, stderr, requests)) = run("python", "5") else { return };
    expect("langfuse 5.", &got, &stderr, &requests);
    assert_eq!(got["connected"], true);
    expect_traces(&requests, TRACES, &LINK);
    expect_traces(&requests, "/api/public/scores", &["helpful"]);
}

#[test]
fn node_3_reads_prompts_and_tags_a_trace() {
    let Some((got, stderr, requests)) = run("node", "3") else { return };
    expect("langfuse 3.", &got, &stderr, &requests);
    let parts = ["generation-create", "\"promptName\":\"support/reply\"", "\"promptVersion\":1", "2.3.1"];
    expect_traces(&requests, "/api/public/ingestion", &parts);
}

#[test]
fn node_5_reads_prompts_and_tags_a_trace() {
    let Some((got, stderr, requests)) = run("node", "5") else { return };
    expect("@langfuse/client 5.", &got, &stderr, &requests);
    expect_traces(&requests, TRACES, &LINK);
    expect_traces(&requests, "/api/public/ingestion", &["score-create", "helpful"]);
}
