//! `advance` carries a version all the way: staging and its checks, approvals, the rollout or production at once.

use serde_json::{Value, json};

use super::support::{MONITORED, Story, codes, time};
use crate::release::support::{CHANGES, FIRST, Langfuse, NAME, Suite};

/// Errors are scored as well, and staging is checked.
const CHECKED: &str = "levels: {major: {approvals: 0}}, sources: {scores: {json: metrics.json}}, \
     guardrails: [{name: faithfulness, better: higher, margin: 0.05, source: scores}, \
     {name: error_rate, better: lower, margin: 0.02, source: scores}], \
     staging: {hold: 24h, limits: {error_rate: 0.02}}";

fn advance(story: &Story, code: i32, result: &str) -> Value {
    let found = story.json(code, "advance", &["--allow-simulated"]);
    assert_eq!(found["result"], result, "{found:#}");
    found
}

fn obstacles(found: &Value) -> Vec<&str> {
    let all = found["obstacles"].as_array().expect("obstacles");
    all.iter().filter_map(|obstacle| obstacle["code"].as_str()).collect()
}

/// The metrics of a version: faithful answers of `n`, and errors of `n`.
fn shares(faithful: u64, errors: u64, n: u64) -> Value {
    let share = |successes: u64| json!({"share": {"successes": successes, "n": n}});
    json!({"metrics": {"faithfulness": share(faithful), "error_rate": share(errors)}})
}

/// A story at whose begin nothing is published.
fn unpublished(mut suite: Suite) -> Story {
    suite.set("PROMPTGATE_TIME", &time(0, 0));
    Story { suite }
}

#[test]
fn first_version_and_patches_reach_production_without_a_rollout() {
    let langfuse = Langfuse::start();
    let mut branch = Suite::on_branch(MONITORED);
    branch.in_job("push", "carol");
    for suite in [Suite::new(MONITORED), branch, Suite::on_langfuse(&langfuse, MONITORED)] {
        let story = unpublished(suite);
        story.suite.release(FIRST, "first");
        let planned = story.json(0, "advance", &["--allow-simulated", "--dry-run"]);
        assert_eq!((&planned["result"], &planned["dry_run"]), (&json!("staged"), &json!(true)));
        assert_eq!(story.suite.label("staging"), "");
        let staged = advance(&story, 0, "staged");
        assert_eq!((&staged["version"], &staged["rollout"]), (&json!("1.0.0"), &Value::Null));
        assert_eq!(
            (story.suite.label("staging"), story.suite.label("production")),
            ("1.0.0".into(), "".into())
        );
        advance(&story, 0, "promoted");
        assert_eq!(story.suite.label("production"), "1.0.0");
        let idle = advance(&story, 0, "not_running");
        assert_eq!(idle["version"], Value::Null);
        // A typo.
        story.suite.release(&FIRST.replace("passages", "pasages"), "typo");
        advance(&story, 0, "staged");
        advance(&story, 0, "promoted");
        assert_eq!(story.suite.label("production"), "1.0.1");
    }
    assert_eq!((langfuse.holders("production").len(), langfuse.holders("staging").len()), (1, 1));
}

#[test]
fn minor_version_is_staged_and_started_and_all_calls_are_one_step() {
    let mut story = unpublished(Suite::new(MONITORED));
    story.suite.release(FIRST, "first");
    story.suite.serve("1.0.0");
    story.suite.release(CHANGES[0], "plans were missing");
    advance(&story, 0, "staged");
    // Seven hours at 1,000 scored requests an hour.
    story.at(7);
    story.metrics(0, &json!({"1.0.0": shares(6_650, 0, 7_000)}));
    let started = advance(&story, 0, "started");
    assert_eq!((&started["rollout"]["percent"], &started["version"]), (&json!(5.0), &json!("1.1.0")));
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
    // Given up, it does not begin again by itself; the next version does.
    story.rollout("abort", &["--reason", "another idea"]).expect_code(0);
    advance(&story, 0, "not_running");
    story.suite.release(CHANGES[1], "days were missing");
    advance(&story, 0, "staged");
    assert_eq!(advance(&story, 0, "started")["rollout"]["treatment"], "1.2.0");
}

