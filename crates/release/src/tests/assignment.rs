//! The assignment, against GrowthBook's SDKs and over the life of a rollout.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{content, fold, moved, published, record};
use crate::rollout::{RolloutKind, RolloutOutcome, RolloutStart, Step, Stratum};
use crate::*;

fn vectors() -> Value {
    let text = include_str!("../../../../tests/fixtures/oracles/assignment.json");
    serde_json::from_str(text).unwrap()
}

fn points(row: &Value, key: &str) -> u32 {
    u32::try_from(row[key].as_u64().unwrap()).unwrap()
}

fn text<'v>(row: &'v Value, key: &str) -> &'v str {
    row[key].as_str().unwrap()
}

#[test]
fn buckets_are_those_of_growthbook() {
    let vectors = vectors();
    let rows: Vec<&Value> =
        ["bucket", "assign"].iter().flat_map(|list| vectors[list].as_array().unwrap()).collect();
    assert_eq!(rows.len(), 30 + 92);
    for row in rows {
        assert_eq!(bucket(text(row, "salt"), text(row, "unit")), points(row, "bucket"), "{row}");
    }
}

#[test]
fn assignments_are_those_of_growthbook() {
    let vectors = vectors();
    for row in vectors["assign"].as_array().unwrap() {
        let entry = entry(text(row, "salt"), points(row, "basis_points"));
        assert_eq!(entry.assign(text(row, "unit")).variant.as_str(), text(row, "variant"), "{row}");
    }
}

fn entry(salt: &str, basis_points: u32) -> ReleaseEntry {
    ReleaseEntry {
        algorithm: ALGORITHM.to_owned(),
        salt: salt.to_owned(),
        basis_points,
        control: record(0).version,
        treatment: record(1).version,
        rollout: Some(1),
    }
}

fn start(salt: &str) -> EventKind {
    let step = |basis_points| Step { basis_points, hold_seconds: 1, min_samples: 1 };
    EventKind::RolloutStarted {
        start: Box::new(RolloutStart {
            number: 1,
            treatment: record(1).version,
            control: record(0).version,
            kind: RolloutKind::Canary,
            steps: vec![step(500), step(2_500)],
            salt: salt.to_owned(),
            planned_information: 1.0,
            sources: content("sources").digest(),
            reason: None,
        }),
    }
}

/// The events up to a rollout that can begin.
fn before_rollout() -> Vec<EventKind> {
    vec![
        published(0),
        published(1),
        moved(Label::Production, None, 0, MoveCause::Promotion),
        moved(Label::Canary, None, 1, MoveCause::Rollout),
    ]
}

fn stepped() -> EventKind {
    let ended = Stratum::default();
    EventKind::RolloutStepped { rollout: 1, step: 1, basis_points: 2_500, ended }
}

fn ended(outcome: RolloutOutcome) -> EventKind {
    EventKind::RolloutEnded { rollout: 1, outcome, reason: None }
}

/// A unit with the bucket 638 of the salt of the vectors.
const SALT: &str = "support/reply:r-20261120-1";
const UNIT: &str = "alice@example.com";

fn variant(kinds: &[EventKind]) -> (Variant, &'static str) {
    let assignment = assign(&fold(kinds).unwrap(), UNIT).unwrap();
    (assignment.variant, assignment.reason.code())
}

#[test]
fn unit_is_treated_from_the_step_that_reaches_its_bucket_until_the_end() {
    let mut kinds = before_rollout();
    assert_eq!(variant(&kinds), (Variant::Control, "no_rollout"));
    kinds.push(start(SALT));
    assert_eq!(variant(&kinds), (Variant::Control, "split"), "5 % is 500 of the bucket 638");
    kinds.push(stepped());
    assert_eq!(variant(&kinds), (Variant::Treatment, "split"));
    let state = fold(&kinds).unwrap();
    let assigned = assign(&state, UNIT).unwrap();
    assert_eq!(assigned.version, record(1).version);
    assert_eq!(assigned.reason, AssignmentReason::Split { bucket: 638 });
    assert_eq!(assign(&state, "").unwrap().reason, AssignmentReason::EmptyUnit);
    assert_eq!(assign(&state, "").unwrap().version, record(0).version);

    kinds.push(EventKind::RolloutPaused { rollout: 1, reason: "A holiday.".to_owned() });
    assert_eq!(variant(&kinds), (Variant::Treatment, "split"), "a pause keeps the percentage");
    for outcome in [RolloutOutcome::RolledBack, RolloutOutcome::Aborted] {
        let over = [kinds.as_slice(), &[ended(outcome)]].concat();
        assert_eq!(variant(&over), (Variant::Control, "no_rollout"));
    }
    kinds.push(moved(Label::Production, Some(0), 1, MoveCause::Rollout));
    kinds.push(ended(RolloutOutcome::Completed));
    let completed = assign(&fold(&kinds).unwrap(), UNIT).unwrap();
    assert_eq!((completed.version, completed.variant), (record(1).version, Variant::Control));
}

