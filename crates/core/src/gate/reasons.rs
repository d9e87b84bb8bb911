//! Why a run has its verdict, worst first.

use crate::model::{CriterionOutcome, CriterionVerdict, Ended, Fault, FaultKind, Reason, ReasonCode};

use super::evidence::EXACT;
use super::explain::percent;
use super::{Policy, Requirement};

/// The reasons: criteria that failed, what ended the run, what is missing, what is undecided.
pub(super) fn reasons(
    policy: &Policy,
    criteria: &[CriterionOutcome],
    missing: Option<(f64, String)>,
    ended: &Ended,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let of = |wanted: CriterionVerdict, code: &dyn Fn(&Requirement) -> ReasonCode| {
        let pairs =
            policy.criteria.iter().zip(criteria).filter(move |(_, outcome)| outcome.verdict == wanted);
        let reason = |(criterion, outcome): (&super::Criterion, &CriterionOutcome)| Reason {
            code: code(&criterion.requirement),
            message: outcome.explanation.clone(),
            criterion: Some(outcome.id.clone()),
        };
        pairs.map(reason).collect::<Vec<_>>()
    };
    reasons.extend(of(CriterionVerdict::Fail, &|requirement| match requirement {
        Requirement::Minimum { .. } => ReasonCode::ThresholdMissed,
        Requirement::EveryTrial => ReasonCode::CheckFailed,
        Requirement::NotWorse { .. } => ReasonCode::Regression,
        Requirement::Limit { .. } => ReasonCode::LimitExceeded,
        Requirement::MustPass { .. } => ReasonCode::MustPassFailed,
        Requirement::BrokenCases { .. } => ReasonCode::BrokenCases,
    }));
    let whole = |code, message: String| Reason { code, message, criterion: None };
    match ended {
        Ended::Stopped(fault) => reasons.push(whole(fault_code(fault), fault.message.clone())),
        Ended::Interrupted => {
            reasons.push(whole(
                ReasonCode::Interrupted,
                "the run was interrupted before it was done".to_owned(),
            ));
        }
        Ended::Completed | Ended::FailedFast => {}
    }
    if let Some((share, whose)) = missing.filter(|(share, _)| *share > policy.max_missing + EXACT) {
        let message = format!(
            "{} of {whose} are missing, more than the {} that max_missing allows",
            percent(share),
            percent(policy.max_missing)
        );
        reasons.push(whole(ReasonCode::MissingGrades, message));
    }
    reasons.extend(of(CriterionVerdict::Incomplete, &|_| ReasonCode::MissingGrades));
    if policy.is_empty() {
        let message = if policy.criteria.is_empty() {
            "nothing is required of this run; add a metric's min, a check or a baseline"
        } else {
            "nothing is required of this run: no score could miss its criteria; raise a min above 0, or lower the \
             tolerance"
        };
        let message = message.to_owned();
        reasons.push(whole(ReasonCode::TooLittleEvidence, message));
    }
    reasons.extend(of(CriterionVerdict::Inconclusive, &|_| ReasonCode::TooLittleEvidence));
    if *ended == Ended::FailedFast {
        let message = "stopped early, since the verdict could only be fail".to_owned();
        reasons.push(whole(ReasonCode::FailedFast, message));
    }
    reasons
}

fn fault_code(fault: &Fault) -> ReasonCode {
    match fault.kind {
        FaultKind::MissingCredentials => ReasonCode::MissingCredentials,
        FaultKind::UnfitJudge => ReasonCode::UnfitJudge,
        FaultKind::BudgetSpent => ReasonCode::BudgetSpent,
        FaultKind::NotCached => ReasonCode::NotCached,
        FaultKind::CacheDamaged => ReasonCode::CacheDamaged,
        FaultKind::Interrupted => ReasonCode::Interrupted,
        _ => ReasonCode::Endpoint,
    }
}
