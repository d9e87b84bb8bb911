//! Events and checkouts: which commit is the base, and when no base can be trusted.

use serde_json::{Value, json};

use super::{Job, Origin, reworded, worse};
use crate::support::{Folder, finish};

#[test]
fn too_shallow_checkout_is_refused() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let merge = origin.merge();
    let checkout = origin.fetched(&merge, "refs/remotes/pull/7/merge", 1);
    let event = origin.pull_request_event("owner/prompts", "owner/prompts");
    let job = Job::new(checkout, "pull_request", &merge, &event);
    job.offline().expect_code(2).says("fetch-depth: 2");
    let facts = job.outcome("error", 2);
    assert_eq!(facts["reason"], "usage");
    assert!(job.comment().contains("fetch-depth"), "{}", job.comment());
}

#[test]
fn checkout_of_the_head_is_compared_with_the_merge_base() {
    let origin = Origin::new(|_| {});
    let start = origin.rev("main");
    origin.change(reworded);
    let merge = origin.merge();
    let event = origin.pull_request_event("owner/prompts", "owner/prompts");
    // Without the target branch in reach nothing can be said.
    let checkout = origin.fetched("change", "refs/remotes/origin/change", 1);
    let job = Job::new(checkout, "pull_request", &merge, &event);
    job.offline().expect_code(2).says("fetch-depth");
    job.outcome("error", 2);
    // With all of history it is the merge base.
    let checkout = origin.fetched("change", "refs/remotes/origin/change", 100);
    checkout.git(&["fetch", "--quiet", "origin", "+main:refs/remotes/origin/main"]);
    let job = Job::new(checkout, "pull_request", &merge, &event);
    job.offline().expect_code(0);
    assert_eq!(job.outcome("pass", 0)["base"], start);
}

#[test]
fn forged_merge_commit_is_not_the_base() {
    let origin = Origin::new(|_| {});
    // A commit that asks for nothing, and a change that names it as its first parent.
    origin.folder.git(&["switch", "--quiet", "-c", "lax"]);
    origin.folder.edit(
        "promptgate.yaml",
        "faithfulness: {min: 0.75}\n  relevance: {min: 0.5}",
        "relevance: {min: 0}",
    );
    let lax = origin.commit("lax");
    origin.folder.git(&["switch", "--quiet", "main"]);
    origin.change(worse);
    origin.folder.git(&["switch", "--quiet", "change"]);
    let tree = origin.rev("HEAD^{tree}");
    let own = origin.rev("HEAD");
    let message = format!("Merge {own} into {lax}");
    let crafted = origin.folder.git(&["commit-tree", &tree, "-p", &lax, "-p", &own, "-m", &message]);
    origin.folder.git(&["reset", "--quiet", "--hard", &crafted]);
    origin.folder.git(&["switch", "--quiet", "main"]);
    let event = origin.pull_request_event("owner/prompts", "owner/prompts");
    let checkout = origin.fetched(&crafted, "refs/remotes/origin/change", 100);
    checkout.git(&["fetch", "--quiet", "origin", "+main:refs/remotes/origin/main"]);
    let job = Job::new(checkout, "pull_request", &"1".repeat(40), &event);
    let outcome = job.offline();
    assert_ne!(job.facts()["base"], lax, "{}", outcome.text());
    assert!([2, 10].contains(&outcome.code), "{}", outcome.text());
}

#[test]
fn forged_merge_commit_is_not_the_base_outside_github() {
    let origin = Origin::new(|_| {});
    // A commit with the bad prompt, and one that names it as its first parent and changes nothing.
    origin.change(worse);
    origin.folder.git(&["switch", "--quiet", "change"]);
    let (tree, bad) = (origin.rev("HEAD^{tree}"), origin.rev("HEAD"));
    let other = origin.folder.git(&["commit-tree", &tree, "-p", &bad, "-m", "other"]);
    let message = format!("Merge {other} into {bad}");
    let crafted = origin.folder.git(&["commit-tree", &tree, "-p", &bad, "-p", &other, "-m", &message]);
    let checkout = origin.fetched(&crafted, "refs/remotes/origin/change", 100);
    checkout.git(&["fetch", "--quiet", "origin", "+main:refs/remotes/origin/main"]);
    let outcome = checkout.promptgate(&["ci", "--offline", "--policy-from", "git:origin/main"]);
    outcome.expect_code(2).says("only HEAD itself indicates that");
    let flags = ["run", "--changed", "--offline", "--policy-from", "git:origin/main"];
    checkout.promptgate(&flags).expect_code(2).says("only HEAD itself indicates that");
}

