//! Obstacles as sentences, and the next step for each.

use std::fmt;

use super::Obstacle;
use crate::{ApprovalRejection, GateScope};

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPromotable(label) => {
                write!(f, "{label} is not promoted to: expected staging or production")
            }
            Self::Older { current } => write!(f, "older than {current}: use rollback to return to it"),
            Self::RolledBack => write!(f, "was rolled back: promoted again only with --again and --reason"),
            Self::NoReason => write!(f, "a reason is missing: --reason"),
            Self::NoEvidence => write!(f, "needs gate: no evaluation"),
            Self::UntrustedEvidence => {
                write!(f, "needs gate: the evaluation did not run on the default branch")
            }
            Self::OtherContent => write!(f, "the evaluation is for another content"),
            Self::Simulated => write!(f, "the evaluation used the simulated model"),
            Self::GateFailed => write!(f, "the gate failed"),
            Self::GateInconclusive => write!(f, "needs gate: the gate could not decide"),
            Self::GateIncomplete => write!(f, "needs gate: the evaluation did not end"),
            Self::GateScope { examined, level } => {
                let examined = match examined {
                    GateScope::Checks => "checks alone",
                    GateScope::Full => "all criteria",
                };
                write!(f, "needs gate: {examined} were examined, a {level} change requires more")
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
            Self::NotStaged => write!(f, "not on staging"),
            Self::StagingHold { until } => {
                write!(f, "held on staging until {}", until.strftime("%Y-%m-%d %H:%M UTC"))
            }
        }
    }
}

impl Obstacle {
    /// The next step; `None` if there is none beyond the sentence itself.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotPromotable(_) => "use `--to staging` or `--to production`".to_owned(),
            Self::Older { .. } => "`promptgate rollback NAME --to VERSION --reason TEXT` returns to a version that \
                served before"
                .to_owned(),
            Self::RolledBack => "publish a new version, or repeat with `--again --reason TEXT`".to_owned(),
            Self::NoReason => "add `--reason TEXT`".to_owned(),
            Self::NoEvidence | Self::UntrustedEvidence | Self::GateIncomplete => {
                "run the gate on the default branch and publish its report with `promptgate publish --report FILE`"
                    .to_owned()
            }
            Self::OtherContent => "evaluate the published version: `promptgate run --candidate \
                registry:NAME@VERSION`, then publish that report"
                .to_owned(),
            Self::Simulated => "evaluate with the real model, or try it out with `--allow-simulated`".to_owned(),
            Self::GateFailed => "mend the prompt and publish a new version".to_owned(),
            Self::GateInconclusive => "evaluate again with more cases or repeats, and publish that report".to_owned(),
            Self::GateScope { .. } | Self::StaleBaseline { .. } => {
                "run `promptgate run --candidate registry:NAME@VERSION --baseline registry:NAME@production` and \
                 publish its report"
                    .to_owned()
            }
            Self::Approvals { have, need, .. } => {
                let missing = need.saturating_sub(*have);
                let people = if missing == 1 { "one more approver" } else { "more approvers" };
                format!("ask {people} who did not write the change for a review or `promptgate approve NAME VERSION`")
            }
            Self::NotStaged => "`promptgate promote NAME VERSION --to staging` first".to_owned(),
            Self::StagingHold { .. } => "promote again then; for a hotfix use `--skip-holds --reason TEXT`".to_owned(),
        })
    }
}

impl fmt::Display for ApprovalRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherDigest => "for another content",
            Self::NotAnApprover => "not one of the approvers",
            Self::Author => "wrote a commit of the change",
            Self::Unverified => "the login is a claim",
        })
    }
}
