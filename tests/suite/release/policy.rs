//! The controls that hold are those of the first parent: no change relaxes its own.

use promptgate_testing::github::GitHub;

use super::support::{ALONE, CHANGES, FIRST, NAME, Suite};
use crate::support::{Folder, git};

/// A repository whose prompt needs an approval, with 1.0.0 in production.
fn strict() -> Suite {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.folder.edit("promptgate.yaml", ALONE, "levels: {minor: {approvals: 1}}, approvers: [bob]");
    suite.commit("Require an approval");
    suite
}

#[test]
fn merged_change_is_held_to_the_policy_before_it() {
    let suite = strict();
    // One commit asks for less and changes the prompt.
    suite.folder.edit("promptgate.yaml", "minor: {approvals: 1}", "minor: {gate: checks}");
    suite.folder.edit("promptgate.yaml", "approvers: [bob]", "approvers: [carol, mallory]");
    suite.edit(CHANGES[0], "plans were missing");
    suite.evaluate();
    suite.publish().expect_code(0);
    suite.promote("", "staging", &[]).expect_code(0);
    suite.promote("", "production", &[]).expect_code(11).says("0 of 1 approvals");
    // The next change is held to it, as somebody has merged it by then.
    suite.edit(CHANGES[1], "days were missing");
    suite.evaluate();
    suite.publish().expect_code(0);
    suite.promote("", "staging", &[]).expect_code(0);
    suite.promote("", "production", &[]).expect_code(0);
}

#[test]
fn policy_is_that_of_the_first_parent_of_a_merge() {
    let suite = strict();
    // A branch that asks for less, and whose tip is the second parent.
    suite.folder.git(&["switch", "--quiet", "-c", "change"]);
    suite.folder.edit("promptgate.yaml", "minor: {approvals: 1}", "minor: {approvals: 0}");
    suite.folder.git(&["commit", "--quiet", "-a", "-m", "Ask for less"]);
    suite.write("reason: plans were missing", CHANGES[0]);
    suite.folder.git(&["commit", "--quiet", "-a", "-m", "Change the prompt"]);
    suite.folder.git(&["switch", "--quiet", "main"]);
    suite.folder.git(&["merge", "--quiet", "--no-ff", "-m", "Merge", "change"]);
    suite.folder.git(&["push", "--quiet", "origin", "HEAD:main"]);
    suite.evaluate();
    suite.publish().expect_code(0);
    suite.promote("", "staging", &[]).expect_code(0);
    suite.promote("", "production", &[]).expect_code(11).says("0 of 1 approvals");
}

#[test]
fn release_that_was_taken_out_and_put_back_relaxes_nothing() {
    let suite = strict();
    suite.release(CHANGES[0], "plans were missing");
    let strict = suite.folder.read("promptgate.yaml");
    let without = strict.lines().filter(|line| !line.starts_with("release:"));
    suite.folder.write("promptgate.yaml", &without.map(|line| format!("{line}\n")).collect::<String>());
    suite.commit("Release nothing");
    suite.folder.write("promptgate.yaml", &strict.replace("minor: {approvals: 1}", "minor: {approvals: 0}"));
    suite.release(CHANGES[1], "days were missing");
    suite.promote("", "staging", &[]).expect_code(0).says("to 1.2.0");
    suite.promote("", "production", &[]).expect_code(11).says("0 of 1 approvals");
}

#[test]
fn clone_without_the_parent_publishes_nothing() {
    let suite = strict();
    suite.edit(CHANGES[0], "plans were missing");
    let shallow = Folder::new();
    let url = format!("file://{}", suite.remote.as_ref().unwrap().display());
    git(shallow.path(), &["clone", "--quiet", "--depth", "1", "--branch", "main", &url, "."]);
    let job = suite.job("push", "carol");
    let run = |arguments: &[&str]| {
        let mut command = shallow.command(arguments);
        command.envs(job.iter().map(|(name, value)| (*name, value)));
        crate::support::finish(command)
    };
    run(&["run", "--offline", "--quiet"]).expect_code(0);
    let report = "promptgate-report/report.json";
    run(&["publish", "--report", report, "--allow-simulated"])
        .expect_code(2)
        .says("the parent of")
        .says("fetch-depth: 0");
    // Reading and moving need no history.
    run(&["promote", NAME, "1.0.0", "--to", "staging", "--allow-simulated"]).expect_code(0);
    run(&["rollback", NAME, "--reason", "x"]).expect_code(2).says("no earlier version");
}

#[test]
fn approval_comes_from_an_approver_who_did_not_write_it() {
    let mut suite = strict();
    suite.edit(CHANGES[0], "plans were missing");
    suite.evaluate();
    suite.publish().expect_code(0);
    suite.promote("", "staging", &[]).expect_code(0);
    let github = GitHub::start(suite.folder.path());
    suite.set("GITHUB_API_URL", &github.api_url);
    suite.set("GITHUB_TOKEN", "ghs_test");
    for (actor, said) in [
        ("carol", "carol is an author of the change"),
        ("mallory", "mallory is not one of `approvers`, as they were before this version"),
    ] {
        suite.in_job("workflow_dispatch", actor);
        suite.run(&["approve", NAME, "1.1.0"]).expect_code(10).says(said);
    }
    suite.in_job("workflow_dispatch", "bob");
    suite.run(&["approve", NAME, "1.1.0", "--digest", "0123456789ab"]).expect_code(10).says("has the digest");
    suite.run(&["approve", NAME, "1.9.0"]).expect_code(2).says("no version 1.9.0");
    // Another branch may claim the same.
    suite.set("GITHUB_REF", "refs/heads/feature");
    suite.run(&["approve", NAME, "1.1.0"]).expect_code(10).says("nobody can verify the login here");
    suite.in_job("workflow_dispatch", "bob");
    suite.run(&["approve", NAME, "1.1.0"]).expect_code(0).says("approved by bob");
    suite.run(&["approve", NAME, "1.1.0"]).expect_code(0);
    assert_eq!(suite.events("approved").len(), 1);
    suite.promote("", "production", &[]).expect_code(0);
}

#[test]
fn version_that_nobody_could_approve_is_not_published() {
    let suite = Suite::new("levels: {major: {approvals: 2}}, approvers: [bob]");
    suite.edit(FIRST, "first");
    let missing = "a major change needs 2 approvals, and `approvers` lists bob";
    suite.run(&["check"]).expect_code(0).says("it cannot be published yet").says(missing);
    suite.evaluate();
    // The record would keep this policy, whatever the configuration says later.
    suite.publish().expect_code(2).says("version 1.0.0 could never reach production").says(missing);
    suite.folder.edit("promptgate.yaml", "approvers: [bob]", "approvers: [bob, dan]");
    suite.evaluate();
    suite.publish().expect_code(0);
}
