#![cfg(unix)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::worker::WorkerCommand;
use promptgate_core::model::Purpose;
use promptgate_core::text::Secret;

/// A server with a few ways to fail, chosen by the question.
const SERVER: &str = r#"
import http.server, json, os, sys
print(os.getpid(), file=open("pids", "a"), flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, value):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self): self.reply(200 if self.path == "/health" else 404, {})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = body["question"]
        if question == "crash": print("dying words", file=sys.stderr, flush=True); os._exit(4)
        if question == "refuse": return self.reply(401, {"error": {"message": "no sk-canary-0123456789"}})
        if question == "fail": return self.reply(500, {})
        if question == "prose": return self.reply(200, b"Hello")
        if question == "other": return self.reply(200, {"text": "x"})
        self.reply(200, {"answer": question.upper(), "sources": [{"text": "one"}, {"text": body["tier"]}],
            "usage": {"input_tokens": 3, "output_tokens": 4}, "header": self.headers["X-Key"]})
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

fn options(folder: &std::path::Path, command: &[&str]) -> HttpTargetOptions {
    let start = WorkerCommand {
        command: command.iter().map(|&word| word.to_owned()).collect(),
        folder: folder.to_owned(),
        env: vec![("PATH".to_owned(), std::env::var("PATH").unwrap())],
    };
    HttpTargetOptions {
        start: Some(start),
        start_timeout: Duration::from_secs(30),
        url: "http://127.0.0.1:{port}/answer".to_owned(),
        ready: Some("/health".to_owned()),
        body: Some(json!({"question": "{{query}}", "tier": "{{vars.tier}}"})),
        headers: [("X-Key".to_owned(), Secret::new("sk-canary-0123456789"))].into(),
        output: "$.answer".to_owned(),
        contexts: Some("$.sources[*].text".to_owned()),
        tool_calls: None,
        usage: Some("$.usage".to_owned()),
        timeout: Duration::from_secs(30),
        concurrency: 4,
        max_body_bytes: 1 << 20,
        label: "target".to_owned(),
    }
}

fn target(options: HttpTargetOptions) -> Result<HttpTarget, Diagnostics> {
    let redactor = Arc::new(Redactor::new(&[Secret::new("sk-canary-0123456789")]));
    HttpTarget::new(options, Arc::clone(&redactor), Arc::new(WorkerLog::new(redactor)))
}

async fn ask(target: &HttpTarget, query: &str) -> Result<Completion, Fault> {
    let input = json!({"id": "a", "query": query, "vars": {"tier": "gold"}});
    target.complete(&request(Some(input))).await
}

fn request(input: Option<Value>) -> ChatRequest {
    ChatRequest {
        model: String::new(),
        messages: Vec::new(),
        parameters: serde_json::Map::new(),
        response_format: None,
        repeat: 0,
        purpose: Purpose::Completion,
        refresh: false,
        input: input.map(Arc::new),
    }
}

fn pids(folder: &std::path::Path) -> Vec<u32> {
    let text = std::fs::read_to_string(folder.join("pids")).unwrap_or_default();
    text.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

fn runs(id: u32) -> bool {
    std::path::Path::new(&format!("/proc/{id}")).exists()
}

#[tokio::test]
async fn server_is_started_asked_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(options(folder.path(), &["python3", "-c", SERVER, "{port}"])).unwrap();
    let answer = ask(&target, "why?").await.unwrap();
    assert_eq!(answer.text, "WHY?");
    assert_eq!(answer.contexts, Some(vec!["one".to_owned(), "gold".to_owned()]));
    assert_eq!(answer.usage.map(|usage| (usage.prompt_tokens, usage.completion_tokens)), Some((3, 4)));
    assert!(answer.latency_ms > 0.0 && answer.attempts.is_empty());
    for (query, kind, expected) in [
        ("refuse", FaultKind::InvalidAnswer, "401"),
        ("fail", FaultKind::Unavailable, "500"),
        ("prose", FaultKind::InvalidAnswer, "not valid JSON"),
        ("other", FaultKind::InvalidAnswer, "`answer`"),
    ] {
        let fault = ask(&target, query).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{}", fault.message);
        assert!(
            fault.message.contains(expected) && !fault.message.contains("0123456789"),
            "{}",
            fault.message
        );
        assert!(fault.attempts.iter().all(Attempt::is_contested), "{:?}", fault.attempts);
    }
    target.shutdown().await;
    let pids = pids(folder.path());
    assert!(pids.len() == 1 && !runs(pids[0]));
    assert_eq!(ask(&target, "why?").await.unwrap_err().kind, FaultKind::Interrupted);
}

