use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::tests::evidence;
use crate::{Digest, Evidence, EvidenceVerdict, Version, canonical};

const HOUR: i64 = 3_600;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hours * HOUR).unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn sources() -> Digest {
    canonical::digest(&"sources")
}

fn guardrail(name: &str, better: Better, margin: f64) -> Guardrail {
    Guardrail { name: name.to_owned(), better, margin, source: "scores".to_owned() }
}

pub(super) fn policy() -> RolloutPolicy {
    RolloutPolicy {
        canary: default_canary(),
        staged: default_staged(),
        guardrails: vec![
            guardrail("faithfulness", Better::Higher, 0.03),
            guardrail("error_rate", Better::Lower, 0.03),
        ],
        signals: vec![Signal {
            name: "latency_p95".to_owned(),
            max_ratio: 1.2,
            source: "latency".to_owned(),
        }],
        max_hold_seconds: 168 * HOUR as u64,
        settle_seconds: 0,
        lag_seconds: 0,
        alpha: 0.05,
        sources: sources(),
    }
}

/// A rollout on a step since hour 0, with the information planned for 2,000 treated samples.
fn rollout(step: usize) -> Rollout {
    let start = rollout_start();
    let basis_points = start.steps[step].basis_points;
    let begun = Rollout::begin(&start, at(0)).unwrap();
    Rollout { step, basis_points, ..begun }
}

pub(super) fn rollout_start() -> RolloutStart {
    RolloutStart {
        number: 1,
        treatment: version("1.1.0"),
        control: version("1.0.0"),
        kind: RolloutKind::Canary,
        steps: default_canary(),
        salt: "support/reply:1".to_owned(),
        planned_information: 2_000.0,
        sources: sources(),
        reason: None,
    }
}

/// Shares of both variants that split as the step says.
fn shares(step: usize, treated: u64, control: f64, treatment: f64) -> Reading {
    let points = u64::from(default_canary()[step].basis_points);
    let others = treated * (10_000 - points) / points;
    let share = |n: u64, share: f64| Sample::Share { successes: (n as f64 * share).round() as u64, n };
    Reading::Observed(Variants { control: share(others, control), treatment: share(treated, treatment) })
}

fn level(control: f64, treatment: f64) -> Reading {
    let level = |value| Sample::Level { n: 1_000, value };
    Reading::Observed(Variants { control: level(control), treatment: level(treatment) })
}

/// Observations in which nothing differs.
fn equal(step: usize, treated: u64) -> Observations {
    let readings = [
        ("faithfulness", shares(step, treated, 0.9, 0.9)),
        ("error_rate", shares(step, treated, 0.02, 0.02)),
        ("latency_p95", level(2.0, 2.0)),
    ];
    Observations { readings: readings.map(|(name, reading)| (name.to_owned(), reading)).into(), units: None }
}

fn with(mut observations: Observations, metric: &str, reading: Reading) -> Observations {
    observations.readings.insert(metric.to_owned(), reading);
    observations
}

fn decide_at(rollout: &Rollout, observations: &Observations, hours: i64) -> Decision {
    decide_with(rollout, observations, hours, |request| decide(&request))
}

/// Decides about a request that is changed first.
fn decide_with(
    rollout: &Rollout,
    observations: &Observations,
    hours: i64,
    decide: impl FnOnce(Request<'_>) -> Decision,
) -> Decision {
    let (policy, sources) = (policy(), sources());
    let production = Some(rollout.start.control);
    let (policy, sources, now) = (&policy, &sources, at(hours));
    decide(Request { rollout, policy, observations, production, sources, evaluation: None, now })
}

fn codes(decision: &Decision) -> Vec<&'static str> {
    decision.findings.iter().map(|finding| finding.kind.code()).collect()
}

#[test]
fn step_follows_after_hold_and_samples_without_harm() {
    let decision = decide_at(&rollout(0), &equal(0, 400), 48);
    let Action::Advance { step, basis_points, ended } = &decision.action else {
        panic!("{decision:?}");
    };
    assert_eq!((*step, *basis_points, ended.samples.len()), (1, 2_500, 2));
    assert_eq!(codes(&decision), ["no_harm", "no_harm", "within"]);
    assert_eq!(decide_at(&rollout(0), &equal(0, 400), 47).action, Action::Wait);
    let few = decide_at(&rollout(0), &equal(0, 399), 48);
    assert_eq!((few.action.clone(), codes(&few)[1]), (Action::Wait, "few_samples"));
}

