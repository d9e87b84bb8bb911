use super::*;

proptest! {
    #[test]
    fn folding_is_applying_one_by_one(events in accepted_events()) {
        let mut state = State::default();
        for (count, event) in events.iter().enumerate() {
            prop_assert_eq!(&State::fold(&events[..count]).unwrap(), &state);
            state.apply(event).unwrap();
        }
        prop_assert_eq!(&State::fold(&events).unwrap(), &state);
        let json = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<State>(&json).unwrap(), state);
    }

    #[test]
    fn a_refused_event_leaves_the_state_unchanged(events in accepted_events(), kind in any_event()) {
        let before = State::fold(&events).unwrap();
        let mut state = before.clone();
        if state.apply(&event(1_000, kind)).is_err() {
            prop_assert_eq!(state, before);
        }
    }

    #[test]
    fn a_repeated_event_is_refused_or_changes_nothing(events in accepted_events()) {
        if let Some(last) = events.last() {
            let before = State::fold(&events).unwrap();
            let mut state = before.clone();
            match state.apply(last) {
                Ok(()) => prop_assert_eq!(State { moves: before.moves.clone(), ..state }, before),
                Err(_) => {
                    let is_once = matches!(last.kind, EventKind::Published { .. } | EventKind::Moved { .. });
                    prop_assert!(is_once);
                }
            }
        }
    }

    #[test]
    fn labels_point_where_their_last_move_went(events in accepted_events()) {
        let state = State::fold(&events).unwrap();
        for label in [Label::Staging, Label::Production, Label::Canary] {
            let last = state.moves.iter().rev().find(|moved| moved.label == label);
            prop_assert_eq!(state.at_label(&label), last.map(|moved| moved.to));
            if let Some(last) = last {
                prop_assert!(state.has_held(last.to, &label));
                prop_assert!(state.holds_since(last.to, &label).unwrap() <= last.at);
            }
        }
        prop_assert_eq!(state.at_label(&Label::Latest), state.latest());
    }
}

#[test]
fn events_that_cannot_follow_are_refused_with_position_and_reason() {
    use MoveCause::{Promotion, Rollback};
    let production = |from, to| moved(Label::Production, from, to, Promotion);
    let renumbered = match published(1) {
        EventKind::Published { version, digest, level, adopted, .. } => {
            EventKind::Published { version, number: 3, digest, level, record: None, adopted }
        }
        other => other,
    };
    let cases = [
        (vec![published(0), published(0)], "event 2: version 1.0.0 is published twice"),
        (vec![published(1)], "event 1: version 1.0.1 has number 2, expected 1"),
        (vec![published(0), renumbered], "event 2: version 1.0.1 has number 3, expected 2"),
        (vec![evaluated(0, evidence(0, None))], "event 1: version 1.0.0 was not published"),
        (
            vec![published(0), evaluated(0, evidence(1, None))],
            "event 2: the evaluation of 1.0.0 is of different content",
        ),
        (vec![approved(0, approval(0, "alice"))], "event 1: version 1.0.0 was not published"),
        (vec![production(None, 0)], "event 1: version 1.0.0 was not published"),
        (
            vec![published(0), published(1), production(Some(1), 0)],
            "event 3: production was moved from 1.0.1, but pointed at no version",
        ),
        (
            vec![published(0), published(1), production(None, 0), production(None, 1)],
            "event 4: production was moved from no version, but pointed at 1.0.0",
        ),
        (
            vec![published(0), moved(Label::Latest, None, 0, Promotion)],
            "event 2: latest always points at the newest version",
        ),
        (
            vec![
                published(0),
                published(1),
                production(None, 0),
                moved(Label::Production, Some(0), 1, Rollback),
            ],
            "event 4: production was rolled back to 1.0.1, which never held it",
        ),
    ];
    for (kinds, expected) in cases {
        assert_eq!(fold(&kinds).unwrap_err().to_string(), expected);
    }
}

#[test]
fn an_old_report_replaces_no_newer_evaluation() {
    let fail = Evidence { verdict: EvidenceVerdict::Fail, at: at(9), ..evidence(0, None) };
    let pass = Evidence { at: at(3), ..evidence(0, None) };
    let state =
        fold(&[published(0), evaluated(0, pass.clone()), evaluated(0, fail.clone()), evaluated(0, pass)]);
    assert_eq!(state.unwrap().versions[&version("1.0.0")].evidence, Some(fail));
}

#[test]
fn an_abandoned_move_ends_only_its_own_intent() {
    let intended = |index: usize, cause| EventKind::Intended {
        label: Label::Production,
        version: record(index).version,
        cause,
        reason: None,
    };
    let abandoned =
        |index: usize| EventKind::Abandoned { label: Label::Production, version: record(index).version };
    let start = [
        published(0),
        published(1),
        moved(Label::Production, None, 0, MoveCause::Promotion),
        intended(1, MoveCause::Promotion),
    ];
    let with = |more: &[EventKind]| fold(&[start.as_slice(), more].concat()).unwrap().intents;
    assert_eq!(with(&[]).len(), 1);
    assert!(with(&[abandoned(1)]).is_empty());
    let kept = with(&[intended(0, MoveCause::Rollback), abandoned(1)]);
    assert_eq!(kept[&Label::Production].version, version("1.0.0"));
    assert!(with(&[moved(Label::Production, Some(0), 1, MoveCause::Promotion), abandoned(1)]).is_empty());
}
