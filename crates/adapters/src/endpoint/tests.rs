use std::sync::Arc;
use std::time::Duration;

use rcgen::generate_simple_self_signed;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::http::test_server::{Reaction, Server, ok, response};
use promptgate_core::model::FinishReason;
use promptgate_core::text::Secret;
use promptgate_testing::{RecordedEvents, request};

const KEY: &str = "sk-canary-0123456789abcdef";

fn options(base_url: String) -> Options {
    Options { api_key: Some(Secret::new(KEY)), attempts: 1, ..Options::new(base_url) }
}

fn model(options: Options) -> (Arc<dyn ChatModel>, Arc<RecordedEvents>) {
    let events = Arc::new(RecordedEvents::default());
    let redactor = Arc::new(Redactor::new(&[Secret::new(KEY)]));
    let model = connect(options, Arc::clone(&events) as _, redactor, CancellationToken::new()).unwrap();
    (model, events)
}

fn refused(options: Options) -> Diagnostic {
    let redactor = Arc::new(Redactor::default());
    match connect(options, Arc::new(promptgate_core::port::NullSink), redactor, CancellationToken::new()) {
        Ok(_) => panic!("these options are valid"),
        Err(diagnostic) => diagnostic,
    }
}

/// Returns the fault of one call to a server with these reactions.
async fn fault_of(reactions: Vec<Reaction>) -> Fault {
    let server = Server::start(reactions).await;
    let (model, _) = model(options(server.base_url()));
    let fault = model.complete(&request()).await.unwrap_err();
    assert!(
        fault.message.starts_with(&format!("POST localhost:{}/v1/chat/completions: ", server.port())),
        "{fault}"
    );
    assert!(!fault.message.contains("canary"), "{fault}");
    fault
}

fn raw(text: &str) -> Reaction {
    Reaction::WriteAndClose(text.as_bytes().to_vec())
}