#[test]
fn overdue_rollout_goes_one_step() {
    let decision = decide_at(&rollout(0), &equal(0, 90_000), 10_000);
    assert!(matches!(decision.action, Action::Advance { step: 1, .. }), "{decision:?}");
}

#[test]
fn all_units_follow_once_every_guardrail_is_not_worse() {
    let decision = decide_at(&rollout(2), &equal(2, 4_000), 24);
    assert_eq!(decision.action, Action::Complete, "{decision:?}");
    assert_eq!(codes(&decision), ["no_harm", "no_harm", "within", "not_worse", "not_worse"]);
    // As many samples as the step requires do not show it for a margin of 0.03 at 0.9.
    let decision = decide_at(&rollout(2), &equal(2, 1_000), 24);
    assert_eq!(decision.action, Action::Wait);
    assert_eq!(codes(&decision)[3], "not_yet_not_worse");
}

#[test]
fn harm_rolls_back_before_the_hold_ends_and_while_paused() {
    let mut rollout = rollout(0);
    for paused in [None, Some("incident".to_owned())] {
        rollout.paused = paused;
        let bad = with(equal(0, 60), "faithfulness", shares(0, 60, 0.9, 0.6));
        let decision = decide_at(&rollout, &bad, 3);
        assert_eq!(decision.action, Action::RollBack, "{decision:?}");
        let bad = with(equal(0, 400), "error_rate", shares(0, 400, 0.02, 0.2));
        assert_eq!(decide_at(&rollout, &bad, 3).action, Action::RollBack);
    }
}

#[test]
fn few_errors_of_few_treated_samples_are_no_harm() {
    // 7 of 100 against 2 %: as a normal statistic 3.3, beyond the bound of 2.9; exactly p is .006, which is 2.5.
    let code = |errors: f64| {
        let errors = with(equal(0, 100), "error_rate", shares(0, 100, 0.02, errors));
        let findings = decide_at(&rollout(0), &errors, 3).findings;
        let first = findings.iter().find(|finding| finding.metric.as_deref() == Some("error_rate"));
        first.map(|finding| finding.kind.code())
    };
    assert_eq!((code(0.07), code(0.12)), (Some("no_harm"), Some("harm")));
}

#[test]
fn slow_drip_shows_only_in_the_accumulated_data() {
    let mut rollout = rollout(2);
    let Reading::Observed(before) = shares(1, 1_000, 0.9, 0.875) else { unreachable!() };
    let drip = with(equal(2, 1_000), "faithfulness", shares(2, 1_000, 0.9, 0.875));
    assert_eq!(codes(&decide_at(&rollout, &drip, 24))[0], "no_harm");
    rollout.strata = vec![Stratum { samples: [("faithfulness".to_owned(), before)].into() }; 3];
    rollout.start.planned_information = 4_000.0;
    assert_eq!(decide_at(&rollout, &drip, 24).action, Action::RollBack);
}

#[test]
fn worse_within_the_margin_is_tolerated() {
    let mut rollout = rollout(2);
    rollout.start.planned_information = 100_000.0;
    let slight = with(equal(2, 200_000), "faithfulness", shares(2, 200_000, 0.9, 0.89));
    let decision = decide_at(&rollout, &slight, 24);
    assert_eq!((decision.action.clone(), codes(&decision)[0]), (Action::Complete, "tolerated"));
}

#[test]
fn signal_above_its_ratio_holds() {
    let slow = with(equal(0, 400), "latency_p95", level(2.0, 2.5));
    let decision = decide_at(&rollout(0), &slow, 48);
    assert_eq!((decision.action.clone(), codes(&decision)[2]), (Action::Wait, "exceeded"));
    assert_eq!(decide_at(&rollout(0), &slow, 169).action, Action::Stuck);
}

