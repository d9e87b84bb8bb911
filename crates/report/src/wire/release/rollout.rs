//! The output of the commands of `promptgate rollout` that change or show a rollout.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::promotion::Obstacle;

/// The value of `schema`.
pub const SCHEMA: &str = "promptgate.rollout/v1";

/// A rollout after a command, or as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate rollout v1")]
pub struct Rollout {
    /// Always `promptgate.rollout/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// The result of the command.
    pub result: RolloutResult,
    /// The version on its way to production while no rollout is running; else null.
    pub version: Option<String>,
    /// The rollout; null if none is running and none was.
    pub rollout: Option<RolloutPosition>,
    /// Why, the worst decides.
    pub findings: Vec<Finding>,
    /// The samples of the current step.
    pub metrics: Vec<MetricSamples>,
    /// The tests that this command made.
    pub looks: Vec<Look>,
    /// Obstacles of a promotion or a start.
    pub obstacles: Vec<Obstacle>,
    /// The run of the gate that is needed next; null if none is.
    pub gate: Option<NeededGate>,
    /// The version in production with its limits; null if it is not monitored.
    pub monitor: Option<Monitored>,
    /// Other effects, and remarks of the sources.
    pub notes: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The result of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutResult {
    /// No rollout is running.
    NotRunning,
    /// It has started.
    Started,
    /// It is not started: refused.
    Refused,
    /// It is not started: evidence, approvals or time are missing.
    NotReady,
    /// The step goes on.
    Waiting,
    /// A source failed: the step goes on.
    SourceFailed,
    /// The step has lasted longer than it may.
    Stuck,
    /// It is paused.
    Paused,
    /// It goes on after a pause.
    Resumed,
    /// The next step has begun.
    Advanced,
    /// Production has the version.
    Completed,
    /// Harm was shown: all units have what production serves.
    RolledBack,
    /// A person gave it up.
    Aborted,
    /// Another command ended it meanwhile.
    EndedElsewhere,
    /// It is running.
    Running,
    /// Staging has the version.
    Staged,
    /// Production has the version, which needs no rollout.
    Promoted,
    /// The version broke a limit: staging went back to what production serves.
    PutBack,
    /// The gate has to run again, and its report to be published.
    NeedsGate,
}

/// A run of the gate: `promptgate run CONFIG --candidate … --baseline …`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NeededGate {
    /// The configuration.
    pub config: String,
    /// The candidate: `registry:NAME@VERSION`.
    pub candidate: String,
    /// The baseline: `registry:NAME@production`.
    pub baseline: String,
}

/// The version in production, compared with its limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Monitored {
    /// The version.
    pub version: String,
    /// The result.
    pub result: MonitorResult,
    /// The findings, one for each limit.
    pub findings: Vec<Finding>,
    /// Other effects, and remarks of the sources.
    pub notes: Vec<String>,
}

/// The result of monitoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonitorResult {
    /// No limit is broken.
    Quiet,
    /// A limit is broken or cannot be tested, or data are missing: a person has to look.
    Alert,
    /// Production was rolled back.
    RolledBack,
    /// A source failed.
    SourceFailed,
}

/// A rollout and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RolloutPosition {
    /// Its number among the rollouts of the prompt, from 1.
    pub number: u64,
    /// `canary`, `staged`, or `fixed` for an A/B test.
    pub kind: String,
    /// The version that treated units get.
    pub treatment: String,
    /// The version that production serves.
    pub control: String,
    /// Treated units, in percent.
    pub percent: f64,
    /// The step, from 1.
    pub step: usize,
    /// The number of monitored steps.
    pub steps: usize,
    /// When it started.
    pub started_at: String,
    /// When the step began.
    pub step_started_at: String,
    /// Why it is paused; null while it runs.
    pub paused: Option<String>,
}

/// A finding about a metric or the whole step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The metric; null for the whole step.
    pub metric: Option<String>,
    /// Its meaning for the step.
    pub status: FindingStatus,
    /// The kind, as a code.
    pub code: String,
    /// The finding as a sentence.
    pub text: String,
}

/// The meaning of a finding for the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    /// Nothing speaks against the next step.
    Pass,
    /// More time or samples may show it.
    Inconclusive,
    /// Something is wrong that says nothing about the version.
    Hold,
    /// A source failed.
    Error,
    /// Harm is shown.
    Fail,
}

/// The samples of a metric on the current step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricSamples {
    /// The metric.
    pub name: String,
    /// Samples of control.
    pub control_n: u64,
    /// Share, mean or figure of control; null without samples.
    pub control: Option<f64>,
    /// Samples of the treatment.
    pub treatment_n: u64,
    /// Share, mean or figure of the treatment; null without samples.
    pub treatment: Option<f64>,
}

/// A test of a guardrail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Look {
    /// The guardrail.
    pub guardrail: String,
    /// `harm` or `non_inferiority`.
    pub test: String,
    /// The information so far, as a share of the planned.
    pub fraction: f64,
    /// The statistic.
    pub z: f64,
    /// The bound at or above which it is shown; null where nothing is left to spend.
    pub bound: Option<f64>,
    /// Whether it is shown.
    pub shown: bool,
}

/// The JSON Schema of [`Rollout`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Rollout>("rollout")
}
