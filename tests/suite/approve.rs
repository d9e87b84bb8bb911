//! `promptgate approve` with a ledger in a folder, and against a simulated GitHub API.

use promptgate_testing::github::{GitHub, REPOSITORY};
use serde_json::{Value, json};

use crate::release_reads::ledger::Released;
use crate::support::{Outcome, finish};

/// A token that must not appear in any output.
const TOKEN: &str = "ghs_canaryN0tToBeSeen0123456789abcdef";

fn approve(released: &Released, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let mut command = released.folder.command(&[&["approve", "support/reply"], arguments].concat());
    command.envs(variables.iter().copied());
    let outcome = finish(command);
    assert!(!outcome.text().contains("canaryN0t"), "{}", outcome.text());
    outcome
}

/// Approves as a job of GitHub Actions on the default branch.
fn in_job(released: &Released, github: &GitHub, event: &str, actor: &str, more: &[(&str, &str)]) -> Outcome {
    let payload = json!({
        "repository": {"default_branch": "main"},
        "pull_request": {"number": 7, "base": {"ref": "main"}, "head": {"sha": "1".repeat(40)}},
    });
    released.folder.write("event.json", &payload.to_string());
    let file = released.folder.path().join("event.json").display().to_string();
    let reference = if event == "pull_request" { "refs/pull/7/merge" } else { "refs/heads/main" };
    let job = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", event),
        ("GITHUB_EVENT_PATH", &*file),
        ("GITHUB_REF", reference),
        ("GITHUB_ACTOR", actor),
        ("GITHUB_REPOSITORY", REPOSITORY),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_RUN_ID", "17"),
        ("GITHUB_API_URL", &*github.api_url),
        ("GITHUB_TOKEN", TOKEN),
    ];
    approve(released, &["2.0.0"], &[&job, more].concat())
}

/// The approvals of a version in the ledger.
fn recorded(released: &Released) -> Vec<Value> {
    let text =
        released.folder.promptgate(&["log", "support/reply", "--format", "json"]).expect_code(0).stdout;
    let log: Value = serde_json::from_str(&text).expect("JSON");
    released.folder.promptgate(&["log", "--verify"]).expect_code(0);
    let events = log["events"].as_array().expect("events");
    // The ledger has one approval to begin with, of 1.0.0.
    events.iter().filter(|event| event.to_string().contains("approv")).skip(1).cloned().collect()
}

#[test]
fn approval_of_a_claimed_login_is_recorded_once() {
    let released = Released::new();
    let bob = [("USER", "bob")];
    approve(&released, &["2.0.0", "--dry-run"], &bob).expect_code(0).says("would be approved by bob");
    assert_eq!(recorded(&released), Vec::<Value>::new());
    approve(&released, &["2.0.0"], &bob)
        .expect_code(0)
        .says("support/reply: 2.0.0 (")
        .says(") approved by bob")
        .says("warning: nobody verified the login");
    approve(&released, &["2.0.0"], &[("USER", "BOB")]).expect_code(0).says("already approved by BOB");
    assert_eq!(recorded(&released).len(), 1);
}

#[test]
fn author_stranger_and_other_digest_are_refused() {
    let released = Released::new();
    for (arguments, user, words) in [
        (&["2.0.0"][..], "carol", "carol is an author of the change"),
        (&["2.0.0"], "Carol", "Carol is an author of the change"),
        (&["2.0.0"], "mallory", "mallory is not one of `approvers`"),
        (&["2.0.0", "--digest", "0123456789ab"], "bob", "has the digest sha256:"),
        (&["2.0.0", "--digest", "sha256:"], "bob", "has the digest sha256:"),
    ] {
        let outcome = approve(&released, arguments, &[("USER", user)]).expect_code(10).says(words);
        assert!(outcome.stdout.starts_with("support/reply: 2.0.0 ("), "{}", outcome.stdout);
    }
    for (arguments, words) in [
        (&["2.0.1"][..], "has no version 2.0.1"),
        (&["two"], "invalid"),
        (&[], "required"),
        (&["2.0.0", "--config", "missing"], "missing"),
    ] {
        approve(&released, arguments, &[("USER", "bob")]).expect_code(2).says(words);
    }
    let command = released.folder.command(&["approve", "support/replay", "2.0.0"]);
    finish(command).expect_code(2).says("support/replay");
    assert_eq!(recorded(&released), Vec::<Value>::new());
}

#[test]
fn dispatched_approval_is_known_by_its_actor() {
    let released = Released::new();
    let github = GitHub::start(released.folder.path());
    let dispatched =
        |actor, more: &[(&str, &str)]| in_job(&released, &github, "workflow_dispatch", actor, more);
    dispatched("carol", &[]).expect_code(10).says("carol is an author");
    dispatched("bob", &[("GITHUB_TRIGGERING_ACTOR", "carol")]).expect_code(10).says("carol ran it again");
    dispatched("a/../b", &[]).expect_code(2).says("GITHUB_ACTOR");
    let outcome = dispatched("Bob", &[]).expect_code(0).says("approved by Bob");
    assert!(!outcome.text().contains("nobody verified"), "{}", outcome.text());
    let events = recorded(&released);
    assert_eq!(events.len(), 1);
    let text = events[0].to_string();
    assert!(
        text.contains("dispatch") && text.contains("https://github.com/acme/support/actions/runs/17"),
        "{text}"
    );
    // Whoever a job of a pull request says it is: a claim.
    in_job(&released, &github, "pull_request", "Bob", &[]).expect_code(0).says("already");
    assert_eq!(recorded(&released).len(), 1);
}

#[test]
fn json_tells_what_became_of_an_approval() {
    let released = Released::new();
    let run = |user: &str, code| {
        let outcome = approve(&released, &["2.0.0", "--format", "json"], &[("USER", user)]).expect_code(code);
        serde_json::from_str::<Value>(&outcome.stdout).expect("JSON")
    };
    let schema = released.folder.promptgate(&["schema", "approval"]).expect_code(0).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let refused = run("mallory", 10);
    assert_eq!(
        (&refused["schema"], &refused["result"]),
        (&json!("promptgate.approval/v1"), &json!("refused"))
    );
    assert!(validator.is_valid(&refused), "{refused}");
    assert_eq!(refused["reasons"].as_array().map(Vec::len), Some(1));
    let approved = run("bob", 0);
    assert!(validator.is_valid(&approved), "{approved}");
    assert_eq!(approved["result"], "approved");
    assert_eq!((&approved["source"], &approved["login"]), (&json!("unverified"), &json!("bob")));
    assert_eq!(approved["warnings"].as_array().map(Vec::len), Some(1));
    assert_eq!(run("bob", 0)["result"], "unchanged");
}

#[test]
fn names_reach_the_output_as_text() {
    let released = Released::new();
    let outcome = approve(&released, &["2.0.0"], &[("USER", "\u{1b}[31m\n::error::x")]).expect_code(10);
    let lines: Vec<&str> = outcome.stdout.lines().chain(outcome.stderr.lines()).collect();
    assert!(
        lines.iter().all(|line| !line.trim_start().starts_with("::") && !line.contains('\u{1b}')),
        "{lines:?}"
    );
}
