//! The action: its steps executed in order, on a merge commit in a clone of depth 2.

mod build;
mod comments;
mod composite;
mod events;
mod expression;
mod github;
mod install;
mod installers;
mod repack;
mod world;

use serde_json::Value;

use world::{BAD, GOOD, World};

#[test]
fn good_pull_request_passes() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    world.with("comment", "always");
    let done = world.job().expect_code(0).expect_output("verdict", "pass").expect_output("exit-code", "0");
    assert_eq!(done.outputs["cases"], "4");
    assert_eq!(done.outputs["regressed"], "0");
    for output in ["report-json", "report-md", "report-html", "junit"] {
        assert!(std::path::Path::new(&done.outputs[output]).is_file(), "{output}: {}", done.outputs[output]);
    }
    assert!(!done.step("Gate").summary.is_empty());
    let [comment] = &world.github.own()[..] else { panic!("{:?}", world.github.comments()) };
    assert!(comment.contains("pass"), "{comment}");
    assert_eq!(done.outputs["comment-url"], "https://github.example/acme/prompts/pull/7#issuecomment-1");
    let (_, kept) = done.step("Upload the reports").uses.as_ref().expect("it is kept");
    assert_eq!(kept["name"], "promptgate-report-prompt-gate-0-default");
    // The page alone, under a name of its own, and the link to it below the verdict.
    let (_, page) = done.step("Upload the page").uses.as_ref().expect("it is kept");
    assert!(page["path"].ends_with("/promptgate-prompt-gate-0-default.html"), "{page:?}");
    let link = "[Open the report](https://github.example/acme/prompts/actions/runs/1001/artifacts/12)";
    assert_eq!(comment.lines().nth(2), Some(link), "{comment}");
}

#[test]
fn report_that_is_not_uploaded_is_not_linked() {
    let mut world = World::of(|folder| folder.write("prompt.md", BAD));
    world.with("upload-report", "false");
    let done = world.job().expect_code(10);
    assert_eq!(done.step("Upload the page").code, None);
    let [comment] = &world.github.own()[..] else { panic!("{:?}", world.github.comments()) };
    assert!(!comment.contains("Open the report"), "{comment}");
}

#[test]
fn worse_pull_request_fails() {
    let mut world = World::of(|folder| folder.write("prompt.md", BAD));
    let done = world.job().expect_code(10).expect_output("verdict", "fail").expect_output("exit-code", "10");
    assert_ne!(done.outputs["regressed"], "0");
    // Everything was kept and told before the job failed.
    for name in ["Save the cache", "Upload the reports", "Comment"] {
        assert_eq!(done.step(name).code, Some(0), "{}", done.log());
    }
    assert_eq!(done.step("Gate").code, Some(0));
    assert_eq!(done.step("Verdict").code, Some(10));
    assert_eq!(world.github.own().len(), 1);
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(&done.outputs["report-json"]).expect("a report"))
            .expect("JSON");
    assert_eq!(report["verdict"], "fail");

    // The same, advisory: told, and not in the way.
    world.with("mode", "advisory");
    let done = world.job().expect_code(0).expect_output("verdict", "fail");
    assert_eq!(done.outputs["exit-code"], "0");
    // The comment is the one that was there.
    assert_eq!(world.github.own().len(), 1);
}

#[test]
fn answers_are_cached_between_jobs() {
    let mut world = World::of(|folder| folder.write("prompt.md", BAD));
    world.job().expect_code(10);
    assert_eq!(world.cache.entries.len(), 1);
    world.set("PROMPTGATE_CACHED_ONLY", "true");
    let done = world.job().expect_code(10).expect_output("verdict", "fail");
    assert_eq!(done.step("Restore the cache").code, Some(0));
    world.with("cache", "false");
    let done = world.job().expect_code(12).expect_output("verdict", "incomplete");
    assert_eq!(done.step("Restore the cache").code, None);
    assert_eq!(done.step("Save the cache").code, None);
}

