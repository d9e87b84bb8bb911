//! The mock server over real sockets.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{FaultSpec, Options, ServerStats, serve};
use crate::SimulatedOptions;
use promptgate_engine::judge::registry::faithfulness::{FaithfulnessPayload, JudgedStatement};
use promptgate_engine::judge::reply::read;
use promptgate_engine::judge::request::{Numbered, Payload};

pub(super) struct TestServer {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<ServerStats>,
}

impl TestServer {
    async fn start(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(serve(listener, options, async move {
            let _ = stopped.await;
        }));
        Self { address, stop, task }
    }

    pub(super) async fn with(faults: &[&str]) -> Self {
        Self::start(options(faults)).await
    }

    pub(super) async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap() }
    }

    async fn post(&self, body: &Value) -> HttpResponse {
        self.connect().await.post("/v1/chat/completions", "", body).await.unwrap()
    }

    pub(super) async fn stop(self) -> ServerStats {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }
}

fn options(faults: &[&str]) -> Options {
    let faults = faults.iter().map(|text| text.parse::<FaultSpec>().unwrap()).collect();
    Options { faults, ..Options::default() }
}

pub(super) struct Client {
    stream: TcpStream,
}

#[derive(Debug)]
pub(super) struct HttpResponse {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
    content_length: usize,
}

impl HttpResponse {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        self.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(super) async fn post(&mut self, path: &str, headers: &str, body: &Value) -> io::Result<HttpResponse> {
        let body = body.to_string();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n", body.len());
        self.stream.write_all(format!("{head}{body}").as_bytes()).await?;
        self.read().await
    }

    async fn get(&mut self, path: &str) -> io::Result<HttpResponse> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await?;
        self.read().await
    }

    async fn read(&mut self) -> io::Result<HttpResponse> {
        let mut received = Vec::new();
        let mut chunk = [0; 4096];
        let end = loop {
            if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            let read = self.stream.read(&mut chunk).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            received.extend_from_slice(&chunk[..read]);
        };
        let mut body = received.split_off(end);
        let head = String::from_utf8(received).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let content_length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let content_length = content_length.unwrap_or("0").parse().unwrap();
        while body.len() < content_length {
            match self.stream.read(&mut chunk).await? {
                0 => break,
                read => body.extend_from_slice(&chunk[..read]),
            }
        }
        Ok(HttpResponse { status, head, body, content_length })
    }
}

fn question() -> Value {
    json!({"model": "m", "temperature": 0, "messages": [
        {"role": "system", "content": "[KB-1] The lamp costs $5.\n\n[KB-2] The cable is blue. It is long."},
        {"role": "user", "content": "What does the lamp cost?"},
    ]})
}

fn judgement() -> Value {
    let payload = FaithfulnessPayload {
        question: "What does the lamp cost?".to_owned(),
        context: "The lamp costs $5.".to_owned(),
        answer: "The lamp costs $5.".to_owned(),
        statements: vec![Numbered { id: 1, text: "The lamp costs $5.".to_owned() }],
    };
    json!({"model": "j", "messages": [
        {"role": "system", "content": "Judge."}, {"role": "user", "content": payload.wrap("boundary")},
    ], "response_format": {"type": "json_object"}})
}

#[tokio::test]
async fn connection_is_reused_for_answers_and_judgements() {
    let server = TestServer::with(&[]).await;
    let mut client = server.connect().await;
    for _ in 0..3 {
        let answer = client.post("/v1/chat/completions", "", &question()).await.unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "The lamp costs $5."));
        let answer = client.post("/chat/completions", "", &judgement()).await.unwrap();
        assert!(read::<JudgedStatement>(&answer.text(), 1).is_ok());
    }
    let models = client.get("/v1/models").await.unwrap();
    assert_eq!(models.json()["data"][0]["id"], "simulated");
    assert_eq!(client.get("/elsewhere").await.unwrap().status, 404);
    assert_eq!(client.get("/v1/chat/completions").await.unwrap().status, 405);
    let invalid = client.post("/v1/chat/completions", "", &json!({"model": "m"})).await.unwrap();
    assert_eq!((invalid.status, &invalid.json()["error"]["param"]), (400, &json!("messages")));
    assert_eq!(server.stop().await, ServerStats { requests: 7, judgements: 3, faults: 0, refused: 0 });
}

