use super::promotion::Request;
use super::*;
use crate::promotion::{Decision, Obstacle, Promotion, decide};

/// Version 1.0.0 in production, 1.1.0 on staging with good evidence.
fn minor_on_staging() -> Vec<EventKind> {
    vec![
        published(0),
        published(1),
        published(2),
        moved(Label::Production, None, 0, MoveCause::Promotion),
        evaluated(2, evidence(2, Some(0))),
        moved(Label::Staging, None, 2, MoveCause::Promotion),
    ]
}

fn with(more: &[EventKind]) -> State {
    fold(&[minor_on_staging().as_slice(), more].concat()).unwrap()
}

fn evidence_of_minor(change: impl Fn(&mut Evidence)) -> State {
    let mut evidence = evidence(2, Some(0));
    change(&mut evidence);
    with(&[evaluated(2, evidence)])
}

/// Decides, and checks that each obstacle has a sentence, a code and a next step.
fn decided(request: &Request, state: &State) -> Decision {
    let decision = request.decide(state);
    if let Decision::Refuse(obstacles) | Decision::Wait(obstacles) = &decision {
        for obstacle in obstacles {
            let text = obstacle.to_string();
            assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
            for version in [None, Some(version("1.1.0"))] {
                let help = obstacle.help(&"support/reply".parse().unwrap(), version);
                assert!(!help.is_empty() && !help.contains("  "), "{text}: {help}");
            }
            assert!(obstacle.code().bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()));
        }
    }
    decision
}

#[test]
fn a_version_that_passed_its_controls_is_promoted() {
    let request = Request::new(2, Label::Production);
    assert_eq!(decided(&request, &with(&[])), Decision::Promote { level: Level::Minor });
    let promoted = with(&[moved(Label::Production, Some(0), 2, MoveCause::Promotion)]);
    assert_eq!(decided(&request, &promoted), Decision::Unchanged);
}

#[test]
fn jobs_that_a_pull_request_can_change_promote_nothing() {
    for (actor, decision) in [
        (ActorSource::OtherBranch, Decision::Refuse(vec![Obstacle::OtherBranch])),
        (ActorSource::Dispatch, Decision::Promote { level: Level::Minor }),
        (ActorSource::Local, Decision::Promote { level: Level::Minor }),
    ] {
        let request = Request { actor, ..Request::new(2, Label::Production) };
        assert_eq!(decided(&request, &with(&[])), decision, "{actor:?}");
    }
}

