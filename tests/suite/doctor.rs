//! `promptgate doctor` and `check --endpoint`: a line for each thing that a run depends on.

use serde_json::Value;

use crate::support::{Canned, Folder, KEY, MockServer, Outcome, finish};

/// The small suite in a repository.
fn suite() -> Folder {
    let folder = Folder::small(2);
    folder.git(&["init", "-q"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "-qm", "one"]);
    folder
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).expect("JSON")
}

/// The status of every check with this name.
fn statuses(diagnosis: &Value, name: &str) -> Vec<String> {
    let checks = diagnosis["checks"].as_array().expect("checks");
    let named = checks.iter().filter(|check| check["name"] == name);
    named.map(|check| check["status"].as_str().expect("a status").to_owned()).collect()
}

fn named<'a>(diagnosis: &'a Value, name: &str) -> &'a Value {
    let checks = diagnosis["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {diagnosis}"))
}

#[test]
fn healthy_suite_is_checked_with_a_handful_of_calls() {
    let server = MockServer::start(&[]);
    let outcome = suite().against(&server.base_url, &["doctor", "--json"]).expect_code(0);
    assert!(!outcome.text().contains(KEY), "{}", outcome.text());
    let diagnosis = json(&outcome);
    for name in
        ["configuration", "suite", "baseline", "key", "url", "cache", "git", "seed", "structured_output"]
    {
        assert_eq!(statuses(&diagnosis, name), ["ok"], "{name}: {diagnosis}");
    }
    assert_eq!(statuses(&diagnosis, "model"), ["ok", "ok"], "the candidate's and the judge's");
    assert_eq!(statuses(&diagnosis, "price"), ["warning", "warning"]);
    assert_eq!(statuses(&diagnosis, "ci"), ["skipped"]);
    assert_eq!(statuses(&diagnosis, "logprobs"), [] as [&str; 0]);
    assert_eq!(diagnosis["calls"], 3);
    assert_eq!((&diagnosis["problems"], &diagnosis["exit_code"]), (&0.into(), &0.into()));
    assert_eq!(diagnosis["cost_usd"], Value::Null, "the prices are not known");
    let schema = json(&Folder::new().promptgate(&["schema", "doctor"]));
    assert!(jsonschema::is_valid(&schema, &diagnosis));
}

#[test]
fn cost_of_the_calls_is_shown_with_prices() {
    let server = MockServer::start(&[]);
    let folder = suite();
    let price = "{input_per_million: 100, output_per_million: 100}";
    folder.append(
        "promptgate.yaml",
        &format!("prices: {{tiny: {price}, tiny-judge: {price}, simulated: {price}}}\n"),
    );
    let outcome = folder.against(&server.base_url, &["doctor"]).expect_code(0);
    assert!(outcome.stdout.contains("3 calls, $0."), "{}", outcome.stdout);
    outcome.says("$100 in, $100 out per million tokens");
}

#[test]
fn refused_key_is_a_problem_that_names_the_variable_and_the_code() {
    let server = MockServer::start(&["--require-key", "another-key-of-this-server"]);
    let outcome = suite().against(&server.base_url, &["doctor"]).expect_code(12);
    assert!(!outcome.text().contains(KEY), "{}", outcome.text());
    outcome.says("next: check the key in OPENAI_API_KEY").says("more: promptgate explain unauthorized");
}

#[test]
fn missing_key_is_a_problem_and_nothing_is_called() {
    let diagnosis = json(&suite().promptgate(&["doctor", "--json"]).expect_code(12));
    let key = named(&diagnosis, "key");
    assert_eq!((&key["status"], &key["code"]), (&"problem".into(), &"missing_credentials".into()));
    assert!(key["message"].as_str().unwrap().contains("OPENAI_API_KEY is not set"), "{key}");
    assert_eq!(statuses(&diagnosis, "model"), ["skipped", "skipped"]);
    assert_eq!((&diagnosis["calls"], &diagnosis["exit_code"]), (&0.into(), &12.into()));
}