#[test]
fn control_is_what_production_has_now() {
    let mut kinds = vec![published(2), published(0), published(1)];
    // Numbers follow the order of publication.
    for (kind, place) in kinds.iter_mut().zip(1..) {
        let EventKind::Published { number, .. } = kind else { unreachable!() };
        *number = place;
    }
    kinds.extend([
        moved(Label::Production, None, 2, MoveCause::Promotion),
        moved(Label::Production, Some(2), 0, MoveCause::Promotion),
        moved(Label::Canary, None, 1, MoveCause::Rollout),
        start(SALT),
        moved(Label::Production, Some(0), 2, MoveCause::Rollback),
    ]);
    let assigned = assign(&fold(&kinds).unwrap(), UNIT).unwrap();
    assert_eq!((assigned.version, assigned.variant), (record(2).version, Variant::Control));
}

#[test]
fn prompt_without_production_has_no_assignment() {
    assert_eq!(assign(&fold(&[published(0)]).unwrap(), UNIT), None);
    assert_eq!(assign(&State::default(), UNIT), None);
}

fn releases(kinds: &[&[EventKind]]) -> BTreeMap<Name, ReleaseEntry> {
    let states: Vec<State> = kinds.iter().map(|kinds| fold(kinds).unwrap()).collect();
    let names = ["a/b", "c"].iter().map(|name| name.parse().unwrap());
    Releases::entries(names.zip(&states))
}

#[test]
fn releases_rise_by_one_with_each_change() {
    let mut kinds = before_rollout();
    let none = Releases::default().followed_by(releases(&[&[published(0)]]));
    assert_eq!(none, Releases::default(), "a prompt without production is not in it");
    let first = none.followed_by(releases(&[&kinds]));
    assert_eq!(first.seq, 1);
    assert!(!first.has_rollouts());
    kinds.push(EventKind::Registered {
        version: record(0).version,
        registry: "mlflow".to_owned(),
        id: "1".to_owned(),
    });
    assert_eq!(first.followed_by(releases(&[&kinds])), first);
    kinds.push(start(SALT));
    let second = first.followed_by(releases(&[&kinds, &before_rollout()]));
    assert_eq!(second.seq, 2);
    assert!(second.has_rollouts());
    assert_eq!(Releases::parse(&second.text().unwrap()), Ok(second.clone()));
    let value: Value = serde_json::from_str(&second.text().unwrap()).unwrap();
    assert_eq!(
        value,
        json!({"schema": "promptgate.releases/v1", "seq": 2, "prompts": {
            "a/b": {"algorithm": "gb2", "salt": SALT, "basis_points": 500,
                "control": "1.0.0", "treatment": "1.0.1", "rollout": 1},
            "c": {"algorithm": "gb2", "salt": "", "basis_points": 0,
                "control": "1.0.0", "treatment": "1.0.0", "rollout": null},
        }})
    );
}

#[test]
fn releases_that_cannot_be_used_are_refused() {
    let mut kinds = before_rollout();
    kinds.push(start(SALT));
    let text = Releases::default().followed_by(releases(&[&kinds])).text().unwrap();
    for (from, to, problem) in [
        ("promptgate.releases/v1", "promptgate.releases/v2", "unknown schema"),
        ("gb2", "gb1", "unknown algorithm of a/b"),
        (": 500", ": 10001", "10001 basis points"),
        (": 500", ": -1", "not releases"),
        ("\"seq\"", "\"sequence\"", "missing field `seq`"),
        ("a/b", "A/B", "invalid prompt name"),
        ("{", "", "not releases"),
    ] {
        let problem_found = Releases::parse(&text.replacen(from, to, 1)).unwrap_err();
        assert!(problem_found.contains(problem), "{problem}: {problem_found}");
    }
}

proptest! {
    #[test]
    fn a_larger_percentage_treats_the_same_units_and_more(
        salt in ".{0,20}", unit in ".{0,20}", small in 0_u32..=10_000, large in 0_u32..=10_000,
    ) {
        let (small, large) = (small.min(large), small.max(large));
        let treated = |points| entry(&salt, points).assign(&unit).variant == Variant::Treatment;
        prop_assert!(bucket(&salt, &unit) < 10_000);
        prop_assert!(!treated(small) || treated(large));
        prop_assert!(!treated(0));
        prop_assert_eq!(treated(10_000), !unit.is_empty());
    }

    #[test]
    fn assignments_from_the_file_are_those_from_the_state(unit in ".{0,20}", events in 4_usize..=6) {
        let mut kinds = before_rollout();
        kinds.extend([start(SALT), stepped()]);
        let state = fold(&kinds[..events]).unwrap();
        let releases = Releases::default().followed_by(Releases::entries([("a".parse().unwrap(), &state)]));
        let read = Releases::parse(&releases.text().unwrap()).unwrap();
        let entry = &read.prompts[&"a".parse::<Name>().unwrap()];
        prop_assert_eq!(Some(entry.assign(&unit)), assign(&state, &unit));
    }
}

#[test]
fn a_new_salt_draws_again() {
    let treated = |salt| {
        let entry = entry(salt, 5_000);
        (0..1_000)
            .filter(|unit| entry.assign(&format!("user-{unit}")).variant == Variant::Treatment)
            .collect::<Vec<_>>()
    };
    let (one, other) = (treated("r-1"), treated("r-2"));
    let both = one.iter().filter(|unit| other.contains(unit)).count();
    // 250 of 1,000 are expected in both; 5 standard deviations are 68.
    assert!((182..=318).contains(&both), "{both}");
    assert!((421..=579).contains(&one.len()), "{}", one.len());
}
