use super::*;
use crate::rollback::{RollbackRefusal, target};

proptest! {
    #[test]
    fn a_target_held_the_label_and_was_not_rolled_back(
        events in accepted_events(),
        wanted in proptest::option::of(0..VERSIONS.len()),
        label in select(vec![Label::Staging, Label::Production, Label::Canary]),
    ) {
        let state = State::fold(&events).unwrap();
        let wanted = wanted.map(|index| record(index).version);
        let Ok(found) = target(&state, &label, wanted) else { return Ok(()) };
        let moves: Vec<(Option<Version>, Version, MoveCause)> = events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Moved { label: moved, from, version, cause, .. } if *moved == label => {
                    Some((*from, *version, *cause))
                }
                _ => None,
            })
            .collect();
        let held = |version: Version| moves.iter().rposition(|(_, to, _)| *to == version);
        let left = moves.iter().rposition(|(from, to, cause)| {
            *from == Some(found) && *to != found && *cause == MoveCause::Rollback
        });
        let is_served = label == Label::Staging && state.labels.get(&Label::Production) == Some(&found);
        prop_assert!(held(found).is_some() || is_served);
        prop_assert!(
            is_served || left.is_none_or(|left| held(found).is_some_and(|held| held > left)),
            "rolled back and not promoted since"
        );
        prop_assert_ne!(moves.last().unwrap().1, found);
        prop_assert!(wanted.is_none_or(|wanted| wanted == found));
    }

    #[test]
    fn rollbacks_in_a_row_end_and_never_return(events in accepted_events()) {
        let mut state = State::fold(&events).unwrap();
        let mut visited: Vec<Version> = state.at_label(&Label::Production).into_iter().collect();
        while let Ok(to) = target(&state, &Label::Production, None) {
            prop_assert!(!visited.contains(&to));
            let from = state.labels.get(&Label::Production).copied();
            visited.push(to);
            let cause = MoveCause::Rollback;
            let kind = EventKind::Moved { label: Label::Production, from, version: to, cause, reason: None };
            state.apply(&event(1_000, kind)).unwrap();
        }
    }
}

#[test]
fn refusals_name_the_reason() {
    use MoveCause::{Promotion, Rollback};
    let production = |from, to, cause| moved(Label::Production, from, to, cause);
    let mut kinds = vec![published(0), published(1), published(2), published(3)];
    let target_of = |kinds: &[EventKind], wanted: Option<&str>| {
        target(&fold(kinds).unwrap(), &Label::Production, wanted.map(version))
    };
    assert_eq!(target_of(&kinds, None), Err(RollbackRefusal::NotSet));
    kinds.push(production(None, 0, Promotion));
    assert_eq!(target_of(&kinds, None), Err(RollbackRefusal::NoTarget));
    kinds.extend([production(Some(0), 1, Promotion), production(Some(1), 2, Promotion)]);
    assert_eq!(target_of(&kinds, None), Ok(version("1.0.1")));
    assert_eq!(target_of(&kinds, Some("1.0.0")), Ok(version("1.0.0")));
    assert_eq!(target_of(&kinds, Some("1.1.0")), Err(RollbackRefusal::Current(version("1.1.0"))));
    assert_eq!(target_of(&kinds, Some("2.0.0")), Err(RollbackRefusal::NeverServed(version("2.0.0"))));
    assert_eq!(target_of(&kinds, Some("9.0.0")), Err(RollbackRefusal::NeverServed(version("9.0.0"))));
    kinds.push(production(Some(2), 1, Rollback));
    assert_eq!(target_of(&kinds, Some("1.1.0")), Err(RollbackRefusal::RolledBack(version("1.1.0"))));
    assert_eq!(target_of(&kinds, None), Ok(version("1.0.0"))); // the second rollback in a row
    kinds.push(production(Some(1), 0, Rollback));
    assert_eq!(target_of(&kinds, None), Err(RollbackRefusal::NoTarget));
    // Promoted again, the version may be a target again.
    kinds.extend([production(Some(0), 2, Promotion), production(Some(2), 0, Promotion)]);
    assert_eq!(target_of(&kinds, Some("1.1.0")), Ok(version("1.1.0")));
    assert_eq!(target(&fold(&kinds).unwrap(), &Label::Latest, None), Err(RollbackRefusal::Automatic));
    assert_eq!(target(&fold(&kinds).unwrap(), &Label::Staging, None), Err(RollbackRefusal::NotSet));
}