#[test]
fn little_evidence_is_inconclusive() {
    let open = "gate: {confidence: 0.9999, resolution: 0, repeats: 3, max_repeats: 3}\n";
    let mut world = World::from(
        |folder| folder.append("promptgate.yaml", open),
        |folder| folder.write("prompt.md", GOOD),
    );
    world.served(&["--seed", "2", "--noise", "0.3"]);
    world.job().expect_code(11).expect_output("verdict", "inconclusive");
    // More repeats by the inputs, never fewer.
    for (input, value, repeats) in [("max-repeats", "6", 6), ("max-repeats", "2", 3), ("repeats", "1", 3)] {
        world.with("max-repeats", "").with("repeats", "").with(input, value);
        let done = world.job();
        let report = std::fs::read_to_string(&done.outputs["report-json"]).expect("a report");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["policy"]["max_repeats"], repeats, "{input} {value}: {}", done.log());
        let raised = report["warnings"].to_string().contains("a flag can only add repeats");
        assert_eq!(raised, value != "6", "{}", report["warnings"]);
    }
    world.with("repeats", "");
    world.with("inconclusive", "pass");
    world.job().expect_code(0).expect_output("verdict", "inconclusive");
    // Without the input the policy says it.
    let open = open.replace("}\n", ", inconclusive: pass}\n");
    let mut world = World::from(
        |folder| folder.append("promptgate.yaml", &open),
        |folder| folder.write("prompt.md", GOOD),
    );
    world.served(&["--seed", "2", "--noise", "0.3"]);
    world.job().expect_code(0).expect_output("verdict", "inconclusive");
    world.with("inconclusive", "fail");
    world.job().expect_code(11);
}

#[test]
fn failing_endpoint_is_incomplete() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    world.served(&["--fault", "401-after=0"]);
    let done = world.job().expect_code(12).expect_output("verdict", "incomplete");
    assert!(std::fs::read_to_string(&done.outputs["junit"]).expect("junit.xml").contains("<error"));
}

#[test]
fn gate_without_an_exit_code_fails() {
    // Its own shell dies with it, before a code is recorded.
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    world.program("[ \"$1\" = ci ] || { echo promptgate 0; exit 0; }; kill -9 $PPID");
    let done = world.job();
    assert_eq!(done.outputs["exit-code"], "");
    assert_eq!(done.step("Verdict").code, Some(1), "{}", done.log());
    assert!(done.step("Verdict").log.contains("ended without a verdict"), "{}", done.log());
    assert_ne!(done.code, 0);
    assert!(world.github.own().is_empty());
    // One that is killed alone leaves the code of its signal.
    world.program("[ \"$1\" = ci ] || { echo promptgate 0; exit 0; }; kill -9 $$");
    let done = world.job().expect_code(137);
    assert_eq!(done.outputs["verdict"], "");
}

#[test]
fn invalid_inputs_are_refused() {
    for (input, value) in [
        ("cache", "yes"),
        ("upload-report", "False"),
        ("setup-only", ""),
        ("fallback", "maybe"),
        ("version", "latest"),
        ("comment-key", "a b"),
        ("working-directory", "nowhere"),
    ] {
        let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
        world.with(input, value);
        let done = world.job();
        assert_eq!(done.step("Prepare").code, Some(2), "{input}: {}", done.log());
        assert!(done.step("Prepare").log.contains(input), "{}", done.log());
        assert_eq!(done.step("Gate").code, None);
        assert_ne!(done.code, 0);
    }
    // Others are the program's.
    for (input, value) in [
        ("mode", "soft"),
        ("inconclusive", "ok"),
        ("disclose", "all"),
        ("shard", "9/3"),
        ("repeats", "0"),
        ("max-repeats", "many"),
    ] {
        let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
        world.with(input, value);
        world.job().expect_code(2);
    }
}