#[tokio::test]
async fn required_key_is_checked() {
    let options = Options { require_key: Some("sesame".to_owned()), ..Options::default() };
    let server = TestServer::start(options).await;
    let mut client = server.connect().await;
    let mut status =
        async |headers: &str| client.post("/v1/chat/completions", headers, &question()).await.unwrap().status;
    assert_eq!(status("").await, 401);
    assert_eq!(status("authorization: Bearer wrong\r\n").await, 401);
    assert_eq!(status("authorization: Bearer sesame\r\n").await, 200);
    assert_eq!(status("api-key: sesame\r\n").await, 200);
    assert_eq!(client.get("/v1/models").await.unwrap().status, 401);
    server.stop().await;
}

#[tokio::test]
async fn error_statuses_have_a_body_and_retry_after() {
    let server = TestServer::with(&["429=1", "retry-after=2"]).await;
    let answer = server.post(&question()).await;
    assert_eq!(answer.status, 429);
    assert!(answer.head.contains("retry-after: 2\r\n"), "{}", answer.head);
    assert_eq!(answer.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(server.stop().await.faults, 1);

    let server = TestServer::with(&["503=1", "retry-after=0.25"]).await;
    assert!(server.post(&question()).await.head.contains("retry-after-ms: 250\r\n"));
    server.stop().await;

    let server = TestServer::with(&["500=1", "retry-after=2"]).await;
    let answer = server.post(&question()).await;
    assert_eq!(answer.status, 500);
    assert!(!answer.head.contains("retry-after"));
    server.stop().await;
}

#[tokio::test]
async fn cut_truncates_the_body_and_reset_the_connection() {
    let server = TestServer::with(&["cut=1"]).await;
    let answer = server.post(&question()).await;
    assert!(answer.status == 200 && answer.body.len() < answer.content_length, "{answer:?}");
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    server.stop().await;

    let server = TestServer::with(&["reset=1"]).await;
    let error = server.connect().await.post("/v1/chat/completions", "", &question()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
    server.stop().await;
}

#[tokio::test]
async fn hang_blocks_neither_connections_nor_shutdown() {
    let server = TestServer::with(&["hang=1"]).await;
    let (mut hanging, mut other) = (server.connect().await, server.connect().await);
    let question = question();
    let (response, stats) = tokio::join!(hanging.post("/v1/chat/completions", "", &question), async {
        while other.get("/stats").await.unwrap().json()["faults"] == 0 {}
        server.stop().await
    });
    assert!(response.is_err(), "{response:?}");
    assert_eq!(stats.faults, 1);
}

#[tokio::test]
async fn invalid_responses_have_the_expected_form() {
    let answer = async |fault: &str| {
        let server = TestServer::with(&[fault]).await;
        let answer = server.post(&question()).await;
        server.stop().await;
        answer
    };
    assert!(answer("empty=1").await.body.is_empty());
    assert!(answer("html=1").await.head.contains("content-type: text/html"));
    let redirected = answer("redirect=1").await;
    assert!(redirected.status == 307 && redirected.head.contains("location: http://elsewhere.invalid"));
    assert_eq!(answer("no-choices=1").await.json()["choices"], json!([]));
    let error = answer("error-200=1").await;
    assert!(error.status == 200 && error.json()["error"]["message"].is_string());
    for (fault, reason) in
        [("null-content=1", "stop"), ("content-filter=1", "content_filter"), ("tool-calls=1", "tool_calls")]
    {
        let choice = answer(fault).await.json()["choices"][0].clone();
        assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&Value::Null, &json!(reason)));
    }
    let cut = answer("length=1").await.json()["choices"][0].clone();
    assert_eq!((&cut["message"]["content"], &cut["finish_reason"]), (&json!("The lamp"), &json!("length")));
    assert!(answer("refusal=1").await.json()["choices"][0]["message"]["refusal"].is_string());
}

#[tokio::test]
async fn judge_faults_leave_answers_unchanged() {
    for fault in ["prose=1", "no-verdict=1", "bad-verdict=1", "echo=1"] {
        let server = TestServer::with(&[fault]).await;
        let text = server.post(&judgement()).await.text();
        assert!(read::<JudgedStatement>(&text, 1).is_err(), "{fault}: {text}");
        assert_eq!(server.post(&question()).await.text(), "The lamp costs $5.");
        assert_eq!(server.stop().await.faults, 1);
    }
    let server = TestServer::with(&["unknown-id=1"]).await;
    let reply: Value = serde_json::from_str(&server.post(&judgement()).await.text()).unwrap();
    assert_eq!(reply["statements"][0]["id"], 1001);
    server.stop().await;
}