#[test]
fn version_waits_for_approvals_without_an_error() {
    let policy = MONITORED.replace("approvals: 0}", "approvals: 0}, minor: {approvals: 1, rollout: direct}");
    let story = unpublished(Suite::new(&format!("approvers: [bob], {policy}")));
    story.suite.release(FIRST, "first");
    story.suite.serve("1.0.0");
    story.suite.release(CHANGES[0], "plans were missing");
    advance(&story, 0, "staged");
    let waits = advance(&story, 0, "waiting");
    assert_eq!(obstacles(&waits), ["approvals"]);
    story
        .rollout("advance", &["--allow-simulated"])
        .expect_code(0)
        .says("1.1.0 waits")
        .says("0 of 1 approvals");
    story
        .suite
        .run_with(&[("GITHUB_ACTOR", "bob"), ("USER", "bob")], &["approve", NAME, "1.1.0"])
        .expect_code(0);
    advance(&story, 0, "promoted");
}

#[test]
fn evidence_that_does_not_count_keeps_a_version_where_it_is() {
    let story = unpublished(Suite::new(MONITORED));
    story.suite.release(FIRST, "first");
    let stuck = story.json(11, "advance", &[]);
    assert_eq!((&stuck["result"], obstacles(&stuck)), (&json!("stuck"), vec!["simulated"]), "{stuck:#}");
    assert_eq!(story.suite.label("staging"), "");
}

#[test]
fn forecast_that_hardly_ends_needs_a_person() {
    let mut story = Story::in_folder();
    story.at(7);
    story.metrics(0, &json!({"1.0.0": shares(6, 0, 7)}));
    let stuck = advance(&story, 11, "stuck");
    assert!(stuck["notes"].to_string().contains("scored requests a day"), "{stuck:#}");
    story.rollout("advance", &["--allow-simulated"]).expect_code(11).says("--anyway");
    assert_eq!(story.served(), ("1.0.0".into(), String::new(), 0.0));
}

#[test]
fn staging_passes_by_its_samples_after_its_hold() {
    let mut story =
        Story::in_folder_with(&CHECKED.replace("error_rate: 0.02}", "error_rate: 0.02}, min_samples: 100"));
    // A rollout started by hand waits for the checks as well.
    let waits = story.json(11, "start", &["--per-day", "2000", "--allow-simulated"]);
    assert_eq!(obstacles(&waits), ["staging_hold"]);
    story.at(23);
    story.metrics(0, &json!({"1.0.0": shares(19_000, 100, 20_000), "1.1.0": shares(190, 1, 200)}));
    assert_eq!(codes(&advance(&story, 0, "waiting")), ["within", "hold_until"]);
    story.at(25);
    let waits = story.json(11, "start", &["--per-day", "2000", "--allow-simulated"]);
    assert_eq!(obstacles(&waits), ["staging_limits"]);
    story.metrics(0, &json!({"1.0.0": shares(19_000, 100, 20_000), "1.1.0": shares(196, 5, 200)}));
    assert_eq!(codes(&advance(&story, 0, "waiting")), ["beyond"]);
    story.metrics(0, &json!({"1.0.0": shares(19_000, 100, 20_000), "1.1.0": shares(190, 1, 200)}));
    let planned = story.json(0, "advance", &["--allow-simulated", "--dry-run"]);
    assert_eq!((codes(&planned), obstacles(&planned)), (vec!["within".to_owned()], vec!["staging_limits"]));
    assert_eq!(story.suite.events("staging_passed").len(), 0);
    let started = advance(&story, 0, "started");
    assert_eq!(codes(&started), ["within"]);
    let passed = story.suite.events("staging_passed");
    assert_eq!(
        passed[0]["samples"]["error_rate"],
        json!({"share": {"successes": 1, "n": 200}}),
        "{passed:?}"
    );
    assert!(story.sentences().contains("1.1.0 passed staging: its limits are kept"));
}

