//! Connections: keep-alive, limits, slow clients and the end. Time is simulated: it moves only while nothing else does.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Options, Served, ledger};
use crate::serve::{Limits, serve};

pub(super) struct Running {
    pub(super) address: SocketAddr,
    ending: CancellationToken,
    task: JoinHandle<()>,
    served: Served,
}

impl Running {
    pub(super) async fn new(limits: Limits) -> Self {
        // Reading the ledger holds simulated time, and is not what these tests are about.
        let options = Options { limits, refresh: Some(Duration::from_secs(100_000)), ..Options::default() };
        let served = Served::new(ledger(), options).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let ending = CancellationToken::new();
        let shutdown = ending.clone();
        let server = std::sync::Arc::clone(&served.server);
        let task = tokio::spawn(async move { serve(server, listener, shutdown.cancelled()).await });
        Self { address, ending, task, served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("a write");
}

/// Reads one response with its body.
async fn receive(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
                return text;
            }
        }
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.expect("a read");
        assert!(read > 0, "the connection was closed after {text:?}");
        bytes.extend_from_slice(&buffer[..read]);
    }
}

/// Reads until the server closes the connection.
async fn receive_all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("text");
    text
}

const GET: &str = "GET /v1/prompts/triage HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test]
async fn connection_is_reused_and_head_has_no_body() {
    let running = Running::new(Limits::default()).await;
    let mut stream = running.connect().await;
    send(&mut stream, GET).await;
    let got = receive(&mut stream).await;
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{got}");
    send(&mut stream, &GET.replace("GET", "HEAD")).await;
    send(&mut stream, &GET.replace("host: a\r\n", "host: a\r\nconnection: close\r\n")).await;
    let rest = receive_all(&mut stream).await;
    let (head, second) = rest.split_once("\r\n\r\n").expect("a head");
    let length = |head: &str| {
        let line = head.lines().find(|line| line.starts_with("content-length: "));
        line.expect("a length").to_owned()
    };
    assert_eq!(length(head), length(&got));
    // The next response follows at once.
    assert!(second.starts_with("HTTP/1.1 200 OK\r\n"), "{second}");
}

#[tokio::test]
async fn malformed_request_and_long_head_are_refused() {
    let running = Running::new(Limits::default()).await;
    for (request, status) in [
        ("what is this\r\n\r\n".to_owned(), "400 "),
        (format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(20 << 10)), "431 "),
    ] {
        let mut stream = running.connect().await;
        send(&mut stream, &request).await;
        let mut response = [0; 13];
        stream.read_exact(&mut response).await.expect("a response");
        assert_eq!(&response[9..], status.as_bytes());
    }
}

#[tokio::test]
async fn chunked_trace_of_an_sdk_is_read() {
    let running = Running::new(Limits::default()).await;
    let mut stream = running.connect().await;
    let head = "POST /api/public/otel/v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    send(&mut stream, &format!("{head}2\r\n{{}}\r\n")).await;
    send(&mut stream, "0\r\n\r\n").await;
    assert!(receive(&mut stream).await.contains("partialSuccess"));
    assert_eq!(running.served.health().await["discarded"]["traces"], 1);
}

#[tokio::test]
async fn slow_head_and_idle_connection_are_closed() {
    // Real time: a paused clock runs ahead of sockets, to the next limit.
    let running = Running::new(Limits { head: Duration::from_secs(1), ..Limits::default() }).await;
    let (mut slow, mut idle) = (running.connect().await, running.connect().await);
    send(&mut slow, "GET /v1/prom").await;
    send(&mut idle, GET).await;
    receive(&mut idle).await;
    let began = tokio::time::Instant::now();
    assert_eq!(receive_all(&mut idle).await, "");
    receive_all(&mut slow).await;
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[tokio::test]
async fn slow_body_is_refused() {
    let running = Running::new(Limits::default()).await;
    let mut stream = running.connect().await;
    send(&mut stream, "POST /api/public/scores HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n[").await;
    tokio::time::pause();
    let response = receive_all(&mut stream).await;
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert!(response.contains("the body did not arrive in time"), "{response}");
}

#[tokio::test]
async fn old_connection_is_closed() {
    let limits = Limits { age: Duration::from_secs(1), ..Limits::default() };
    let running = Running::new(limits).await;
    let mut stream = running.connect().await;
    send(&mut stream, GET).await;
    receive(&mut stream).await;
    let began = tokio::time::Instant::now();
    assert_eq!(receive_all(&mut stream).await, "");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn connections_above_the_limit_wait() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let running = Running::new(limits).await;
    let (mut first, mut second) = (running.connect().await, running.connect().await);
    // Both are accepted once both have sent; the last response closes its connection, since none is left.
    send(&mut first, GET).await;
    let response = receive(&mut first).await;
    send(&mut second, GET).await;
    let last = receive(&mut second).await;
    assert!(last.contains("connection: close"), "{last}");
    assert!(!last.is_empty() && response.starts_with("HTTP/1.1 200"), "{response}");
    let mut third = running.connect().await;
    send(&mut third, GET).await;
    assert_eq!(receive_all(&mut second).await, "");
    assert!(receive(&mut third).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn end_closes_idle_connections_and_completes_requests() {
    let running = Running::new(Limits::default()).await;
    let (mut idle, mut busy) = (running.connect().await, running.connect().await);
    send(&mut idle, GET).await;
    receive(&mut idle).await;
    let head =
        "POST /api/public/ingestion HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    send(&mut busy, head).await;
    // The request is being read.
    assert!(receive(&mut busy).await.starts_with("HTTP/1.1 100 "));
    running.ending.cancel();
    assert_eq!(receive_all(&mut idle).await, "");
    send(&mut busy, "{}").await;
    let response = receive_all(&mut busy).await;
    assert!(response.starts_with("HTTP/1.1 207 "), "{response}");
    running.task.await.expect("an orderly end");
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn end_does_not_wait_for_slow_clients() {
    let running = Running::new(Limits::default()).await;
    let mut slow = running.connect().await;
    send(
        &mut slow,
        "POST /api/public/ingestion HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n",
    )
    .await;
    assert!(receive(&mut slow).await.starts_with("HTTP/1.1 100 "));
    running.ending.cancel();
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    running.task.await.expect("an orderly end");
    assert_eq!(began.elapsed().as_secs(), Limits::default().grace.as_secs());
}

#[tokio::test]
async fn ledger_is_read_in_the_background() {
    tokio::time::pause();
    let options = Options { refresh: Some(Duration::from_millis(500)), ..Options::default() };
    let served = Served::new(ledger(), options).await;
    let reading = tokio::spawn(crate::serve::refresh::run(std::sync::Arc::clone(&served.server)));
    served.ledger.set_label("triage", "staging", "0.1.0");
    // Each turn waits on simulated time; the task reads in between.
    while served.get("/v1/prompts/triage?ref=staging").await.status == 404 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!reading.is_finished());
    reading.abort();
}