#[test]
fn every_obstacle_of_the_evaluation() {
    let request = Request::new(2, Label::Production);
    let production = version("1.0.0");
    let wait = |obstacle| Decision::Wait(vec![obstacle]);
    let refuse = |obstacle| Decision::Refuse(vec![obstacle]);
    let approvals = Obstacle::Approvals { have: 0, need: 1, rejected: Vec::new() };
    let cases = [
        (
            evidence_of_minor(|evidence| evidence.source = ActorSource::OtherBranch),
            wait(Obstacle::UntrustedEvidence { source: ActorSource::OtherBranch }),
        ),
        (
            evidence_of_minor(|evidence| evidence.source = ActorSource::Local),
            wait(Obstacle::UntrustedEvidence { source: ActorSource::Local }),
        ),
        (evidence_of_minor(|evidence| evidence.simulated = true), refuse(Obstacle::Simulated)),
        (
            evidence_of_minor(|evidence| evidence.verdict = EvidenceVerdict::Fail),
            refuse(Obstacle::GateFailed),
        ),
        (
            evidence_of_minor(|evidence| evidence.verdict = EvidenceVerdict::Inconclusive),
            wait(Obstacle::GateInconclusive),
        ),
        (
            evidence_of_minor(|evidence| evidence.verdict = EvidenceVerdict::Incomplete),
            wait(Obstacle::GateIncomplete),
        ),
        (
            evidence_of_minor(|evidence| evidence.scope = GateScope::Checks),
            wait(Obstacle::GateScope { examined: GateScope::Checks, level: Level::Minor }),
        ),
        (
            evidence_of_minor(|evidence| evidence.baseline = None),
            wait(Obstacle::StaleBaseline { production }),
        ),
        (
            with(&[moved(Label::Production, Some(0), 1, MoveCause::Promotion)]),
            wait(Obstacle::StaleBaseline { production: version("1.0.1") }),
        ),
        (evidence_of_minor(|evidence| evidence.waived = true), wait(approvals.clone())),
    ];
    for (state, expected) in cases {
        assert_eq!(decided(&request, &state), expected);
    }
    // An override does not turn a failed gate into evidence, with or without an approval.
    let overridden =
        evidence_of_minor(|evidence| (evidence.verdict, evidence.waived) = (EvidenceVerdict::Fail, true));
    assert_eq!(decided(&request, &overridden), Decision::Refuse(vec![Obstacle::GateFailed, approvals]));
    // Without any evaluation, and for another content than the one that was published.
    let none = fold(&[published(0)]).unwrap();
    let first = Request::new(0, Label::Staging);
    assert_eq!(decided(&first, &none), wait(Obstacle::NoEvidence));
    let mut mutated = with(&[]);
    let changed = mutated.versions.get_mut(&version("1.1.0")).unwrap().evidence.as_mut().unwrap();
    changed.candidate = record(1).digest;
    assert_eq!(decided(&request, &mutated), refuse(Obstacle::OtherContent));
}

#[test]
fn claims_count_with_a_local_ledger_but_no_pull_request_does() {
    let request = Request { unverified_counts: true, ..Request::new(2, Label::Production) };
    let promote = Decision::Promote { level: Level::Minor };
    let local = evidence_of_minor(|evidence| evidence.source = ActorSource::Local);
    assert_eq!(decided(&request, &local), promote);
    let other = evidence_of_minor(|evidence| evidence.source = ActorSource::OtherBranch);
    let source = ActorSource::OtherBranch;
    assert_eq!(decided(&request, &other), Decision::Wait(vec![Obstacle::UntrustedEvidence { source }]));
    let simulated = Request { allow_simulated: true, ..Request::new(2, Label::Production) };
    assert_eq!(decided(&simulated, &evidence_of_minor(|evidence| evidence.simulated = true)), promote);
}

#[test]
fn every_obstacle_of_the_request() {
    let promoted = with(&[moved(Label::Production, Some(0), 2, MoveCause::Promotion)]);
    let canary = decided(&Request::new(2, Label::Canary), &with(&[]));
    assert!(matches!(canary, Decision::Refuse(found) if found[0] == Obstacle::NotPromotable(Label::Canary)));
    for to in [Label::Staging, Label::Production] {
        let older = decided(&Request::new(1, to), &promoted);
        let expected = Obstacle::Older { current: version("1.1.0") };
        assert!(matches!(older, Decision::Refuse(found) if found[0] == expected));
    }
    let hotfix = Request { skip_holds: true, ..Request::new(2, Label::Staging) };
    let unstaged = fold(&minor_on_staging()[..5]).unwrap();
    assert_eq!(decided(&hotfix, &unstaged), Decision::Refuse(vec![Obstacle::NoReason]));
    let blank = Request { reason: Some(" \n"), ..hotfix.clone() };
    assert_eq!(decided(&blank, &unstaged), Decision::Refuse(vec![Obstacle::NoReason]));
    let reasoned = Request { reason: Some("prices are wrong"), ..hotfix };
    assert_eq!(decided(&reasoned, &unstaged), Decision::Promote { level: Level::Minor });
}