#[test]
fn offline_needs_no_key_and_calls_nothing() {
    let outcome = suite().promptgate(&["doctor", "--offline", "--format", "json"]).expect_code(0);
    let diagnosis = json(&outcome);
    assert_eq!(statuses(&diagnosis, "key"), ["warning"]);
    assert_eq!(statuses(&diagnosis, "model"), ["skipped", "skipped"]);
    assert_eq!(named(&diagnosis, "model")["message"], "not called (--offline)");
    assert_eq!((&diagnosis["calls"], &diagnosis["cost_usd"]), (&0.into(), &Value::from(0.0)));
}

#[test]
fn invalid_configuration_is_a_usage_problem_with_its_line_and_no_call() {
    let server = MockServer::start(&["--require-key", "never-asked-for"]);
    let folder = suite();
    folder.edit("promptgate.yaml", "attempts: 2", "attempts: lots");
    let outcome = folder.against(&server.base_url, &["doctor", "--json"]).expect_code(2);
    let diagnosis = json(&outcome);
    let broken = named(&diagnosis, "configuration");
    assert!(broken["message"].as_str().unwrap().contains("promptgate.yaml:8"), "{broken}");
    assert_eq!(diagnosis["calls"], 0);
    assert!(statuses(&diagnosis, "model").iter().all(|status| status == "skipped"));
    Folder::new().promptgate(&["doctor"]).expect_code(2).says("there is no promptgate.yaml");
}

#[test]
fn judge_endpoint_without_json_schema_is_a_warning_with_its_mode() {
    let found = |fault: &str| {
        let server = MockServer::start(&["--fault", fault]);
        let folder = suite();
        folder.edit("promptgate.yaml", "parameters: {temperature: 0}\n", "");
        let diagnosis = json(&folder.against(&server.base_url, &["doctor", "--json"]).expect_code(0));
        let check = named(&diagnosis, "structured_output");
        ["status", "message"].map(|key| check[key].as_str().unwrap().to_owned())
    };
    assert_eq!(found("refuse-json_schema=1"), ["warning", "json_object: json_schema is not accepted"]);
    let accepted = "json_schema; not accepted and not sent: temperature";
    assert_eq!(found("refuse-temperature=1"), ["ok", accepted]);
}

#[test]
fn unusable_surroundings_are_named() {
    let folder = Folder::small(1);
    folder.append("promptgate.yaml", "cache: {path: promptgate.yaml/cache.redb}\n");
    let diagnosis = json(&folder.promptgate(&["doctor", "--offline", "--json"]).expect_code(12));
    assert_eq!(statuses(&diagnosis, "cache"), ["problem"], "{diagnosis}");
    assert_eq!(statuses(&diagnosis, "git"), ["warning"], "not a repository");

    let origin = suite();
    origin.git(&["commit", "-qm", "two", "--allow-empty"]);
    let clone = Folder::new();
    let address = format!("file://{}", origin.path().display());
    clone.git(&["clone", "-q", "--depth=1", &address, "here"]);
    let diagnosis = json(&clone.promptgate(&["doctor", "here", "--offline", "--json"]).expect_code(0));
    let git = named(&diagnosis, "git");
    assert_eq!(git["status"], "warning");
    assert!(git["message"].as_str().unwrap().contains("shallow"), "{git}");
}

#[test]
fn committed_cache_is_a_problem() {
    let folder = suite();
    folder.write(".promptgate/cache.redb", "not a cache");
    folder.git(&["add", "-f", ".promptgate/cache.redb"]);
    let diagnosis = json(&folder.promptgate(&["doctor", "--offline", "--json"]).expect_code(2));
    assert_eq!(statuses(&diagnosis, "cache"), ["problem"]);
}

