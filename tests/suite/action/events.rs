//! Events, and pull requests of every kind.

use serde_json::{Value, json};

use super::composite::Done;
use super::world::{BAD, GOOD, World};
use crate::support::{Folder, git};

fn report(done: &Done) -> Value {
    let text = std::fs::read_to_string(&done.outputs["report-json"]).expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn unrelated_pull_request_is_unchanged() {
    let mut world = World::of(|folder| folder.write("docs.md", "other words\n"));
    world.served(&["--fault", "401-after=0"]);
    // No call, no key.
    world.set("OPENAI_API_KEY", "");
    let done = world.job().expect_code(0).expect_output("verdict", "unchanged");
    assert_eq!(done.step("Verdict").code, Some(0));
}

#[test]
fn fork_is_not_evaluated() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    // An endpoint on this machine needs no key, any other does.
    world.set("OPENAI_API_KEY", "").set("OPENAI_BASE_URL", "https://gate.invalid/v1");
    world.github.read_only();
    let mut payload = world.payload();
    payload["pull_request"]["head"]["repo"] = json!({"full_name": "mallory/prompts", "fork": true});
    world.event("pull_request", &payload);
    let done = world.job().expect_code(12).expect_output("verdict", "incomplete");
    assert_eq!(done.step("Comment").code, Some(0), "{}", done.log());
    assert!(done.step("Gate").summary.contains("no key"), "{}", done.step("Gate").summary);
    world.with("on-missing-credentials", "skip");
    world.job().expect_code(0).expect_output("verdict", "not_evaluated");
}

#[test]
fn new_suite_is_not_evaluated() {
    for (choice, code, verdict) in [("", 12, "incomplete"), ("skip", 0, "not_evaluated")] {
        let mut world = World::of(|folder| {
            for name in ["promptgate.yaml", "prompt.md", "cases.jsonl", "baseline.md"] {
                let text = folder.read(name);
                folder.write(&format!("new/{name}"), &text);
            }
        });
        world.with("config", "new").with("on-new-suite", choice);
        let done = world.job().expect_code(code).expect_output("verdict", verdict);
        assert!(done.step("Gate").summary.contains("new suite"), "{}", done.step("Gate").summary);
    }
}

#[test]
fn merge_queue_gets_no_comment() {
    for (prompt, code, verdict) in [(GOOD, 0, "pass"), (BAD, 10, "fail")] {
        let mut world = World::of(|folder| folder.write("prompt.md", prompt));
        let payload = world.payload();
        let (base, head) = (&payload["pull_request"]["base"]["sha"], world.environment["GITHUB_SHA"].clone());
        let group = json!({
            "merge_group": {"base_sha": base, "head_sha": head, "base_ref": "refs/heads/main",
                "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-0123"},
            "repository": payload["repository"],
        });
        world.event("merge_group", &group);
        world.set("GITHUB_BASE_REF", "").set("GITHUB_REF", "refs/heads/gh-readonly-queue/main/pr-7-0123");
        world.with("comment", "always");
        world.job().expect_code(code).expect_output("verdict", verdict);
        assert!(world.github.comments().is_empty());
    }
}

#[test]
fn pull_request_target_is_refused() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    let payload = world.payload();
    world.event("pull_request_target", &payload);
    let done = world.job().expect_code(2).expect_output("verdict", "error");
    assert_eq!(done.step("Restore the cache").code, None);
    assert_eq!(done.step("Save the cache").code, None);
}

#[test]
fn push_warms_the_cache_of_pull_requests() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    let payload = world.payload();
    let base = payload["pull_request"]["base"]["sha"].as_str().expect("a commit").to_owned();
    let merge = world.environment["GITHUB_SHA"].clone();
    git(&world.workspace, &["checkout", "--quiet", &base]);
    let push = json!({"before": "0".repeat(40), "after": base, "repository": payload["repository"]});
    world.event("push", &push);
    world.set("GITHUB_SHA", &base).set("GITHUB_BASE_REF", "").set("GITHUB_REF", "refs/heads/main");
    world.job().expect_code(0).expect_output("verdict", "pass");
    assert_eq!(world.cache.entries.len(), 1);
    assert!(world.github.comments().is_empty());

    git(&world.workspace, &["checkout", "--quiet", &merge]);
    world.event("pull_request", &payload);
    world.set("GITHUB_SHA", &merge).set("GITHUB_BASE_REF", "main").set("GITHUB_REF", "refs/pull/7/merge");
    let done = world.job().expect_code(0);
    assert!(report(&done)["usage"]["cached"].as_u64().is_some_and(|cached| cached >= 4), "{}", done.log());
}

