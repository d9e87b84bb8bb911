//! Rollouts: a version gets a growing share of the units, and each step needs evidence.

mod events;
mod observation;
mod plan;
mod progress;

pub use observation::{Observations, Reading, Sample, Stratum, Variants};
pub use plan::{
    ALL_UNITS, Better, Guardrail, RolloutKind, RolloutPolicy, Signal, Step, default_canary, default_staged,
};
pub use progress::{Exposure, Look, Rollout, RolloutOutcome, RolloutStart, TestKind};
