//! Which key goes where, and through which proxy.

use crate::support::{Folder, KEY, finish};
use crate::wire::Recorder;

/// A suite of checks alone whose endpoint has these keys.
fn suite(endpoint: &str) -> Folder {
    let folder = Folder::small(1);
    folder.edit(
        "promptgate.yaml",
        "endpoint: {timeout: 5s, attempts: 2, max_wait: 2s}",
        &format!("endpoint: {{{endpoint}, timeout: 5s, attempts: 1, max_wait: 1s}}"),
    );
    folder
}

const RUN: [&str; 3] = ["run", "--no-judge", "--no-cache"];

#[test]
fn authenticating_header_goes_alone_unless_a_key_is_named() {
    let authorized = |more: &str| {
        let server = Recorder::start();
        let url = server.base_url();
        let folder = suite(&format!("base_url: '{url}', headers: {{api-key: {{env: AZURE_KEY}}}}{more}"));
        let mut command = folder.command(&RUN);
        command
            .env("OPENAI_API_KEY", KEY)
            .env("AZURE_KEY", "azure-canary-0123456789")
            .env("OWN", "own-0123456789");
        let outcome = finish(command);
        assert!(!outcome.text().contains("canary"), "{}", outcome.text());
        let heads = server.heads();
        assert!(!heads.is_empty(), "{}", outcome.text());
        assert!(heads.iter().all(|head| head.contains("api-key: azure-canary-0123456789")), "{heads:?}");
        let of = |head: &String| {
            head.lines().find_map(|line| line.strip_prefix("authorization: ").map(str::to_owned))
        };
        heads.iter().map(of).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(authorized("").into_iter().collect::<Vec<_>>(), [None]);
    let named = authorized(", api_key_env: OWN").into_iter().collect::<Vec<_>>();
    assert_eq!(named, [Some("Bearer own-0123456789".to_owned())]);
}

#[test]
fn default_key_for_another_host_is_an_error_with_the_line_to_add() {
    let folder = suite("base_url: 'https://llm.corp.invalid/v1'");
    for arguments in [&RUN[..], &["check"]] {
        let mut command = folder.command(arguments);
        command.env("OPENAI_API_KEY", KEY);
        let outcome = finish(command).expect_code(2);
        let outcome = outcome.says("no key is configured for llm.corp.invalid").says("promptgate.yaml:8");
        outcome.says("add `api_key_env: VARIABLE`").says("`api_key_env: null` if it needs none");
    }
    // A judge that is not called needs none.
    let judged = Folder::small(1);
    judged.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge}",
        "judge: {model: tiny-judge, endpoint: {base_url: 'https://judge.corp.invalid/v1', headers: \
         {x-team: {env: NOBODY_SET_THIS}}}}",
    );
    let server = crate::support::MockServer::start(&[]);
    let run = |arguments: &[&str]| {
        let mut command = judged.command(arguments);
        command.env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", &server.base_url);
        finish(command)
    };
    run(&RUN).expect_code(0);
    run(&["check", "--no-judge"]).expect_code(0);
    for arguments in [&["run", "--no-cache"][..], &["check"]] {
        run(arguments).expect_code(2).says("no key is configured for judge.corp.invalid");
    }
    // Without calls no key can go anywhere.
    let mut command = folder.command(&["run", "--no-judge", "--cached-only"]);
    command.env("OPENAI_API_KEY", KEY);
    finish(command).expect_code(12).says("not in the cache");
}

#[test]
fn keyless_server_stays_usable() {
    // Nothing listens there, so what is reported is the connection, and no key.
    for (endpoint, key) in [
        ("base_url: 'http://llm.corp.invalid/v1', api_key_env: null", true),
        ("base_url: 'http://vllm.internal/v1', api_key_env: null", true),
        ("base_url: 'http://vllm.internal/v1'", false),
    ] {
        let folder = suite(endpoint);
        folder.promptgate(&["check"]).expect_code(0);
        let mut command = folder.command(&RUN);
        if key {
            command.env("OPENAI_API_KEY", KEY);
        }
        let outcome = finish(command).expect_code(12);
        assert!(!outcome.text().contains("no key"), "{}", outcome.text());
        outcome.says("the host was not found");
    }
}

#[test]
fn judge_of_another_host_needs_a_key_of_its_own() {
    let folder = Folder::small(1);
    folder.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge}",
        "judge: {model: tiny-judge, endpoint: {base_url: 'https://judge.corp.invalid/v1'}}",
    );
    let server = Recorder::start();
    folder
        .against(&server.base_url(), &["run"])
        .expect_code(2)
        .says("no key is configured for judge.corp.invalid");
    assert!(server.heads().is_empty());
}

#[test]
fn proxy_that_refuses_is_named_and_socks_is_a_clear_no() {
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let folder = suite("base_url: 'https://llm.corp.invalid/v1', api_key_env: null");
    let through = |variable: &str, proxy: &str| {
        let mut command = folder.command(&RUN);
        command.env(variable, proxy);
        finish(command)
    };
    let outcome = through("HTTPS_PROXY", &format!("http://user:hush@{closed}")).expect_code(12);
    assert!(!outcome.text().contains("hush"), "{}", outcome.text());
    outcome.says(&format!("the proxy {closed} refused the connection")).says("HTTPS_PROXY");
    for (status, reason) in [
        ("403 Forbidden", "refused to connect to this host"),
        ("407 Proxy Authentication Required", "requires a user and a password"),
    ] {
        let proxy = crate::support::Canned::tunnel(status);
        let outcome = through("ALL_PROXY", &format!("http://{proxy}")).expect_code(12);
        let words: Vec<&str> = outcome.stdout.split_whitespace().collect();
        let text = words.join(" ");
        assert!(text.contains(&format!("the proxy {proxy} {reason}")), "{text}");
    }
    // Without encryption the proxy itself responds.
    let plain = suite("base_url: 'http://llm.corp.invalid/v1', api_key_env: null");
    let proxy = crate::support::Canned::tunnel("403 Forbidden");
    let mut command = plain.command(&RUN);
    command.env("HTTP_PROXY", format!("http://{proxy}"));
    finish(command).expect_code(12);
    let reasons = plain.report()["reasons"].to_string();
    assert!(reasons.contains(&format!("(through the proxy {proxy}): 403")), "{reasons}");
    for scheme in ["socks5", "socks5h", "socks4", "socks"] {
        let outcome = through("ALL_PROXY", &format!("{scheme}://user:hush@127.0.0.1:1080")).expect_code(2);
        assert!(!outcome.text().contains("hush"), "{}", outcome.text());
        outcome.says(&format!("is a {scheme} proxy, expected an HTTP proxy")).says("NO_PROXY");
    }
    let mut command = folder.command(&RUN);
    command.env("ALL_PROXY", "socks5://127.0.0.1:1080").env("NO_PROXY", "llm.corp.invalid");
    finish(command).expect_code(12).says("the host was not found");
}
