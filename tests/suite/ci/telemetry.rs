//! `ci --otlp`: the trace of `run --otlp`, after all files are written.

use super::{Origin, commands, reworded, worse};
use crate::support::finish;
use crate::telemetry::{AUTHORIZATION, Receiver, texts};

#[test]
fn gate_of_a_pull_request_sends_its_trace_and_redacts_the_header() {
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let job = origin.pull_request();
    let receiver = Receiver::start("200 OK");
    let url = receiver.url();
    let header = "authorization=env:OTLP_AUTHORIZATION";
    let mut command = job.command(&["--offline", "--otlp", &url, "--otlp-header", header]);
    command.env("OTLP_AUTHORIZATION", AUTHORIZATION);
    let outcome = finish(command).expect_code(10).says(" spans to ").says(", trace ");
    assert!(!outcome.text().contains("cGstY2FuYXJ5"), "{}", outcome.text());
    let (head, spans) = receiver.received();
    assert!(head.to_lowercase().contains(&AUTHORIZATION.to_lowercase()), "{head}");
    let run = texts(
        &spans[0]
            .attributes
            .iter()
            .filter(|of| of.key.starts_with("promptgate.verdict"))
            .cloned()
            .collect::<Vec<_>>(),
    );
    assert_eq!(run["promptgate.verdict"], "fail");
    assert!(spans.iter().filter(|span| span.name.starts_with("case ")).count() == 3, "{}", spans.len());
    assert!(!format!("{spans:?}").contains("refund"), "texts are in the trace");
    job.outcome("fail", 10);
    assert!(job.summary().contains("❌ fail"));
}

#[test]
fn content_is_sent_if_asked_for() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    let receiver = Receiver::start("200 OK");
    let flags = ["--offline", "--quiet", "--otlp", &receiver.url(), "--otlp-content"];
    let outcome = finish(job.command(&flags)).expect_code(0);
    assert!(!outcome.stderr.contains("sent"), "{}", outcome.stderr);
    let (_, spans) = receiver.received();
    assert!(format!("{spans:?}").contains("How many days does plan 1 give for a refund?"));
}

#[test]
fn receiver_that_fails_is_a_warning() {
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let job = origin.pull_request();
    let url = Receiver::closed();
    let outcome = finish(job.command(&["--offline", "--otlp", &url])).expect_code(10);
    let warning = format!("warning: the telemetry was not sent to {url}/v1/traces: ");
    assert!(outcome.stderr.contains(&warning), "{}", outcome.stderr);
    job.outcome("fail", 10);
}

#[test]
fn gate_without_a_run_sends_nothing() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| folder.write("README.md", "Nothing of the suite.\n"));
    let job = origin.pull_request();
    let url = Receiver::closed();
    let outcome = finish(job.command(&["--offline", "--otlp", &url])).expect_code(0);
    assert!(!outcome.text().contains("telemetry"), "{}", outcome.text());
    job.outcome("unchanged", 0);
}

#[test]
fn variable_that_is_not_set_fails_a_push_and_not_a_pull_request() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    let url = Receiver::closed();
    let flags = ["--offline", "--otlp", &url, "--otlp-header", "authorization=env:OTLP_AUTHORIZATION"];
    let outcome = finish(job.command(&flags)).expect_code(0);
    let outcome =
        outcome.says("warning: no telemetry is sent: the environment variable OTLP_AUTHORIZATION is not set");
    assert!(!outcome.text().contains("was not sent to"), "{}", outcome.text());
    job.outcome("pass", 0);

    let push = job.fresh().with("GITHUB_EVENT_NAME", "push").with("GITHUB_REF", "refs/heads/main");
    finish(push.command(&flags)).expect_code(2).says("OTLP_AUTHORIZATION is not set");
    push.outcome("error", 2);
}

#[test]
fn invalid_flags_are_the_outcome_of_the_gate() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let mut job = origin.pull_request();
    for (flags, expected) in [
        (&["--otlp", "localhost:4318"][..], "unsupported URL scheme"),
        (&["--otlp", "http://127.0.0.1:9", "--otlp-header", "authorization=hush-0123"], "may be a secret"),
        (&["--otlp", "http://127.0.0.1:9", "--shard", "1/2"], "a shard has no telemetry"),
    ] {
        let outcome = finish(job.command(&[&["--offline"], flags].concat())).expect_code(2).says(expected);
        assert!(!outcome.text().contains("hush"), "{}", outcome.text());
        assert_eq!(commands(&outcome.text()).len(), 1, "an annotation");
        assert_eq!(job.outcome("error", 2)["reason"], "usage");
        job = job.fresh();
    }
}

#[test]
fn job_that_joins_shards_sends_the_trace_of_the_whole_run() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let mut job = origin.pull_request();
    for (shard, out) in [("1/2", "shards/1"), ("2/2", "shards/2")] {
        finish(job.command(&["--offline", "--shard", shard, "--out", out])).expect_code(0);
        job = job.fresh();
    }
    let receiver = Receiver::start("200 OK");
    let url = receiver.url();
    finish(job.command(&["--merge", "shards", "--otlp", &url])).expect_code(0).says(" spans to ");
    let (_, spans) = receiver.received();
    assert_eq!(spans.iter().filter(|span| span.name.starts_with("case ")).count(), 3);
    job.outcome("pass", 0);
}
