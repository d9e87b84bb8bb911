//! The controls that hold are those before the push: no change relaxes its own.

use promptgate_testing::github::GitHub;

use super::support::{ALONE, CHANGES, FIRST, NAME, REPORT, Suite};
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
    suite.push();
    suite.evaluate();
    suite.publish().expect_code(0);
    suite.promote("", "staging", &[]).expect_code(0);
    suite.promote("", "production", &[]).expect_code(11).says("0 of 1 approvals");
}

/// Two commits in one push, as a rebase merge makes them: the first asks for less, the second changes the prompt.
fn relax_and_change(suite: &Suite) {
    suite.folder.edit("promptgate.yaml", "minor: {approvals: 1}", "minor: {approvals: 0}");
    suite.folder.git(&["commit", "--quiet", "-a", "-m", "Ask for less"]);
    suite.edit(CHANGES[0], "plans were missing");
    suite.evaluate();
}

#[test]
fn commits_of_one_push_are_held_to_the_policy_before_all_of_them() {
    let suite = strict();
    relax_and_change(&suite);
    suite.publish().expect_code(0);
    suite.promote("", "staging", &[]).expect_code(0);
    suite.promote("", "production", &[]).expect_code(11).says("0 of 1 approvals");
}

#[test]
fn jobs_that_do_not_know_the_push_take_no_policy_from_it() {
    let mut suite = strict();
    suite.evaluate();
    suite.publish().expect_code(0);
    relax_and_change(&suite);
    let before = suite.ledger();
    // A dispatch, the job of another push, and a push whose history was replaced.
    suite.in_job("workflow_dispatch", "carol");
    suite
        .publish()
        .expect_code(2)
        .says("the controls were changed since 1.0.0")
        .says("run the job of the push");
    suite.in_job("push", "carol");
    let event = suite.folder.read("push.json");
    let first = suite.folder.git(&["rev-parse", "HEAD^"]);
    let head = suite.folder.git(&["rev-parse", "HEAD"]);
    let elsewhere = suite.folder.git(&["commit-tree", "HEAD^{tree}", "-m", "unrelated"]);
    for (from, to) in [(&head, &first), (&suite.folder.git(&["rev-parse", "HEAD~2"]), &elsewhere)] {
        suite.folder.write("push.json", &event.replace(from.as_str(), to));
        suite.publish().expect_code(2).says("the controls were changed since 1.0.0");
    }
    assert_eq!(suite.ledger(), before);
    suite.folder.write("push.json", &event);
    suite.publish().expect_code(0).says("published 1.1.0");
}

#[test]
fn gate_of_a_merge_can_judge_by_the_criteria_before_it() {
    let suite = strict();
    suite.folder.edit("promptgate.yaml", "min_chars: 1", "max_chars: 1");
    suite.edit(CHANGES[0], "plans were missing");
    suite.run(&["run", "--offline", "--quiet"]).expect_code(10);
    suite.publish().expect_code(10).says("the gate failed");
    // The change loosens what it made stricter: judged by the criteria before, it still fails.
    let before = suite.folder.git(&["rev-parse", "HEAD"]);
    suite.folder.edit("promptgate.yaml", "max_chars: 1", "max_chars: 1000");
    suite.edit(CHANGES[1], "days were missing");
    let policy = format!("git:{before}");
    suite.run(&["run", "--offline", "--quiet", "--policy-from", &policy]).expect_code(10);
    suite.publish().expect_code(10).says("the gate failed");
    // Criteria that it keeps make evidence of this commit.
    let before = suite.folder.git(&["rev-parse", "HEAD"]);
    suite.edit(CHANGES[2], "prices were missing");
    let policy = format!("git:{before}");
    suite.run(&["run", "--offline", "--quiet", "--policy-from", &policy]).expect_code(0);
    suite.publish().expect_code(0).says("published 1.1.0");
}

#[test]
fn another_suite_brings_no_policy_to_the_name_it_takes() {
    let suite = strict();
    for file in ["promptgate.yaml", "prompt.md", "cases.jsonl"] {
        let text = suite.folder.read(file);
        suite.folder.write(&format!("other/{file}"), &text);
    }
    suite.folder.edit("other/promptgate.yaml", "support/reply", "scratch");
    suite.folder.edit("other/promptgate.yaml", "minor: {approvals: 1}", "minor: {approvals: 0}");
    suite.commit("Try something without approvals");
    suite.folder.edit("other/promptgate.yaml", "scratch", "support/reply");
    suite.folder.edit("other/prompt.md", FIRST, CHANGES[0]);
    suite.commit("Take the name");
    let run = ["run", "other", "--offline", "--quiet", "--out", "promptgate-report"];
    let publish = ["publish", "other", "--report", REPORT, "--allow-simulated"];
    suite.run(&run).expect_code(0);
    suite.run(&publish).expect_code(2).says("releases the name support/reply as well");
    // Without the suite that had the name, its versions are still held to what they were held to.
    suite.folder.git(&["rm", "--quiet", "promptgate.yaml"]);
    suite.commit("Remove the other");
    suite.folder.edit("other/promptgate.yaml", "support/reply", "scratch");
    suite.commit("Back");
    suite.folder.edit("other/promptgate.yaml", "scratch", "support/reply");
    suite.commit("Take the name again");
    suite.run(&run).expect_code(0);
    suite.run(&publish).expect_code(0).says("published 1.1.0");
    let show = suite.json(0, &["show", "support/reply@1.1.0", "--config", "other"]);
    assert_eq!(show["policy"]["digest"], suite.json(0, &["show", "support/reply@1.0.0"])["policy"]["digest"]);
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