#[test]
fn guardrail_that_cannot_be_tested_holds() {
    for figure in [level(2.0, 2.0), level(2.0, 0.1)] {
        let untested = with(equal(0, 400), "faithfulness", figure);
        let decision = decide_at(&rollout(0), &untested, 48);
        assert_eq!((decision.action.clone(), codes(&decision)[0]), (Action::Wait, "missing"), "{decision:?}");
    }
}

#[test]
fn missing_invalid_and_one_sided_data_hold() {
    let mean = |mean, variance| Sample::Mean { n: 500, mean, variance };
    let one = |control, treatment| Reading::Observed(Variants { control, treatment });
    let share = |successes, n| Sample::Share { successes, n };
    let readings = [
        Reading::Missing("no series".to_owned()),
        one(share(0, 0), share(360, 400)),
        one(share(6_840, 7_600), share(0, 0)),
        one(share(6_840, 7_600), share(401, 400)),
        one(mean(f64::NAN, 1.0), mean(0.9, 1.0)),
        one(mean(0.9, 1.0), mean(0.9, f64::INFINITY)),
        one(mean(0.9, 1.0), mean(0.9, -1.0)),
        one(share(6_840, 7_600), mean(0.9, 0.1)),
        one(Sample::Level { n: 9, value: f64::NAN }, Sample::Level { n: 9, value: 1.0 }),
    ];
    for reading in readings {
        for metric in ["faithfulness", "error_rate", "latency_p95"] {
            let decision = decide_at(&rollout(0), &with(equal(0, 400), metric, reading.clone()), 48);
            assert_eq!(decision.action, Action::Wait, "{metric}: {reading:?}");
            let held = decision.findings.iter().any(|finding| {
                finding.metric.as_deref() == Some(metric) && finding.kind.status() >= Status::Inconclusive
            });
            assert!(held, "{metric}: {reading:?}: {decision:?}");
        }
    }
    let mut gone = equal(0, 400);
    gone.readings.clear();
    assert_eq!(codes(&decide_at(&rollout(0), &gone, 48)), ["missing", "missing", "missing"]);
}

#[test]
fn split_that_the_assignment_does_not_make_holds() {
    let mut observations = equal(0, 400);
    observations.units = Some(Variants { control: 7_600, treatment: 400 });
    assert!(matches!(decide_at(&rollout(0), &observations, 48).action, Action::Advance { .. }));
    observations.units = Some(Variants { control: 7_600, treatment: 500 });
    assert_eq!(codes(&decide_at(&rollout(0), &observations, 48))[0], "unbalanced");
    // Half of the treated scores are lost.
    let Reading::Observed(samples) = shares(0, 400, 0.9, 0.9) else { unreachable!() };
    let lost = Variants { treatment: Sample::Share { successes: 144, n: 160 }, ..samples };
    let decision = decide_at(&rollout(0), &with(equal(0, 400), "faithfulness", Reading::Observed(lost)), 48);
    assert!(codes(&decision).contains(&"unbalanced"), "{decision:?}");
}

#[test]
fn five_failures_in_a_row_pause() {
    let mut rollout = rollout(0);
    let failed = with(equal(0, 400), "error_rate", Reading::Failed("503".to_owned()));
    for failures in 0..4 {
        rollout.failures = failures;
        let decision = decide_at(&rollout, &failed, 48);
        assert_eq!((decision.action, decision.failure.as_deref()), (Action::Wait, Some("503")));
    }
    rollout.failures = 4;
    assert_eq!(decide_at(&rollout, &failed, 48).action, Action::Pause);
    // Harm counts even where another source fails.
    let harm = with(failed, "faithfulness", shares(0, 400, 0.9, 0.5));
    assert_eq!(decide_at(&rollout, &harm, 48).action, Action::RollBack);
}

#[test]
fn foreign_clock_production_and_sources_hold() {
    let rollout = rollout(0);
    assert_eq!(codes(&decide_at(&rollout, &equal(0, 400), -1)), ["clock_before"]);
    let moved = decide_with(&rollout, &equal(0, 400), 48, production_moved);
    assert_eq!(codes(&moved), ["production_moved"]);
    let decision = decide_with(&rollout, &equal(0, 400), 48, sources_changed);
    assert_eq!((codes(&decision), decision.action), (vec!["sources_changed"], Action::Stuck));
}

