use jiff::{Timestamp, ToSpan};

use super::*;
use crate::{ActorSource, Digest, Evidence, EvidenceVerdict, GateScope, ReleasePolicy};

const HOUR: u64 = 3_600;

fn limit(metric: &str, better: Better, worst: f64) -> Limit {
    Limit { metric: metric.to_owned(), better, worst, source: "requests".to_owned() }
}

fn errors() -> Limit {
    limit("error_rate", Better::Lower, 0.02)
}

fn share(successes: u64, n: u64) -> Sample {
    Sample::Share { successes, n }
}

fn now() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn hours_ago(hours: i64) -> Timestamp {
    now() - hours.hours()
}

#[test]
fn share_breaks_its_limit_where_the_exact_test_shows_it() {
    // P(X >= 5) = .0032 and P(X >= 6) = .0005 for 50 requests with errors in 2 %.
    let codes = |successes| errors().check(&share(successes, 50), 50).code();
    assert_eq!([0, 1, 2, 5, 6, 50].map(codes), ["within", "within", "beyond", "beyond", "broken", "broken"]);
    // P(X <= 60) = .0007 and P(X <= 61) = .0014 for 100 answers of which 75 % are faithful.
    let faithful = limit("faithfulness", Better::Higher, 0.75);
    let codes = |successes| faithful.check(&share(successes, 100), 50).code();
    assert_eq!(
        [100, 75, 74, 61, 60, 0].map(codes),
        ["within", "within", "beyond", "beyond", "broken", "broken"]
    );
}

#[test]
fn mean_breaks_its_limit_where_students_test_shows_it() {
    let helpful = limit("helpful", Better::Higher, 0.75);
    // t = 3.5 with 99 degrees of freedom: p = .0004; t = 3.0: p = .0017.
    let code = |n, mean, variance| helpful.check(&Sample::Mean { n, mean, variance }, 50).code();
    assert_eq!(code(100, 0.68, 0.04), "broken");
    assert_eq!(code(100, 0.69, 0.04), "beyond");
    assert_eq!(code(60, 0.76, 0.04), "within");
    // Equal scores leave nothing to chance, but 19 of them are too few.
    assert_eq!((code(50, 0.70, 0.0), code(19, 0.70, 0.0)), ("broken", "beyond"));
}

#[test]
fn figure_without_variance_is_never_broken() {
    let latency = limit("latency_p95", Better::Lower, 2.0);
    let code = |n, value| latency.check(&Sample::Level { n, value }, 50).code();
    assert_eq!([code(1_000, 1.9), code(1_000, 20.0), code(49, 20.0)], ["within", "untested", "few_samples"]);
}

#[test]
fn unusable_samples_keep_no_limit() {
    let code = |sample| errors().check(&sample, 50).code();
    assert_eq!(code(share(0, 0)), "few_samples");
    assert_eq!(code(share(0, 49)), "few_samples");
    assert_eq!(code(share(3, 2)), "invalid");
    assert_eq!(code(Sample::Mean { n: 100, mean: f64::NAN, variance: 0.0 }), "invalid");
    assert_eq!(code(Sample::Mean { n: 100, mean: 0.0, variance: -1.0 }), "invalid");
    assert_eq!(code(Sample::Level { n: 100, value: f64::INFINITY }), "invalid");
    // A catastrophe shows with few samples.
    assert_eq!(code(share(5, 5)), "broken");
}

fn readings(reading: Reading<Sample>) -> LimitReadings {
    [("error_rate".to_owned(), reading)].into()
}

fn staged(
    on_no_traffic: OnNoTraffic,
    reading: Reading<Sample>,
    evidence: Option<&Evidence>,
    hours: i64,
) -> StagingDecision {
    let checks = StagingChecks { min_samples: 50, on_no_traffic, limits: vec![errors()] };
    stage(&StagingRequest {
        checks: &checks,
        readings: &readings(reading),
        evidence,
        since: hours_ago(hours),
        hold_seconds: 24 * HOUR,
        max_hold_seconds: 168 * HOUR,
        now: now(),
    })
}

fn evaluation(hours: i64, verdict: EvidenceVerdict) -> Evidence {
    let digest: Digest = ReleasePolicy::default().digest();
    Evidence {
        report: digest.clone(),
        candidate: digest,
        verdict,
        scope: GateScope::Full,
        baseline: None,
        waived: false,
        simulated: false,
        source: ActorSource::Schedule,
        commit: None,
        dataset: "d".to_owned(),
        cases: 60,
        judge: None,
        criteria: Vec::new(),
        latency_p95_ms: None,
        cost_per_case_usd: None,
        at: hours_ago(hours),
    }
}

#[test]
fn staging_passes_after_its_hold_with_its_samples_within_the_limits() {
    let action = |reading, hours| staged(OnNoTraffic::Wait, reading, None, hours).action;
    let good = || Reading::Observed(share(1, 100));
    assert_eq!(action(good(), 24), StagingAction::Pass);
    assert_eq!(action(good(), 23), StagingAction::Wait);
    assert_eq!(action(Reading::Observed(share(0, 49)), 25), StagingAction::Wait);
    assert_eq!(action(Reading::Observed(share(3, 100)), 25), StagingAction::Wait);
    assert_eq!(action(Reading::Missing("no series".to_owned()), 25), StagingAction::Wait);
    // A clock that went back: before the version came there.
    assert_eq!(action(good(), -1), StagingAction::Wait);
    assert_eq!(action(Reading::Observed(share(0, 49)), 169), StagingAction::Stuck);
}

