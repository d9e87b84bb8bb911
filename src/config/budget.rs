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
    /// How many times the baseline's cost a case of the candidate may have, in dollars, or in tokens where a price is not
    /// known, when the policy is that of the base; 3 by default. Written, it holds for every run.
    #[schemars(range(min = 1))]
    case_factor: Option<f64>,
}

/// The default of `case_factor` for a change whose policy is that of its base.
pub const DEFAULT_CASE_FACTOR: f64 = 3.0;

/// Limits of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BudgetSettings {
    /// US dollars.
    pub usd: Option<f64>,
    /// Calls, including retries and judgements.
    pub calls: Option<u64>,
    /// Time.
    pub time: Option<Duration>,
    /// How many times the baseline's cost a case of the candidate may have; `None` if it is not written.
    pub case_factor: Option<f64>,
}

impl WrittenBudget {
    pub(super) fn resolve(self) -> BudgetSettings {
        let time = self.time.map(|time| time.0);
        BudgetSettings { usd: self.usd, calls: self.calls, time, case_factor: self.case_factor }
    }
}
