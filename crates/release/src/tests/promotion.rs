use proptest::strategy::ValueTree;

use super::*;
use crate::promotion::{Decision, Obstacle, Promotion, decide};

/// The part of a request that a caller chooses.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) index: usize,
    pub(super) to: Label,
    pub(super) actor: ActorSource,
    pub(super) skip_holds: bool,
    pub(super) again: bool,
    pub(super) reason: Option<&'static str>,
    pub(super) allow_simulated: bool,
    pub(super) unverified_counts: bool,
    pub(super) now: Timestamp,
}

impl Request {
    pub(super) fn new(index: usize, to: Label) -> Self {
        Self {
            index,
            to,
            actor: ActorSource::DefaultBranch,
            skip_holds: false,
            again: false,
            reason: None,
            allow_simulated: false,
            unverified_counts: false,
            now: at(1_000),
        }
    }

    pub(super) fn decide(&self, state: &State) -> Decision {
        let production = state.at_label(&Label::Production);
        self.decide_with(state, RECORDS.iter().find(|record| Some(record.version) == production))
    }

    pub(super) fn decide_with(&self, state: &State, production: Option<&Record>) -> Decision {
        decide(&Promotion {
            state,
            record: &record(self.index),
            production,
            to: self.to.clone(),
            actor: self.actor,
            skip_holds: self.skip_holds,
            again: self.again,
            by_rollout: false,
            reason: self.reason,
            allow_simulated: self.allow_simulated,
            unverified_counts: self.unverified_counts,
            now: self.now,
        })
    }
}

fn any_request() -> impl Strategy<Value = Request> {
    let label = select(vec![Label::Staging, Label::Production, Label::Production, Label::Canary]);
    let flag = || proptest::bool::weighted(0.3);
    let reason = select(vec![None, Some(" "), Some("hotfix")]);
    let actor = select(vec![
        ActorSource::DefaultBranch,
        ActorSource::Dispatch,
        ActorSource::Schedule,
        ActorSource::Local,
        ActorSource::OtherBranch,
    ]);
    (0..VERSIONS.len(), label, actor, flag(), flag(), reason, flag(), flag(), 0_i64..300).prop_map(
        |(index, to, actor, skip_holds, again, reason, allow_simulated, unverified_counts, second)| Request {
            index,
            to,
            actor,
            skip_holds,
            again,
            reason,
            allow_simulated,
            unverified_counts,
            now: at(second),
        },
    )
}

/// The controls once more, from the events themselves. `Err` names the one that does not hold.
fn controls(events: &[Event], request: &Request) -> Result<(), &'static str> {
    let record = record(request.index);
    let position = |wanted: &Label| {
        events.iter().rev().find_map(|event| match &event.kind {
            EventKind::Moved { label, version, .. } if label == wanted => Some(*version),
            _ => None,
        })
    };
    let hold = |condition: bool, name| if condition { Ok(()) } else { Err(name) };
    hold(request.actor != ActorSource::OtherBranch, "job of the default branch")?;
    let given_reason = request.reason.is_some_and(|reason| !reason.trim().is_empty());
    let served = position(&Label::Production)
        .map(|version| RECORDS.iter().find(|record| record.version == version).unwrap());

    hold(request.to == Label::Staging || request.to == Label::Production, "label")?;
    hold(position(&request.to).is_none_or(|current| current < record.version), "below the label")?;
    hold(served.is_none_or(|served| served.version <= record.version), "below production")?;

    // Rolled back from a label, and not moved there since.
    let rolled_back = [Label::Staging, Label::Production, Label::Canary].iter().any(|wanted| {
        let moves = events.iter().filter_map(|event| match &event.kind {
            EventKind::Moved { label, from, version, cause, .. } if label == wanted => {
                Some((*from, *version, *cause))
            }
            _ => None,
        });
        moves.fold(false, |state, (from, to, cause)| {
            let left = from == Some(record.version) && to != record.version && cause == MoveCause::Rollback;
            to != record.version && (left || state)
        })
    });
    hold(!rolled_back || (request.again && given_reason), "rolled back")?;
    hold(!request.skip_holds || given_reason, "reason")?;

    let mut newest: Option<&Evidence> = None;
    for event in events {
        if let EventKind::Evaluated { version, evidence } = &event.kind
            && *version == record.version
            && newest.is_none_or(|newest| evidence.at.as_millisecond() + 1000 >= newest.at.as_millisecond())
        {
            newest = Some(evidence);
        }
    }
    let evidence = newest.ok_or("evidence")?;
    hold(evidence.candidate == record.digest, "content")?;
    hold(evidence.source != ActorSource::OtherBranch, "pull request")?;
    hold(evidence.source != ActorSource::Local || request.unverified_counts, "claim")?;
    hold(!evidence.simulated || request.allow_simulated, "simulated")?;
    let undecided = evidence.verdict == EvidenceVerdict::Inconclusive && evidence.waived;
    hold(evidence.verdict == EvidenceVerdict::Pass || undecided, "verdict")?;

    let level = match served {
        None => Level::Major,
        Some(served) => {
            let least = diff::compare(&served.content, &record.content, &record.policy.rules).level;
            record.level.max(least.unwrap_or(Level::Patch))
        }
    };
    let full = request.skip_holds || level != Level::Patch;
    hold(!full || evidence.scope == GateScope::Full, "scope")?;
    if let (true, Some(served)) = (full, served) {
        hold(
            evidence.baseline.as_ref().is_some_and(|baseline| baseline.digest == served.digest),
            "baseline",
        )?;
    }

    let production = request.to == Label::Production;
    let needs_approval = evidence.waived || (production && (request.skip_holds || level == Level::Major));
    let approved = events.iter().any(|event| match &event.kind {
        EventKind::Approved { version, approval } => {
            let login = approval.login.to_lowercase();
            *version == record.version
                && approval.digest == record.digest
                && login != "author"
                && (login == "alice" || login == "bob" || approval.teams == ["@org/owners"])
                && (approval.source != ApprovalSource::Unverified || request.unverified_counts)
        }
        _ => false,
    });
    hold(!needs_approval || approved, "approval")?;

    if production && served.is_some() && !request.skip_holds {
        hold(position(&Label::Staging) == Some(record.version), "staging")?;
        // The last of the moves that brought the version there.
        let mut since = None;
        for event in events {
            if let EventKind::Moved { label: Label::Staging, version, .. } = &event.kind {
                since = match since {
                    Some(since) if *version == record.version => Some(since),
                    _ => (*version == record.version).then_some(event.at),
                };
            }
        }
        let held = since.is_some_and(|since| request.now.as_second() - since.as_second() >= 10);
        hold(held, "hold")?;
    }
    Ok(())
}