fn production_moved(request: Request<'_>) -> Decision {
    decide(&Request { production: Some(version("1.0.1")), ..request })
}

fn sources_changed(request: Request<'_>) -> Decision {
    decide(&Request { sources: &canonical::digest(&"others"), ..request })
}

#[test]
fn evaluation_that_does_not_pass_holds() {
    let with = |verdict, waived| {
        let evidence = Evidence { verdict, waived, ..evidence(1, Some(0)) };
        let of = |hours| {
            decide_with(&rollout(0), &equal(0, 400), hours, |request| {
                decide(&Request { evaluation: Some(&evidence), ..request })
            })
        };
        (of(48), of(169).action)
    };
    for (verdict, code) in [
        (EvidenceVerdict::Fail, "gate_failed"),
        (EvidenceVerdict::Inconclusive, "gate_inconclusive"),
        (EvidenceVerdict::Incomplete, "gate_incomplete"),
    ] {
        let (decision, overdue) = with(verdict, false);
        assert_eq!((codes(&decision)[0], decision.action, overdue), (code, Action::Wait, Action::Stuck));
    }
    for (verdict, waived) in [(EvidenceVerdict::Pass, false), (EvidenceVerdict::Inconclusive, true)] {
        assert!(matches!(with(verdict, waived).0.action, Action::Advance { .. }), "{verdict:?}");
    }
}

#[test]
fn ab_test_stays_at_its_percentage_and_still_rolls_back() {
    let mut rollout = rollout(2);
    rollout.start.kind = RolloutKind::Direct;
    rollout.start.steps = vec![Step { basis_points: 5_000, hold_seconds: 0, min_samples: 0 }];
    rollout.step = 0;
    assert_eq!(decide_at(&rollout, &equal(2, 90_000), 9_000).action, Action::Wait);
    let harm = with(equal(2, 4_000), "faithfulness", shares(2, 4_000, 0.9, 0.8));
    assert_eq!(decide_at(&rollout, &harm, 9_000).action, Action::RollBack);
}

#[test]
fn same_data_are_looked_at_once() {
    let mut rollout = rollout(0);
    let first = decide_at(&rollout, &equal(0, 100), 10);
    assert_eq!(first.looks.len(), 2);
    rollout.looks.extend(first.looks);
    assert!(decide_at(&rollout, &equal(0, 100), 11).looks.is_empty());
    assert_eq!(decide_at(&rollout, &equal(0, 150), 12).looks.len(), 2);
}

#[test]
fn harm_that_was_shown_once_stays_shown() {
    let mut rollout = rollout(0);
    let bad = with(equal(0, 100), "faithfulness", shares(0, 100, 0.9, 0.7));
    let first = decide_at(&rollout, &bad, 10);
    assert_eq!(first.action, Action::RollBack);
    // The call ended before its effect. The next one sees other data.
    rollout.looks.extend(first.looks);
    assert_eq!(decide_at(&rollout, &equal(0, 100), 11).action, Action::RollBack);
}

#[test]
fn harm_that_was_recorded_rolls_back_whatever_the_data_say_now() {
    let mut rollout = rollout(0);
    let bad = with(equal(0, 100), "faithfulness", shares(0, 100, 0.9, 0.7));
    let first = decide_at(&rollout, &bad, 10);
    assert_eq!(first.harm(), ["faithfulness"]);
    rollout.look(&first.looks, &first.harm(), false, at(10));
    let readings = [
        Reading::Failed("503".to_owned()),
        Reading::Missing("no series".to_owned()),
        level(2.0, 2.0),
        shares(0, 200_000, 0.9, 0.9),
    ];
    for reading in readings {
        for metric in ["faithfulness", "error_rate"] {
            let decision = decide_at(&rollout, &with(equal(0, 100), metric, reading.clone()), 11);
            assert_eq!(decision.action, Action::RollBack, "{metric}: {reading:?}");
            assert_eq!(decision.harm(), ["faithfulness"], "{metric}: {reading:?}");
        }
    }
    for changed in [production_moved, sources_changed] {
        assert_eq!(decide_with(&rollout, &equal(0, 100), 11, changed).action, Action::RollBack);
    }
    // A clock that went back moves nothing; by an hour, a person is told.
    assert_eq!(decide_at(&rollout, &bad, 9).action, Action::Stuck);
}

