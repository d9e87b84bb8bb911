//! `rollout … --otlp`: a receiver gets a span of each result, and no failure of it changes the exit code.

use super::support::{EQUAL, Story};
use crate::release::support::NAME;
use crate::telemetry::{AUTHORIZATION, Receiver, texts};

const START: [&str; 3] = ["--per-day", "2000", "--allow-simulated"];

#[test]
fn start_and_advance_send_a_span_with_findings_as_events() {
    let mut story = Story::in_folder();
    story.suite.set("OTLP_AUTHORIZATION", AUTHORIZATION);
    let receiver = Receiver::start("200 OK");
    let url = receiver.url();
    let header = "authorization=env:OTLP_AUTHORIZATION";
    let flags =
        [&START[..], &["--otlp", &url, "--otlp-header", header, "--otlp-header", "x-team=a"]].concat();
    let outcome = story.rollout("start", &flags).expect_code(0);
    assert!(!outcome.text().contains("cGstY2FuYXJ5"), "{}", outcome.text());
    let (head, spans) = receiver.received();
    let head = head.to_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n") && head.contains("x-team: a\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: {}\r\n", AUTHORIZATION.to_lowercase())), "{head}");
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    let trace: String = span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let line = format!("sent 1 span to {url}/v1/traces, trace {trace}\n");
    assert!(outcome.stderr.contains(&line), "{}", outcome.stderr);
    let attributes = texts(&span.attributes);
    assert_eq!(span.name, "promptgate.rollout");
    for (name, expected) in [
        ("gen_ai.prompt.name", NAME),
        ("gen_ai.prompt.version", "1.1.0"),
        ("feature_flag.key", NAME),
        ("feature_flag.version", "1/1"),
        ("promptgate.rollout.command", "start"),
        ("promptgate.rollout.result", "started"),
        ("promptgate.rollout.percent", "5"),
        ("promptgate.rollout.control", "1.0.0"),
    ] {
        assert_eq!(attributes.get(name).map(String::as_str), Some(expected), "{name}: {attributes:?}");
    }

    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    let receiver = Receiver::start("200 OK");
    story.rollout("advance", &["--otlp", &receiver.url()]).expect_code(0).says("advanced to 25 %");
    let (_, spans) = receiver.received();
    let attributes = texts(&spans[0].attributes);
    assert_eq!(attributes["feature_flag.version"], "1/2");
    assert_eq!(attributes["promptgate.rollout.percent"], "25");
    // 48 hours after 2127-01-04.
    assert_eq!(spans[0].start_time_unix_nano, 4_954_867_200_000_000_000);
    let finding = spans[0].events.iter().find(|event| {
        event.name == "promptgate.rollout.finding"
            && texts(&event.attributes).contains_key("promptgate.rollout.finding.metric")
    });
    let finding = texts(&finding.expect("a finding of a metric").attributes);
    assert_eq!(finding["promptgate.rollout.finding.metric"], "faithfulness");
    assert_eq!(finding["promptgate.rollout.finding.status"], "pass");
    assert_eq!(finding["promptgate.rollout.finding.code"], "no_harm");
    assert!(!finding["promptgate.rollout.finding.text"].is_empty());
    assert_eq!(spans[0].status, None);
}

#[test]
fn rollback_sends_a_span_and_a_dry_run_none() {
    let story = Story::in_folder();
    story.start(&[]);
    let receiver = Receiver::start("200 OK");
    let url = receiver.url();
    story.suite.rollback(&["--otlp", &url, "--dry-run"]).expect_code(0).says("no telemetry is sent");
    // An invalid header moves nothing.
    let before = story.suite.ledger();
    story.suite.rollback(&["--otlp", &url, "--otlp-header", "x=env:NOT_SET"]).expect_code(2).says("NOT_SET");
    assert_eq!(story.suite.ledger(), before);
    story.suite.rollback(&["--otlp", &url]).expect_code(0).says("sent 1 span");
    let (_, spans) = receiver.received();
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    let attributes = texts(&span.attributes);
    assert_eq!(span.name, "promptgate.rollout");
    for (name, expected) in [
        ("gen_ai.prompt.name", NAME),
        ("gen_ai.prompt.version", "1.0.0"),
        ("promptgate.rollout.command", "rollback"),
        ("promptgate.rollout.result", "rolled_back"),
        ("promptgate.rollback.label", "canary"),
        ("promptgate.rollback.from", "1.1.0"),
    ] {
        assert_eq!(attributes.get(name).map(String::as_str), Some(expected), "{name}: {attributes:?}");
    }
    // Who does not answer changes nothing of it.
    let story = Story::in_folder();
    story.start(&[]);
    story.suite.rollback(&["--otlp", "http://127.0.0.1:9"]).expect_code(0).says("the telemetry was not sent");
}

