//! The policy of a run: every criterion and the rule that decides them.
//!
//! Configuration, gate and reports share these types. Their JSON names are those of report v1 and are frozen: fields may
//! be added, never renamed or removed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EVEN, Scope, named};
use crate::stats::LabeledMoments;

/// All criteria and the rule that decides them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// How criteria with noise are decided.
    pub rule: Rule,
    /// The uncertainty that counts.
    pub scope: Scope,
    /// One-sided confidence, between 0.5 and 1, both excluded. Alpha is 1 minus this.
    pub confidence: f64,
    /// The drop that the run must be able to detect, at least 0 and below 1.
    pub resolution: f64,
    /// The share of missing grades above which nothing is decided, from 0 to 1.
    pub max_missing: f64,
    /// Seed of drawn permutations.
    pub seed: u64,
    /// Repeats of every case at the first look.
    pub repeats: u32,
    /// Maximum repeats of a case: while criteria are undecided, repeats are doubled up to this number.
    pub max_repeats: u32,
    /// The criteria, in the order of the configuration.
    pub criteria: Vec<Criterion>,
}

impl Policy {
    /// The one-sided alpha of the whole run, 1 - confidence, rounded to 12 digits to drop the binary rounding error.
    pub fn alpha(&self) -> f64 {
        ((1.0 - self.confidence) * 1e12).round() / 1e12
    }

    /// Whether no criterion can fail.
    pub fn is_empty(&self) -> bool {
        self.criteria.iter().all(|criterion| criterion.requirement.is_empty())
    }
}

/// One requirement on one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PolicyCriterion")]
pub struct Criterion {
    /// `faithfulness.min`, `faithfulness.baseline`, `preference.baseline`, `check.NAME`, `check.NAME.baseline`, `limit.latency_p95`,
    /// `slice.TAG.METRIC.min`, `case.ID` or `broken_cases`.
    pub id: String,
    /// The metric; empty for `case.ID` and `broken_cases`.
    pub metric: String,
    /// Only cases with this tag count; null for all cases.
    pub tag: Option<String>,
    /// The requirement.
    pub requirement: Requirement,
    /// The labels by which the mean of a minimum is corrected; absent where the judge's mean decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabeledMoments>,
}

/// The requirement of a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Requirement {
    /// The candidate's mean is at least `value`.
    Minimum {
        /// From 0 to 1.
        value: f64,
    },
    /// Every candidate trial passes, without regard to chance.
    EveryTrial,
    /// Every candidate trial passes of the cases that pass in every trial of the baseline.
    NoNewFailures,
    /// The candidate's mean is at most `tolerance` below the baseline's.
    NotWorse {
        /// From 0 to 1.
        tolerance: f64,
    },
    /// The candidate wins at least one half less `tolerance` of its comparisons with the baseline, ties counting half.
    WinRate {
        /// From 0 to 0.5.
        tolerance: f64,
    },
    /// A statistic of latency, tokens or cost stays within a bound.
    Limit {
        /// The statistic.
        statistic: Statistic,
        /// The bound.
        bound: Bound,
    },
    /// Every trial of a `must_pass` case passes.
    MustPass {
        /// Index into the cases of the dataset.
        case: usize,
        /// Whether it fails even where it flickers with the baseline too; absent where it does not.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        strict: bool,
    },
    /// At most `max` cases are broken.
    BrokenCases {
        /// The number of cases.
        max: usize,
    },
}

impl Requirement {
    /// Whether it compares the candidate with the baseline.
    pub fn needs_baseline(&self) -> bool {
        matches!(
            self,
            Self::NoNewFailures
                | Self::NotWorse { .. }
                | Self::WinRate { .. }
                | Self::Limit { bound: Bound::MaxIncrease(_), .. }
                | Self::BrokenCases { .. }
        )
    }

