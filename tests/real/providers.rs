//! The SDKs of Anthropic and Google, unchanged: they read the replies of the mock server, and what they send for a prompt is
//! what promptgate sends for it, field for field.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::prepared;
use crate::recorder::{Recorder, Request};
use crate::support::{Folder, KEY, MockServer, finish, repository};

const QUESTION: &str = "How long is a refund possible?";

/// An SDK and the protocol that it speaks.
struct Sdk {
    protocol: &'static str,
    script: &'static str,
    key: &'static str,
    base_url: &'static str,
    model: &'static str,
    /// The header of the key.
    header: &'static str,
    path: &'static str,
    stop_reasons: [&'static str; 2],
    rate_limited: Value,
}

fn anthropic() -> Sdk {
    Sdk {
        protocol: "anthropic",
        script: "anthropic_sdk.py",
        key: "ANTHROPIC_API_KEY",
        base_url: "ANTHROPIC_BASE_URL",
        model: "claude-test",
        header: "x-api-key",
        path: "/v1/messages",
        stop_reasons: ["end_turn", "tool_use"],
        rate_limited: json!({"error": "RateLimitError", "status": 429, "type": "rate_limit_error"}),
    }
}

fn gemini() -> Sdk {
    Sdk {
        protocol: "gemini",
        script: "gemini_sdk.py",
        key: "GEMINI_API_KEY",
        base_url: "GOOGLE_GEMINI_BASE_URL",
        model: "gemini-test",
        header: "x-goog-api-key",
        path: "/v1beta/models/gemini-test:generateContent",
        stop_reasons: ["STOP", "STOP"],
        rate_limited: json!({"error": "ClientError", "status": 429, "type": "RESOURCE_EXHAUSTED"}),
    }
}

impl Sdk {
    /// Lets the SDK do these; `None` if it is not installed.
    fn run(&self, address: &str, asked: &[Value]) -> Option<Vec<Value>> {
        let python = prepared::folder("providers")?.join("python/bin/python");
        let mut child = Command::new(python)
            .arg(repository().join("tests/real/providers").join(self.script))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env(self.key, KEY)
            .env(self.base_url, format!("http://{address}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let mut input = child.stdin.take().expect("its input");
        for line in asked {
            writeln!(input, "{line}").expect("a line");
        }
        drop(input);
        let output = child.wait_with_output().expect("its output");
        assert!(output.status.success(), "{} failed", self.script);
        let lines = String::from_utf8(output.stdout).expect("text");
        Some(lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
    }

    /// A suite whose prompt is the one in the script of the SDK.
    fn suite(&self) -> Folder {
        let folder = Folder::small(3);
        let messages = json!({"messages": [
            {"role": "system", "content": "Use nothing but this text."},
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "How can I help?"},
            {"role": "user", "content": QUESTION},
        ]});
        folder.write("prompt.json", &messages.to_string());
        let tool = json!({"type": "function", "function": {
            "name": "find_order", "description": "Finds an order.",
            "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        }});
        let parameters = json!({
            "temperature": 0, "max_tokens": 200, "stop": "END", "tools": [tool], "tool_choice": "auto",
        });
        folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: prompt.json");
        folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
        folder.edit("promptgate.yaml", "model: tiny\n", &format!("model: {}\n", self.model));
        folder.edit("promptgate.yaml", "{temperature: 0}", &parameters.to_string());
        folder.edit(
            "promptgate.yaml",
            "judge: {model: tiny-judge",
            &format!("judge: {{model: {}", self.model),
        );
        folder.edit("promptgate.yaml", "endpoint: {", &format!("endpoint: {{protocol: {}, ", self.protocol));
        folder
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.text()).expect("JSON")
}

/// A body in the plain form of its kind: numbers by value, and the one name that Google's SDK writes in another case, which
/// the API reads as the same.
fn plain(value: Value) -> Value {
    let name = |name: String| {
        if name == "parameters_json_schema" { "parametersJsonSchema".to_owned() } else { name }
    };
    match value {
        Value::Object(map) => map.into_iter().map(|(key, value)| (name(key), plain(value))).collect(),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other,
    }
}

/// The first request of each kind that promptgate sends: of the candidate, and of a judge.
fn sent(sdk: &Sdk, server: &MockServer) -> (Request, Request) {
    let address = server.base_url.trim_start_matches("http://").trim_end_matches("/v1");
    let recorder = Recorder::start(address);
    let folder = sdk.suite();
    let mut command = folder.command(&["run", "--repeats", "1"]);
    command.env(sdk.key, KEY).env(sdk.base_url, format!("http://{}", recorder.address));
    let outcome = finish(command);
    let requests = recorder.requests();
    let is_judged = |request: &&Request| {
        request.text().contains("json_schema") || request.text().contains("responseJsonSchema")
    };
    let candidate = requests.iter().find(|request| !is_judged(request));
    let judgement = requests.iter().find(is_judged);
    let (Some(candidate), Some(judgement)) = (candidate, judgement) else {
        panic!("{}\n{requests:?}", outcome.text())
    };
    (candidate.clone(), judgement.clone())
}

fn check(sdk: &Sdk) {
    let server = MockServer::start(&["--require-key", KEY]);
    let address = server.base_url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let create = json!({"do": "create", "question": QUESTION});
    let Some(_) = sdk.run(&address, &[]) else { return };
    let (candidate, judgement) = sent(sdk, &server);
    let recorder = Recorder::start(&address);
    let resent = json!({"do": "resend", "body": body(&judgement)});
    let asked = [create.clone(), json!({"do": "stream", "question": QUESTION}), resent];
    let got = sdk.run(&recorder.address, &asked).expect("it is installed");
    let theirs = recorder.requests();
    // As the SDK reads it.
    let text = got[0]["text"].as_str().expect("a text");
    assert!(!text.is_empty());
    assert_eq!(
        got[0],
        json!({
            "text": text, "calls": [], "stop_reason": sdk.stop_reasons[0], "model": sdk.model, "usage": got[0]["usage"],
        })
    );
    assert!(got[0]["usage"].as_array().expect("usage").iter().all(|count| count.as_u64() > Some(0)));
    assert_eq!(got[1]["text"], got[0]["text"], "a stream has the same text");
    assert!(got[2]["text"].as_str().expect("a text").contains("verdict"), "{}", got[2]);
    // As the SDK sends it.
    for (ours, theirs) in [(&candidate, &theirs[0]), (&judgement, &theirs[2])] {
        assert_eq!(plain(body(ours)), plain(body(theirs)));
        // The SDK of Google calls `v1`, which is the same for these requests.
        let without_version = |path: &str| path.replace("/v1beta/", "/v1/");
        assert_eq!(ours.path, sdk.path);
        assert_eq!(without_version(&ours.path), without_version(&theirs.path));
        assert!(theirs.has_header("content-type: application/json"), "{theirs:?}");
        assert!(ours.has_header("content-type: application/json"), "{ours:?}");
        assert!(ours.has_header(&format!("{}: {KEY}", sdk.header)), "{ours:?}");
        // The SDK of Anthropic names a later version, with which the key is a bearer token.
        let bearer = format!("authorization: Bearer {KEY}");
        let is_later = sdk.protocol == "anthropic" && theirs.has_header(&bearer);
        assert!(is_later || theirs.has_header(&format!("{}: {KEY}", sdk.header)), "{theirs:?}");
        let version = ours.has_header("anthropic-version: 2023-06-01");
        assert_eq!(version, sdk.protocol == "anthropic", "{ours:?}");
    }
    // Calls and errors.
    for (fault, expected) in [
        ("tool-calls=1", json!({"calls": [["search", {}]], "stop_reason": sdk.stop_reasons[1]})),
        ("429=1", sdk.rate_limited.clone()),
    ] {
        let server = MockServer::start(&["--fault", fault]);
        let address = server.base_url.trim_start_matches("http://").trim_end_matches("/v1");
        let got = sdk.run(address, std::slice::from_ref(&create)).expect("it is installed").remove(0);
        for (name, value) in expected.as_object().expect("a map") {
            assert_eq!(&got[name], value, "{fault}: {got}");
        }
    }
}

#[test]
fn anthropic_sdk_reads_our_replies_and_sends_our_requests() {
    check(&anthropic());
}

#[test]
fn gemini_sdk_reads_our_replies_and_sends_our_requests() {
    check(&gemini());
}