#[test]
fn unrelated_checkout_is_refused() {
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let merge = origin.merge();
    let event = origin.pull_request_event("owner/prompts", "owner/prompts");
    let checkout = origin.fetched("main", "refs/remotes/origin/main", 100);
    let job = Job::new(checkout, "pull_request", &merge, &event);
    job.offline().expect_code(2).says("neither the merge commit nor the last commit of pull request 7");
    job.outcome("error", 2);
}

#[test]
fn merge_queue_uses_its_base() {
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let base = origin.rev("main");
    let merge = origin.merge();
    let event = json!({"action": "checks_requested", "merge_group": {"base_sha": base, "head_sha": merge,
        "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-x"}});
    let job = Job::new(origin.fetched(&merge, "refs/remotes/origin/queue", 2), "merge_group", &merge, &event);
    job.offline().expect_code(10);
    let facts = job.outcome("fail", 10);
    assert_eq!((&facts["event"], &facts["pull_request"]), (&json!("merge_group"), &Value::Null));
    assert_eq!((&facts["base"], &facts["head"]), (&json!(base), &json!(merge)));
    assert_eq!(job.checkout.report()["policy_source"]["commit"], base);

    // A base that is not there, or is what is checked out, is no base.
    let job = Job::new(origin.fetched(&merge, "refs/remotes/origin/queue", 1), "merge_group", &merge, &event);
    job.offline().expect_code(2).says("git fetch --depth=1 origin").says(&base);
    let job = Job::new(origin.fetched(&base, "refs/remotes/origin/queue", 2), "merge_group", &base, &event);
    job.offline().expect_code(2);
    job.outcome("error", 2);
}

#[test]
fn push_uses_its_parent() {
    let origin = Origin::new(|_| {});
    let before = origin.rev("main");
    reworded(&origin.folder);
    // Its own policy counts: it is merged.
    origin.folder.edit("promptgate.yaml", "faithfulness: {min: 0.75}", "faithfulness: {min: 0.7}");
    let after = origin.commit("merged");
    let event = json!({"before": before, "after": after, "ref": "refs/heads/main",
        "repository": {"default_branch": "main"}});
    let job = Job::new(origin.fetched(&after, "refs/remotes/origin/main", 2), "push", &after, &event);
    job.offline().expect_code(0);
    let facts = job.outcome("pass", 0);
    assert_eq!(
        (&facts["event"], &facts["base"], &facts["head"]),
        (&json!("push"), &json!(before), &json!(after))
    );
    let report = job.checkout.report();
    assert!(report.get("policy_source").is_none());
    assert_eq!(report["variants"]["baseline"]["prompt"]["commit"], before);

    // Nothing of the suite is pushed: nothing is asked.
    origin.folder.write("elsewhere.txt", "words\n");
    let next = origin.commit("elsewhere");
    let event = json!({"before": after, "after": next, "repository": {"default_branch": "main"}});
    let job = Job::new(origin.fetched(&next, "refs/remotes/origin/main", 2), "push", &next, &event);
    job.offline().expect_code(0);
    job.outcome("unchanged", 0);

    // A missing or empty earlier commit is not taken for no change.
    for before in [after.as_str(), &"0".repeat(40), "no commit"] {
        let event = json!({"before": before, "after": next, "repository": {"default_branch": "main"}});
        let job = Job::new(origin.fetched(&next, "refs/remotes/origin/main", 1), "push", &next, &event);
        job.offline().expect_code(0);
        let facts = job.outcome("pass", 0);
        assert_eq!(facts["base"], Value::Null);
        let report = job.checkout.report();
        assert_eq!(report["variants"]["baseline"], Value::Null);
        assert!(report["baseline_note"].as_str().unwrap().starts_with("no baseline"), "{report}");
    }
}

#[test]
fn dispatch_and_schedule_events_have_a_base() {
    let origin = Origin::new(|_| {});
    let main = origin.rev("main");
    for name in ["workflow_dispatch", "schedule", "release"] {
        let event = json!({"repository": {"default_branch": "main"}});
        let job = Job::new(origin.fetched(&main, "refs/remotes/origin/main", 100), name, &main, &event);
        job.offline().expect_code(0);
        let facts = job.outcome("pass", 0);
        assert_eq!(facts["event"], if name == "release" { "other" } else { name });
        assert_eq!(facts["base"], Value::Null);
    }
    // By hand on a branch where nothing differs: compared with itself, it would decide nothing.
    origin.change(|_| {});
    let head = origin.rev("change");
    let checkout = origin.fetched(&head, "refs/remotes/origin/change", 100);
    checkout.git(&["fetch", "--quiet", "origin", "+main:refs/remotes/origin/main"]);
    let event = json!({"repository": {"default_branch": "main"}});
    let job = Job::new(checkout, "workflow_dispatch", &head, &event);
    job.offline().expect_code(3).says("nothing is compared");
    assert_eq!(job.outcome("error", 3)["base"], main);
}

