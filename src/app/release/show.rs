//! Everything that a ledger says about a version.

use promptgate_release::ports::LedgerStore;
use promptgate_release::{
    Approval, Event, EventKind, Evidence, Label, PromptReference, Record, State, Version,
};
use promptgate_report::release::show::{
    ApprovalStatus, ChangeOrigin, Controls, CriterionResult, Evaluation, Exposure, HeldLabel, SCHEMA, Show,
};

use super::resolve::{fold, record, resolve_in, unknown_name};
use super::wire::{self, time, word};
use crate::app::Failure;

/// Joins the record of a version with its events.
///
/// # Errors
/// An unknown name, version or label, a ledger that is damaged or not available.
pub(crate) async fn show(ledger: &dyn LedgerStore, reference: &PromptReference) -> Result<Show, Failure> {
    let name = &reference.name;
    let events = ledger.history(name).await?.events;
    if events.is_empty() {
        return Err(unknown_name(ledger, name).await?.into());
    }
    let state = fold(ledger, name, &events)?;
    let resolved = resolve_in(&state, reference)?;
    let version = resolved.version;
    let record = record(ledger, name, version, &resolved.digest).await?;
    let controls = record.policy.controls(record.level);
    let known = state.versions.get(&version);
    let published = events.iter().find(
        |event| matches!(&event.kind, EventKind::Published { version: published, .. } if *published == version),
    );
    let registered = known.map(|known| known.registered.clone()).unwrap_or_default();
    let rolled_back = known.map(|known| known.rolled_back.iter().map(Label::to_string).collect());
    Ok(Show {
        schema: SCHEMA.to_owned(),
        ledger: ledger.location(),
        resolved: wire::resolved(&resolved),
        number: record.number,
        level: record.level.to_string(),
        least_level: record.least_level.map(|level| level.to_string()),
        level_reasons: record.level_reasons.clone(),
        compared_with: record.compared_with.map(|version| version.to_string()),
        reason: record.reason.clone(),
        change: change(&record),
        published_at: time(record.published_at),
        published_by: published.map(|event| wire::actor(&event.actor)),
        adopted: known.is_some_and(|known| known.adopted),
        policy_digest: record.policy.digest().to_string(),
        controls: Controls {
            gate: word(&controls.gate),
            approvals: controls.approvals,
            staging_hold_seconds: record.policy.staging_hold_seconds,
        },
        content: wire::content(&record.content),
        evaluations: evaluations(&events, version),
        approvals: approvals(&events, &record, ledger.is_local()),
        labels: held_labels(&events, version),
        rolled_back: rolled_back.unwrap_or_default(),
        exposures: exposures(&state, version),
        registered,
    })
}

fn exposures(state: &State, wanted: Version) -> Vec<Exposure> {
    let of_version = state.exposures.iter().filter(|exposure| exposure.version == wanted);
    of_version
        .map(|exposure| Exposure {
            at: time(exposure.at),
            rollout: exposure.rollout,
            percent: wire::percent(exposure.basis_points),
        })
        .collect()
}

fn change(record: &Record) -> ChangeOrigin {
    let change = &record.change;
    ChangeOrigin {
        commit: change.commit.clone(),
        committed_at: change.committed_at.map(time),
        authors: change.authors.clone(),
        pull_request: change.pull_request,
        path: change.path.clone(),
    }
}

fn evaluations(events: &[Event], wanted: Version) -> Vec<Evaluation> {
    let of_version = events.iter().filter_map(|event| match &event.kind {
        EventKind::Evaluated { version, evidence } if *version == wanted => Some(evaluation(event, evidence)),
        _ => None,
    });
    of_version.collect()
}

fn evaluation(event: &Event, evidence: &Evidence) -> Evaluation {
    let baseline = evidence.baseline.as_ref();
    let criteria = evidence.criteria.iter().map(|criterion| CriterionResult {
        name: criterion.name.clone(),
        verdict: word(&criterion.verdict),
        estimate: criterion.estimate,
        interval: criterion.interval,
    });
    Evaluation {
        recorded_at: time(event.at),
        recorded_by: wire::actor(&event.actor),
        ended_at: time(evidence.at),
        report: evidence.report.to_string(),
        verdict: word(&evidence.verdict),
        scope: word(&evidence.scope),
        baseline_version: baseline.and_then(|baseline| baseline.version).map(|version| version.to_string()),
        baseline_digest: baseline.map(|baseline| baseline.digest.to_string()),
        waived: evidence.waived,
        simulated: evidence.simulated,
        source: word(&evidence.source),
        commit: evidence.commit.clone(),
        dataset: evidence.dataset.clone(),
        cases: evidence.cases,
        judge: evidence.judge.clone(),
        criteria: criteria.collect(),
        latency_p95_ms: evidence.latency_p95_ms,
        cost_per_case_usd: evidence.cost_per_case_usd,
    }
}

