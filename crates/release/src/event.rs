//! The events of a ledger.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rollout::{Look, RolloutOutcome, RolloutStart, Sample, Stratum};
use crate::{Actor, Approval, Digest, Evidence, Label, Level, Version};

/// One line of a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was appended.
    pub at: Timestamp,
    /// Who appended it.
    pub actor: Actor,
    /// The event.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// A version got its number; its record was stored with this event.
    Published {
        /// The version.
        version: Version,
        /// Its position, from 1.
        number: u64,
        /// The digest of its content.
        digest: Digest,
        /// Its level.
        level: Level,
        /// The digest of the bytes of its record, which the ledger fills in: with it, the chain also holds the policy, the
        /// authors and the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<Digest>,
        /// Whether it was found in the registry, where it served before promptgate did: it has no evidence.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        adopted: bool,
    },
    /// The registry stored a version.
    Registered {
        /// The version.
        version: Version,
        /// The registry: `langfuse`, `mlflow`.
        registry: String,
        /// The registry's identifier.
        id: String,
    },
    /// The gate evaluated a version; the newest evaluation counts.
    Evaluated {
        /// The version.
        version: Version,
        /// The evaluation.
        evidence: Box<Evidence>,
    },
    /// Somebody approved a version.
    Approved {
        /// The version.
        version: Version,
        /// The approval.
        approval: Approval,
    },
    /// A label is about to be moved in the registry. The next call finishes the move if this one does not.
    Intended {
        /// The label.
        label: Label,
        /// Where to.
        version: Version,
        /// Why.
        cause: MoveCause,
        /// The reason that was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// An intended move was given up, because a rollback came between.
    Abandoned {
        /// The label.
        label: Label,
        /// The version that it was to be moved to.
        version: Version,
    },
    /// A label was moved, and read back from the registry.
    Moved {
        /// The label.
        label: Label,
        /// The version that it pointed at; `None` for a new label.
        from: Option<Version>,
        /// Where to.
        version: Version,
        /// Why.
        cause: MoveCause,
        /// The reason that was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A version was seen to keep the limits of staging.
    StagingPassed {
        /// The version.
        version: Version,
        /// The samples of each limit; empty where the golden cases were replayed instead.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        samples: BTreeMap<String, Sample>,
    },
    /// A rollout began: the units of its first step get the treatment.
    RolloutStarted {
        /// How it began.
        start: Box<RolloutStart>,
    },
    /// The data of the current step were tested, or could not be read.
    RolloutLooked {
        /// The rollout.
        rollout: u64,
        /// The tests; each spends a part of the error rate.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        looks: Vec<Look>,
        /// Why a source failed; `None` if none did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<String>,
        /// Guardrails whose harm was shown and not tolerated: the rollout is rolled back.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        harm: Vec<String>,
    },
    /// The next step began.
    RolloutStepped {
        /// The rollout.
        rollout: u64,
        /// The step, from 0.
        step: usize,
        /// The treated units, in basis points.
        basis_points: u32,
        /// The observations of the step before.
        ended: Stratum,
    },
    /// No step follows before somebody resumes.
    RolloutPaused {
        /// The rollout.
        rollout: u64,
        /// Why.
        reason: String,
    },
    /// Steps follow again.
    RolloutResumed {
        /// The rollout.
        rollout: u64,
        /// Why.
        reason: String,
        /// The digest of the sources of metrics from here on.
        sources: Digest,
    },
    /// The rollout ended: all units get the treatment, or none.
    RolloutEnded {
        /// The rollout.
        rollout: u64,
        /// How.
        outcome: RolloutOutcome,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// Why a label is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveCause {
    /// The controls were passed.
    Promotion,
    /// The version that held the label is bad.
    Rollback,
    /// The registry's label was found there.
    Adoption,
    /// A rollout began or ended.
    Rollout,
}