#[test]
fn first_suite_of_a_repository_gets_no_key() {
    let start = |folder: &Folder| {
        for name in ["promptgate.yaml", "prompt.md", "cases.jsonl"] {
            std::fs::rename(folder.path().join(name), folder.path().join(format!(".kept-{name}")))
                .expect("a file");
        }
    };
    let mut world = World::from(start, |folder| {
        for name in ["promptgate.yaml", "prompt.md", "cases.jsonl"] {
            std::fs::rename(folder.path().join(format!(".kept-{name}")), folder.path().join(name))
                .expect("a file");
        }
    });
    let done = world.job().expect_code(0).expect_output("verdict", "not_evaluated");
    assert!(done.step("Gate").summary.contains("new suite"), "{}", done.step("Gate").summary);
    // The workflow says that this change may use the key.
    world.with("policy-from", "head");
    let done = world.job().expect_code(0).expect_output("verdict", "pass");
    assert!(report(&done)["variants"]["baseline"].is_null());
}

#[test]
fn renamed_prompt_is_compared_with_its_old_version() {
    for (text, code) in [(GOOD, 0), (BAD, 10)] {
        let mut world = World::of(|folder| {
            std::fs::remove_file(folder.path().join("prompt.md")).expect("a file");
            folder.write("prompts/support.md", text);
            folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: prompts/support.md");
        });
        let done = world.job().expect_code(code);
        let report = report(&done);
        assert_eq!(report["variants"]["baseline"]["prompt"]["name"], "prompt", "{}", report["variants"]);
    }
}

#[test]
fn lowered_bar_is_judged_by_the_old_one() {
    let mut world = World::of(|folder| {
        folder.write("prompt.md", BAD);
        folder.edit(
            "promptgate.yaml",
            "faithfulness: {min: 0.75}",
            "faithfulness: {min: 0.01, baseline: false}",
        );
        folder.edit("promptgate.yaml", "relevance: {min: 0.5}", "relevance: {min: 0.01, baseline: false}");
    });
    let done = world.job().expect_code(10).expect_output("verdict", "fail");
    let report = report(&done);
    assert!(
        report["policy_source"]["changed"].to_string().contains("metrics.faithfulness"),
        "{}",
        report["policy_source"]
    );
    let [comment] = &world.github.own()[..] else { panic!("{:?}", world.github.comments()) };
    assert!(comment.contains("olicy"), "{comment}");
    assert!(comment.contains("metrics.faithfulness"), "{comment}");
}

#[test]
fn removed_cases_are_named_in_the_comment() {
    let mut world = World::of(|folder| {
        folder.write("prompt.md", GOOD);
        let cases = folder.read("cases.jsonl");
        let rest: Vec<&str> = cases.lines().filter(|line| !line.contains("\"case-3\"")).collect();
        folder.write("cases.jsonl", &(rest.join("\n") + "\n"));
    });
    world.with("comment", "always");
    let done = world.job().expect_code(12);
    assert_eq!(report(&done)["reasons"][0]["code"], "dataset_changed");
    assert_eq!(report(&done)["dataset_changes"]["removed"], json!({"count": 1, "first": ["case-3"]}));
    let [comment] = &world.github.own()[..] else { panic!("{:?}", world.github.comments()) };
    assert!(comment.contains("case-3") && comment.contains("1 case removed"), "{comment}");
}