#[tokio::test]
async fn refused_parameter_is_named_if_present() {
    let server = TestServer::with(&["refuse-temperature=1"]).await;
    let refused = server.post(&question()).await;
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("temperature")));
    assert_eq!(server.post(&judgement()).await.status, 200);
    server.stop().await;

    let server = TestServer::with(&["refuse-json-object=1"]).await;
    let refused = server.post(&judgement()).await;
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("response_format")));
    server.stop().await;
}

#[tokio::test]
async fn key_and_quota_expire_after_some_requests() {
    for (fault, status, code) in
        [("401-after=2", 401, "invalid_api_key"), ("quota-after=2", 429, "insufficient_quota")]
    {
        let server = TestServer::with(&[fault]).await;
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(server.post(&question()).await);
        }
        assert_eq!(
            answers.iter().map(|answer| answer.status).collect::<Vec<_>>(),
            [200, 200, status, status]
        );
        assert_eq!(answers[3].json()["error"]["code"], code);
        server.stop().await;
    }
}

#[tokio::test]
async fn rate_limit_refuses_with_retry_after() {
    let server = TestServer::with(&["rate-limit=0.01"]).await;
    assert_eq!(server.post(&question()).await.status, 200);
    let limited = server.post(&question()).await;
    assert_eq!(limited.status, 429);
    assert!(limited.head.contains("retry-after-ms: "), "{}", limited.head);
    server.stop().await;
}

#[tokio::test]
async fn faults_depend_on_the_seed() {
    let statuses = async |seed: u64| {
        let mut options = options(&["500=0.5"]);
        options.simulated.seed = seed;
        let server = TestServer::start(options).await;
        let mut client = server.connect().await;
        let mut seen = Vec::new();
        for _ in 0..40 {
            seen.push(client.post("/v1/chat/completions", "", &question()).await.unwrap().status);
        }
        server.stop().await;
        seen
    };
    let first = statuses(1).await;
    assert_eq!(first, statuses(1).await);
    assert_ne!(first, statuses(2).await);
    assert!(first.contains(&200) && first.contains(&500));
}

#[tokio::test]
async fn noise_depends_on_the_occurrence() {
    let simulated = SimulatedOptions { noise: 1.0, ..SimulatedOptions::default() };
    let texts = async || {
        let server = TestServer::start(Options { simulated, ..Options::default() }).await;
        let mut client = server.connect().await;
        let mut seen = Vec::new();
        for _ in 0..12 {
            seen.push(client.post("/v1/chat/completions", "", &question()).await.unwrap().text());
        }
        server.stop().await;
        seen
    };
    let seen = texts().await;
    assert!(seen.iter().any(|text| *text != seen[0]), "{seen:?}");
    assert_eq!(seen, texts().await);
}

#[tokio::test]
async fn requests_are_answered_concurrently() {
    let simulated = SimulatedOptions { latency: Duration::from_secs(1), ..SimulatedOptions::default() };
    let server = TestServer::start(Options { simulated, ..Options::default() }).await;
    let start = std::time::Instant::now();
    let question = question();
    let answers = futures::future::join_all((0..20).map(|_| server.post(&question))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let elapsed = start.elapsed();
    // In sequence they would take twenty seconds.
    assert!(elapsed >= Duration::from_secs(1) && elapsed < Duration::from_secs(18), "{elapsed:?}");
    assert_eq!(server.stop().await.requests, 20);
}

#[tokio::test]
async fn stream_has_the_text_of_the_complete_reply() {
    let server = TestServer::with(&["stream-only=1"]).await;
    let refused = server.post(&question()).await;
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("stream")));
    let mut request = question();
    request["stream"] = json!(true);
    let streamed = server.post(&request).await;
    assert!(streamed.head.contains("content-type: text/event-stream"), "{}", streamed.head);
    let body = String::from_utf8(streamed.body).unwrap();
    assert!(body.ends_with("data: [DONE]\n\n"), "{body}");
    let chunks = body.lines().filter_map(|line| line.strip_prefix("data: {"));
    let chunks: Vec<Value> =
        chunks.map(|chunk| serde_json::from_str(&format!("{{{chunk}")).unwrap()).collect();
    let text = |chunk: &Value| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
    let text: String = chunks.iter().filter_map(text).collect();
    server.stop().await;
    let whole = TestServer::with(&[]).await;
    assert_eq!(json!(text), whole.post(&question()).await.json()["choices"][0]["message"]["content"]);
    whole.stop().await;
}
