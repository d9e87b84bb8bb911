//! The mock server over real sockets.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{FaultSpec, Options, Served, serve};
use crate::SimulatedOptions;
use promptgate_engine::judge::registry::faithfulness::{FaithfulnessPayload, JudgedStatement};
use promptgate_engine::judge::reply::read;
use promptgate_engine::judge::request::{Numbered, Payload};

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<Served>>,
}

impl Running {
    async fn start(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(serve(listener, options, async move {
            let _ = stopped.await;
        }));
        Self { address, stop, task }
    }

    async fn with(faults: &[&str]) -> Self {
        Self::start(options(faults)).await
    }

    async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap() }
    }

    async fn ask(&self, body: &Value) -> Answer {
        self.connect().await.post("/v1/chat/completions", "", body).await.unwrap()
    }

    async fn stop(self) -> Served {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap()
    }
}

fn options(faults: &[&str]) -> Options {
    let faults = faults.iter().map(|text| text.parse::<FaultSpec>().unwrap()).collect();
    Options { faults, ..Options::default() }
}

struct Client {
    stream: TcpStream,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
    /// Bytes that `Content-Length` promised.
    promised: usize,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        self.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    }
}

impl Client {
    async fn post(&mut self, path: &str, headers: &str, body: &Value) -> io::Result<Answer> {
        let body = body.to_string();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n", body.len());
        self.stream.write_all(format!("{head}{body}").as_bytes()).await?;
        self.read().await
    }

    async fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await?;
        self.read().await
    }

    async fn read(&mut self) -> io::Result<Answer> {
        let mut seen = Vec::new();
        let mut chunk = [0; 4096];
        let end = loop {
            if let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            let read = self.stream.read(&mut chunk).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            seen.extend_from_slice(&chunk[..read]);
        };
        let mut body = seen.split_off(end);
        let head = String::from_utf8(seen).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let promised = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let promised = promised.unwrap_or("0").parse().unwrap();
        while body.len() < promised {
            match self.stream.read(&mut chunk).await? {
                0 => break,
                read => body.extend_from_slice(&chunk[..read]),
            }
        }
        Ok(Answer { status, head, body, promised })
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
async fn one_connection_answers_and_judges_many_times() {
    let server = Running::with(&[]).await;
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
    let refused = client.post("/v1/chat/completions", "", &json!({"model": "m"})).await.unwrap();
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("messages")));
    assert_eq!(server.stop().await, Served { requests: 7, judgements: 3, faults: 0, refused: 0 });
}

#[tokio::test]
async fn a_key_is_asked_for_when_required() {
    let options = Options { require_key: Some("sesame".to_owned()), ..Options::default() };
    let server = Running::start(options).await;
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
async fn statuses_come_with_an_error_body_and_the_wait() {
    let server = Running::with(&["429=1", "retry-after=2"]).await;
    let answer = server.ask(&question()).await;
    assert_eq!(answer.status, 429);
    assert!(answer.head.contains("retry-after: 2\r\n"), "{}", answer.head);
    assert_eq!(answer.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(server.stop().await.faults, 1);

    let server = Running::with(&["503=1", "retry-after=0.25"]).await;
    assert!(server.ask(&question()).await.head.contains("retry-after-ms: 250\r\n"));
    server.stop().await;

    let server = Running::with(&["500=1", "retry-after=2"]).await;
    let answer = server.ask(&question()).await;
    assert_eq!(answer.status, 500);
    assert!(!answer.head.contains("retry-after"));
    server.stop().await;
}

#[tokio::test]
async fn bodies_are_cut_and_connections_reset() {
    let server = Running::with(&["cut=1"]).await;
    let answer = server.ask(&question()).await;
    assert!(answer.status == 200 && answer.body.len() < answer.promised, "{answer:?}");
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    server.stop().await;

    let server = Running::with(&["reset=1"]).await;
    let failed = server.connect().await.post("/v1/chat/completions", "", &question()).await.unwrap_err();
    assert_eq!(failed.kind(), io::ErrorKind::ConnectionReset, "{failed}");
    server.stop().await;
}

#[tokio::test]
async fn a_hanging_request_blocks_no_other_connection_and_no_shutdown() {
    let server = Running::with(&["hang=1"]).await;
    let mut client = server.connect().await;
    let question = question();
    let asked = client.post("/v1/chat/completions", "", &question);
    assert!(tokio::time::timeout(Duration::from_millis(50), asked).await.is_err());
    assert_eq!(server.connect().await.get("/v1/models").await.unwrap().status, 200);
    assert_eq!(server.stop().await.faults, 1);
}

#[tokio::test]
async fn answers_that_are_none() {
    let answer = async |fault: &str| {
        let server = Running::with(&[fault]).await;
        let answer = server.ask(&question()).await;
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
async fn judges_misbehave_and_answers_stay_well() {
    for fault in ["prose=1", "no-verdict=1", "bad-verdict=1", "echo=1"] {
        let server = Running::with(&[fault]).await;
        let said = server.ask(&judgement()).await.text();
        assert!(read::<JudgedStatement>(&said, 1).is_err(), "{fault}: {said}");
        assert_eq!(server.ask(&question()).await.text(), "The lamp costs $5.");
        assert_eq!(server.stop().await.faults, 1);
    }
    let server = Running::with(&["unknown-id=1"]).await;
    let reply: Value = serde_json::from_str(&server.ask(&judgement()).await.text()).unwrap();
    assert_eq!(reply["statements"][0]["id"], 1001);
    server.stop().await;
}

#[tokio::test]
async fn refused_parameters_are_named_when_present() {
    let server = Running::with(&["refuse-temperature=1"]).await;
    let refused = server.ask(&question()).await;
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("temperature")));
    assert_eq!(server.ask(&judgement()).await.status, 200);
    server.stop().await;

    let server = Running::with(&["refuse-json-object=1"]).await;
    let refused = server.ask(&judgement()).await;
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("response_format")));
    server.stop().await;
}

#[tokio::test]
async fn keys_die_and_quotas_are_spent_after_a_while() {
    for (fault, status, code) in
        [("401-after=2", 401, "invalid_api_key"), ("quota-after=2", 429, "insufficient_quota")]
    {
        let server = Running::with(&[fault]).await;
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(server.ask(&question()).await);
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
async fn the_rate_limit_holds_and_says_how_long() {
    let server = Running::with(&["rate-limit=0.01"]).await;
    assert_eq!(server.ask(&question()).await.status, 200);
    let limited = server.ask(&question()).await;
    assert_eq!(limited.status, 429);
    assert!(limited.head.contains("retry-after-ms: "), "{}", limited.head);
    server.stop().await;
}

#[tokio::test]
async fn faults_follow_the_seed() {
    let statuses = async |seed: u64| {
        let mut options = options(&["500=0.5"]);
        options.simulated.seed = seed;
        let server = Running::start(options).await;
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
async fn noise_differs_by_how_often_the_request_came() {
    let simulated = SimulatedOptions { noise: 1.0, ..SimulatedOptions::default() };
    let texts = async || {
        let server = Running::start(Options { simulated, ..Options::default() }).await;
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
async fn requests_are_answered_at_the_same_time() {
    let simulated = SimulatedOptions { latency: Duration::from_secs(1), ..SimulatedOptions::default() };
    let server = Running::start(Options { simulated, ..Options::default() }).await;
    let start = std::time::Instant::now();
    let question = question();
    let answers = futures::future::join_all((0..20).map(|_| server.ask(&question))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let took = start.elapsed();
    // One after the other they would take twenty seconds.
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(18), "{took:?}");
    assert_eq!(server.stop().await.requests, 20);
}