#[test]
fn a_rolled_back_version_needs_again_and_a_reason() {
    let state = with(&[
        moved(Label::Production, Some(0), 2, MoveCause::Promotion),
        moved(Label::Production, Some(2), 0, MoveCause::Rollback),
    ]);
    let request = Request::new(2, Label::Production);
    assert_eq!(decided(&request, &state), Decision::Refuse(vec![Obstacle::RolledBack]));
    let again = Request { again: true, ..request.clone() };
    assert_eq!(decided(&again, &state), Decision::Refuse(vec![Obstacle::NoReason]));
    let reasoned = Request { reason: Some("the cause was the endpoint"), ..again };
    assert_eq!(decided(&reasoned, &state), Decision::Promote { level: Level::Minor });
}

#[test]
fn staging_and_its_hold() {
    let request = Request::new(2, Label::Production);
    let unstaged = fold(&minor_on_staging()[..5]).unwrap();
    assert_eq!(decided(&request, &unstaged), Decision::Wait(vec![Obstacle::NotStaged]));
    // Staged at second 5, held for ten seconds.
    let early = |second| Request { now: at(second), ..request.clone() };
    let held = Decision::Wait(vec![Obstacle::StagingHold { until: at(15) }]);
    assert_eq!(decided(&early(14), &with(&[])), held);
    assert_eq!(decided(&early(-100), &with(&[])), held); // a clock that goes back moves nothing
    assert_eq!(decided(&early(15), &with(&[])), Decision::Promote { level: Level::Minor });
    // Another version in between begins the hold again; a repeated move does not.
    let again = with(&[
        moved(Label::Staging, Some(2), 1, MoveCause::Promotion),
        moved(Label::Staging, Some(1), 2, MoveCause::Promotion),
        moved(Label::Staging, Some(2), 2, MoveCause::Promotion),
    ]);
    assert_eq!(decided(&early(16), &again), Decision::Wait(vec![Obstacle::StagingHold { until: at(17) }]));
}

#[test]
fn approvals_are_counted_by_person_and_rejected_with_a_reason() {
    let major = |approvals: &[Approval]| {
        let mut kinds = minor_on_staging();
        kinds.extend([published(3), evaluated(3, evidence(3, Some(0)))]);
        kinds.push(moved(Label::Staging, Some(2), 3, MoveCause::Promotion));
        kinds.extend(approvals.iter().map(|approval| approved(3, approval.clone())));
        fold(&kinds).unwrap()
    };
    let request = Request::new(3, Label::Production);
    let claimed = Approval { source: ApprovalSource::Unverified, ..approval(3, "alice") };
    let rejected = major(&[approval(3, "author"), approval(2, "bob"), approval(3, "eve"), claimed.clone()]);
    let expected = vec![Obstacle::Approvals {
        have: 0,
        need: 1,
        rejected: vec![
            ("author".to_owned(), ApprovalRejection::Author),
            ("bob".to_owned(), ApprovalRejection::OtherDigest),
            ("eve".to_owned(), ApprovalRejection::NotAnApprover),
            ("alice".to_owned(), ApprovalRejection::Unverified),
        ],
    }];
    assert_eq!(
        expected[0].to_string(),
        "0 of 1 approvals; not counted: author (wrote a commit of the change), bob (approved different content), \
         eve (not one of the approvers), alice (the login is not verified)"
    );
    assert_eq!(decided(&request, &rejected), Decision::Wait(expected));
    let promote = Decision::Promote { level: Level::Major };
    assert_eq!(decided(&request, &major(&[approval(3, "alice")])), promote);
    assert_eq!(decided(&Request { unverified_counts: true, ..request.clone() }, &major(&[claimed])), promote);
    // One person counts once, however the login is written.
    let mut two = record(3);
    two.policy.levels.major.approvals = 2;
    let state = major(&[approval(3, "alice"), approval(3, "Alice")]);
    let decision = decide(&Promotion {
        state: &state,
        record: &two,
        production: Some(&record(0)),
        to: Label::Production,
        actor: ActorSource::DefaultBranch,
        skip_holds: false,
        again: false,
        by_rollout: false,
        reason: None,
        allow_simulated: false,
        unverified_counts: false,
        now: at(1_000),
    });
    let expected = Obstacle::Approvals { have: 1, need: 2, rejected: Vec::new() };
    assert_eq!(decision, Decision::Wait(vec![expected]));
}

