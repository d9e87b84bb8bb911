//! Requests as sent, and their connections.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use tokio_rustls::rustls;

use serde_json::{Value, json};

use crate::support::{Folder, KEY};

/// A server that records its requests and answers each with the same text.
pub(crate) struct Recorder {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Recorder {
    /// Starts on a free port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || {
                    let mut bytes = Vec::new();
                    let mut buffer = [0; 4096];
                    while let Ok(read @ 1..) = stream.read(&mut buffer) {
                        bytes.extend_from_slice(&buffer[..read]);
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                        let Ok(body) = serde_json::from_str(body) else { continue };
                        kept.lock().expect("the lock").push((head.to_owned(), body));
                        break;
                    }
                    let answer = json!({"model": "tiny", "choices": [{"index": 0, "finish_reason": "stop",
                        "message": {"role": "assistant", "content": "Plan 1 gives 11 days."}}],
                        "usage": {"prompt_tokens": 9, "completion_tokens": 5}})
                    .to_string();
                    let _ = write!(
                        stream,
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                         connection: close\r\n\r\n{answer}",
                        answer.len()
                    );
                });
            }
        });
        Self { address, requests }
    }

    /// Its base URL.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Request bodies in order of arrival.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.requests.lock().expect("the lock").iter().map(|(_, body)| body.clone()).collect()
    }

    /// Request heads in order of arrival.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.requests.lock().expect("the lock").iter().map(|(head, _)| head.clone()).collect()
    }
}

#[test]
fn request_follows_the_configuration() {
    let server = Recorder::start();
    let folder = Folder::small(1);
    folder.edit(
        "promptgate.yaml",
        "parameters: {temperature: 0}",
        "parameters: {temperature: 0.5, top_k: 3}",
    );
    folder
        .against(&server.base_url(), &["run", "--no-judge", "--baseline", "none", "--repeats", "3"])
        .expect_code(0);
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 3);
    assert_eq!(bodies[0]["model"], "tiny");
    assert_eq!(bodies[0]["temperature"], 0.5);
    assert_eq!(bodies[0]["top_k"], 3);
    assert_eq!(bodies[0]["messages"][0]["role"], "system");
    assert_eq!(bodies[0]["messages"][1]["content"], "How many days does plan 1 give for a refund?");
    let head = server.heads().remove(0).to_ascii_lowercase();
    assert!(head.starts_with("post /v1/chat/completions "), "{head}");
    assert!(head.contains(&format!("authorization: bearer {KEY}")), "{head}");
}

#[test]
fn equal_requests_are_sent_once() {
    let server = Recorder::start();
    let folder = Folder::small(2);
    folder.against(&server.base_url(), &["run", "--no-judge", "--baseline", "file:prompt.md"]).expect_code(0);
    assert_eq!(server.bodies().len(), 2 * 3);
    let report = folder.report();
    assert_eq!(report["usage"]["calls"], 6);
    assert_eq!(report["cases"][0]["trials"].as_array().map(Vec::len), Some(6));
}

#[test]
fn self_signed_certificate_is_refused_and_ca_cert_accepted() {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let pem = certified.cert.pem();
    let key = rustls_key(&certified);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .expect("a configuration");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    runtime.spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    request.extend_from_slice(&buffer[..read]);
                    if String::from_utf8_lossy(&request).contains("}]") {
                        break;
                    }
                }
                let body = r#"{"choices": [{"message": {"content": "Plan 1 gives 11 days."}, "finish_reason": "stop"}]}"#;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let base_url = format!("https://localhost:{port}/v1");
    let folder = Folder::small(2);
    let outcome = folder.against(&base_url, &["run", "--no-judge"]).expect_code(12);
    assert!(outcome.text().contains("certificate"), "{}", outcome.text());
    folder.write("authority.pem", &pem);
    folder.edit("promptgate.yaml", "timeout: 5s", "ca_cert: authority.pem, timeout: 5s");
    folder.against(&base_url, &["run", "--no-judge"]).expect_code(0);
}

fn rustls_key(certified: &rcgen::CertifiedKey<rcgen::KeyPair>) -> rustls::pki_types::PrivateKeyDer<'static> {
    rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key")
}
