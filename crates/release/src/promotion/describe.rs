//! Obstacles as sentences.

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
