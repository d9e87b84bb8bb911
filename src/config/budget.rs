//! `budget`: limits of a run.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::WrittenDuration;

/// Limits of a run.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Budget")]
pub(super) struct WrittenBudget {
    /// US dollars; requires the prices of all models.
    #[schemars(extend("exclusiveMinimum" = 0))]
    usd: Option<f64>,
    /// Calls, including retries and judgements.
    #[schemars(range(min = 1))]
    calls: Option<u64>,
    /// Time.
    time: Option<WrittenDuration>,
}

/// Limits of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BudgetSettings {
    /// US dollars.
    pub usd: Option<f64>,
    /// Calls, including retries and judgements.
    pub calls: Option<u64>,
    /// Time.
    pub time: Option<Duration>,
}

impl WrittenBudget {
    pub(super) fn resolve(self) -> BudgetSettings {
        BudgetSettings { usd: self.usd, calls: self.calls, time: self.time.map(|time| time.0) }
    }
}
