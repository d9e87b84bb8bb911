//! An evaluation of a version, as far as a promotion depends on it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{ActorSource, Digest, Version};

/// The verdict of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceVerdict {
    /// The gate passed.
    Pass,
    /// The gate failed.
    Fail,
    /// The gate could not decide.
    Inconclusive,
    /// The evaluation did not end.
    Incomplete,
}

/// The criteria that the gate examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateScope {
    /// Deterministic criteria alone, without a baseline.
    Checks,
    /// All criteria, against the baseline.
    Full,
}

/// An evaluation of a version: the facts of a report that outlive it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// SHA-256 of the bytes of the report.
    pub report: Digest,
    /// The digest of the evaluated content.
    pub candidate: Digest,
    /// The verdict.
    pub verdict: EvidenceVerdict,
    /// The examined criteria.
    pub scope: GateScope,
    /// The baseline; `None` without one.
    pub baseline: Option<EvidenceBaseline>,
    /// Whether the verdict only passes because the policy lets undecided runs pass, or because somebody overrode it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waived: bool,
    /// Whether the endpoint was the simulated one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// Where the evaluation ran.
    pub source: ActorSource,
    /// The commit whose files were evaluated; `None` outside a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The digest of the dataset.
    pub dataset: String,
    /// The number of cases.
    pub cases: u64,
    /// Fingerprint of the judge; `None` without judged metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<String>,
    /// The criteria.
    pub criteria: Vec<EvidenceCriterion>,
    /// 95th percentile of the candidate's latency, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_p95_ms: Option<f64>,
    /// Mean cost of a case, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_per_case_usd: Option<f64>,
    /// End of the evaluation.
    pub at: Timestamp,
}

impl Evidence {
    /// Whether this evaluation ended before another one. Reports give their start in whole seconds, so that a difference of
    /// a second or less says nothing.
    pub fn is_older_than(&self, other: &Self) -> bool {
        other.at.duration_since(self.at) > SignedDuration::from_secs(1)
    }
}

/// The version that an evaluation compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceBaseline {
    /// Its digest.
    pub digest: Digest,
    /// Its version; `None` where it was no published one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// One criterion of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceCriterion {
    /// Its name.
    pub name: String,
    /// Its verdict.
    pub verdict: EvidenceVerdict,
    /// The candidate's estimate; `None` if it was not measured.
    pub estimate: Option<f64>,
    /// The interval of the estimate or of the difference.
    pub interval: Option<[f64; 2]>,
}
