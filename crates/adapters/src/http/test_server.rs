//! A small HTTP/1.1 server for tests: it reacts to each request with the next entry of a script and records the requests.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The reaction to one request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// Writes these bytes and keeps the connection open.
    Write(Vec<u8>),
    /// Writes these bytes and closes the connection.
    WriteAndClose(Vec<u8>),
    /// Reads the request and never responds.
    Hang,
    /// Closes the connection in the middle of the request, which resets it.
    Reset,
}

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Request line, and headers in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Number of the connection, from 0.
    pub(crate) connection: usize,
}

pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    received: Arc<Mutex<Vec<Received>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts on a free port; after the script, connections are closed without a response.
    pub(crate) async fn start(script: impl IntoIterator<Item = Reaction>) -> Self {
        Self::start_with(script, None).await
    }

    /// Starts with TLS.
    pub(crate) async fn start_tls(script: impl IntoIterator<Item = Reaction>, acceptor: TlsAcceptor) -> Self {
        Self::start_with(script, Some(acceptor)).await
    }

    async fn start_with(script: impl IntoIterator<Item = Reaction>, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let received = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let recorded = Arc::clone(&received);
        let accepting = tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let (script, recorded, acceptor) =
                    (Arc::clone(&script), Arc::clone(&recorded), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, &script, &recorded, connection).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, &script, &recorded, connection).await,
                            Err(_) => None,
                        },
                    }
                });
                connection += 1;
            }
        });
        Self { address, scheme, received, accepting }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("{}://localhost:{}/v1", self.scheme, self.address.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        lock(&self.received).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: &Mutex<VecDeque<Reaction>>,
    recorded: &Mutex<Vec<Received>>,
    connection: usize,
) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?;
        let (line, headers) = head.split_once("\r\n")?;
        let head = format!("{line}\r\n{}", headers.to_lowercase());
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let reaction = lock(script).pop_front();
        if matches!(reaction, Some(Reaction::Reset)) {
            // Unread bytes make the kernel reset the connection.
            return None;
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        lock(recorded).push(Received { head, body, connection });
        match reaction? {
            Reaction::Write(bytes) => stream.write_all(&bytes).await.ok()?,
            Reaction::WriteAndClose(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                return stream.shutdown().await.ok();
            }
            Reaction::Hang => futures::future::pending::<()>().await,
            Reaction::Reset => return None,
        }
    }
}

/// A response with these headers (each with its line break) and a JSON body.
pub(crate) fn response(status: u16, headers: &str, body: &str) -> Reaction {
    let length = body.len();
    Reaction::Write(
        format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        )
        .into_bytes(),
    )
}

/// A complete chat completion.
pub(crate) fn ok(text: &str) -> Reaction {
    response(
        200,
        "",
        &serde_json::json!({
            "id": "1",
            "model": "m-2026",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        })
        .to_string(),
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
