//! `diff`, `get` and `assign`.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::{Value, json as value};

use super::begin_rollout;
use super::ledger::Released;
use super::{fits, is_neutral, json};

#[test]
fn diff_shows_words_and_level() {
    let released = Released::new();
    let outcome =
        released.folder.promptgate(&["diff", "support/reply@production", "@staging"]).expect_code(0);
    fits(&outcome, 100);
    is_neutral(&outcome);
    outcome
        .says("support/reply@1.0.0 → support/reply@1.1.0")
        .says("at least minor")
        .says("You may [-offer-]{+deny+} a refund.");
    let diff = json(&released, "diff", &["diff", "support/reply@1.1.0", "support/reply@latest"], 0);
    assert_eq!(diff["kind"], value!({"old": "text", "new": "chat"}));
    assert_eq!(diff["least_level"], "major");
    let equal = json(&released, "diff", &["diff", "support/reply@1.0.0", "@production"], 0);
    assert_eq!((&equal["equal"], &equal["least_level"]), (&true.into(), &Value::Null));
    let reversed = released.folder.promptgate(&["diff", "support/reply@1.1.0", "@1.0.0"]).expect_code(0);
    reversed.says("{+offer+}");
}

#[test]
fn get_prints_a_text_prompt_exactly() {
    let released = Released::new();
    let outcome = released
        .folder
        .promptgate(&["get", "support/reply", "--var", "context=a = {{query}} ::b"])
        .expect_code(0);
    assert_eq!(outcome.stdout, "You are kind.\nYou may offer a refund.\nAnswer from a = {{query}} ::b.\n");
    assert_eq!(outcome.stderr, "");
    let compiled = json(&released, "compiled", &["get", "support/reply@1.1.0", "--var", "context=a"], 0);
    assert_eq!((&compiled["version"], &compiled["label"]), (&"1.1.0".into(), &Value::Null));
    assert_eq!(compiled["messages"].as_array().expect("a list").len(), 1);
    assert!(compiled["digest"].as_str().expect("a text").starts_with("sha256:"));
}

#[test]
fn get_prints_a_chat_prompt_as_json() {
    let released = Released::new();
    let outcome = released
        .folder
        .promptgate(&["get", "support/reply@latest", "--var", "tone=brief", "--var", "query=Hi?"])
        .expect_code(0);
    let messages: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(
        messages,
        value!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi?"}])
    );
}

#[test]
fn get_refuses_missing_unknown_and_repeated_variables() {
    let released = Released::new();
    for (variables, words) in [
        (&[][..], "needs the variable `context`"),
        (&["--var", "contxt=a"], "did you mean `context`?"),
        (&["--var", "context=a", "--var", "context=b"], "variable `context` has two values"),
        (&["--var", "context"], "expected NAME=VALUE"),
    ] {
        let arguments: Vec<&str> = ["get", "support/reply"].iter().chain(variables).copied().collect();
        let outcome = released.folder.promptgate(&arguments).expect_code(2).says(words);
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn get_is_quiet_when_the_reader_leaves() {
    let released = Released::new();
    // Larger than a pipe takes at once, so that the writer meets the closed end.
    let value = format!("context={}", "line\n".repeat(20_000));
    let mut command = released.folder.command(&["get", "support/reply", "--var", &value]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut first = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    stdout.read_line(&mut first).expect("a line");
    drop(stdout);
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    assert_eq!((first.as_str(), stderr.as_str()), ("You are kind.\n", ""));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn assign_is_control_but_for_treated_units_of_a_rollout() {
    let released = Released::new();
    released
        .folder
        .promptgate(&["assign", "support/reply", "--unit", "user-1"])
        .expect_code(0)
        .says("support/reply@1.0.0, control, for user-1: no rollout is running");
    let assignment = json(&released, "assignment", &["assign", "support/reply", "--unit", ""], 0);
    assert_eq!((&assignment["variant"], &assignment["code"]), (&"control".into(), &"empty_unit".into()));
    begin_rollout(&released);
    released
        .folder
        .promptgate(&["assign", "support/reply", "--unit", "alice@example.com"])
        .expect_code(0)
        .says("support/reply@1.1.0, treatment, for alice@example.com: bucket 638 is below 2500")
        .says("step 1 of rollout 1 treats 25 % of the units");
    let assignment = json(&released, "assignment", &["assign", "support/reply", "--unit", "user-1"], 0);
    assert_eq!((&assignment["version"], &assignment["code"]), (&"1.0.0".into(), &"split".into()));
    assert_eq!((&assignment["bucket"], &assignment["basis_points"]), (&9523.into(), &2500.into()));
    assert_eq!((&assignment["rollout"], &assignment["step"]), (&1.into(), &1.into()));
    let empty = Released::empty();
    empty.folder.promptgate(&["assign", "support/reply", "--unit", "u"]).expect_code(2).says("no prompt");
}