#[tokio::test]
async fn a_call_sends_a_complete_request_and_parses_the_response() {
    let server = Server::start([ok("hello")]).await;
    let mut settings = options(format!("{}?api-version=7", server.base_url()));
    settings.headers = vec![("Api-Key".to_owned(), Secret::new("other"))];
    let (model, events) = model(settings);
    let completion = model.complete(&request()).await.unwrap();
    assert_eq!((completion.text.as_str(), completion.finish_reason), ("hello", FinishReason::Stop));
    assert_eq!(completion.usage.unwrap().prompt_tokens, 3);
    assert_eq!(completion.model.as_deref(), Some("m-2026"));
    assert!(
        completion.latency_ms > 0.0 && completion.latency_ms < 60_000.0 && completion.cached_at.is_none()
    );

    let received = server.received();
    assert_eq!(received.len(), 1);
    let head = &received[0].head;
    assert!(head.starts_with("POST /v1/chat/completions?api-version=7 HTTP/1.1\r\n"), "{head}");
    for line in [
        format!("authorization: bearer {}", KEY.to_lowercase()),
        "api-key: other".to_owned(),
        "content-type: application/json".to_owned(),
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert!(head.lines().any(|line| line == "accept-encoding: gzip"), "{head}");
    let body: Value = serde_json::from_slice(&received[0].body).unwrap();
    assert_eq!(body["messages"][0]["content"], "why?");
    assert_eq!(events.all(), [Event::CallStarted, Event::CallEnded]);
}

#[tokio::test]
async fn connections_are_reused() {
    let server = Server::start([ok("1"), ok("2"), ok("3")]).await;
    let (model, _) = model(options(server.base_url()));
    for _ in 0..3 {
        model.complete(&request()).await.unwrap();
    }
    assert!(server.received().iter().all(|received| received.connection == 0));
}

#[tokio::test]
async fn every_status_becomes_a_fault() {
    for (status, kind) in [
        (400, FaultKind::Rejected),
        (401, FaultKind::Unauthorized),
        (402, FaultKind::QuotaSpent),
        (403, FaultKind::Forbidden),
        (404, FaultKind::NotFound),
        (408, FaultKind::Unavailable),
        (409, FaultKind::Unavailable),
        (422, FaultKind::Rejected),
        (425, FaultKind::Unavailable),
        (429, FaultKind::RateLimited),
        (500, FaultKind::Unavailable),
        (502, FaultKind::Unavailable),
        (503, FaultKind::Unavailable),
        (504, FaultKind::Unavailable),
        (529, FaultKind::Unavailable),
    ] {
        let body = format!(r#"{{"error": {{"message": "said {KEY}", "code": null}}}}"#);
        let fault = fault_of(vec![response(status, "", &body)]).await;
        assert_eq!(fault.kind, kind, "{status}");
        assert!(
            fault.message.contains(&format!("{status}")) && fault.message.contains("said [redacted]"),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn an_incomplete_response_is_a_fault() {
    let head = "HTTP/1.1 200 OK\r\n";
    for (reaction, kind, part) in [
        (response(200, "", ""), FaultKind::InvalidAnswer, "empty"),
        (response(200, "", "{\"choices\": ["), FaultKind::InvalidAnswer, "cut off"),
        (response(200, "", r#"{"choices": []}"#), FaultKind::InvalidAnswer, "`choices` is empty"),
        (
            response(200, "", &format!(r#"{{"error": {{"message": "{KEY}"}}}}"#)),
            FaultKind::InvalidAnswer,
            "[redacted]",
        ),
        (
            raw(&format!("{head}content-type: text/html\r\ncontent-length: 2\r\n\r\n{{}}")),
            FaultKind::InvalidAnswer,
            "text/html",
        ),
        (
            raw(&format!("{head}content-type: text/event-stream\r\n\r\ndata: {{}}\n\n")),
            FaultKind::InvalidAnswer,
            "the stream is empty",
        ),
        (raw("HTTP/1.1 204 No Content\r\n\r\n"), FaultKind::InvalidAnswer, "empty"),
        (
            raw(&format!("{head}content-length: 100\r\n\r\n{{\"choices\"")),
            FaultKind::InvalidAnswer,
            "cut off",
        ),
        (
            raw(&format!("{head}transfer-encoding: chunked\r\n\r\nff\r\n{{")),
            FaultKind::InvalidAnswer,
            "cut off",
        ),
        (
            raw(&format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n{{")),
            FaultKind::InvalidAnswer,
            "cut off",
        ),
        (raw("HTTP/1.1 2"), FaultKind::Disconnected, ""),
        (raw("SSH-2.0-OpenSSH_9.9\r\n\r\n"), FaultKind::Disconnected, ""),
        (raw(""), FaultKind::Disconnected, "closed before"),
        (Reaction::Reset, FaultKind::Disconnected, ""),
    ] {
        let shown = format!("{reaction:?}");
        let fault = fault_of(vec![reaction]).await;
        assert_eq!(fault.kind, kind, "{shown}: {fault}");
        assert!(fault.message.contains(part), "{fault}");
    }
}

#[tokio::test]
async fn any_json_media_type_or_none_is_accepted() {
    let body = r#"{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}"#;
    for kind in [
        "",
        "content-type: application/json; charset=utf-8\r\n",
        "content-type: Application/Problem+JSON\r\n",
    ] {
        let server = Server::start([raw(&format!("HTTP/1.1 200 OK\r\n{kind}\r\n{body}"))]).await;
        let (model, _) = model(options(server.base_url()));
        assert_eq!(model.complete(&request()).await.unwrap().text, "a");
    }
}

#[tokio::test]
async fn a_body_above_the_size_limit_is_a_fault() {
    let body = r#"{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}"#;
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for (cap, fits) in [(body.len(), true), (body.len() - 1, false), (0, false)] {
        for reaction in [response(200, "", body), raw(&chunked)] {
            let server = Server::start([reaction]).await;
            let (model, _) = model(Options { max_body_bytes: cap, ..options(server.base_url()) });
            match model.complete(&request()).await {
                Ok(_) => assert!(fits),
                Err(fault) => {
                    assert!(!fits, "{fault}");
                    assert_eq!(fault.kind, FaultKind::TooLarge);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_never_responds_causes_a_timeout() {
    let half = Reaction::Write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{".to_vec());
    for reaction in [Reaction::Hang, half] {
        let server = Server::start([reaction]).await;
        let (model, _) = model(Options { timeout: Duration::from_millis(200), ..options(server.base_url()) });
        let fault = model.complete(&request()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Timeout, "{fault}");
        assert!(fault.message.contains("0.2 s") && fault.help.is_some(), "{fault}");
    }
}

#[tokio::test]
async fn a_closed_port_is_reported() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (model, _) = model(options(format!("http://127.0.0.1:{port}/v1")));
    let fault = model.complete(&request()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Connection);
    assert!(fault.message.ends_with("connection refused"), "{fault}");
    assert!(fault.help.unwrap().contains("is the server running?"));
}

#[tokio::test]
async fn a_connection_closed_while_idle_costs_no_attempt() {
    let server = Server::start([ok("1"), raw(""), ok("2")]).await;
    let (model, events) = model(options(server.base_url()));
    model.complete(&request()).await.unwrap();
    assert_eq!(model.complete(&request()).await.unwrap().text, "2");
    assert_eq!(events.count(|event| matches!(event, Event::Retried { .. })), 0);
    assert_eq!(events.count(|event| *event == Event::CallStarted), 2);
}

#[tokio::test]
async fn a_server_that_closes_every_connection_costs_no_attempt() {
    let body = r#"{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}"#;
    let length = body.len();
    for header in ["connection: close\r\n", "keep-alive: timeout=0\r\n", ""] {
        let answer = raw(&format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{header}\r\n{body}"));
        let server = Server::start(vec![answer; 40]).await;
        let (model, events) = model(options(server.base_url()));
        let request = request();
        // Several idle connections are closed when the next calls start.
        for _ in 0..5 {
            for result in futures::future::join_all((0..4).map(|_| model.complete(&request))).await {
                result.unwrap();
            }
        }
        assert_eq!(events.count(|event| matches!(event, Event::Retried { .. })), 0);
        assert_eq!(events.count(|event| *event == Event::CallStarted), 20, "{header:?}");
    }
}

#[tokio::test]
async fn retries_send_the_same_request_again() {
    let reactions = [
        response(503, "retry-after-ms: 5\r\n", ""),
        response(429, "retry-after-ms: 5\r\n", ""),
        ok("at last"),
    ];
    let server = Server::start(reactions).await;
    let (model, events) = model(options(server.base_url()));
    assert_eq!(model.complete(&request()).await.unwrap().text, "at last");
    let received = server.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|one| one.body == received[0].body));
    assert_eq!(events.count(|event| matches!(event, Event::Retried { .. })), 2);
    assert_eq!(events.count(|event| *event == Event::CallEnded), 3);
}

#[tokio::test]
async fn a_budget_counts_every_attempt() {
    let reaction = response(429, "retry-after-ms: 1\r\n", "");
    let server = Server::start([reaction.clone(), reaction.clone(), reaction, ok("too late")]).await;
    let budget =
        Arc::new(Budget::new(Ceilings { calls: Some(3), ..Ceilings::default() }, Default::default()));
    let (model, _) = model(Options { budget: Some(Arc::clone(&budget)), ..options(server.base_url()) });
    assert_eq!(model.complete(&request()).await.unwrap_err().kind, FaultKind::BudgetSpent);
    assert_eq!((server.received().len(), budget.calls()), (3, 3));
}

fn redirect(status: u16, to: &str) -> Reaction {
    response(status, &format!("location: {to}\r\n"), "")
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_once() {
    for status in [307, 308] {
        let server = Server::start([redirect(status, "/v2/chat/completions"), ok("moved")]).await;
        let (model, _) = model(options(server.base_url()));
        assert_eq!(model.complete(&request()).await.unwrap().text, "moved");
        let received = server.received();
        assert!(received[1].head.starts_with("POST /v2/chat/completions "));
        assert_eq!(received[0].body, received[1].body);
    }
    let fault = fault_of(vec![redirect(307, "/a"), redirect(307, "/b"), ok("never")]).await;
    assert_eq!(fault.kind, FaultKind::Redirected);
    assert!(fault.message.contains("redirected twice"), "{fault}");
}

#[tokio::test]
async fn redirects_that_drop_the_body_are_rejected() {
    for status in [300, 301, 302, 303, 304] {
        let fault = fault_of(vec![redirect(status, "/v2"), ok("never")]).await;
        assert_eq!(fault.kind, FaultKind::Redirected, "{status}");
    }
    let fault = fault_of(vec![response(307, "", "")]).await;
    assert_eq!(fault.kind, FaultKind::Redirected);
}

#[tokio::test]
async fn credentials_never_go_to_another_origin() {
    let other = Server::start([ok("stolen")]).await;
    for (status, to) in [
        (307, format!("http://localhost:{}/v1/chat/completions?hush=1", other.port())),
        (308, format!("http://user:hush@127.0.0.1:{}/", other.port())),
        (307, format!("//localhost:{}/", other.port())),
        (307, format!("https://localhost:{}/", other.port())),
        (302, format!("http://localhost:{}/", other.port())),
    ] {
        let fault = fault_of(vec![redirect(status, &to)]).await;
        assert_eq!(fault.kind, FaultKind::Redirected, "{to}");
        assert!(!fault.message.contains("hush"), "{fault}");
        assert!(fault.message.contains(&other.port().to_string()), "{fault}");
    }
    assert!(other.received().is_empty());
    // The same port under another host name is another origin.
    let server = Server::start([]).await;
    let to = format!("http://127.0.0.1:{}/v1", server.port());
    drop(server);
    assert_eq!(fault_of(vec![redirect(307, &to)]).await.kind, FaultKind::Redirected);
}

fn self_signed(names: &[&str]) -> (String, TlsAcceptor) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = generate_simple_self_signed(names).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.pem(), TlsAcceptor::from(Arc::new(config)))
}

/// Options that also work on a machine without trusted roots.
fn trusting(server: &Server, pem: String) -> Options {
    Options { ca_cert: Some(pem.into_bytes()), ..options(server.base_url()) }
}

#[tokio::test]
async fn a_self_signed_certificate_is_rejected_unless_configured() {
    let (pem, acceptor) = self_signed(&["localhost"]);
    let server = Server::start_tls([ok("private"), ok("private")], acceptor).await;
    let (unrelated, _) = self_signed(&["localhost"]);
    let (untrusting, _) = model(trusting(&server, unrelated));
    let fault = untrusting.complete(&request()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Certificate, "{fault}");
    assert!(fault.help.unwrap().contains("endpoint.ca_cert"));
    assert!(server.received().is_empty());
    let (trusting, _) = model(trusting(&server, pem));
    assert_eq!(trusting.complete(&request()).await.unwrap().text, "private");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_rejected() {
    let (pem, acceptor) = self_signed(&["elsewhere.example"]);
    let server = Server::start_tls([ok("private")], acceptor).await;
    let (model, _) = model(trusting(&server, pem));
    let fault = model.complete(&request()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Certificate, "{fault}");
}

#[tokio::test]
async fn https_to_a_plain_port_is_reported() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (pem, _) = self_signed(&["localhost"]);
    let base_url = format!("https://127.0.0.1:{port}/v1");
    let (model, _) = model(Options { ca_cert: Some(pem.into_bytes()), ..options(base_url) });
    let request = request();
    let (result, ()) = tokio::join!(model.complete(&request), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // A plain server responds like this to a TLS handshake. Reading the whole handshake first avoids a reset.
        let _ = stream.read(&mut [0; 16 << 10]).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let fault = result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Connection, "{fault}");
    assert!(fault.message.contains("no encrypted connection"), "{fault}");
    assert!(fault.help.unwrap().contains("http in endpoint.base_url"));
}

#[tokio::test]
async fn a_missing_key_is_reported_without_a_call() {
    let settings = Options { api_key_env: "MY_KEY".to_owned(), ..Options::new("https://api.example.com/v1") };
    for api_key in [None, Some(Secret::new(" \n"))] {
        let (model, events) = model(Options { api_key, ..settings.clone() });
        let fault = model.complete(&request()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::MissingCredentials);
        assert!(fault.message.contains("MY_KEY") && fault.message.contains("api.example.com"), "{fault}");
        assert!(events.all().is_empty());
    }
}

#[tokio::test]
async fn a_local_endpoint_needs_no_key() {
    let server = Server::start([ok("fine")]).await;
    let (model, events) = model(Options::new(server.base_url()));
    model.complete(&request()).await.unwrap();
    assert!(!server.received()[0].head.contains("authorization"));
    assert_eq!(events.count(|event| matches!(event, Event::Warning { .. })), 0);
}

#[tokio::test]
async fn a_key_sent_without_encryption_causes_a_warning() {
    let (_, events) = model(options("http://api.example.com/v1".to_owned()));
    let events = events.all();
    assert!(matches!(events.as_slice(), [Event::Warning { message }] if message.contains("api.example.com")));
}

#[test]
fn invalid_options_are_diagnostics_without_secrets() {
    let base = || options("http://localhost:1".to_owned());
    for settings in [
        Options { api_key: Some(Secret::new("canary\nsecond line")), ..base() },
        Options { headers: vec![("bad name".to_owned(), Secret::new("canary"))], ..base() },
        Options { headers: vec![("x".to_owned(), Secret::new("canary\r\nx: y"))], ..base() },
        Options { headers: vec![("Host".to_owned(), Secret::new("canary"))], ..base() },
        Options { ca_cert: Some(b"not a certificate".to_vec()), ..base() },
        Options {
            ca_cert: Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
            ..options("https://localhost:1".to_owned())
        },
        Options { base_url: "https://user:canary@localhost:1".to_owned(), ..base() },
    ] {
        let diagnostic = refused(settings);
        assert!(!diagnostic.to_string().contains("canary"), "{diagnostic}");
        assert!(diagnostic.help.is_some() || diagnostic.place.is_some(), "{diagnostic}");
    }
}
