//! Converts the policy between gate and report.

use promptgate_core::gate::{Bound, Criterion, Policy, Requirement, Rule, Statistic};
use promptgate_core::model::Scope;
use promptgate_report::v1;

/// The policy in a report.
pub(super) fn saved(policy: &Policy) -> v1::Policy {
    v1::Policy {
        rule: match policy.rule {
            Rule::Evidence => v1::Rule::Evidence,
            Rule::Point => v1::Rule::Point,
        },
        scope: match policy.scope {
            Scope::Suite => v1::Scope::Suite,
            Scope::Population => v1::Scope::Population,
        },
        confidence: policy.confidence,
        resolution: policy.resolution,
        max_missing: policy.max_missing,
        seed: policy.seed,
        repeats: policy.schedule().first(),
        max_repeats: policy.schedule().last(),
        criteria: policy
            .criteria
            .iter()
            .map(|criterion| v1::PolicyCriterion {
                id: criterion.id.clone(),
                metric: criterion.metric.clone(),
                tag: criterion.tag.clone(),
                requirement: match criterion.requirement {
                    Requirement::Minimum { value } => v1::Requirement::Minimum { value },
                    Requirement::EveryTrial => v1::Requirement::EveryTrial,
                    Requirement::NotWorse { tolerance } => v1::Requirement::NotWorse { tolerance },
                    Requirement::Limit { statistic, bound } => v1::Requirement::Limit {
                        statistic: match statistic {
                            Statistic::P50 => v1::Statistic::P50,
                            Statistic::P95 => v1::Statistic::P95,
                            Statistic::Mean => v1::Statistic::Mean,
                        },
                        bound: match bound {
                            Bound::Absolute(value) => v1::Bound::Absolute(value),
                            Bound::MaxIncrease(share) => v1::Bound::MaxIncrease(share),
                        },
                    },
                    Requirement::MustPass { case } => v1::Requirement::MustPass { case },
                    Requirement::BrokenCases { max } => v1::Requirement::BrokenCases { max },
                },
            })
            .collect(),
    }
}

/// The policy of a report.
pub(super) fn restored(policy: &v1::Policy) -> Policy {
    Policy {
        rule: match policy.rule {
            v1::Rule::Evidence => Rule::Evidence,
            v1::Rule::Point => Rule::Point,
        },
        scope: match policy.scope {
            v1::Scope::Suite => Scope::Suite,
            v1::Scope::Population => Scope::Population,
        },
        confidence: policy.confidence,
        resolution: policy.resolution,
        max_missing: policy.max_missing,
        seed: policy.seed,
        repeats: policy.repeats,
        max_repeats: policy.max_repeats,
        criteria: policy
            .criteria
            .iter()
            .map(|criterion| Criterion {
                id: criterion.id.clone(),
                metric: criterion.metric.clone(),
                tag: criterion.tag.clone(),
                requirement: match criterion.requirement {
                    v1::Requirement::Minimum { value } => Requirement::Minimum { value },
                    v1::Requirement::EveryTrial => Requirement::EveryTrial,
                    v1::Requirement::NotWorse { tolerance } => Requirement::NotWorse { tolerance },
                    v1::Requirement::Limit { statistic, bound } => Requirement::Limit {
                        statistic: match statistic {
                            v1::Statistic::P50 => Statistic::P50,
                            v1::Statistic::P95 => Statistic::P95,
                            v1::Statistic::Mean => Statistic::Mean,
                        },
                        bound: match bound {
                            v1::Bound::Absolute(value) => Bound::Absolute(value),
                            v1::Bound::MaxIncrease(share) => Bound::MaxIncrease(share),
                        },
                    },
                    v1::Requirement::MustPass { case } => Requirement::MustPass { case },
                    v1::Requirement::BrokenCases { max } => Requirement::BrokenCases { max },
                },
            })
            .collect(),
    }
}
