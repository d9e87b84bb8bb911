//! The progress of a rollout: the part of a prompt's state that its events add up to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::observation::Stratum;
use super::plan::{ALL_UNITS, RolloutKind, Step};
use crate::{Digest, Version};

/// The begin of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolloutStart {
    /// Its position among the rollouts of the prompt, from 1.
    pub number: u64,
    /// The version that treated units get.
    pub treatment: Version,
    /// The version that production serves.
    pub control: Version,
    /// The kind; direct for an A/B test, which stays at its percentage.
    pub kind: RolloutKind,
    /// The monitored steps; the only one of an A/B test.
    pub steps: Vec<Step>,
    /// The salt of the assignment.
    pub salt: String,
    /// The information that the steps are expected to give: the sum of control · treated / (control + treated) samples.
    pub planned_information: f64,
    /// The digest of the sources of metrics.
    pub sources: Digest,
    /// The reason that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A rollout that has not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// How it began.
    pub start: RolloutStart,
    /// When it began.
    pub started_at: Timestamp,
    /// The current step, from 0.
    pub step: usize,
    /// When the step began.
    pub step_started_at: Timestamp,
    /// The time of its last event.
    pub last_at: Timestamp,
    /// The treated units, in basis points.
    pub basis_points: u32,
    /// Why it is paused; `None` while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// The observations of the steps before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strata: Vec<Stratum>,
    /// The looks at the data, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
    /// Failures of sources in a row.
    #[serde(default)]
    pub failures: u32,
    /// Guardrails whose harm was recorded: the rollout is rolled back, whatever their sources return later.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub harm: BTreeSet<String>,
}

/// The hypothesis of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    /// Whether the treatment is worse.
    Harm,
    /// Whether it is worse by less than the margin.
    NonInferiority,
}

/// A test of a guardrail's accumulated data. Each spends a part of the error rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The guardrail.
    pub guardrail: String,
    /// The test.
    pub test: TestKind,
    /// The information so far, as a share of the planned.
    pub fraction: f64,
    /// The statistic; what is tested is shown at the bound or above.
    pub z: f64,
    /// The bound; `None` where nothing is left to spend.
    pub bound: Option<f64>,
}

impl Look {
    /// Whether the data show what is tested.
    pub fn is_shown(&self) -> bool {
        self.bound.is_some_and(|bound| self.z >= bound)
    }
}

/// How a rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutOutcome {
    /// Production has the version.
    Completed,
    /// A guardrail showed harm, or a person rolled back.
    RolledBack,
    /// A person gave it up, without a judgement on the version.
    Aborted,
}

/// The share of treated units from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// From when.
    pub at: Timestamp,
    /// The rollout.
    pub rollout: u64,
    /// The version.
    pub version: Version,
    /// The treated units, in basis points; all once production has the version.
    pub basis_points: u32,
}

impl RolloutStart {
    /// Whether it stays at its percentage.
    pub fn is_fixed(&self) -> bool {
        self.kind.is_direct()
    }

    /// Why its steps are no rollout.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let points: Vec<u32> = self.steps.iter().map(|step| step.basis_points).collect();
        if points.is_empty() {
            Some("a rollout without steps")
        } else if points.iter().any(|points| *points == 0 || *points >= ALL_UNITS) {
            Some("a monitored step of none or all units")
        } else if !points.is_sorted_by(|before, after| before < after) {
            Some("steps whose percentages do not rise")
        } else if self.treatment == self.control {
            Some("a rollout of the version that production serves")
        } else {
            None
        }
    }
}

impl Rollout {
    /// The rollout after its first event; `None` without steps.
    pub fn begin(start: &RolloutStart, at: Timestamp) -> Option<Self> {
        Some(Self {
            started_at: at,
            step: 0,
            step_started_at: at,
            last_at: at,
            basis_points: start.steps.first()?.basis_points,
            paused: None,
            strata: Vec::new(),
            looks: Vec::new(),
            failures: 0,
            harm: BTreeSet::new(),
            start: start.clone(),
        })
    }

    /// Adds the tests of a call, and the guardrails whose harm it found.
    pub(crate) fn look(&mut self, looks: &[Look], harm: &[String], has_failed: bool, at: Timestamp) {
        self.seen(at);
        self.looks.extend(looks.iter().cloned());
        self.harm.extend(harm.iter().cloned());
        self.failures = if has_failed { self.failures.saturating_add(1) } else { 0 };
    }

    /// Goes to a step, after the observations of the one before.
    pub(crate) fn advance(&mut self, step: usize, basis_points: u32, ended: &Stratum, at: Timestamp) {
        self.seen(at);
        self.step = step;
        self.step_started_at = self.last_at;
        self.basis_points = basis_points;
        self.strata.push(ended.clone());
        self.failures = 0;
    }

    /// Notes the time of an event. It never goes back, whatever the clocks of writers say.
    pub(crate) fn seen(&mut self, at: Timestamp) {
        self.last_at = self.last_at.max(at);
    }

    /// The current step.
    pub fn current(&self) -> Option<&Step> {
        self.start.steps.get(self.step)
    }

    /// Whether all units follow the current step.
    pub fn is_last_step(&self) -> bool {
        self.step + 1 >= self.start.steps.len()
    }

    /// The looks at a guardrail, in order.
    pub fn looks_at<'r>(&'r self, guardrail: &'r str, test: TestKind) -> impl Iterator<Item = &'r Look> {
        self.looks.iter().filter(move |look| look.test == test && look.guardrail == guardrail)
    }
}
