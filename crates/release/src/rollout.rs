//! Rollouts: a version gets a growing share of the units, and each step needs evidence.

mod bounds;
mod decide;
mod describe;
mod events;
mod evidence;
mod finding;
mod forecast;
mod observation;
mod plan;
mod progress;
mod simulation;

pub use decide::{Action, Decision, Request, decide};
pub use finding::{Finding, FindingKind, Status};
pub use forecast::{ExpectedTraffic, Forecast, StepForecast, forecast, planned_information};
pub use observation::{Observations, Reading, Sample, Stratum, Variants};
pub use plan::{
    ALL_UNITS, Better, Guardrail, RolloutKind, RolloutPolicy, Signal, Step, default_canary, default_staged,
};
pub use progress::{Exposure, Look, Rollout, RolloutOutcome, RolloutStart, TestKind};
pub use simulation::{Scenario, SimulatedCall, SimulatedOutcome, SimulatedRollout, simulate};

#[cfg(test)]
mod forecast_tests;
#[cfg(test)]
mod tests;
