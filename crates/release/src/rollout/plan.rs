//! The steps of a rollout and the limits that hold on each, as a policy states them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::ports::Window;
use crate::time::after;

/// Basis points of all units.
pub const ALL_UNITS: u32 = 10_000;

/// How production gets a version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutKind {
    /// At once.
    #[default]
    Direct,
    /// In steps.
    Canary,
    /// In longer steps.
    Staged,
}

impl RolloutKind {
    /// The name in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Canary => "canary",
            Self::Staged => "staged",
        }
    }

    /// Whether production gets the version at once.
    pub fn is_direct(&self) -> bool {
        *self == Self::Direct
    }
}

/// The rollouts of a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutPolicy {
    /// The monitored steps of a canary rollout, each with more units than the one before; all units follow.
    pub canary: Vec<Step>,
    /// The monitored steps of a staged rollout.
    pub staged: Vec<Step>,
    /// The metrics that roll back where harm is shown.
    pub guardrails: Vec<Guardrail>,
    /// The metrics that hold.
    #[serde(default)]
    pub signals: Vec<Signal>,
    /// The longest time on one step, in seconds.
    pub max_hold_seconds: u64,
    /// The time after a step begins that is not observed, in seconds: applications may still read the version before.
    pub settle_seconds: u64,
    /// The newest time that is not observed, in seconds: scores arrive late.
    pub lag_seconds: u64,
    /// The error rate of all guardrails together, for harm; of each for non-inferiority.
    pub alpha: f64,
    /// The digest of the sources of metrics.
    pub sources: Digest,
}

/// A monitored step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Units that are treated, in basis points: 500 is 5 %.
    pub basis_points: u32,
    /// The shortest time on this step, in seconds.
    pub hold_seconds: u64,
    /// Treated samples of each guardrail on this step.
    pub min_samples: u64,
}

/// A metric whose deterioration by the margin is harm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guardrail {
    /// The name.
    pub name: String,
    /// Which direction is better.
    pub better: Better,
    /// The deterioration that is tolerated, in the unit of the metric.
    pub margin: f64,
    /// The source.
    pub source: String,
}

/// The better direction of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// A metric that holds a rollout where its ratio, treatment over control, is too high.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// The name.
    pub name: String,
    /// The highest ratio.
    pub max_ratio: f64,
    /// The source.
    pub source: String,
}

impl RolloutPolicy {
    /// The steps of a rollout of this kind; none of a direct one.
    pub fn steps(&self, kind: RolloutKind) -> &[Step] {
        match kind {
            RolloutKind::Direct => &[],
            RolloutKind::Canary => &self.canary,
            RolloutKind::Staged => &self.staged,
        }
    }

    /// The observed time of a step: from its begin, less what applications still cache, to now, less what arrives late.
    /// `None` while that is empty.
    pub fn window(&self, step_started_at: Timestamp, now: Timestamp) -> Option<Window> {
        let from = after(step_started_at, self.settle_seconds);
        let to = now.checked_sub(Duration::from_secs(self.lag_seconds)).unwrap_or(Timestamp::MIN);
        (from < to).then_some(Window { from, to })
    }

    /// The names of all metrics with the source of each.
    pub fn metrics(&self) -> BTreeMap<&str, &str> {
        let guardrails = self.guardrails.iter().map(|guardrail| (&guardrail.name, &guardrail.source));
        let signals = self.signals.iter().map(|signal| (&signal.name, &signal.source));
        guardrails.chain(signals).map(|(name, source)| (name.as_str(), source.as_str())).collect()
    }
}

/// The steps of the default canary rollout.
pub fn default_canary() -> Vec<Step> {
    steps([48, 24, 24])
}

/// The steps of the default staged rollout.
pub fn default_staged() -> Vec<Step> {
    steps([48, 48, 48])
}

fn steps(hours: [u64; 3]) -> Vec<Step> {
    let plan = [(500, 400), (2_500, 1_000), (5_000, 1_000)];
    let step = |((basis_points, min_samples), hours)| Step {
        basis_points,
        hold_seconds: hours * 3_600,
        min_samples,
    };
    plan.into_iter().zip(hours).map(step).collect()
}