#[tokio::test]
async fn server_that_dies_is_a_fault_and_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(options(folder.path(), &["python3", "-c", SERVER, "{port}"])).unwrap();
    let fault = ask(&target, "crash").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Disconnected);
    assert!(
        fault.message.contains("exit status: 4") && fault.message.contains("dying words"),
        "{}",
        fault.message
    );
    assert_eq!(ask(&target, "why?").await.unwrap().text, "WHY?");
    drop(target);
    let pids = pids(folder.path());
    assert_eq!(pids.len(), 2);
    while pids.iter().any(|id| runs(*id)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn port_alone_makes_a_server_ready() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("exec python3 -c '{SERVER}' $PORT");
    let options = HttpTargetOptions { ready: None, ..options(folder.path(), &["/bin/sh", "-c", &script]) };
    let target = target(options).unwrap();
    assert_eq!(ask(&target, "why?").await.unwrap().text, "WHY?");
    target.shutdown().await;
}

#[tokio::test]
async fn third_failed_start_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(options(folder.path(), &["/bin/sh", "-c", "echo broken >&2; exit 2"])).unwrap();
    let mut kinds = Vec::new();
    for _ in 0..4 {
        let fault = ask(&target, "why?").await.unwrap_err();
        assert!(
            fault.message.contains("exit status: 2") && fault.message.contains("broken"),
            "{}",
            fault.message
        );
        assert!(fault.attempts.iter().all(Attempt::is_contested));
        kinds.push(fault.kind);
    }
    assert_eq!(kinds, [FaultKind::Disconnected, FaultKind::Disconnected, FaultKind::Dead, FaultKind::Dead]);
}

#[tokio::test]
async fn server_that_is_never_ready_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let command = ["/bin/sh", "-c", "echo $$ > pids; sleep 1000"];
    let options =
        HttpTargetOptions { start_timeout: Duration::from_millis(300), ..options(folder.path(), &command) };
    let target = target(options).unwrap();
    let fault = ask(&target, "why?").await.unwrap_err();
    assert!(fault.message.contains("not ready within 0.3 s"), "{}", fault.message);
    while pids(folder.path()).into_iter().any(runs) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn missing_program_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(options(folder.path(), &["promptgate-no-such-program"])).unwrap();
    assert_eq!(ask(&target, "why?").await.unwrap_err().kind, FaultKind::Dead);
}

#[tokio::test]
async fn absent_server_is_a_contested_fault() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/answer", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let options = HttpTargetOptions { start: None, url, ready: None, ..options(folder.path(), &[]) };
    let fault = ask(&target(options).unwrap(), "why?").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Disconnected);
    assert!(fault.message.contains("connection refused"), "{}", fault.message);
}

#[tokio::test]
async fn input_without_a_field_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(options(folder.path(), &["true"])).unwrap();
    let fault = target.complete(&request(Some(json!({"query": "why?", "vars": {}})))).await.unwrap_err();
    assert!(fault.message.contains("no `vars.tier`"), "{}", fault.message);
    let fault = target.complete(&request(None)).await.unwrap_err();
    assert!(fault.message.contains("no input"), "{}", fault.message);
}

#[test]
fn invalid_options_are_all_reported() {
    let folder = std::path::Path::new(".");
    let wrong = HttpTargetOptions {
        url: "http://127.0.0.1:8000".to_owned(),
        body: Some(json!("{{qeury}}")),
        output: "answer".to_owned(),
        contexts: Some("$.a[".to_owned()),
        headers: [("Host".to_owned(), Secret::new("x"))].into(),
        ..options(folder, &["true"])
    };
    let text = target(wrong).err().unwrap().to_string();
    for place in ["url", "body", "output", "contexts", "headers"] {
        assert!(text.contains(&format!("target.http.{place}: ")), "{place}: {text}");
    }
    for (start, url, ready) in [
        (false, "http://127.0.0.1:{port}/", None),
        (true, "not an address {port}", None),
        (true, "http://user:hush@127.0.0.1:{port}/", None),
        (true, "http://127.0.0.1:{port}/", Some("http://other.example/health")),
    ] {
        let mut options = options(folder, &["true"]);
        (options.url, options.ready) = (url.to_owned(), ready.map(str::to_owned));
        if !start {
            options.start = None;
        }
        let text = target(options).err().unwrap().to_string();
        assert!(text.contains("target.http.") && !text.contains("hush"), "{text}");
    }
}