#[test]
fn a_hotfix_needs_the_full_gate_and_one_approval_at_any_level() {
    let patch = |evidence: Evidence, approvals: &[Approval]| {
        let mut kinds = vec![
            published(0),
            published(1),
            moved(Label::Production, None, 0, MoveCause::Promotion),
            evaluated(1, evidence),
        ];
        kinds.extend(approvals.iter().map(|approval| approved(1, approval.clone())));
        fold(&kinds).unwrap()
    };
    let checks = || Evidence { scope: GateScope::Checks, ..evidence(1, None) };
    let request =
        Request { skip_holds: true, reason: Some("typo in a price"), ..Request::new(1, Label::Production) };
    let approvals = Obstacle::Approvals { have: 0, need: 1, rejected: Vec::new() };
    let scope = Obstacle::GateScope { examined: GateScope::Checks, level: Level::Patch };
    assert_eq!(decided(&request, &patch(checks(), &[])), Decision::Wait(vec![scope, approvals.clone()]));
    assert_eq!(decided(&request, &patch(evidence(1, Some(0)), &[])), Decision::Wait(vec![approvals]));
    let promote = Decision::Promote { level: Level::Patch };
    assert_eq!(decided(&request, &patch(evidence(1, Some(0)), &[approval(1, "alice")])), promote);
    // Without it, the checks of a patch are enough, and nothing makes them stale.
    assert_eq!(decided(&Request::new(1, Label::Staging), &patch(checks(), &[])), promote);
}

#[test]
fn a_first_version_has_the_controls_of_a_major_one() {
    let request = Request::new(1, Label::Production); // a patch by its number
    let first = |evidence: Evidence, more: &[EventKind]| {
        fold(&[&[published(0), published(1), evaluated(1, evidence)], more].concat()).unwrap()
    };
    let checks = Evidence { scope: GateScope::Checks, ..evidence(1, None) };
    let approvals = Obstacle::Approvals { have: 0, need: 1, rejected: Vec::new() };
    let scope = Obstacle::GateScope { examined: GateScope::Checks, level: Level::Major };
    assert_eq!(decided(&request, &first(checks, &[])), Decision::Wait(vec![scope, approvals]));
    // No baseline, and no hold on staging.
    let approved = first(evidence(1, None), &[approved(1, approval(1, "alice"))]);
    assert_eq!(decided(&request, &approved), Decision::Promote { level: Level::Major });
}

#[test]
fn the_level_is_measured_against_what_production_serves_now() {
    // 2.0.0 adds a variable to all others, whatever level its record claims.
    let mut claimed = record(3);
    claimed.level = Level::Patch;
    let state = with(&[published(3), evaluated(3, evidence(3, Some(0)))]);
    let promotion = Promotion {
        state: &state,
        record: &claimed,
        production: Some(&record(0)),
        to: Label::Staging,
        actor: ActorSource::DefaultBranch,
        skip_holds: false,
        again: false,
        by_rollout: false,
        reason: None,
        allow_simulated: false,
        unverified_counts: false,
        now: at(1_000),
    };
    assert_eq!(decide(&promotion), Decision::Promote { level: Level::Major });
    // The record of another version than the one that production serves proves nothing.
    let minor = Request::new(2, Label::Staging);
    let unstaged = fold(&minor_on_staging()[..5]).unwrap();
    assert_eq!(minor.decide_with(&unstaged, Some(&record(0))), Decision::Promote { level: Level::Minor });
    assert_eq!(minor.decide_with(&unstaged, Some(&record(1))), Decision::Promote { level: Level::Major });
    assert_eq!(minor.decide_with(&unstaged, None), Decision::Promote { level: Level::Major });
}
