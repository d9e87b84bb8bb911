//! nginx between promptgate and its mock server: effects of a proxy on responses, limits and connections.

use serde_json::Value;

use crate::nginx::Nginx;
use crate::prepared::ExpectText as _;
use crate::support::{Folder, MockServer};

/// The calls of [`Folder::small`] with one repeat: a completion and two judgements for each of two variants.
fn calls(cases: usize) -> usize {
    cases * 2 * 3
}

fn small(cases: usize) -> Folder {
    Folder::small(cases).without_self_test()
}

/// Forwards all requests to the mock server.
fn proxy_to(mock: &MockServer) -> String {
    format!("location / {{ proxy_pass {}; }}", mock.base_url.trim_end_matches("/v1"))
}

/// Without the cache, so that every judgement is a separate call.
const ONCE: [&str; 4] = ["run", "--no-cache", "--repeats", "1"];

/// The outputs and scores of a report, in order.
fn outputs_and_scores(report: &Value) -> Vec<Value> {
    let cases = report["cases"].as_array().expect("cases");
    let trials = cases.iter().flat_map(|case| case["trials"].as_array().expect("trials"));
    trials
        .flat_map(|trial| {
            let scores =
                trial["grades"].as_array().expect("grades").iter().map(|grade| grade["score"].clone());
            std::iter::once(trial["output"].clone()).chain(scores).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn compressed_answers_are_read() {
    let mock = MockServer::start(&[]);
    let Some(nginx) = Nginx::start(|_| {
        format!("gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; {}", proxy_to(&mock))
    }) else {
        return;
    };
    let (plain, compressed) = (small(4), small(4));
    plain.against(&mock.base_url, &ONCE);
    let code = nginx.run(&compressed, &ONCE).code;
    assert!([0, 11].contains(&code), "{code}");
    let requests = nginx.site_requests();
    assert_eq!(requests.len(), calls(4));
    assert!(requests.iter().all(|request| request.encoding == "gzip"), "{requests:?}");
    assert_eq!(outputs_and_scores(&compressed.report()), outputs_and_scores(&plain.report()));
}

#[test]
fn proxy_error_page_is_reported_without_markup() {
    // The port of a server that has stopped.
    let gone = MockServer::start(&[]).base_url.clone();
    let Some(nginx) = Nginx::start(|_| format!("location / {{ proxy_pass {gone}; }}")) else { return };
    let outcome = nginx.run(&small(3), &ONCE).expect_code(12).expect_text("502 Bad Gateway: an HTML page");
    assert!(!outcome.text().contains("<html") && !outcome.text().contains("<center"), "{}", outcome.text());
    // The first call is a probe with two attempts, repeated at the end; no further calls start.
    assert!(nginx.site_requests().len() <= 4, "{:?}", nginx.site_requests());
}

#[test]
fn proxy_timeout_is_named() {
    let mock = MockServer::start(&["--fault", "hang=1"]);
    let Some(nginx) = Nginx::start(|_| format!("proxy_read_timeout 50ms; {}", proxy_to(&mock))) else {
        return;
    };
    nginx.run(&small(3), &ONCE).expect_code(12).expect_text("504 Gateway Time").expect_text("an HTML page");
}

#[test]
fn login_page_is_not_an_answer() {
    let Some(nginx) = Nginx::start(|_| {
        "default_type text/html; location / { return 200 '<!doctype html><h1>Please sign in</h1>'; }"
            .to_owned()
    }) else {
        return;
    };
    nginx
        .run(&small(3), &ONCE)
        .expect_code(12)
        .expect_text("the answer is text/html, not JSON")
        .expect_text("log-in");
}

#[test]
fn proxy_authentication_ends_the_run() {
    let mock = MockServer::start(&[]);
    let Some(nginx) =
        Nginx::start(|_| format!("auth_basic inside; auth_basic_user_file none; {}", proxy_to(&mock)))
    else {
        return;
    };
    nginx
        .run(&small(3), &ONCE)
        .expect_code(12)
        .expect_text("401 Unauthorized")
        .expect_text("check the key in OPENAI_API_KEY");
    assert_eq!(nginx.site_requests().len(), 1);
}

#[test]
fn oversized_request_costs_its_trial_alone() {
    let mock = MockServer::start(&[]);
    let Some(nginx) = Nginx::start(|_| format!("client_max_body_size 64k; {}", proxy_to(&mock))) else {
        return;
    };
    let folder = small(4);
    // Far above the limit, so that the response arrives while the request is still being sent.
    let context = "Plan 9 gives 19 days for a refund. ".repeat(60_000);
    folder.append(
        "cases.jsonl",
        &format!("{{\"id\": \"huge\", \"query\": \"How many days does plan 9 give?\", \"context\": \"{context}\"}}\n"),
    );
    nginx.run(&folder, &ONCE).expect_code(12);
    let report = folder.report();
    let cases = report["cases"].as_array().expect("cases");
    for case in cases {
        let missing =
            case["trials"].as_array().expect("trials").iter().all(|trial| trial["error"].is_object());
        assert_eq!(missing, case["id"] == "huge", "{case}");
    }
    let refused = nginx.site_requests().iter().filter(|request| request.status == 413).count();
    assert_eq!(refused, 2, "one call for each variant");
}

#[test]
fn rate_limit_loses_no_answer() {
    let mock = MockServer::start(&[]);
    for (status, hint) in
        [(429, "add_header Retry-After 1 always;"), (503, "add_header Retry-After 1 always;"), (429, "")]
    {
        let site = |_: &_| {
            format!(
                "{hint} limit_req zone=pace burst=5 nodelay; limit_req_status {status}; {}",
                proxy_to(&mock)
            )
        };
        let zone = "limit_req_zone $binary_remote_addr zone=pace:1m rate=20r/s;";
        let Some(nginx) = Nginx::listening("", zone, site) else { return };
        let folder = small(5);
        folder.edit(
            "promptgate.yaml",
            "attempts: 2, max_wait: 2s",
            "attempts: 8, max_wait: 60s, max_concurrency: 8",
        );
        let code = nginx.run(&folder, &ONCE).code;
        assert!([0, 11].contains(&code), "{status}: {code}");
        let requests = nginx.site_requests();
        let count = |status: u16| requests.iter().filter(|request| request.status == status).count();
        assert_eq!((count(200), count(200) + count(status)), (calls(5), requests.len()), "{status}");
        assert!(count(status) > 0, "the limit was not reached");
        assert!(outputs_and_scores(&folder.report()).iter().all(|value| !value.is_null()), "{status}");
    }
}

#[test]
fn closed_idle_connections_are_not_faults() {
    let mock = MockServer::start(&[]);
    // Idle: after the first 50 calls there is one every 100 ms, just when the connection closes.
    for (directive, limit) in
        [("keepalive_timeout 100ms;", "rpm: 600"), ("keepalive_requests 2;", "max_concurrency: 8")]
    {
        let Some(nginx) = Nginx::start(|_| format!("{directive} {}", proxy_to(&mock))) else { return };
        let folder = small(11);
        folder.edit(
            "promptgate.yaml",
            "attempts: 2, max_wait: 2s",
            &format!("attempts: 1, max_wait: 0s, {limit}"),
        );
        let outcome = nginx.run(&folder, &ONCE);
        assert!([0, 11].contains(&outcome.code), "{}", outcome.text());
        let requests = nginx.site_requests();
        assert_eq!(requests.len(), calls(11), "{directive}");
        assert!(requests.iter().all(|request| request.status == 200), "{requests:?}");
        let mut connections: Vec<u64> = requests.iter().map(|request| request.connection).collect();
        connections.dedup();
        connections.sort_unstable();
        connections.dedup();
        assert!(connections.len() > 8, "connections were closed: {connections:?}");
    }
}
