//! The steps of examples/lifecycle/advance.yml, as a job runs them.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use super::support::{Story, time};
use crate::release::support::{CHANGES, FIRST, Suite};
use crate::support::{Folder, Outcome, finish, repository};

/// promptgate with a simulated model.
const SIMULATED: &str = r#"#!/bin/sh
command=$1
shift
case $command in
    run) exec "$EXECUTABLE" run --offline --quiet "$@" ;;
    publish) exec "$EXECUTABLE" publish --allow-simulated "$@" ;;
    *) exec "$EXECUTABLE" "$command" "$@" --allow-simulated ;;
esac
"#;

/// The commands of a step.
fn step(name: &str) -> String {
    let workflow =
        std::fs::read_to_string(repository().join("examples/lifecycle/advance.yml")).expect("a workflow");
    let step = workflow.split_once(&format!("- name: {name}\n")).expect("the step").1;
    let run = step.split_once("run: ").expect("commands").1;
    let lines = run.lines().take_while(|line| !line.starts_with("        env:"));
    lines.filter(|line| *line != "|").map(str::trim_start).collect::<Vec<_>>().join("\n")
}

/// Runs a step in the folder of a story, with `tools` first in the path.
fn run(story: &Story, tools: &Folder, name: &str) -> Outcome {
    let mut command = Command::new("bash");
    let mut variables = story.suite.command(&[]);
    command.args(["-e", "-c", &step(name)]).current_dir(story.suite.folder.path()).env_clear();
    let path = std::env::var("PATH").unwrap_or_default();
    for (name, value) in variables.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    variables.stdin(std::process::Stdio::null());
    command
        .env("PATH", format!("{}:{path}", tools.path().display()))
        .env("EXECUTABLE", env!("CARGO_BIN_EXE_promptgate"))
        .env("RUNNER_TEMP", tools.path());
    finish(command)
}

#[test]
fn version_whose_production_moved_is_gated_and_goes_on() {
    if Command::new("jq").arg("--version").output().is_err() {
        assert_ne!(std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref(), Ok("1"), "jq not found");
        return;
    }
    let tools = Folder::new();
    tools.write("promptgate", SIMULATED);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(tools.path().join("promptgate"), executable).expect("a file");

    let policy = "levels: {major: {approvals: 0}, minor: {rollout: direct}}";
    let mut story = Story { suite: Suite::on_branch(policy) };
    story.suite.set("PROMPTGATE_TIME", &time(0, 0));
    story.suite.in_job("push", "carol");
    story.suite.release(FIRST, "first");
    story.suite.serve("1.0.0");
    story.suite.release(CHANGES[0], "plans were missing");
    // Production moves after the newest version was evaluated.
    story.suite.edit(CHANGES[1], "days were missing");
    story.suite.evaluate();
    story.suite.serve("1.1.0");
    story.suite.in_job("push", "carol");
    story.suite.publish().expect_code(0);
    // The files have moved on, and the schedule comes.
    story.suite.edit(CHANGES[2], "prices were missing");
    story.suite.in_job("schedule", "carol");
    let advanced = |result: &str| {
        run(&story, &tools, "advance").expect_code(0);
        let found: Value = serde_json::from_str(&tools.read("rollouts.json")).expect("JSON");
        assert_eq!(found[0]["result"], result, "{found:#}");
        found
    };
    let needed = advanced("needs_gate");
    assert_eq!(needed[0]["gate"]["candidate"], "registry:support/reply@1.2.0");
    assert_eq!(needed[0]["obstacles"][0]["code"], "stale_baseline");
    run(&story, &tools, "gate").expect_code(0).says("1.2.0");
    advanced("staged");
    run(&story, &tools, "gate").expect_code(0);
    advanced("promoted");
    assert_eq!(story.suite.label("production"), "1.2.0");
    assert_eq!(story.suite.events("evaluated").len(), 4, "gated once");
}