/// Events that lead to promotions more often: published versions with good evidence, shuffled among others.
fn likely_events() -> impl Strategy<Value = (Vec<Event>, usize)> {
    (
        accepted_events(),
        proptest::collection::vec(any_event(), 0..6),
        0..VERSIONS.len(),
        0..VERSIONS.len(),
        proptest::array::uniform4(proptest::bool::weighted(0.8)),
    )
        .prop_map(|(events, more, index, served, [evaluate, approve, stage, first])| {
            let mut state = State::default();
            let mut all = Vec::new();
            let mut push = |kind: EventKind, second: i64, all: &mut Vec<Event>| {
                all.extend(follow(&mut state, second, kind));
            };
            (0..VERSIONS.len()).for_each(|index| push(published(index), 0, &mut all));
            for event in events {
                push(event.kind, 1, &mut all);
            }
            if first {
                push(moved(Label::Production, None, served, MoveCause::Adoption), 2, &mut all);
            }
            if evaluate {
                let evidence = Evidence { at: at(20), ..evidence(index, Some(served)) };
                push(evaluated(index, evidence), 2, &mut all);
            }
            if approve {
                push(approved(index, approval(index, "bob")), 3, &mut all);
            }
            if stage {
                push(moved(Label::Staging, None, index, MoveCause::Promotion), 4, &mut all);
            }
            for kind in more {
                push(kind, 5, &mut all);
            }
            (all, index)
        })
}

/// Events, and mostly a request for the version that they lead to.
fn any_story() -> impl Strategy<Value = (Vec<Event>, Request)> {
    (likely_events(), any_request(), proptest::bool::weighted(0.8)).prop_map(
        |((events, likely), request, same)| {
            let index = if same { likely } else { request.index };
            (events, Request { index, ..request })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_skips_a_control((events, request) in any_story()) {
        let state = State::fold(&events).unwrap();
        match request.decide(&state) {
            Decision::Promote { .. } => prop_assert_eq!(controls(&events, &request), Ok(())),
            Decision::Unchanged => {
                prop_assert_eq!(state.at_label(&request.to), Some(record(request.index).version));
            }
            Decision::Refuse(obstacles) => {
                prop_assert!(obstacles.iter().any(Obstacle::is_final));
                prop_assert!(controls(&events, &request).is_err(), "{:?}", obstacles);
            }
            Decision::Wait(obstacles) => {
                prop_assert!(!obstacles.is_empty() && !obstacles.iter().any(Obstacle::is_final));
                prop_assert!(controls(&events, &request).is_err(), "{:?}", obstacles);
            }
        }
    }

    #[test]
    fn a_wrong_production_record_never_relaxes_a_control(
        (events, request) in any_story(),
        other in proptest::option::of(0..VERSIONS.len()),
    ) {
        let state = State::fold(&events).unwrap();
        let other = other.map(record);
        if let Decision::Promote { level } = request.decide_with(&state, other.as_ref()) {
            prop_assert_eq!(controls(&events, &request), Ok(()));
            prop_assert!(level <= Level::Major);
        }
    }
}

#[test]
fn random_events_reach_every_decision() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = [0; 4];
    let mut codes = std::collections::BTreeSet::new();
    for _ in 0..600 {
        let (events, request) = any_story().new_tree(&mut runner).unwrap().current();
        let decision = request.decide(&State::fold(&events).unwrap());
        let (index, obstacles) = match decision {
            Decision::Promote { .. } => (0, Vec::new()),
            Decision::Unchanged => (1, Vec::new()),
            Decision::Refuse(obstacles) => (2, obstacles),
            Decision::Wait(obstacles) => (3, obstacles),
        };
        counts[index] += 1;
        codes.extend(obstacles.iter().map(Obstacle::code));
    }
    assert!(counts.iter().all(|count| *count >= 20), "{counts:?}");
    // All but `other_content`, which the fold refuses before.
    assert_eq!(codes.len(), 16, "{codes:?}");
}
