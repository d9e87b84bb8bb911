//! `limits`: ceilings for latency, time to the first token, tokens and cost.

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_core::gate::{Bound, Criterion, Requirement, Statistic};

use super::scalar::{Increase, WrittenDuration};

/// Ceilings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Limits")]
pub(super) struct WrittenLimits {
    /// Median latency.
    latency_p50: Option<LatencyLimit>,
    /// 95th percentile of latency.
    latency_p95: Option<LatencyLimit>,
    /// Median time to the first token; requires `endpoint.stream: always`, or a server that only streams.
    ttft_p50: Option<LatencyLimit>,
    /// 95th percentile of the time to the first token; requires the same.
    ttft_p95: Option<LatencyLimit>,
    /// Mean output tokens.
    output_tokens_mean: Option<NumberLimit>,
    /// Mean cost of an answer in US dollars; requires the price of the model.
    cost_per_case_usd: Option<NumberLimit>,
}

/// A ceiling for a time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum LatencyLimit {
    /// At most this.
    Max(WrittenDuration),
    /// At most this, or at most so much above the baseline.
    Map(LatencyLimitMap),
}

/// A ceiling for a time, absolute or relative.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1))]
struct LatencyLimitMap {
    /// At most this.
    max: Option<WrittenDuration>,
    /// At most so much above the baseline's.
    max_increase: Option<Increase>,
}

/// A ceiling for a number.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum NumberLimit {
    /// At most this.
    Max(#[schemars(range(min = 0))] f64),
    /// At most this, or at most so much above the baseline.
    Map(NumberLimitMap),
}

/// A ceiling for a number, absolute or relative.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1))]
struct NumberLimitMap {
    /// At most this.
    #[schemars(range(min = 0))]
    max: Option<f64>,
    /// At most so much above the baseline's.
    max_increase: Option<Increase>,
}

impl WrittenLimits {
    /// The criteria, latency first, then time to the first token, tokens, cost; an absolute bound before a relative one.
    pub(super) fn resolve(self) -> Vec<Criterion> {
        let latency = |limit| match limit {
            LatencyLimit::Max(max) => (Some(max.0.as_secs_f64()), None),
            LatencyLimit::Map(map) => (map.max.map(|max| max.0.as_secs_f64()), map.max_increase),
        };
        let number = |limit| match limit {
            NumberLimit::Max(max) => (Some(max), None),
            NumberLimit::Map(map) => (map.max, map.max_increase),
        };
        let rows = [
            ("latency_p50", "latency", Statistic::P50, self.latency_p50.map(latency)),
            ("latency_p95", "latency", Statistic::P95, self.latency_p95.map(latency)),
            ("ttft_p50", "ttft", Statistic::P50, self.ttft_p50.map(latency)),
            ("ttft_p95", "ttft", Statistic::P95, self.ttft_p95.map(latency)),
            ("output_tokens_mean", "output_tokens", Statistic::Mean, self.output_tokens_mean.map(number)),
            ("cost_per_case_usd", "cost_usd", Statistic::Mean, self.cost_per_case_usd.map(number)),
        ];
        let mut criteria = Vec::new();
        for (key, metric, statistic, bounds) in rows {
            let criterion = |id: String, bound| Criterion {
                id,
                metric: metric.to_owned(),
                tag: None,
                requirement: Requirement::Limit { statistic, bound },
                labels: None,
            };
            let (max, increase) = bounds.unwrap_or_default();
            criteria.extend(max.map(|max| criterion(format!("limit.{key}"), Bound::Absolute(max))));
            // Beside an absolute bound, the relative one has its own id.
            let id = if max.is_some() { format!("limit.{key}.baseline") } else { format!("limit.{key}") };
            criteria.extend(increase.map(|increase| criterion(id, Bound::MaxIncrease(increase.0))));
        }
        criteria
    }
}
