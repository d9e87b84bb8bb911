//! Reasons for the verdict of a run, worst first.

use crate::model::{
    Criterion, CriterionOutcome, CriterionVerdict, Ended, Fault, Policy, Reason, ReasonCode, Refusals,
    Requirement,
};

use super::explain::NOT_CAUSED;
use super::missing::MissingShare;
use super::numbers::percent;
use super::refusals::describe;

/// The reasons, in this order: failed criteria, the end of the run, missing grades, undecided criteria.
pub(super) fn reasons(
    policy: &Policy,
    criteria: &[CriterionOutcome],
    refusals: &Refusals,
    missing: Option<&MissingShare>,
    ended: &Ended,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let of_criteria = |verdict: CriterionVerdict, code: &dyn Fn(&Requirement) -> ReasonCode| {
        let pairs =
            policy.criteria.iter().zip(criteria).filter(move |(_, outcome)| outcome.verdict == verdict);
        let reason = |(criterion, outcome): (&Criterion, &CriterionOutcome)| Reason {
            code: code(&criterion.requirement),
            message: outcome.explanation.clone(),
            criterion: Some(outcome.id.clone()),
        };
        pairs.map(reason).collect::<Vec<_>>()
    };
    let mut failed = of_criteria(CriterionVerdict::Fail, &|requirement| match requirement {
        Requirement::Minimum { .. } => ReasonCode::ThresholdMissed,
        Requirement::EveryTrial | Requirement::NoNewFailures => ReasonCode::CheckFailed,
        Requirement::NotWorse { .. } | Requirement::WinRate { .. } => ReasonCode::Regression,
        Requirement::Limit { .. } => ReasonCode::LimitExceeded,
        Requirement::MustPass { .. } => ReasonCode::MustPassFailed,
        Requirement::BrokenCases { .. } => ReasonCode::BrokenCases,
    });
    // Those that the change caused come first.
    failed.sort_by_key(|reason| reason.message.contains(NOT_CAUSED));
    reasons.extend(failed);
    let of_run = |code, message: String| Reason { code, message, criterion: None };
    let refused = || of_run(ReasonCode::Refusals, describe(refusals).unwrap_or_default());
    if refusals.verdict == CriterionVerdict::Fail {
        reasons.push(refused());
    }
    match ended {
        Ended::Stopped(fault) => reasons.push(of_run(fault_code(fault), fault.message.clone())),
        Ended::Interrupted => {
            let message = "the run was interrupted before it finished".to_owned();
            reasons.push(of_run(ReasonCode::Interrupted, message));
        }
        Ended::Completed | Ended::FailedFast => {}
    }
    if let Some(missing) = missing.filter(|missing| missing.exceeds(policy)) {
        let message = format!(
            "{} of {} are missing, more than the {} that max_missing allows",
            percent(missing.share),
            missing.grades,
            percent(policy.max_missing)
        );
        reasons.push(of_run(ReasonCode::MissingGrades, message));
    }
    let mut incomplete = of_criteria(CriterionVerdict::Incomplete, &|_| ReasonCode::MissingGrades);
    let faults_differ = |id: &Option<String>| {
        let of_reason = |outcome: &&CriterionOutcome| id.as_ref() == Some(&outcome.id);
        criteria.iter().find(of_reason).is_some_and(CriterionOutcome::faults_differ)
    };
    for reason in incomplete.iter_mut().filter(|reason| faults_differ(&reason.criterion)) {
        reason.code = ReasonCode::FaultsDiffer;
    }
    incomplete.sort_by_key(|reason| reason.code != ReasonCode::FaultsDiffer);
    reasons.extend(incomplete);
    if policy.is_empty() {
        let message = if policy.criteria.is_empty() {
            "no criteria are configured; add a metric minimum, a check or a baseline"
        } else {
            "no score could fail the configured criteria; raise a minimum above 0, or lower the tolerance"
        };
        let message = message.to_owned();
        reasons.push(of_run(ReasonCode::TooLittleEvidence, message));
    }
    let mut undecided = of_criteria(CriterionVerdict::Inconclusive, &|_| ReasonCode::TooLittleEvidence);
    let unconfirmed = |reason: &Reason| {
        criteria.iter().any(|outcome| outcome.unconfirmed && reason.criterion.as_ref() == Some(&outcome.id))
    };
    for reason in &mut undecided {
        if unconfirmed(reason) {
            reason.code = ReasonCode::BaselineReused;
        }
    }
    undecided.sort_by_key(|reason| reason.code != ReasonCode::BaselineReused);
    if refusals.unconfirmed {
        reasons.push(refused());
    }
    reasons.extend(undecided);
    if *ended == Ended::FailedFast {
        let message = "stopped early because the verdict could only be fail".to_owned();
        reasons.push(of_run(ReasonCode::FailedFast, message));
    }
    reasons
}

/// The code of a fault that ended the run: the one of the same name, or that of the endpoint.
fn fault_code(fault: &Fault) -> ReasonCode {
    ReasonCode::from_name(fault.kind.as_str()).unwrap_or(ReasonCode::Endpoint)
}
