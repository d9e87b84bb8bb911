//! Decides whether a version may be promoted.

mod controls;
mod describe;

use jiff::Timestamp;

use crate::{
    ActorSource, ApprovalRejection, Evidence, EvidenceVerdict, GateScope, Label, Level, Record, State,
    Version,
};

/// The request to move a label to a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Promotion<'a> {
    /// The state of the prompt.
    pub state: &'a State,
    /// The record of the version.
    pub record: &'a Record,
    /// The record of the version that production serves; `None` before the first. Any other record counts as an unknown
    /// one, from which every change is major.
    pub production: Option<&'a Record>,
    /// The label: staging or production.
    pub to: Label,
    /// Who promotes. A job that a pull request can change promotes nothing, even where it has the ledger's key.
    pub actor: ActorSource,
    /// Whether the holds are skipped: then the full gate and one approval are required at any level.
    pub skip_holds: bool,
    /// Whether a version that was rolled back may be promoted again.
    pub again: bool,
    /// Whether a rollout starts, which moves production in the end.
    pub by_rollout: bool,
    /// The reason that was given.
    pub reason: Option<&'a str>,
    /// Whether an evaluation by the simulated model counts.
    pub allow_simulated: bool,
    /// Whether a claimed login counts as an approval.
    pub unverified_counts: bool,
    /// The time.
    pub now: Timestamp,
}

/// The decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The label may be moved.
    Promote {
        /// The level whose controls were passed.
        level: Level,
    },
    /// The label is there already.
    Unchanged,
    /// It may not be moved, and waiting does not help.
    Refuse(Vec<Obstacle>),
    /// Evidence, approvals or time are missing.
    Wait(Vec<Obstacle>),
}

/// Something that a promotion lacks, or that rules it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The label is not one that promotions move.
    NotPromotable(Label),
    /// The job is one of a pull request, or of another branch.
    OtherBranch,
    /// The version is below the one that the label points at.
    Older {
        /// The version of the label.
        current: Version,
    },
    /// The version was rolled back from this label.
    RolledBack,
    /// The request needs a reason.
    NoReason,
    /// The version was not evaluated.
    NoEvidence,
    /// The evaluation ran where somebody else than the default branch decides what runs.
    UntrustedEvidence {
        /// Where it ran.
        source: ActorSource,
    },
    /// The evaluation is of another commit than the one that is published.
    OtherCommit,
    /// The evaluation is for another content.
    OtherContent,
    /// The evaluation was made with the simulated model.
    Simulated,
    /// The gate failed.
    GateFailed,
    /// The gate could not decide.
    GateInconclusive,
    /// The evaluation did not end.
    GateIncomplete,
    /// The level requires more than was examined.
    GateScope {
        /// The examined criteria.
        examined: GateScope,
        /// The level.
        level: Level,
    },
    /// The evaluation did not compare with the version that production serves.
    StaleBaseline {
        /// The version that production serves.
        production: Version,
    },
    /// Approvals are missing.
    Approvals {
        /// Approvals that count.
        have: u32,
        /// Approvals that are required.
        need: u32,
        /// Logins whose approvals do not count, and why.
        rejected: Vec<(String, ApprovalRejection)>,
    },
    /// A rollout has not ended.
    RolloutRunning {
        /// Its number.
        number: u64,
        /// The version that it treats units with.
        version: Version,
    },
    /// Production gets versions of this level by a rollout.
    RolloutRequired {
        /// The level.
        level: Level,
    },
    /// The version is not on staging.
    NotStaged,
    /// The hold on staging has not ended.
    StagingHold {
        /// When it ends.
        until: Timestamp,
    },
    /// It was not seen to keep the limits of staging.
    StagingLimits,
}

impl Obstacle {
    /// The obstacle in the verdict of an evaluation; `None` if it passed, or was waived.
    pub fn of_verdict(evidence: &Evidence) -> Option<Self> {
        match evidence.verdict {
            EvidenceVerdict::Pass => None,
            EvidenceVerdict::Fail => Some(Self::GateFailed),
            EvidenceVerdict::Inconclusive if evidence.waived => None,
            EvidenceVerdict::Inconclusive => Some(Self::GateInconclusive),
            EvidenceVerdict::Incomplete => Some(Self::GateIncomplete),
        }
    }

    /// The code in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPromotable(_) => "not_promotable",
            Self::OtherBranch => "other_branch",
            Self::Older { .. } => "older",
            Self::RolledBack => "rolled_back",
            Self::NoReason => "no_reason",
            Self::NoEvidence => "no_evidence",
            Self::UntrustedEvidence { .. } => "untrusted_evidence",
            Self::OtherCommit => "other_commit",
            Self::OtherContent => "other_content",
            Self::Simulated => "simulated",
            Self::GateFailed => "gate_failed",
            Self::GateInconclusive => "gate_inconclusive",
            Self::GateIncomplete => "gate_incomplete",
            Self::GateScope { .. } => "gate_scope",
            Self::StaleBaseline { .. } => "stale_baseline",
            Self::Approvals { .. } => "approvals",
            Self::RolloutRunning { .. } => "rollout_running",
            Self::RolloutRequired { .. } => "rollout_required",
            Self::NotStaged => "not_staged",
            Self::StagingHold { .. } => "staging_hold",
            Self::StagingLimits => "staging_limits",
        }
    }

    /// Whether the gate has to run again.
    pub fn needs_gate(&self) -> bool {
        matches!(
            self,
            Self::NoEvidence
                | Self::UntrustedEvidence { .. }
                | Self::OtherCommit
                | Self::GateIncomplete
                | Self::GateScope { .. }
                | Self::StaleBaseline { .. }
        )
    }

    /// Whether no further evidence, approval or time removes it.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::NotPromotable(_)
                | Self::OtherBranch
                | Self::Older { .. }
                | Self::RolledBack
                | Self::NoReason
                | Self::OtherContent
                | Self::Simulated
                | Self::GateFailed
                | Self::RolloutRunning { .. }
        )
    }
}

/// Decides whether the label may be moved.
///
/// Refuses if any obstacle is final, waits if any other is left, and lists all of them.
pub fn decide(promotion: &Promotion<'_>) -> Decision {
    let version = promotion.record.version;
    let current = promotion.state.labels.get(&promotion.to).copied();
    if current == Some(version) {
        return Decision::Unchanged;
    }
    let mut obstacles = controls::request(promotion, current);
    let level = controls::level(promotion);
    obstacles.extend(controls::evidence(promotion, level));
    obstacles.extend(controls::approvals(promotion, level));
    obstacles.extend(controls::rollout(promotion, level));
    obstacles.extend(controls::staging(promotion));
    if obstacles.iter().any(Obstacle::is_final) {
        Decision::Refuse(obstacles)
    } else if obstacles.is_empty() {
        Decision::Promote { level }
    } else {
        Decision::Wait(obstacles)
    }
}
