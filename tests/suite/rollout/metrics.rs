//! Metrics that are missing, invalid, one-sided or of a source that fails.

use serde_json::{Value, json};

use super::support::{EQUAL, METRICS, Story, codes};

fn share(successes: u64, n: u64) -> Value {
    json!({"metrics": {"faithfulness": {"share": {"successes": successes, "n": n}}}})
}

fn mean(n: u64, mean: f64, variance: f64) -> Value {
    json!({"metrics": {"faithfulness": {"mean": {"n": n, "mean": mean, "variance": variance}}}})
}

/// A story at the end of the first hold.
fn due() -> Story {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    story
}

#[test]
fn missing_and_one_sided_metrics_hold() {
    let story = due();
    let none = json!({"metrics": {"faithfulness": null}});
    let rows = [
        ("no version", json!({})),
        ("control alone", json!({"1.0.0": share(6_840, 7_600)})),
        ("treatment alone", json!({"1.1.0": share(360, 400)})),
        ("another version", json!({"1.0.0": share(6_840, 7_600), "0.9.0": share(360, 400)})),
        ("null", json!({"1.0.0": share(6_840, 7_600), "1.1.0": none})),
        ("another metric", json!({"1.0.0": share(6_840, 7_600), "1.1.0": {"metrics": {}}})),
        ("no samples", json!({"1.0.0": share(6_840, 7_600), "1.1.0": share(0, 0)})),
        ("more successes than samples", json!({"1.0.0": share(6_840, 7_600), "1.1.0": share(401, 400)})),
        ("two kinds", json!({"1.0.0": share(6_840, 7_600), "1.1.0": mean(400, 0.9, 0.09)})),
        ("a negative variance", json!({"1.0.0": mean(7_600, 0.9, 0.09), "1.1.0": mean(400, 0.9, -1.0)})),
    ];
    for (what, versions) in rows {
        story.metrics(0, &versions);
        println!("{what}: {}", story.stays(0, "waiting", "missing")["findings"]);
    }
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
    // The same call with samples advances.
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    story.advance(0, "advanced");
}

#[test]
fn figure_without_a_variance_never_advances() {
    let story = due();
    let level =
        |value: f64, n: u64| json!({"metrics": {"faithfulness": {"level": {"n": n, "value": value}}}});
    story.metrics(0, &json!({"1.0.0": level(0.9, 7_600), "1.1.0": level(0.9, 400)}));
    story.stays(0, "waiting", "missing");
}

#[test]
fn too_few_and_unbalanced_samples_hold() {
    let story = due();
    story.scores(0, (6_831, 7_581), (359, 399));
    let few = story.advance(0, "waiting");
    assert!(codes(&few).contains(&"few_samples".to_owned()), "{few:#}");
    // Half of the samples are treated, expected 5 %.
    story.scores(0, (3_600, 4_000), (3_600, 4_000));
    let unbalanced = story.advance(0, "waiting");
    assert!(codes(&unbalanced).contains(&"unbalanced".to_owned()), "{unbalanced:#}");
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
}

#[test]
fn failing_source_pauses_after_five_calls_in_a_row() {
    let mut story = due();
    let damaged =
        ["", "{", "[]", r#"{"schema": "promptgate.metrics/v1", "name": "support/reply", "from": NaN}"#];
    for (hour, text) in (49..).zip(damaged) {
        story.at(hour);
        story.suite.folder.write(METRICS, text);
        let found = story.advance(12, "source_failed");
        assert!(codes(&found).contains(&"failed".to_owned()), "{found:#}");
    }
    // A call that reads it ends the row.
    story.at(60);
    story.scores(0, (6_831, 7_581), (359, 399));
    story.advance(0, "waiting");
    std::fs::remove_file(story.suite.folder.path().join(METRICS)).unwrap();
    for hour in 61..65 {
        story.at(hour);
        story.advance(12, "source_failed");
    }
    story.at(65);
    let paused = story.advance(11, "paused");
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
    assert_eq!(paused["rollout"]["percent"], 5.0);
    let shown = story.json(11, "status", &[]);
    assert_eq!(shown["rollout"]["paused"], "sources failed 5 times in a row");

    // It stays paused once the source is back, until a person resumes it.
    story.at(66);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    let held = story.advance(11, "paused");
    assert!(codes(&held).contains(&"paused".to_owned()), "{held:#}");
    story.rollout("resume", &["--reason", "the file is back"]).expect_code(0).says("goes on at 5 %");
    story.advance(0, "advanced");
    let log = story.sentences();
    for sentence in [
        "rollout 1 not observed: scores: metrics.json",
        "rollout 1 paused: sources failed 5 times in a row",
        "rollout 1 resumed: the file is back",
    ] {
        assert!(log.contains(sentence), "no {sentence:?} in:\n{log}");
    }
}

#[test]
fn failing_source_of_an_overdue_step_is_not_a_stuck_step() {
    let mut story = due();
    for hour in 169..173 {
        story.at(hour);
        let found = story.advance(12, "source_failed");
        assert_eq!(codes(&found), ["failed", "max_hold"], "{found:#}");
    }
    story.at(173);
    story.advance(11, "paused");
    // Once it answers, the step is what it is.
    story.rollout("resume", &["--reason", "the file is back"]).expect_code(0);
    story.scores(0, (6_831, 7_581), (359, 399));
    let stuck = story.advance(11, "stuck");
    assert_eq!(codes(&stuck), ["no_harm", "few_samples", "max_hold"], "{stuck:#}");
}

#[test]
fn numbers_that_are_not_numbers_fail_the_source() {
    let mut story = due();
    for (hour, mean) in (49..).zip(["NaN", "\"NaN\"", "1e999", "-Infinity"]) {
        story.at(hour);
        story.metrics(0, &json!({"1.0.0": mean_of(), "1.1.0": mean_of()}));
        let text = story.suite.folder.read(METRICS).replace("0.125", mean);
        story.suite.folder.write(METRICS, &text);
        story.advance(12, "source_failed");
    }
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
}

fn mean_of() -> Value {
    mean(7_600, 0.125, 0.09)
}

#[test]
fn samples_of_an_earlier_step_are_refused() {
    let mut story = due();
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    story.advance(0, "advanced");
    // The file still begins with the step before: its samples would count twice.
    story.at(100);
    let found = story.advance(12, "source_failed");
    assert!(found["findings"].to_string().contains("before the observed time"), "{found:#}");
    assert_eq!(story.percent(), 25.0);
}
