//! The commands that read a ledger, against a ledger in a folder.

mod export;
pub(crate) mod ledger;
mod prompts;

use promptgate_release::Label;
use serde_json::Value;

use crate::support::Outcome;
use ledger::Released;

/// Begins a rollout of 1.1.0 against 1.0.0, at 25 %.
fn begin_rollout(released: &Released) {
    use promptgate_release::EventKind;
    released.moved("2026-01-06T09:00:00Z", Label::Canary, None, "1.1.0");
    let (control, treatment) = ("1.0.0".parse().expect("a version"), "1.1.0".parse().expect("a version"));
    let salt = "support/reply:r-20261120-1";
    let start = promptgate_testing::rollout_start(1, control, treatment, salt, &[2_500]);
    released.add("2026-01-06T10:00:00Z", EventKind::RolloutStarted { start: Box::new(start) });
}

/// The JSON that a command printed, which its schema describes.
#[track_caller]
fn json(released: &Released, schema: &str, arguments: &[&str], code: i32) -> Value {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--format", "json"]);
    let outcome = released.folder.promptgate(&arguments).expect_code(code);
    let value: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let schema_text = released.folder.promptgate(&["schema", schema]).expect_code(0).stdout;
    let schema_value = serde_json::from_str(&schema_text).expect("a schema");
    let validator = jsonschema::validator_for(&schema_value).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{value:#}");
    assert_eq!(value["schema"], format!("promptgate.{schema}/v1"));
    value
}

/// Asserts that untrusted text of the ledger reached the output neither as a control sequence nor as a command.
#[track_caller]
fn is_neutral(outcome: &Outcome) {
    let text = outcome.text();
    assert!(
        !text.contains('\u{1b}') && !text.lines().any(|line| line.trim_start().starts_with("::")),
        "{text}"
    );
}

#[track_caller]
fn fits(outcome: &Outcome, columns: usize) {
    for line in outcome.stdout.lines() {
        assert!(line.chars().count() <= columns, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn status_shows_labels_and_what_waits() {
    let released = Released::new();
    let outcome = released.folder.promptgate(&["status"]).expect_code(0);
    fits(&outcome, 100);
    outcome
        .says("support/reply")
        .says("production   1.0.0")
        .says("staging      1.1.0")
        .says("latest       2.0.0")
        .says("1.1.0 to production waits for")
        .says("needs gate: no evaluation")
        .says("verified against 7 events of 3 versions");
    let status = json(&released, "status", &["status", "support/reply"], 0);
    let prompt = &status["prompts"][0];
    assert_eq!(prompt["labels"]["production"]["version"], "1.0.0");
    assert_eq!(prompt["latest"]["version"], "2.0.0");
    let waiting: Vec<(&Value, &Value)> = prompt["waiting"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|waiting| (&waiting["version"], &waiting["label"]))
        .collect();
    assert_eq!(
        waiting,
        [(&Value::from("1.1.0"), &"production".into()), (&"2.0.0".into(), &"staging".into())]
    );
}

#[test]
fn status_at_a_time_is_that_of_the_past() {
    let released = Released::new();
    let status = json(&released, "status", &["status", "--at", "2026-01-02"], 0);
    let prompt = &status["prompts"][0];
    assert_eq!((&prompt["versions"], &prompt["state"]), (&1.into(), &"past".into()));
    assert_eq!(prompt["labels"]["production"]["version"], "1.0.0");
    assert_eq!(prompt["labels"]["staging"], Value::Null);
    released.folder.promptgate(&["status", "--at", "2999-01-01"]).expect_code(2).says("is in the future");
    released.folder.promptgate(&["status", "--at", "soon"]).expect_code(2).says("expected a time");
}

#[test]
fn status_of_an_empty_ledger_says_so() {
    let released = Released::empty();
    released.folder.promptgate(&["status"]).expect_code(0).says("the ledger has no prompts");
    released.folder.promptgate(&["log", "--verify"]).expect_code(0).says("no prompts");
}

#[test]
fn log_lists_and_verifies_events() {
    let released = Released::new();
    let outcome = released.folder.promptgate(&["log"]).expect_code(0);
    fits(&outcome, 100);
    is_neutral(&outcome);
    outcome.says("2026-01-02 11:00").says("production none → 1.0.0, promotion");
    let log = json(&released, "log", &["log", "support/reply"], 0);
    assert_eq!(log["events"].as_array().expect("a list").len(), 7);
    assert_eq!(log["events"][1]["event"]["type"], "evaluated");
    released.folder.promptgate(&["log", "--verify"]).expect_code(0).says("7 events of 3 versions");
    let verification = json(&released, "verification", &["log", "--verify"], 0);
    assert_eq!(verification["prompts"][0]["problem"], Value::Null);
}

#[test]
fn changed_line_breaks_the_verification() {
    let released = Released::new();
    released.folder.edit("ledger/events/support/reply.jsonl", "\"bob\"", "\"eve\"");
    // The line after the changed one no longer has the digest of the line before it.
    released
        .folder
        .promptgate(&["log", "--verify"])
        .expect_code(10)
        .says("reply.jsonl:4: the line before it was changed or removed")
        .says("1 of 1 damaged");
    let verification = json(&released, "verification", &["log", "--verify"], 10);
    assert!(verification["prompts"][0]["problem"].as_str().expect("a text").contains("reply.jsonl:4"));
    for command in [&["status"][..], &["log"], &["show", "support/reply@1.0.0"]] {
        released.folder.promptgate(command).expect_code(12).says("reply.jsonl:4").says("log --verify");
    }
}

#[test]
fn show_joins_what_is_known_of_a_version() {
    let released = Released::new();
    let outcome = released.folder.promptgate(&["show", "support/reply@production"]).expect_code(0);
    fits(&outcome, 100);
    is_neutral(&outcome);
    for text in [
        "support/reply@1.0.0",
        "pull request 12",
        "carol",
        "gpt-4.1-mini",
        "temperature: 0.2",
        "faithfulness.min",
        "0.850 to 0.950",
        "p95 latency 1.82 s, $0.0031",
        "bob",
        "judge-1",
    ] {
        assert!(outcome.stdout.contains(text), "no {text:?} in:\n{}", outcome.stdout);
    }
    let show = json(&released, "show", &["show", "support/reply@1.0.0"], 0);
    assert_eq!(show["approvals"][0]["counts"], true);
    assert_eq!(show["labels"][0]["label"], "production");
    assert_eq!(show["labels"][0]["until"], Value::Null);
    assert_eq!(show["content"]["messages"][1]["content"], "{{query}}");
}

#[test]
fn changed_record_is_an_error() {
    let released = Released::new();
    released.folder.edit("ledger/versions/support/reply/1.0.0.json", "offer a refund", "refuse a refund");
    for command in [&["get", "support/reply", "--var", "context=a"][..], &["show", "support/reply@1.0.0"]] {
        released.folder.promptgate(command).expect_code(12).says("1.0.0");
    }
    released.folder.promptgate(&["log", "--verify"]).expect_code(10);
}

#[test]
fn unknown_references_are_usage_errors() {
    let released = Released::new();
    for (arguments, words) in [
        (&["status", "support/rply"][..], "did you mean support/reply?"),
        (&["log", "other"], "has no prompt other"),
        (&["show", "support/reply@1.0.1"], "published versions: 1.0.0, 1.1.0, 2.0.0"),
        (&["show", "support/reply@stagin"], "did you mean staging?"),
        (&["show", "Support Reply"], "invalid prompt name"),
        (&["show", "support/reply@1.0"], "invalid version or label"),
        (&["get", "support/reply@canary"], "no version of support/reply has the label canary"),
        (&["assign", "other", "--unit", "u"], "has no prompt other"),
        (&["diff", "support/reply@1.0.0", "@9.0.0"], "has no version 9.0.0"),
        (&["export", "bundle", "other"], "has no prompt other"),
    ] {
        released.folder.promptgate(arguments).expect_code(2).says(words);
    }
}

#[test]
fn configuration_without_a_release_is_a_usage_error() {
    let folder = crate::support::Folder::small(3);
    folder.promptgate(&["status"]).expect_code(2).says("release:");
    folder.promptgate(&["get", "support/reply"]).expect_code(2).says("support/reply");
}

#[test]
fn other_prompts_of_the_ledger_can_be_read() {
    let released = Released::new();
    released.folder.edit("promptgate.yaml", "name: support/reply", "name: another");
    released.folder.promptgate(&["show", "support/reply@1.0.0"]).expect_code(0);
    released.folder.promptgate(&["show", "another@1.0.0"]).expect_code(2).says("it has support/reply");
}

#[test]
fn rollbacks_are_part_of_the_history() {
    use promptgate_release::{EventKind, MoveCause};
    let released = Released::new();
    released.moved("2026-01-05T09:00:00Z", Label::Production, Some("1.0.0"), "1.1.0");
    released.add(
        "2026-01-05T10:00:00Z",
        EventKind::Moved {
            label: Label::Production,
            from: Some("1.1.0".parse().expect("a version")),
            version: "1.0.0".parse().expect("a version"),
            cause: MoveCause::Rollback,
            reason: Some("wrong refunds".to_owned()),
        },
    );
    let show = json(&released, "show", &["show", "support/reply@1.1.0"], 0);
    assert_eq!(show["rolled_back"][0], "production");
    let status = json(&released, "status", &["status"], 0);
    let staged = &status["prompts"][0]["waiting"][0];
    assert_eq!((&staged["version"], &staged["result"]), (&"1.1.0".into(), &"refused".into()));
    released.folder.promptgate(&["show", "support/reply@1.1.0"]).expect_code(0).says("rollback to 1.0.0");
}