#[test]
fn events_that_give_secrets_to_foreign_code_are_refused() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let main = origin.rev("main");
    let event = origin.pull_request_event("owner/prompts", "somebody/prompts");
    for (name, commit) in [
        ("pull_request_target", "main"),
        ("pull_request_target", "change"),
        ("workflow_run", "change"),
        ("issue_comment", "change"),
    ] {
        let job = Job::new(origin.fetched(commit, "refs/remotes/origin/x", 100), name, &main, &event);
        job.offline().expect_code(2).says("on: pull_request");
        job.outcome("error", 2);
    }
}

#[test]
fn invalid_event_is_refused() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    let good = origin.pull_request_event("owner/prompts", "owner/prompts");
    let mut wrong = vec![String::new(), "{".to_owned(), "[]".to_owned(), "null".to_owned(), "{}".to_owned()];
    for (pointer, value) in [
        ("/pull_request/number", json!(-7)),
        ("/pull_request/number", json!("7\n")),
        ("/pull_request/head/sha", json!("--upload-pack=x")),
        ("/pull_request/head/sha", json!("0".repeat(40))),
        ("/pull_request/base/ref", json!("-x")),
        ("/pull_request/base/ref", json!("main\nverdict=pass")),
        ("/pull_request", json!([])),
    ] {
        let mut event = good.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        wrong.push(event.to_string());
    }
    wrong.push(good.to_string().replacen("\"number\"", "\"number\":8,\"number\"", 1));
    let mut job = job;
    for text in wrong {
        job = job.fresh();
        job.event(&text);
        job.offline().expect_code(2).says("invalid event payload").says("event.json");
        job.outcome("error", 2);
        assert!(
            job.comment().contains("💥 error") && job.comment().contains("invalid event payload"),
            "{text}"
        );
    }
    let job = job.with("GITHUB_EVENT_PATH", "/nowhere/event.json");
    job.offline().expect_code(2).says("the event cannot be read");
    let job = job.without("GITHUB_EVENT_PATH");
    job.offline().expect_code(2).says("no file holds the event");
    let job = job.with("GITHUB_EVENT_PATH", "/dev/zero");
    job.offline().expect_code(2).says("this is not a file");
}

#[test]
fn ci_outside_github_uses_the_merge_base() {
    let origin = Origin::new(|_| {});
    origin.folder.git(&["switch", "--quiet", "-c", "change"]);
    worse(&origin.folder);
    origin.commit("change");
    let folder: &Folder = &origin.folder;
    let outcome = folder.promptgate(&["ci", "--offline"]).expect_code(10);
    assert!(super::commands(&outcome.text()).is_empty(), "{}", outcome.stdout);
    let facts: Value = serde_json::from_str(&folder.read("promptgate-report/ci.json")).unwrap();
    assert_eq!(facts["event"], "other");
    assert_eq!(facts["base"], origin.rev("main"));
    // Without a repository there is nothing to compare with.
    let folder = Folder::small(2);
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
    folder.promptgate(&["ci", "--offline"]).expect_code(0);
    assert_eq!(folder.report()["variants"]["baseline"], Value::Null);
}

#[test]
fn policy_of_the_target_branch_is_not_from_elsewhere_outside_github() {
    for name in ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "BUILDKITE_PULL_REQUEST_BASE_BRANCH", "UNRELATED"] {
        let origin = Origin::new(|_| {});
        origin.change(|folder| folder.write("notes.md", "not a file of the suite\n"));
        let checkout = origin.fetched("change", "refs/remotes/origin/change", 100);
        checkout.git(&["fetch", "--quiet", "origin", "+main:refs/remotes/origin/main"]);
        let ci = |policy: &str| {
            let mut command = checkout.command(&["ci", "--policy-from", policy]);
            command.env(name, "main");
            finish(command)
        };
        let outcome = ci("git:origin/main").expect_code(0);
        assert!(outcome.stdout.starts_with("UNCHANGED"), "{name}: {}", outcome.text());
        // An older policy is one that somebody chose.
        ci("git:origin/main~1").expect_code(3).says("nothing is compared");
    }
    // A changed prompt needs a key.
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let checkout = origin.fetched("change", "refs/remotes/origin/change", 100);
    checkout.git(&["fetch", "--quiet", "origin", "+main:refs/remotes/origin/main"]);
    checkout.promptgate(&["ci", "--policy-from", "git:origin/main"]).expect_code(12).says("no key");
}