#[test]
fn broken_limit_puts_staging_back_and_blocks_the_version() {
    let langfuse = Langfuse::start();
    let suites = [Suite::new(CHECKED), Suite::on_langfuse(&langfuse, CHECKED)];
    for (index, suite) in suites.into_iter().enumerate() {
        let mut story = unpublished(suite);
        story.suite.release(FIRST, "first");
        story.suite.serve("1.0.0");
        story.suite.release(CHANGES[0], "plans were missing");
        advance(&story, 0, "staged");
        story.at(1);
        story.metrics(0, &json!({"1.0.0": shares(950, 1, 1_000), "1.1.0": shares(40, 9, 60)}));
        let put_back = advance(&story, 10, "put_back");
        assert_eq!(codes(&put_back), ["broken", "hold_until"]);
        assert_eq!(story.suite.label("staging"), "1.0.0");
        if index == 1 {
            assert_eq!(langfuse.holders("staging"), langfuse.holders("production"));
        }
        let moved = story.suite.events("moved");
        let last = moved.iter().rfind(|moved| moved["label"] == "staging").expect("a move");
        assert_eq!(last["reason"], "error_rate is 0.15, which breaks the limit of 0.02");
        advance(&story, 0, "not_running");
        let refused =
            story.suite.json(10, &["promote", NAME, "1.1.0", "--to", "staging", "--allow-simulated"]);
        assert_eq!(obstacles(&refused), ["rolled_back"], "{refused:#}");
    }
}

/// Reports are dated by the clock of the machine.
#[test]
fn golden_cases_are_replayed_where_there_is_no_traffic() {
    let direct = CHECKED.replace("hold: 24h", "hold: 0s").replace("0}}", "0}, minor: {rollout: direct}}");
    let mut story = unpublished(Suite::new(&direct));
    story.suite.unset("PROMPTGATE_TIME");
    story.suite.release(FIRST, "first");
    story.suite.serve("1.0.0");
    story.suite.release(CHANGES[0], "plans were missing");
    story.suite.folder.write(
        "metrics.json",
        &json!({
            "schema": "promptgate.metrics/v1", "name": NAME,
            "from": "2026-01-01T00:00:00Z", "to": "2126-01-01T00:00:00Z",
            "versions": {"1.0.0": shares(950_000, 1, 1_000_000)},
        })
        .to_string(),
    );
    advance(&story, 0, "staged");
    let needed = advance(&story, 0, "needs_gate");
    assert_eq!(
        (&needed["gate"]["candidate"], codes(&needed)),
        (&json!("registry:support/reply@1.1.0"), vec!["missing".to_owned()])
    );
    // The evaluation that was published with the version is no replay.
    story.suite.publish().expect_code(0);
    advance(&story, 0, "needs_gate");
    let flags =
        ["--candidate", "registry:support/reply@1.1.0", "--baseline", "registry:support/reply@production"];
    // Reports are dated to the second: one of the second in which it came to staging does not count.
    let mut passed = needed;
    while passed["result"] == "needs_gate" {
        story.suite.run(&[&["run", "--offline", "--quiet"], &flags[..]].concat()).expect_code(0);
        story.suite.publish().expect_code(0);
        let printed = story.rollout("advance", &["--allow-simulated", "--format", "json"]);
        passed = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{printed:?}"));
    }
    assert_eq!(codes(&passed), ["missing", "replayed"]);
    assert_eq!(story.suite.events("staging_passed")[0]["samples"], Value::Null);
    assert!(story.sentences().contains("1.1.0 passed staging by a replay of the golden cases"));
    assert_eq!(passed["result"], "promoted", "{passed:#}");
}

#[test]
fn failing_source_on_staging_is_an_error_and_no_lack_of_traffic() {
    let mut story = Story::in_folder_with(CHECKED);
    story.suite.folder.write("metrics.json", "{");
    story.at(25);
    let failed = advance(&story, 12, "source_failed");
    assert_eq!(codes(&failed), ["failed"]);
    assert_eq!(story.suite.label("staging"), "1.1.0");
}

#[test]
fn sources_that_changed_neither_pass_staging_nor_put_it_back() {
    let mut story = Story::in_folder_with(CHECKED);
    story.at(25);
    for errors in [0, 150] {
        story.metrics(0, &json!({"1.0.0": shares(19_000, 100, 20_000), "1.1.0": shares(190, errors, 200)}));
        std::fs::copy(
            story.suite.folder.path().join("metrics.json"),
            story.suite.folder.path().join("other.json"),
        )
        .expect("a copy");
        if errors == 0 {
            story.suite.folder.edit("promptgate.yaml", "json: metrics.json", "json: other.json");
        }
        let stuck = advance(&story, 11, "stuck");
        assert!(stuck["notes"].to_string().contains("the sources of metrics are not those"), "{stuck:#}");
        assert_eq!(story.suite.label("staging"), "1.1.0");
    }
}
