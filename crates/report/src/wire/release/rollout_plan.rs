//! The output of `promptgate rollout plan` and `promptgate rollout simulate`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema` of a plan.
pub const SCHEMA: &str = "promptgate.rollout_plan/v1";
/// The value of `schema` of a simulation.
pub const SIMULATION_SCHEMA: &str = "promptgate.rollout_simulation/v1";

/// A forecast of a rollout: its time, what its steps catch, and its chance to finish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate rollout plan v1")]
pub struct RolloutPlan {
    /// Always `promptgate.rollout_plan/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// `canary` or `staged`.
    pub kind: String,
    /// Scored requests a day, of all units.
    pub per_day: f64,
    /// The share of each guardrail in production, and where it is from.
    pub rates: Vec<PlannedRate>,
    /// The monitored steps.
    pub steps: Vec<PlannedStep>,
    /// Days to all units.
    pub days: f64,
    /// The chance that an equal version is shown to be not worse on every guardrail, 0..=1; null where it is not known.
    pub chance_not_worse: Option<f64>,
    /// The chance that an equal version reaches all units, 0..=1; null where it is not known.
    pub chance_to_finish: Option<f64>,
    /// The chance below which `rollout start` refuses.
    pub required_chance: f64,
    /// Remarks.
    pub notes: Vec<String>,
}

/// The share of a guardrail that a plan counts on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedRate {
    /// The guardrail.
    pub guardrail: String,
    /// The share, 0..=1.
    pub rate: f64,
    /// `source`, `given` or `assumed`.
    pub origin: String,
    /// The margin.
    pub margin: f64,
}

/// The forecast of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStep {
    /// Treated units, in percent.
    pub percent: f64,
    /// Treated samples at its end.
    pub treated: f64,
    /// Days.
    pub days: f64,
    /// The chance that its samples come before `max_hold`, 0..=1.
    pub chance: f64,
    /// The smallest deterioration of each guardrail that is caught until its end four times of five; null where none is.
    pub detectable: Vec<Detectable>,
}

/// The smallest deterioration that is caught.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Detectable {
    /// The guardrail.
    pub guardrail: String,
    /// The deterioration of its share.
    pub drop: Option<f64>,
}

/// A simulated rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate rollout simulation v1")]
pub struct RolloutSimulation {
    /// Always `promptgate.rollout_simulation/v1`.
    #[schemars(extend("const" = SIMULATION_SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// `canary` or `staged`.
    pub kind: String,
    /// Scored requests a day, of all units.
    pub per_day: f64,
    /// The guardrail that deteriorates.
    pub guardrail: String,
    /// Its true deterioration; 0 for an equal version.
    pub drop: f64,
    /// The first seed.
    pub seed: u64,
    /// The decisions of the first run.
    pub timeline: Vec<SimulatedStep>,
    /// The outcomes of all runs.
    pub outcomes: Vec<SimulatedShare>,
    /// The number of runs.
    pub runs: u64,
    /// The median days until the end.
    pub days: f64,
}

/// A decision of a simulated rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SimulatedStep {
    /// Days since the begin.
    pub day: f64,
    /// Treated units before it, in percent.
    pub percent: f64,
    /// Treated samples of the step.
    pub treated: u64,
    /// `advanced`, `completed`, `rolled_back` or `stuck`.
    pub result: String,
    /// Why, the findings that decided.
    pub reasons: Vec<String>,
}

/// How often simulated rollouts ended in a way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SimulatedShare {
    /// `completed`, `rolled_back` or `stuck`.
    pub result: String,
    /// The number of runs.
    pub runs: u64,
}

/// The JSON Schema of [`RolloutPlan`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<RolloutPlan>("rollout_plan")
}

/// The JSON Schema of [`RolloutSimulation`], draft 2020-12.
pub fn simulation_schema() -> Value {
    crate::wire::schema_of::<RolloutSimulation>("rollout_simulation")
}