#[test]
fn harm_that_was_tolerated_does_not_roll_back_without_data() {
    let mut rollout = rollout(1);
    rollout.start.planned_information = 100_000.0;
    let slight = with(equal(1, 200_000), "faithfulness", shares(1, 200_000, 0.9, 0.89));
    let decision = decide_at(&rollout, &slight, 10);
    assert_eq!((codes(&decision)[1], decision.harm()), ("tolerated", Vec::new()));
    assert!(decision.looks[0].is_shown());
    rollout.look(&decision.looks, &decision.harm(), false, at(10));
    let failed = with(equal(1, 200_000), "faithfulness", Reading::Failed("503".to_owned()));
    assert_eq!(decide_at(&rollout, &failed, 11).action, Action::Wait);
}

fn sample() -> impl Strategy<Value = Sample> {
    let number = prop_oneof![
        (-10.0..10.0_f64).boxed(),
        Just(f64::NAN).boxed(),
        Just(f64::INFINITY).boxed(),
        Just(0.0).boxed(),
    ];
    let n = prop_oneof![Just(0_u64), 1..200_u64, 200..100_000_u64, Just(u64::MAX)];
    prop_oneof![
        (n.clone(), 0.0..=1.1_f64)
            .prop_map(|(n, share)| Sample::Share { successes: (n as f64 * share) as u64, n }),
        (n.clone(), number.clone(), number.clone()).prop_map(|(n, mean, variance)| Sample::Mean {
            n,
            mean,
            variance
        }),
        (n, number).prop_map(|(n, value)| Sample::Level { n, value }),
    ]
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        6 => (sample(), sample())
            .prop_map(|(control, treatment)| Reading::Observed(Variants { control, treatment })),
        1 => Just(Reading::Missing("none".to_owned())),
        1 => Just(Reading::Failed("503".to_owned())),
    ]
}

proptest! {
    /// For any observations, a step follows only after its hold, with its samples, on comparable data, one at a time; and all
    /// units only where non-inferiority of every guardrail was shown.
    #[test]
    fn no_observation_skips_a_control(
        step in 0..3_usize,
        hours in -2..400_i64,
        faithfulness in reading(),
        error_rate in reading(),
        latency in reading(),
        is_paused in any::<bool>(),
    ) {
        let mut rollout = rollout(step);
        rollout.paused = is_paused.then(|| "by hand".to_owned());
        let readings = [("faithfulness", faithfulness), ("error_rate", error_rate), ("latency_p95", latency)];
        let observations = Observations {
            readings: readings.map(|(name, reading)| (name.to_owned(), reading)).into(),
            units: None,
        };
        let decision = decide_at(&rollout, &observations, hours);
        let current = rollout.current().unwrap();
        let moves = matches!(decision.action, Action::Advance { .. } | Action::Complete);
        if moves {
            prop_assert!(!is_paused && hours * HOUR >= current.hold_seconds as i64);
            for guardrail in &policy().guardrails {
                let samples = observations.samples(&guardrail.name);
                prop_assert!(samples.is_ok_and(|samples| samples.treatment.n() >= current.min_samples));
            }
            prop_assert!(observations.samples("latency_p95").is_ok());
        }
        match &decision.action {
            Action::Advance { step: next, basis_points, .. } => {
                prop_assert_eq!(*next, step + 1);
                prop_assert_eq!(*basis_points, default_canary()[*next].basis_points);
            }
            Action::Complete => {
                let shown = decision.looks.iter()
                    .filter(|look| look.test == TestKind::NonInferiority && look.is_shown()).count();
                prop_assert_eq!((step, shown), (2, policy().guardrails.len()));
            }
            _ => {}
        }
        for look in &decision.looks {
            prop_assert!(look.z.is_finite() && look.fraction.is_finite());
            let text = serde_json::to_string(look).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Look>(&text).unwrap(), look);
        }
    }
}
