//! `advance` looks at what production serves, against limits.

use serde_json::{Value, json};

use super::support::Story;
use crate::release::support::{CHANGES, FIRST, Langfuse, Suite};

const LIMITS: &str = "levels: {major: {approvals: 0}, minor: {rollout: direct}}, sources: {scores: {json: metrics.json}}, \
     guardrails: [{name: faithfulness, better: higher, margin: 0.05, source: scores}], \
     signals: [{name: latency_p95, max_ratio: 1.2, source: scores}], \
     monitor: {window: 24h, limits: {faithfulness: 0.75, latency_p95: 2.5}, action: alert}";

/// 1.0.0 and then 1.1.0 on production, at hour 0.
fn story(suite: Suite) -> Story {
    let mut story = Story { suite };
    story.at(0);
    story.suite.release(FIRST, "first");
    story.suite.serve("1.0.0");
    story.suite.release(CHANGES[0], "plans were missing");
    story.suite.serve("1.1.0");
    story
}

fn rolling_back() -> String {
    LIMITS.replace("action: alert", "action: rollback")
}

/// The metrics of 1.1.0: faithful answers of 200, and seconds.
fn write(story: &Story, faithful: u64, seconds: f64) {
    let metrics = json!({
        "faithfulness": {"share": {"successes": faithful, "n": 200}},
        "latency_p95": {"level": {"n": 200, "value": seconds}},
    });
    story.metrics(0, &json!({"1.1.0": {"metrics": metrics}}));
}

fn monitored(story: &Story, code: i32, result: &str) -> Value {
    let found = story.json(code, "advance", &[]);
    assert_eq!(
        (&found["result"], &found["monitor"]["result"]),
        (&json!("not_running"), &json!(result)),
        "{found:#}"
    );
    assert_eq!(found["monitor"]["version"], "1.1.0");
    found["monitor"].clone()
}

#[test]
fn broken_limit_and_a_slow_percentile_need_a_person() {
    let mut story = story(Suite::new(LIMITS));
    story.at(7);
    write(&story, 180, 1.2);
    let quiet = monitored(&story, 0, "quiet");
    assert_eq!(
        (&quiet["findings"][0]["code"], &quiet["findings"][1]["code"]),
        (&json!("within"), &json!("within"))
    );
    // A share below the limit that chance explains, P(X <= 145 of 200) = .23, is not one.
    write(&story, 145, 1.2);
    assert_eq!(monitored(&story, 0, "quiet")["findings"][0]["code"], "beyond");
    write(&story, 180, 3.0);
    assert_eq!(monitored(&story, 11, "alert")["findings"][1]["code"], "untested");
    write(&story, 120, 1.2);
    assert_eq!(monitored(&story, 11, "alert")["findings"][0]["code"], "broken");
    story
        .rollout("advance", &[])
        .expect_code(11)
        .says("production 1.1.0 needs attention")
        .says("significantly worse than the limit of 0.75");
    assert_eq!(story.suite.label("production"), "1.1.0", "an alert moves nothing");
    let status = story.json(11, "status", &[]);
    assert_eq!(status["monitor"]["result"], "alert", "{status:#}");
}

#[test]
fn broken_limit_rolls_production_back_where_the_policy_says_so() {
    let langfuse = Langfuse::start();
    let mut branch = Suite::on_branch(&rolling_back());
    branch.in_job("push", "carol");
    for suite in [Suite::new(&rolling_back()), branch, Suite::on_langfuse(&langfuse, &rolling_back())] {
        let mut story = story(suite);
        story.at(7);
        write(&story, 120, 1.2);
        let planned = story.json(10, "advance", &["--dry-run"]);
        assert_eq!(planned["monitor"]["result"], "rolled_back");
        assert_eq!(story.suite.label("production"), "1.1.0");
        monitored(&story, 10, "rolled_back");
        assert_eq!(story.suite.label("production"), "1.0.0");
        let moved = story.suite.events("moved");
        let last = moved.iter().rfind(|moved| moved["label"] == "production").expect("a move");
        assert_eq!(last["reason"], "faithfulness is 0.6, significantly worse than the limit of 0.75");
        // 1.0.0 has no metrics, and is the last one: a window later a person is told.
        let again = story.json(0, "advance", &[]);
        assert_eq!(again["monitor"]["result"], "quiet", "{again:#}");
        story.at(40);
        story.metrics(20, &json!({}));
        let silent = story.json(11, "advance", &[]);
        assert_eq!(silent["monitor"]["result"], "alert", "{silent:#}");
    }
    assert_eq!(langfuse.holders("production").len(), 1);
}

#[test]
fn first_version_has_nothing_to_go_back_to_and_alerts() {
    let mut story = Story { suite: Suite::new(&rolling_back()) };
    story.at(0);
    story.suite.release(FIRST, "first");
    story.suite.serve("1.0.0");
    story.at(7);
    let metrics = json!({"faithfulness": {"share": {"successes": 1, "n": 200}}});
    story.metrics(0, &json!({"1.0.0": {"metrics": metrics}}));
    let found = story.json(11, "advance", &[]);
    assert_eq!(found["monitor"]["result"], "alert", "{found:#}");
    assert!(found["monitor"]["notes"].to_string().contains("cannot be rolled back"), "{found:#}");
    assert_eq!(story.suite.label("production"), "1.0.0");
}

#[test]
fn failing_source_of_production_is_an_error() {
    let mut story = story(Suite::new(&rolling_back()));
    story.at(7);
    story.suite.folder.write("metrics.json", "{");
    monitored(&story, 12, "source_failed");
    story.rollout("advance", &[]).expect_code(12).says("a metric source failed");
    assert_eq!(story.suite.label("production"), "1.1.0");
}

#[test]
fn rollbacks_by_the_monitor_do_not_follow_one_another() {
    let mut story = story(Suite::new(&rolling_back()));
    story.suite.release(CHANGES[1], "days were missing");
    story.suite.serve("1.2.0");
    story.at(7);
    let faithful = json!({"metrics": {"faithfulness": {"share": {"successes": 60, "n": 200}}}});
    story.metrics(0, &json!({"1.2.0": faithful, "1.1.0": faithful}));
    let first = story.json(10, "advance", &[]);
    assert_eq!(first["monitor"]["result"], "rolled_back", "{first:#}");
    story.at(14);
    story.metrics(7, &json!({"1.2.0": faithful, "1.1.0": faithful}));
    let second = story.json(11, "advance", &[]);
    assert_eq!(second["monitor"]["result"], "alert", "{second:#}");
    assert!(second["monitor"]["notes"].to_string().contains("by a rollback"), "{second:#}");
    assert_eq!(story.suite.label("production"), "1.1.0");
}

#[test]
fn sources_that_changed_roll_nothing_back() {
    let mut story = story(Suite::new(&rolling_back()));
    story.at(7);
    write(&story, 10, 1.2);
    std::fs::copy(
        story.suite.folder.path().join("metrics.json"),
        story.suite.folder.path().join("other.json"),
    )
    .unwrap();
    story.suite.folder.edit("promptgate.yaml", "json: metrics.json", "json: other.json");
    let alert = story.json(11, "advance", &[]);
    assert_eq!(alert["monitor"]["result"], "alert", "{alert:#}");
    assert!(alert["monitor"]["notes"].to_string().contains("not rolled back: the sources"), "{alert:#}");
    assert_eq!(story.suite.label("production"), "1.1.0");
}