#[test]
fn shards_run_and_one_job_decides() {
    let mut world = World::of(|folder| folder.write("prompt.md", BAD));
    let shards = world.folder().path().join("shards");
    for shard in ["1/2", "2/2"] {
        world.with("shard", shard);
        let done = world.job().expect_code(0);
        assert_eq!(done.step("Comment").code, None);
        let (_, kept) = done.step("Upload the reports").uses.as_ref().expect("it is kept");
        assert_eq!(kept["name"], "promptgate-shard-prompt-gate-0-default");
        let name = format!("shard-{}-of-2.json", &shard[..1]);
        std::fs::create_dir_all(shards.join(&name)).expect("a folder");
        std::fs::copy(std::path::Path::new(&kept["path"]).join(&name), shards.join(&name).join(&name))
            .expect("a shard");
    }
    world.with("shard", "").with("merge", &shards.display().to_string());
    let done = world.job().expect_code(10).expect_output("verdict", "fail");
    assert_eq!(done.step("Restore the cache").code, None);
    assert_eq!(world.github.own().len(), 1);
    std::fs::remove_dir_all(shards.join("shard-2-of-2.json")).expect("a folder");
    world.job().expect_code(12).expect_output("verdict", "incomplete");
}

#[test]
fn cache_is_beside_the_configuration() {
    let below = |folder: &Folder| folder.move_suite("suites/refunds");
    for (input, value) in [
        ("config", "suites/refunds"),
        ("config", "suites/refunds/promptgate.yaml"),
        ("working-directory", "suites/refunds"),
    ] {
        let mut world = World::from(below, |folder| folder.write("suites/refunds/prompt.md", GOOD));
        world.with(input, value);
        let done = world.job().expect_code(0).expect_output("verdict", "pass");
        assert_eq!(world.cache.entries.len(), 1, "{}", done.log());
        let (_, kept) = done.step("Save the cache").uses.as_ref().expect("it is kept");
        assert!(kept["path"].ends_with("/suites/refunds/.promptgate/cache.redb"), "{kept:?}");
    }
}

/// A linked working directory would bring its own policy.
#[cfg(unix)]
#[test]
fn linked_working_directory_is_refused() {
    let below = |folder: &Folder| folder.move_suite("suites/refunds");
    for link in ["suites/refunds", "suites"] {
        let mut world = World::from(below, |folder| {
            let moved = folder.path().join("elsewhere");
            std::fs::rename(folder.path().join(link), &moved).expect("a folder");
            let to = if link == "suites" { "elsewhere" } else { "../elsewhere" };
            std::os::unix::fs::symlink(to, folder.path().join(link)).expect("a link");
        });
        world.with("working-directory", "suites/refunds");
        let done = world.job();
        assert_ne!(done.code, 0, "{}", done.log());
        assert!(done.log().contains("contains a symbolic link"), "{}", done.log());
        assert_eq!(done.step("Gate").code, None);
    }
}

#[cfg(unix)]
#[test]
fn linked_cache_is_not_followed() {
    let mut world = World::of(|folder| {
        folder.write("prompt.md", GOOD);
        std::os::unix::fs::symlink("..", folder.path().join(".promptgate")).expect("a link");
        folder.git(&["add", "--force", ".promptgate"]);
    });
    let done = world.job().expect_code(2).expect_output("verdict", "error");
    assert_eq!(done.step("Restore the cache").code, None);
    assert!(done.log().contains("is a link"), "{}", done.log());
}

#[test]
fn hostile_names_are_inert() {
    let mut world = World::of(|folder| {
        let ids =
            ["::error::x", "  ::set-output name=verdict::pass", "##[group]y", "@acme/owners #1 <img src=x>"];
        let cases = folder.read("cases.jsonl");
        let cases: Vec<String> = cases
            .lines()
            .zip(ids)
            .enumerate()
            .map(|(number, (line, id))| line.replace(&format!("case-{}", number + 1), id))
            .collect();
        folder.write("cases.jsonl", &(cases.join("\n") + "\n"));
        folder.write("::error::prompt\u{1b}[31m.md", BAD);
        folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: \"::error::prompt\\e[31m.md\"");
        folder.write("promptgate-report/ci.json", "{}");
        folder.write("promptgate-report/comment.md", "mine");
        folder.git(&["add", "--force", "promptgate-report"]);
    });
    // The invariants checked after each job are most of this test.
    let done = world.job().expect_code(10).expect_output("verdict", "fail");
    assert_eq!(done.outputs["cases"], "4");
    let [comment] = &world.github.own()[..] else { panic!("{:?}", world.github.comments()) };
    for live in ["@acme", "#1", "<img", "\u{1b}"] {
        assert!(!comment.contains(live), "{live}: {comment}");
        assert!(!done.step("Gate").summary.contains(live), "{live}");
    }
}
