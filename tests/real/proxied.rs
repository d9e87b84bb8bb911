//! nginx between promptgate and its mock server: what a proxy does to answers, limits and connections.

use serde_json::Value;

use crate::nginx::Nginx;
use crate::prepared::Tells as _;
use crate::support::{Folder, MockServer};

/// Calls of [`Folder::small`] with one repeat: two variants, an answer and two judgements each.
fn calls(cases: usize) -> usize {
    cases * 2 * 3
}

fn small(cases: usize) -> Folder {
    Folder::small(cases).without_self_test()
}

/// Passes everything to the mock server.
fn to(mock: &MockServer) -> String {
    format!("location / {{ proxy_pass {}; }}", mock.base_url.trim_end_matches("/v1"))
}

/// Without the cache, so that every judgement is a call of its own.
const ONCE: [&str; 4] = ["run", "--no-cache", "--repeats", "1"];

/// Answers and scores of a report, in order.
fn findings(report: &Value) -> Vec<Value> {
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
        format!("gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; {}", to(&mock))
    }) else {
        return;
    };
    let (plain, compressed) = (small(4), small(4));
    plain.against(&mock.base_url, &ONCE);
    let code = nginx.run(&compressed, &ONCE).code;
    assert!([0, 11].contains(&code), "{code}");
    let seen = nginx.seen_here();
    assert_eq!(seen.len(), calls(4));
    assert!(seen.iter().all(|seen| seen.encoding == "gzip"), "{seen:?}");
    assert_eq!(findings(&compressed.report()), findings(&plain.report()));
}

#[test]
fn proxy_error_page_is_reported_without_markup() {
    // Nobody listens there: the port of a server that is gone.
    let gone = MockServer::start(&[]).base_url.clone();
    let Some(nginx) = Nginx::start(|_| format!("location / {{ proxy_pass {gone}; }}")) else { return };
    let outcome = nginx.run(&small(3), &ONCE).expect_code(12).tells("502 Bad Gateway: an HTML page");
    assert!(!outcome.text().contains("<html") && !outcome.text().contains("<center"), "{}", outcome.text());
    // The first call is a probe with two attempts, and asked again at the end; nothing is fanned out.
    assert!(nginx.seen_here().len() <= 4, "{:?}", nginx.seen_here());
}

#[test]
fn proxy_timeout_is_named() {
    let mock = MockServer::start(&["--fault", "hang=1"]);
    let Some(nginx) = Nginx::start(|_| format!("proxy_read_timeout 50ms; {}", to(&mock))) else { return };
    nginx.run(&small(3), &ONCE).expect_code(12).tells("504 Gateway Time").tells("an HTML page");
}

#[test]
fn login_page_is_not_an_answer() {
    let Some(nginx) = Nginx::start(|_| {
        "default_type text/html; location / { return 200 '<!doctype html><h1>Please sign in</h1>'; }"
            .to_owned()
    }) else {
        return;
    };
    nginx.run(&small(3), &ONCE).expect_code(12).tells("the answer is text/html, not JSON").tells("log-in");
}

#[test]
fn proxy_authentication_ends_the_run() {
    let mock = MockServer::start(&[]);
    let Some(nginx) =
        Nginx::start(|_| format!("auth_basic inside; auth_basic_user_file none; {}", to(&mock)))
    else {
        return;
    };
    nginx
        .run(&small(3), &ONCE)
        .expect_code(12)
        .tells("401 Unauthorized")
        .tells("check the key in OPENAI_API_KEY");
    assert_eq!(nginx.seen_here().len(), 1);
}

#[test]
fn oversized_request_costs_its_trial_alone() {
    let mock = MockServer::start(&[]);
    let Some(nginx) = Nginx::start(|_| format!("client_max_body_size 64k; {}", to(&mock))) else { return };
    let folder = small(4);
    // Far over, so that the refusal comes while the request is still on its way.
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
    let refused = nginx.seen_here().iter().filter(|seen| seen.status == 413).count();
    assert_eq!(refused, 2, "each variant's once, and not again");
}

#[test]
fn rate_limit_loses_no_answer() {
    let mock = MockServer::start(&[]);
    for (status, hint) in
        [(429, "add_header Retry-After 1 always;"), (503, "add_header Retry-After 1 always;"), (429, "")]
    {
        let site = |_: &_| {
            format!("{hint} limit_req zone=pace burst=5 nodelay; limit_req_status {status}; {}", to(&mock))
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
        let seen = nginx.seen_here();
        let count = |wanted: u16| seen.iter().filter(|seen| seen.status == wanted).count();
        assert_eq!((count(200), count(200) + count(status)), (calls(5), seen.len()), "{status}");
        assert!(count(status) > 0, "the limit was never met");
        assert!(findings(&folder.report()).iter().all(|finding| !finding.is_null()), "{status}");
    }
}

#[test]
fn closed_idle_connections_are_not_faults() {
    let mock = MockServer::start(&[]);
    // Idle: calls come every 100 ms when the first 50 are through, just when the connection closes.
    for (closing, pace) in
        [("keepalive_timeout 100ms;", "rpm: 600"), ("keepalive_requests 2;", "max_concurrency: 8")]
    {
        let Some(nginx) = Nginx::start(|_| format!("{closing} {}", to(&mock))) else { return };
        let folder = small(11);
        folder.edit(
            "promptgate.yaml",
            "attempts: 2, max_wait: 2s",
            &format!("attempts: 1, max_wait: 0s, {pace}"),
        );
        let outcome = nginx.run(&folder, &ONCE);
        assert!([0, 11].contains(&outcome.code), "{}", outcome.text());
        let seen = nginx.seen_here();
        assert_eq!(seen.len(), calls(11), "{closing}");
        assert!(seen.iter().all(|seen| seen.status == 200), "{seen:?}");
        let mut connections: Vec<u64> = seen.iter().map(|seen| seen.connection).collect();
        connections.dedup();
        connections.sort_unstable();
        connections.dedup();
        assert!(connections.len() > 8, "connections were closed: {connections:?}");
    }
}
