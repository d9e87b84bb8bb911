//! The policy as decided, so that `compare` can decide again from a saved report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read::MAX_REPEATS;
use super::{Report, Scope};
use promptgate_core::text::neutral;

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
    /// Repeats of every case at the first look.
    pub repeats: u32,
    /// Most repeats of a case: while criteria were undecided, repeats were doubled up to this many.
    pub max_repeats: u32,
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

/// Where the policy is none that a configuration could give, or not the one behind the criteria: an edited report.
pub(super) fn contradictions(report: &Report) -> Vec<String> {
    let policy = &report.policy;
    let mut found = Vec::new();
    if !(policy.confidence > 0.5 && policy.confidence < 1.0) {
        found.push("`policy.confidence` is not above 0.5 and below 1".to_owned());
    }
    if !(0.0..1.0).contains(&policy.resolution) {
        found.push("`policy.resolution` is not in 0..1".to_owned());
    }
    if !(0.0..=1.0).contains(&policy.max_missing) {
        found.push("`policy.max_missing` is not in 0..=1".to_owned());
    }
    if policy.repeats < 1 || policy.max_repeats < policy.repeats || policy.max_repeats > MAX_REPEATS {
        found.push(format!(
            "`policy.repeats` and `policy.max_repeats` are not in order, within 1 to {MAX_REPEATS}"
        ));
    }
    if report.repeats > policy.max_repeats {
        found.push("`repeats` is above `policy.max_repeats`".to_owned());
    }
    found.extend(wrong_criteria(policy, |case| report.cases.get(case).map(|case| case.id.as_str())));
    let decided = report.criteria.iter().map(|outcome| &outcome.id);
    if !policy.criteria.iter().map(|criterion| &criterion.id).eq(decided) {
        found.push("`policy.criteria` and `criteria` are not the same ones".to_owned());
    }
    found
}

/// Criteria that no configuration could give, or that speak of other cases than those whose ids these are.
pub(crate) fn wrong_criteria<'a>(policy: &Policy, id: impl Fn(usize) -> Option<&'a str>) -> Vec<String> {
    let mut found = Vec::new();
    for criterion in &policy.criteria {
        let wrong = match criterion.requirement {
            Requirement::Minimum { value } => {
                (!(0.0..=1.0).contains(&value)).then(|| "is not in 0..=1".to_owned())
            }
            Requirement::NotWorse { tolerance } => {
                (!(0.0..=1.0).contains(&tolerance)).then(|| "forgives what is not in 0..=1".to_owned())
            }
            Requirement::Limit { bound: Bound::Absolute(value) | Bound::MaxIncrease(value), .. } => {
                (value < 0.0).then(|| "has a limit below 0".to_owned())
            }
            Requirement::MustPass { case } => match id(case) {
                Some(id) if criterion.id == format!("case.{id}") => None,
                Some(_) => Some(format!("speaks of case {case}, which has another id")),
                None => Some(format!("speaks of case {case}, which is not there")),
            },
            Requirement::EveryTrial | Requirement::BrokenCases { .. } => None,
        };
        found.extend(wrong.map(|wrong| format!("criterion `{}` {wrong}", neutral::terminal(&criterion.id))));
    }
    found
}