#[test]
fn broken_limit_puts_staging_back_during_the_hold_as_well() {
    for hours in [1, 25, 500] {
        let decision = staged(OnNoTraffic::Replay, Reading::Observed(share(10, 50)), None, hours);
        assert_eq!(decision.action, StagingAction::PutBack, "{hours}");
    }
}

#[test]
fn replay_stands_in_for_traffic_and_for_nothing_else() {
    let pass = evaluation(1, EvidenceVerdict::Pass);
    fn action(reading: Reading<Sample>, evidence: Option<&Evidence>, hours: i64) -> StagingAction {
        staged(OnNoTraffic::Replay, reading, evidence, hours).action
    }
    let none = || Reading::Missing("no series".to_owned());
    assert_eq!(action(none(), None, 25), StagingAction::Replay);
    assert_eq!(action(none(), None, 23), StagingAction::Wait);
    assert_eq!(action(none(), Some(&pass), 25), StagingAction::Pass);
    assert_eq!(action(none(), Some(&pass), 23), StagingAction::Wait);
    assert_eq!(action(Reading::Observed(share(0, 3)), Some(&pass), 25), StagingAction::Pass);
    // The evaluation that was published with the version is from before it came to staging.
    let earlier = evaluation(26, EvidenceVerdict::Pass);
    assert_eq!(action(none(), Some(&earlier), 25), StagingAction::Replay);
    for (verdict, expected) in [
        (EvidenceVerdict::Fail, StagingAction::PutBack),
        (EvidenceVerdict::Incomplete, StagingAction::Replay),
        // Repeated until it passes, a gate would decide by chance.
        (EvidenceVerdict::Inconclusive, StagingAction::Wait),
    ] {
        assert_eq!(action(none(), Some(&evaluation(1, verdict)), 25), expected, "{verdict:?}");
    }
    // Few requests with an error among them, damaged figures, errors beyond the limit, a broken one and a source that fails are no lack of traffic.
    assert_eq!(action(Reading::Observed(share(1, 10)), Some(&pass), 25), StagingAction::Wait);
    assert_eq!(action(Reading::Observed(share(5_000, 60)), Some(&pass), 25), StagingAction::Wait);
    assert_eq!(action(Reading::Observed(share(3, 100)), Some(&pass), 25), StagingAction::Wait);
    assert_eq!(action(Reading::Observed(share(9, 40)), Some(&pass), 25), StagingAction::PutBack);
    let failed = staged(OnNoTraffic::Replay, Reading::Failed("503".to_owned()), Some(&pass), 200);
    assert_eq!((failed.action, failed.failure.as_deref()), (StagingAction::Wait, Some("503")));
    assert_eq!(staged(OnNoTraffic::Wait, none(), Some(&pass), 25).action, StagingAction::Wait);
}

#[test]
fn metric_that_is_missing_beside_another_is_no_lack_of_traffic() {
    let limits = vec![errors(), limit("faithfulness", Better::Higher, 0.75)];
    let checks = StagingChecks { min_samples: 50, on_no_traffic: OnNoTraffic::Replay, limits };
    let mut readings = readings(Reading::Observed(share(10, 5_000)));
    readings.insert("faithfulness".to_owned(), Reading::Missing("no scores".to_owned()));
    let pass = evaluation(1, EvidenceVerdict::Pass);
    let decision = stage(&StagingRequest {
        checks: &checks,
        readings: &readings,
        evidence: Some(&pass),
        since: hours_ago(25),
        hold_seconds: 24 * HOUR,
        max_hold_seconds: 168 * HOUR,
        now: now(),
    });
    assert_eq!(decision.action, StagingAction::Wait);
}

fn monitored(action: BrokenAction, reading: Reading<Sample>, hours: i64) -> MonitorDecision {
    let limits = Monitor { window_seconds: 24 * HOUR, limits: vec![errors()], action };
    let since = hours_ago(hours);
    monitor(&MonitorRequest { monitor: &limits, readings: &readings(reading), since, now: now() })
}

#[test]
fn broken_limit_of_production_alerts_or_rolls_back() {
    let broken = || Reading::Observed(share(10, 100));
    assert_eq!(monitored(BrokenAction::Alert, broken(), 48).action, MonitorAction::Alert);
    assert_eq!(monitored(BrokenAction::Rollback, broken(), 1).action, MonitorAction::RollBack);
    for successes in [1, 3] {
        let decision = monitored(BrokenAction::Rollback, Reading::Observed(share(successes, 100)), 48);
        assert_eq!(decision.action, MonitorAction::Quiet, "{successes}");
    }
}

#[test]
fn production_that_nobody_sees_alerts_after_a_window_and_is_not_rolled_back() {
    let action = |reading, hours| monitored(BrokenAction::Rollback, reading, hours).action;
    let none = || Reading::Missing("no series".to_owned());
    assert_eq!([action(none(), 1), action(none(), 24)], [MonitorAction::Quiet, MonitorAction::Alert]);
    assert_eq!(action(Reading::Observed(share(0, 0)), 48), MonitorAction::Alert);
    assert_eq!(action(Reading::Observed(Sample::Level { n: 9, value: 0.5 }), 1), MonitorAction::Alert);
    assert_eq!(action(Reading::Observed(share(2, 1)), 1), MonitorAction::Alert);
    assert_eq!(action(none(), -1), MonitorAction::Alert, "a clock that went back sees nothing");
    let failed = monitored(BrokenAction::Rollback, Reading::Failed("503".to_owned()), 48);
    assert_eq!((failed.action, failed.failure.as_deref()), (MonitorAction::Quiet, Some("503")));
}