/// A job of a pull request whose GitHub answers every request in the same way.
fn job(folder: &Folder, server: &Canned, more: &[&str]) -> Value {
    let event = r#"{"number": 7, "pull_request": {"number": 7, "base": {"ref": "main", "sha": "0123456789012345678901234567890123456789", "repo": {"full_name": "acme/support"}}, "head": {"sha": "0123456789012345678901234567890123456789", "repo": {"full_name": "acme/support"}}}, "repository": {"default_branch": "main"}}"#;
    folder.write("event.json", event);
    folder.write("output", "");
    let arguments: Vec<&str> = ["doctor", "--json"].iter().chain(more).copied().collect();
    let mut command = folder.command(&arguments);
    let api = server.base_url.trim_end_matches("/v1").to_owned();
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_EVENT_NAME", "pull_request");
    command.env("GITHUB_EVENT_PATH", folder.path().join("event.json"));
    command.env("GITHUB_OUTPUT", folder.path().join("output"));
    command.env("GITHUB_REPOSITORY", "acme/support").env("GITHUB_API_URL", api);
    command.env("GITHUB_TOKEN", "ghs_canary0123456789");
    command.env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", "http://127.0.0.1:9/v1");
    let outcome = finish(command);
    assert!(!outcome.text().contains("ghs_canary"), "{}", outcome.text());
    json(&outcome)
}

#[test]
fn token_of_a_job_is_asked_what_it_may_write() {
    let (folder, offline) = (suite(), &["--offline"][..]);
    let forbidden =
        Canned::answering("403 Forbidden", "application/json", r#"{"message": "no ghs_canary0123456789"}"#);
    let diagnosis = job(&folder, &forbidden, &[]);
    let token = named(&diagnosis, "token");
    assert_eq!(token["status"], "warning", "{token}");
    assert!(token["help"].as_str().unwrap().contains("pull-requests: write"), "{token}");
    let ci = diagnosis["checks"].as_array().unwrap().iter().filter(|check| check["name"] == "ci");
    let messages: Vec<&str> = ci.map(|check| check["message"].as_str().unwrap()).collect();
    assert!(
        messages.iter().any(|message| message.contains("GITHUB_STEP_SUMMARY is not set")),
        "{messages:?}"
    );
    assert!(messages.iter().any(|message| message.contains("pull request 7")), "{messages:?}");
    assert_eq!(statuses(&job(&folder, &forbidden, offline), "token"), ["skipped"]);
}

#[test]
fn check_endpoint_adds_the_lines_of_the_endpoints() {
    let server = MockServer::start(&[]);
    let folder = suite();
    let outcome = folder.against(&server.base_url, &["check", "--endpoint"]).expect_code(0);
    assert!(!outcome.stdout.contains("nothing was called"), "{}", outcome.stdout);
    let outcome = outcome.says("candidate").says("structured output of tiny-judge").says("3 calls");
    assert!(!outcome.stdout.contains("git:"), "{}", outcome.stdout);
    folder.promptgate(&["check", "--endpoint"]).expect_code(12).says("OPENAI_API_KEY is not set");
    folder.promptgate(&["check"]).expect_code(0).says("nothing was called");
}

#[test]
fn hosts_that_a_change_alone_chooses_are_not_called() {
    let server = MockServer::start(&[]);
    let folder = Folder::small(1);
    folder.git(&["init", "-q"]);
    folder.git(&["commit", "-qm", "empty", "--allow-empty"]);
    folder.git(&["add", "."]);
    let outcome = folder.against(&server.base_url, &["doctor", "--json", "--policy-from", "git:HEAD"]);
    let diagnosis = json(&outcome);
    assert_eq!(diagnosis["calls"], 0);
    assert!(statuses(&diagnosis, "model").iter().all(|status| status == "skipped"), "{diagnosis}");
    let message = named(&diagnosis, "model")["message"].as_str().unwrap();
    assert!(message.contains("not called"), "{message}");
}