    /// Whether no score can miss it: a minimum of 0, or a tolerance of the whole scale. Passing it proves nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Minimum { value } => *value <= 0.0,
            Self::NotWorse { tolerance } => *tolerance >= 1.0,
            Self::WinRate { tolerance } => *tolerance >= EVEN,
            Self::EveryTrial
            | Self::NoNewFailures
            | Self::Limit { .. }
            | Self::MustPass { .. }
            | Self::BrokenCases { .. } => false,
        }
    }
}

/// The statistic of a metric that a limit applies to.
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
    /// At most this many seconds, tokens or US dollars.
    Absolute(f64),
    /// At most this share above the baseline's: 0.2 is 20 %.
    MaxIncrease(f64),
}

named! {
    /// How a criterion with noise is decided.
    pub enum Rule {
        /// By evidence: fail if a miss is shown, pass if it is ruled out, otherwise inconclusive.
        Evidence = "evidence",
        /// By the estimate alone, without regard to chance.
        Point = "point",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Report v1 froze these names.
    #[test]
    fn policy_json_names_are_frozen() {
        let criterion = |id: &str, metric: &str, tag: Option<&str>, requirement| Criterion {
            id: id.to_owned(),
            metric: metric.to_owned(),
            tag: tag.map(str::to_owned),
            requirement,
            labels: None,
        };
        let limit =
            |statistic, bound| criterion("l", "latency", None, Requirement::Limit { statistic, bound });
        let policy = Policy {
            rule: Rule::Evidence,
            scope: Scope::Suite,
            confidence: 0.95,
            resolution: 0.05,
            max_missing: 0.02,
            seed: 1,
            repeats: 3,
            max_repeats: 24,
            criteria: vec![
                criterion("m.min", "m", Some("refunds"), Requirement::Minimum { value: 0.75 }),
                criterion("check.c", "check.c", None, Requirement::EveryTrial),
                criterion("m.baseline", "m", None, Requirement::NotWorse { tolerance: 0.01 }),
                limit(Statistic::P95, Bound::Absolute(4.0)),
                limit(Statistic::P50, Bound::MaxIncrease(0.2)),
                limit(Statistic::Mean, Bound::MaxIncrease(0.2)),
                criterion("case.c0", "", None, Requirement::MustPass { case: 0, strict: false }),
                criterion("broken_cases", "", None, Requirement::BrokenCases { max: 2 }),
                criterion("p.baseline", "p", None, Requirement::WinRate { tolerance: 0.1 }),
            ],
        };
        let limit = |statistic: &str, kind: &str, value: f64| {
            json!({"id": "l", "metric": "latency", "tag": null, "requirement": {
                "kind": "limit", "statistic": statistic, "bound": {"kind": kind, "value": value}}})
        };
        let written = json!({
            "rule": "evidence", "scope": "suite", "confidence": 0.95, "resolution": 0.05, "max_missing": 0.02,
            "seed": 1, "repeats": 3, "max_repeats": 24,
            "criteria": [
                {"id": "m.min", "metric": "m", "tag": "refunds", "requirement": {"kind": "minimum", "value": 0.75}},
                {"id": "check.c", "metric": "check.c", "tag": null, "requirement": {"kind": "every_trial"}},
                {"id": "m.baseline", "metric": "m", "tag": null,
                 "requirement": {"kind": "not_worse", "tolerance": 0.01}},
                limit("p95", "absolute", 4.0),
                limit("p50", "max_increase", 0.2),
                limit("mean", "max_increase", 0.2),
                {"id": "case.c0", "metric": "", "tag": null, "requirement": {"kind": "must_pass", "case": 0}},
                {"id": "broken_cases", "metric": "", "tag": null,
                 "requirement": {"kind": "broken_cases", "max": 2}},
                {"id": "p.baseline", "metric": "p", "tag": null,
                 "requirement": {"kind": "win_rate", "tolerance": 0.1}},
            ],
        });
        assert_eq!(serde_json::to_value(&policy).expect("JSON"), written);
        assert_eq!(serde_json::from_value::<Policy>(written).expect("a policy"), policy);
        assert_eq!(serde_json::to_value(Rule::Point).expect("JSON"), json!(Rule::Point.as_str()));
    }
}
