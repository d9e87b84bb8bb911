//! Obstacles as sentences, and the next step for each.

use std::fmt;

use super::Obstacle;
use crate::time::minute;
use crate::{ActorSource, ApprovalRejection, GateScope, Name, Version};

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPromotable(label) => {
                write!(f, "cannot promote to {label}: expected staging or production")
            }
            Self::OtherBranch => write!(f, "jobs of pull requests and other branches cannot promote"),
            Self::Older { current } => write!(f, "older than {current}: use rollback to return to it"),
            Self::RolledBack => {
                write!(f, "it was rolled back: promoting it again needs --again and --reason")
            }
            Self::NoReason => write!(f, "a reason is missing: --reason"),
            Self::NoEvidence => write!(f, "needs gate: no evaluation"),
            Self::UntrustedEvidence { source: ActorSource::Local } => {
                write!(
                    f,
                    "needs gate: the evaluation ran on somebody's machine, not in a job of the default branch"
                )
            }
            Self::UntrustedEvidence { .. } => {
                write!(f, "needs gate: the evaluation ran in a job outside the default branch")
            }
            Self::OtherCommit => write!(f, "needs gate: the evaluation is of another commit"),
            Self::OtherContent => write!(f, "the evaluation is of different content"),
            Self::Simulated => {
                write!(f, "the evaluation used the simulated model, which counts only with --allow-simulated")
            }
            Self::GateFailed => write!(f, "the gate failed"),
            Self::GateInconclusive => write!(f, "needs gate: the gate could not decide"),
            Self::GateIncomplete => write!(f, "needs gate: the evaluation is incomplete"),
            Self::GateScope { examined, level } => {
                let (evaluated, required) = match examined {
                    GateScope::Checks => ("only checks", "the full gate"),
                    GateScope::Full => ("all criteria", "more"),
                };
                write!(f, "needs gate: {evaluated} were evaluated; a {level} change requires {required}")
            }
            Self::StaleBaseline { production } => {
                write!(
                    f,
                    "needs gate: the evaluation did not compare with {production}, which production serves"
                )
            }
            Self::Approvals { have, need, rejected } => {
                write!(f, "{have} of {need} approvals")?;
                for (index, (login, reason)) in rejected.iter().enumerate() {
                    let separator = if index == 0 { "; not counted: " } else { ", " };
                    write!(f, "{separator}{login} ({reason})")?;
                }
                Ok(())
            }
            Self::RolloutRunning { number, version } => {
                write!(f, "rollout {number} of {version} has not ended")
            }
            Self::RolloutRequired { level } => {
                write!(f, "a {level} change reaches production by a rollout")
            }
            Self::NotStaged => write!(f, "not on staging"),
            Self::StagingHold { until } => {
                write!(f, "held on staging until {}", minute(*until))
            }
            Self::StagingLimits => write!(f, "not yet confirmed within the staging limits"),
        }
    }
}

impl Obstacle {
    /// The next step. `version` is the one to promote; `None` before it is published.
    pub fn help(&self, name: &Name, version: Option<Version>) -> String {
        let number = version.map_or_else(|| "VERSION".to_owned(), |version| version.to_string());
        let hotfix =
            format!("`promptgate promote {name} {number} --to production --skip-holds --reason TEXT`");
        let run_again = || match version {
            Some(version) => format!(
                "run `promptgate run --candidate registry:{name}@{version} --baseline registry:{name}@production` on \
                 the default branch, and publish its report"
            ),
            None => {
                "run the gate again on this commit, on the default branch, and publish its report".to_owned()
            }
        };
        match self {
            Self::NotPromotable(_) => "use `--to staging` or `--to production`".to_owned(),
            Self::OtherBranch => {
                "merge first: promotions are for jobs of the default branch, and for people".to_owned()
            }
            Self::Older { .. } => {
                format!("`promptgate rollback {name} --to {number} --reason TEXT` returns to a version that served")
            }
            Self::RolledBack => "publish a new version, or repeat with `--again --reason TEXT`".to_owned(),
            Self::NoReason => "add `--reason TEXT`".to_owned(),
            Self::UntrustedEvidence { source: ActorSource::Local } => {
                "merge it and let a CI job of the default branch run the gate and publish; to try the commands alone, keep \
                 the ledger in a folder: `ledger: {path: .promptgate/ledger}`"
                    .to_owned()
            }
            Self::NoEvidence
            | Self::UntrustedEvidence { .. }
            | Self::OtherCommit
            | Self::OtherContent
            | Self::GateIncomplete
            | Self::GateScope { .. }
            | Self::StaleBaseline { .. } => run_again(),
            Self::Simulated => {
                "run the gate with a real model; `--allow-simulated` is for trying the commands".to_owned()
            }
            Self::GateFailed => "change the prompt, and publish a new version".to_owned(),
            Self::GateInconclusive => {
                "run the gate with more repeats or more cases; `gate.inconclusive: pass` and one approval let it \
                 through"
                    .to_owned()
            }
            Self::Approvals { have, need, .. } => {
                let people = if need.saturating_sub(*have) == 1 { "an approver" } else { "approvers" };
                format!(
                    "ask {people} who did not write the change to run `promptgate approve {name} {number}`; reviews given \
                     after `publish` count once its job runs again"
                )
            }
            Self::RolloutRunning { .. } => format!(
                "`promptgate rollout status {name}` shows it; `promptgate rollout abort {name} --reason TEXT` gives it up"
            ),
            Self::RolloutRequired { .. } => {
                format!("`promptgate rollout start {name} {number}`; for a hotfix: {hotfix}")
            }
            Self::NotStaged => format!("`promptgate promote {name} {number} --to staging` first"),
            Self::StagingHold { .. } => format!("repeat after that; for a hotfix: {hotfix}"),
            Self::StagingLimits => {
                format!("`promptgate rollout advance {name}` checks them; for a hotfix: {hotfix}")
            }
        }
    }
}

impl fmt::Display for ApprovalRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherDigest => "approved different content",
            Self::NotAnApprover => "not one of the approvers",
            Self::Author => "wrote a commit of the change",
            Self::Unverified => "the login is not verified",
        })
    }
}
