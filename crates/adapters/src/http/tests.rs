use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::test_server::{Reaction, Server, response};
use super::*;
use promptgate_core::text::Redactor;

const TOKEN: &str = "tok-canary-0123456789abcdef";

fn client(base_url: &str) -> Client {
    let token = Secret::new(TOKEN);
    Client::new(ClientOptions {
        base: BaseUrl::parse(base_url, "registry.url", "https://registry.example").unwrap(),
        headers: HeaderMap::from_iter([(AUTHORIZATION, bearer(&token).unwrap())]),
        timeout: Duration::from_secs(5),
        max_idle_connections: 1,
        max_redirects: 3,
        max_body_bytes: 100,
        ca_cert: None,
        names: SettingNames {
            url: "registry.url",
            ca_cert: Some("registry.ca_cert"),
            timeout_help: "raise registry.timeout",
            credential: "token",
        },
        redactor: Arc::new(Redactor::new(&[token])),
    })
    .unwrap()
}

async fn exchange(reactions: Vec<Reaction>, request: impl Fn(&Client) -> Request) -> Result<Value, Error> {
    let server = Server::start(reactions).await;
    let client = client(&server.base_url());
    let request = request(&client);
    let response = client.send(&request).await?;
    client.json(&request, &response)
}

fn get(client: &Client) -> Request {
    Request::new(Method::GET, client.base().join(["prompts", "a/b"]))
}

#[tokio::test]
async fn a_request_has_path_query_headers_and_json_body() {
    let server = Server::start([response(201, "x-total: 7\r\n", r#"{"id": 1}"#)]).await;
    let client = client(&server.base_url());
    let request = Request::new(Method::PUT, client.base().join(["prompts", "a/b"]))
        .query("label", "a&b")
        .header(HeaderName::from_static("x-other"), HeaderValue::from_static("1"))
        .json(json!({"text": "é"}).to_string());
    let response = client.send(&request).await.unwrap();
    assert_eq!((response.status, response.headers["x-total"].as_bytes()), (StatusCode::CREATED, &b"7"[..]));
    assert_eq!(client.json::<Value>(&request, &response).unwrap(), json!({"id": 1}));
    let received = &server.received()[0];
    assert!(received.head.starts_with("PUT /v1/prompts/a%2Fb?label=a%26b HTTP/1.1\r\n"), "{}", received.head);
    for line in [&format!("authorization: bearer {TOKEN}"), "x-other: 1", "content-type: application/json"] {
        assert!(received.head.lines().any(|found| found == line), "{line} in {}", received.head);
    }
    assert_eq!(received.body, "{\"text\":\"é\"}".as_bytes());
}

#[tokio::test]
async fn an_error_status_is_described_without_secrets() {
    let body = format!(r#"{{"error_code": "NOT_FOUND", "message": "no {TOKEN}"}}"#);
    let server = Server::start([response(404, "retry-after: 3\r\n", &body)]).await;
    let client = client(&server.base_url());
    let response = client.send(&get(&client)).await.unwrap();
    let text = response.server_error().describe(response.status, client.redactor());
    assert_eq!(text, "404 Not Found: no [redacted] (code NOT_FOUND)");
    assert_eq!(response.retry_after(Resets::Ignore), Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn a_post_follows_only_redirects_that_keep_the_method() {
    let moved = |status| response(status, "location: /moved\r\n", "");
    for status in [301, 302, 303, 307, 308] {
        let found = exchange(vec![moved(status), response(200, "", "[]")], get).await;
        assert_eq!(found.unwrap(), json!([]));
        let post = |client: &Client| Request::new(Method::POST, client.base().join(["prompts"])).json("{}");
        let posted = exchange(vec![moved(status), response(200, "", "[]")], post).await;
        assert_eq!(posted.is_ok(), status >= 307, "{status}");
    }
    let error = exchange(vec![moved(302); 9], get).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Redirected);
    assert!(error.message.contains("302: redirected too often to /moved"), "{error}");
}

#[tokio::test]
async fn requests_redirects_and_links_stay_in_the_origin() {
    let other = Server::start([response(200, "", "[]")]).await;
    let elsewhere = format!("http://user:hush@localhost:{}/x?hush=1", other.port());
    let error =
        exchange(vec![response(307, &format!("location: {elsewhere}\r\n"), "")], get).await.unwrap_err();
    assert_eq!(
        error.help,
        "the token was not sent there; if that address is correct, set registry.url to it"
    );
    let link = client("http://localhost:1").same_origin(&elsewhere).unwrap_err();
    let direct = |_: &Client| Request::new(Method::GET, elsewhere.parse().unwrap());
    let direct = exchange(vec![response(200, "", "[]")], direct).await.unwrap_err();
    for error in [error, link, direct] {
        assert_eq!(error.kind, ErrorKind::Redirected);
        let origin = format!("http://localhost:{}", other.port());
        assert!(error.message.ends_with(&origin) && !error.message.contains("hush"), "{error}");
    }
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn unusable_bodies_are_errors_with_place_reason_and_next_step() {
    let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>";
    for (reaction, kind, reason, help) in [
        (
            response(200, "", &"[1]".repeat(40)),
            ErrorKind::TooLarge,
            "the answer is larger than 100 bytes",
            "check registry.url",
        ),
        (
            Reaction::WriteAndClose(html.into()),
            ErrorKind::InvalidBody,
            "the answer is text/html, not JSON",
            "check registry.url: this looks like a web page or a proxy's log-in",
        ),
        (
            response(200, "", "{"),
            ErrorKind::InvalidBody,
            "the answer is not the expected JSON: EOF while parsing an object at line 1 column 1",
            "check registry.url",
        ),
        (
            Reaction::WriteAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
            ErrorKind::Truncated,
            "the answer is cut off: the connection ended within its body",
            "see the server's log",
        ),
    ] {
        let error = exchange(vec![reaction], get).await.unwrap_err();
        assert_eq!((error.kind, error.help.as_str()), (kind, help));
        assert!(error.message.starts_with("GET localhost:"), "{error}");
        assert!(error.message.ends_with(&format!("/v1/prompts/a%2Fb: {reason}")), "{error}");
    }
}

#[tokio::test]
async fn a_stale_connection_resends_only_repeatable_requests() {
    for (method, is_sent_again) in [(Method::GET, true), (Method::POST, false)] {
        let closed = || Reaction::WriteAndClose(Vec::new());
        let server = Server::start([response(200, "", "1"), closed(), response(200, "", "2")]).await;
        let client = client(&server.base_url());
        let request = Request::new(method, client.base().join(["x"]));
        client.send(&request).await.unwrap();
        let second = client.send(&request).await;
        assert_eq!(second.is_ok(), is_sent_again, "{second:?}");
        assert_eq!(server.received().len(), if is_sent_again { 3 } else { 2 });
    }
}
