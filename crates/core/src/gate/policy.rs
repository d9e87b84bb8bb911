//! The policy: every criterion and the rule that decides them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Scope, named};

use super::Schedule;

named! {
    /// Statistic of a metric that a limit applies to.
    pub enum Statistic {
        /// The median over trials.
        P50 = "p50",
        /// The 95th percentile over trials.
        P95 = "p95",
        /// The mean over cases.
        Mean = "mean",
    }
}

/// The bound of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Bound {
    /// At most this: seconds, tokens or US dollars.
    Absolute(f64),
    /// At most this share above the baseline's: 0.2 is 20 %.
    MaxIncrease(f64),
}

/// What a criterion requires of its metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Requirement {
    /// The candidate's mean is at least this.
    Minimum {
        /// In 0 to 1.
        value: f64,
    },
    /// Every candidate trial passes, literally: a check at `min: 1.0`.
    EveryTrial,
    /// The candidate's mean is not below the baseline's by more than this.
    NotWorse {
        /// `baseline_tolerance`, in 0..=1.
        tolerance: f64,
    },
    /// A statistic of latency, tokens or cost stays within a bound.
    Limit {
        /// The statistic.
        statistic: Statistic,
        /// The bound.
        bound: Bound,
    },
    /// Every trial of this `must_pass` case passes; index into the dataset.
    MustPass {
        /// Index of the case.
        case: usize,
    },
    /// At most this many cases are broken.
    BrokenCases {
        /// `max_broken_cases`.
        max: usize,
    },
}

impl Requirement {
    /// Whether no score can miss it: at least 0, or a drop of all there is forgiven. It passes, and proves nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Minimum { value } => *value <= 0.0,
            Self::NotWorse { tolerance } => *tolerance >= 1.0,
            Self::EveryTrial | Self::Limit { .. } | Self::MustPass { .. } | Self::BrokenCases { .. } => false,
        }
    }
}

/// One thing the gate requires of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PolicyCriterion")]
pub struct Criterion {
    /// `faithfulness.min`, `faithfulness.baseline`, `check.NAME`, `check.NAME.baseline`, `limit.latency_p95`,
    /// `slice.TAG.METRIC.min`, `case.ID`, `broken_cases`.
    pub id: String,
    /// The metric; empty for `case.ID` and `broken_cases`.
    pub metric: String,
    /// Only the cases with this tag.
    pub tag: Option<String>,
    /// What is required.
    pub requirement: Requirement,
}

named! {
    /// How a criterion with noise is decided.
    pub enum Rule {
        /// By evidence: fail if shown, pass if ruled out, else inconclusive.
        Evidence = "evidence",
        /// Estimate against requirement, naive.
        Point = "point",
    }
}

/// All criteria and the rule that decides them.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The criteria, in the order of the configuration.
    pub criteria: Vec<Criterion>,
    /// When the evidence is looked at.
    pub schedule: Schedule,
    /// The rule.
    pub rule: Rule,
    /// Which uncertainty counts.
    pub scope: Scope,
    /// One-sided confidence, in 0.5..1; alpha is what is left to 1.
    pub confidence: f64,
    /// The drop that the run must have been able to see, in 0..1.
    pub resolution: f64,
    /// The share of missing grades above which nothing is decided, in 0..=1.
    pub max_missing: f64,
    /// Seed of the drawn permutations.
    pub seed: u64,
}

impl Policy {
    /// The one-sided alpha of the whole run: what the confidence leaves to 1, without the rounding of binary
    /// fractions.
    pub fn alpha(&self) -> f64 {
        ((1.0 - self.confidence) * 1e12).round() / 1e12
    }

    /// Whether nothing is required: no criterion, or none that a score could miss.
    pub fn is_empty(&self) -> bool {
        self.criteria.iter().all(|criterion| criterion.requirement.is_empty())
    }
}
