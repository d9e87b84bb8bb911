//! The policy as decided, so that `compare` can decide again from a saved report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scope;

/// All criteria and the rule that decided them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// How criteria with noise were decided.
    pub rule: Rule,
    /// Which uncertainty counted.
    pub scope: Scope,
    /// One-sided confidence, in 0.5 to 1.
    pub confidence: f64,
    /// The drop that the run must have been able to see, in 0 to 1.
    pub resolution: f64,
    /// The share of missing grades above which nothing is decided, in 0 to 1.
    pub max_missing: f64,
    /// Seed of the drawn permutations.
    pub seed: u64,
    /// The criteria, in the order of the configuration.
    pub criteria: Vec<PolicyCriterion>,
}

/// One thing the gate requires of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyCriterion {
    /// Its id, the one of the criterion's outcome.
    pub id: String,
    /// The metric; empty for `case.ID` and `broken_cases`.
    pub metric: String,
    /// Only the cases with this tag; null for all.
    pub tag: Option<String>,
    /// What is required.
    pub requirement: Requirement,
}

/// What a criterion requires.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Requirement {
    /// The candidate's mean is at least this.
    Minimum {
        /// In 0 to 1.
        value: f64,
    },
    /// Every candidate trial passes, literally.
    EveryTrial,
    /// The candidate's mean is not below the baseline's by more than this.
    NotWorse {
        /// In 0 to 1.
        tolerance: f64,
    },
    /// A statistic of latency, tokens or cost stays within a bound.
    Limit {
        /// The statistic.
        statistic: Statistic,
        /// The bound.
        bound: Bound,
    },
    /// Every trial of this case passes.
    MustPass {
        /// Index into `cases`.
        case: usize,
    },
    /// At most this many cases are broken.
    BrokenCases {
        /// The count.
        max: usize,
    },
}

/// Which statistic of a metric a limit looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The median over trials.
    P50,
    /// The 95th percentile over trials.
    P95,
    /// The mean over cases.
    Mean,
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

/// How a criterion with noise is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// By evidence: fail if shown, pass if ruled out, else inconclusive.
    Evidence,
    /// Estimate against requirement, naive.
    Point,
}

impl Rule {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Point => "point",
        }
    }
}