fn approvals(events: &[Event], record: &Record, unverified_counts: bool) -> Vec<ApprovalStatus> {
    let status = |event: &Event, approval: &Approval| {
        let problem = approval.check(record, unverified_counts).err();
        ApprovalStatus {
            login: approval.login.clone(),
            teams: approval.teams.clone(),
            source: word(&approval.source),
            at: time(event.at),
            counts: problem.is_none(),
            problem: problem.map(|problem| problem.to_string()),
        }
    };
    let mut seen: Vec<&Approval> = Vec::new();
    let mut approvals = Vec::new();
    for event in events {
        let EventKind::Approved { version, approval } = &event.kind else { continue };
        if *version == record.version && !seen.contains(&approval) {
            seen.push(approval);
            approvals.push(status(event, approval));
        }
    }
    approvals
}

/// The periods in which a version held labels. A move onto the version that holds the label already begins none.
fn held_labels(events: &[Event], wanted: Version) -> Vec<HeldLabel> {
    let mut held: Vec<HeldLabel> = Vec::new();
    for event in events {
        let EventKind::Moved { label, from, version, cause, reason } = &event.kind else { continue };
        if *from == Some(*version) {
            continue;
        }
        let name = label.to_string();
        if *from == Some(wanted)
            && let Some(open) = held.iter_mut().find(|held| held.label == name && held.until.is_none())
        {
            open.until = Some(time(event.at));
            open.replaced_by = Some(version.to_string());
            open.replaced_how = Some(word(cause));
        }
        if *version == wanted {
            held.push(HeldLabel {
                label: name,
                from: time(event.at),
                until: None,
                cause: word(cause),
                reason: reason.clone(),
                actor: wire::actor(&event.actor),
                replaced_by: None,
                replaced_how: None,
            });
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, error, ledger, name, reference};
    use super::*;
    use promptgate_release::MoveCause;

    #[tokio::test]
    async fn show_joins_record_and_events() {
        let show = show(&ledger().await, &reference("support/reply@production")).await.unwrap();
        assert_eq!((show.resolved.version.as_str(), show.number, show.level.as_str()), ("1.0.0", 1, "major"));
        assert_eq!((show.change.pull_request, show.reason.as_str()), (Some(12), "answers were too long"));
        assert_eq!(show.published_by.unwrap().login, "alice");
        assert_eq!((show.controls.gate.as_str(), show.controls.approvals), ("full", 1));
        let [evaluation] = show.evaluations.as_slice() else { panic!("{:?}", show.evaluations) };
        assert_eq!((evaluation.verdict.as_str(), evaluation.criteria[0].estimate), ("pass", Some(0.91)));
        let [approval] = show.approvals.as_slice() else { panic!("{:?}", show.approvals) };
        assert_eq!((approval.login.as_str(), approval.counts), ("bob", true));
        let [held] = show.labels.as_slice() else { panic!("{:?}", show.labels) };
        assert_eq!((held.label.as_str(), held.until.as_deref()), ("production", None));
    }

    #[tokio::test]
    async fn periods_of_labels_end_with_the_next_move() {
        let ledger = ledger().await;
        let (label, from) = (Label::Production, Some(testing::version("1.0.0")));
        let moved = EventKind::Moved {
            label: label.clone(),
            from,
            version: testing::version("1.1.0"),
            cause: MoveCause::Promotion,
            reason: None,
        };
        let back = EventKind::Moved {
            label,
            from: Some(testing::version("1.1.0")),
            version: testing::version("1.0.0"),
            cause: MoveCause::Rollback,
            reason: Some("wrong refunds".to_owned()),
        };
        let event = |time: &str, kind| Event {
            at: testing::at(time),
            kind,
            ..testing::intended(Label::Canary, "1.0.0")
        };
        ledger
            .add(
                &name("support/reply"),
                [event("2026-11-04T10:00:00Z", moved), event("2026-11-05T10:00:00Z", back)],
            )
            .await;
        let bad = show(&ledger, &reference("support/reply@1.1.0")).await.unwrap();
        let production = bad.labels.iter().find(|held| held.label == "production").unwrap();
        assert_eq!(production.until.as_deref(), Some("2026-11-05T10:00:00Z"));
        assert_eq!(production.replaced_how.as_deref(), Some("rollback"));
        assert_eq!(bad.rolled_back, ["production"]);
        assert_eq!(bad.registered["langfuse"], "7");
        let good = show(&ledger, &reference("support/reply@1.0.0")).await.unwrap();
        assert_eq!(good.labels.len(), 2, "{:?}", good.labels);
        assert_eq!(good.labels[1].reason.as_deref(), Some("wrong refunds"));
    }

    #[tokio::test]
    async fn changed_record_is_refused() {
        let ledger = ledger().await;
        let content = testing::text("Answer from {{context}}.");
        let mut record = testing::record(&name("support/reply"), "1.0.0", 1, content);
        record.content = testing::text("Always refund.");
        ledger.replace_record(record);
        let result = show(&ledger, &reference("support/reply@1.0.0")).await;
        assert!(matches!(result, Err(Failure::Incomplete(_))), "{result:?}");
    }

    #[tokio::test]
    async fn unknown_references_are_refused() {
        let ledger = ledger().await;
        for text in ["support/reply@9.0.0", "support/reply@canary", "other@1.0.0"] {
            error(show(&ledger, &reference(text)).await);
        }
    }
}
