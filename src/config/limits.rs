//! Limits: from `latency_p95: 4s` to criteria.

use super::written::{LatencyLimit, LatencyLimitMap, NumberLimit, NumberLimitMap, WrittenLimits};
use promptgate_core::gate::{Bound, Criterion, Requirement, Statistic};

/// The criteria of the limits: in the order p50, p95, tokens, cost, an absolute bound before a relative one.
pub(super) fn criteria(limits: &WrittenLimits) -> Vec<Criterion> {
    let latency = |limit: &Option<LatencyLimit>| match limit {
        None => (None, None),
        Some(LatencyLimit::Max(max)) => (Some(max.0.as_secs_f64()), None),
        Some(LatencyLimit::Map(LatencyLimitMap { max, max_increase })) => {
            (max.map(|max| max.0.as_secs_f64()), max_increase.map(|increase| increase.0))
        }
    };
    let number = |limit: &Option<NumberLimit>| match limit {
        None => (None, None),
        Some(NumberLimit::Max(max)) => (Some(*max), None),
        Some(NumberLimit::Map(NumberLimitMap { max, max_increase })) => {
            (*max, max_increase.map(|increase| increase.0))
        }
    };
    let rows = [
        ("latency_p50", "latency", Statistic::P50, latency(&limits.latency_p50)),
        ("latency_p95", "latency", Statistic::P95, latency(&limits.latency_p95)),
        ("output_tokens_mean", "output_tokens", Statistic::Mean, number(&limits.output_tokens_mean)),
        ("cost_per_case_usd", "cost_usd", Statistic::Mean, number(&limits.cost_per_case_usd)),
    ];
    let mut criteria = Vec::new();
    for (key, metric, statistic, (max, increase)) in rows {
        let criterion = |id: String, bound| Criterion {
            id,
            metric: metric.to_owned(),
            tag: None,
            requirement: Requirement::Limit { statistic, bound },
        };
        criteria.extend(max.map(|max| criterion(format!("limit.{key}"), Bound::Absolute(max))));
        // Beside an absolute bound, the relative one has its own id.
        let id = if max.is_some() { format!("limit.{key}.baseline") } else { format!("limit.{key}") };
        criteria.extend(increase.map(|increase| criterion(id, Bound::MaxIncrease(increase))));
    }
    criteria
}