#[test]
fn all_rollouts_are_spans_of_one_request() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    story.suite.folder.write("broken/promptgate.yaml", "release: {ledger: nowhere}\n");
    let receiver = Receiver::start("200 OK");
    let url = receiver.url();
    let all = ["rollout", "advance", "--all", "--otlp", &url];
    story.suite.run(&all).expect_code(12).says("advanced to 25 %").says("sent 1 span");
    // A prompt that failed has no result.
    let (_, spans) = receiver.received();
    let names: Vec<String> =
        spans.iter().map(|span| texts(&span.attributes)["gen_ai.prompt.name"].clone()).collect();
    assert_eq!(names, [NAME]);
}

#[test]
fn failed_source_is_an_error_and_its_secrets_are_redacted() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(12);
    story.suite.folder.write("metrics.json", "{");
    let receiver = Receiver::start("200 OK");
    story.rollout("advance", &["--otlp", &receiver.url()]).expect_code(12);
    let (_, spans) = receiver.received();
    assert_eq!(spans[0].status.as_ref().map(|status| status.code), Some(2));

    let secret = "tok-5d1e9a70c4b2";
    story.suite.run(&["rollout", "abort", NAME, "--reason", &format!("uses {secret}")]).expect_code(0);
    let mut story = Story::in_folder();
    story.start(&[]);
    story.rollout("pause", &["--reason", &format!("uses {secret}")]).expect_code(11);
    // Only a later job knows that it is a secret.
    story.suite.set("DEPLOY_TOKEN", secret);
    let receiver = Receiver::start("200 OK");
    story.rollout("abort", &["--reason", "a hotfix", "--otlp", &receiver.url()]).expect_code(0);
    let (_, spans) = receiver.received();
    let attributes = texts(&spans[0].attributes);
    assert_eq!(attributes["promptgate.rollout.result"], "aborted");
    assert_eq!(attributes["promptgate.rollout.paused"], "uses [redacted]");
}

#[test]
fn receiver_that_fails_is_a_warning() {
    let mut story = Story::in_folder();
    let url = Receiver::closed();
    let warning = format!("warning: the telemetry was not sent to {url}/v1/traces: ");
    let start = [&START[..], &["--otlp", &url]].concat();
    let outcome = story.rollout("start", &start).expect_code(0);
    assert!(outcome.stderr.contains(&warning), "{}", outcome.stderr);
    story.at(12);
    story.scores(0, (855, 950), (30, 50));
    let outcome = story.rollout("advance", &["--otlp", &url, "--format", "json"]).expect_code(10);
    assert!(outcome.stderr.contains(&warning), "{}", outcome.stderr);
    let printed: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON alone");
    assert_eq!(printed["result"], "rolled_back");
    assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));

    let receiver = Receiver::start("422 Unprocessable Entity");
    let refused = ["rollout", "advance", NAME, "--otlp", &receiver.url()];
    story.suite.run(&refused).expect_code(0).says("warning: the telemetry was not sent to").says("422");
    receiver.received();
}

#[test]
fn invalid_flags_are_usage_errors_before_anything_is_written() {
    let story = Story::in_folder();
    let before = story.suite.ledger();
    let url = "http://127.0.0.1:9";
    for (flags, expected) in [
        (&["--otlp", "localhost:4318"][..], "unsupported URL scheme, expected http or https --> flag --otlp"),
        (&["--otlp", "http://127.0.0.1:9/v1/traces"], "the URL ends with /v1/traces, which is added to it"),
        (&["--otlp", url, "--otlp-header", "a=env:NOT_SET"], "the environment variable NOT_SET is not set"),
        (&["--otlp", url, "--otlp-header", "authorization=hush-0123"], "may be a secret"),
        (&["--otlp-header", "a=b"], "--otlp <URL>"),
        (&["--otlp", url, "--otlp-content"], "unexpected argument '--otlp-content'"),
    ] {
        let outcome = story.rollout("start", &[&START[..], flags].concat()).expect_code(2).says(expected);
        assert!(!outcome.text().contains("hush"), "{}", outcome.text());
    }
    assert_eq!(story.suite.ledger(), before);
}

#[test]
fn dry_run_sends_nothing() {
    let story = Story::in_folder();
    let url = Receiver::closed();
    let flags = [&START[..], &["--dry-run", "--otlp", &url]].concat();
    let outcome = story.rollout("start", &flags).expect_code(0).says("would start at 5 %");
    let outcome = outcome.says("no telemetry is sent: a dry run changes nothing");
    assert!(!outcome.text().contains("warning"), "{}", outcome.text());
}
