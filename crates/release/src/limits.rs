//! Limits on the metrics of one version by itself, without a comparison: on staging, and in production after a rollout.

mod describe;
mod monitor;
mod staging;

use std::collections::BTreeMap;

use promptgate_core::stats::{binomial_cdf, student_t_cdf};
use serde::{Deserialize, Serialize};

use crate::rollout::{Better, Reading, Sample, Status};

pub use describe::broken;
pub use monitor::{MonitorAction, MonitorDecision, MonitorRequest, monitor};
pub use staging::{StagingAction, StagingDecision, StagingRequest, stage};

/// The probability with which one look finds a limit broken that is kept exactly.
const ALPHA: f64 = 0.001;
/// Scores before their mean can break a limit.
const MEAN_SAMPLES: u64 = 20;

/// A limit on a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The metric.
    pub metric: String,
    /// Which direction is better.
    pub better: Better,
    /// The worst value that keeps it, in the unit of the metric.
    pub worst: f64,
    /// The source.
    pub source: String,
}

/// The checks of a version on staging.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StagingChecks {
    /// Samples of each limit.
    pub min_samples: u64,
    /// The substitute for samples where there are too few.
    pub on_no_traffic: OnNoTraffic,
    /// The limits.
    pub limits: Vec<Limit>,
}

/// The substitute for the samples of a version with too little traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNoTraffic {
    /// The golden cases, replayed by the gate after the version came to staging.
    #[default]
    Replay,
    /// Nothing: it waits.
    Wait,
}

/// The checks of the version that production serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monitor {
    /// The time that is looked at, in seconds, up to now.
    pub window_seconds: u64,
    /// The limits.
    pub limits: Vec<Limit>,
    /// The effect of a broken limit.
    pub action: BrokenAction,
}

/// The effect of a broken limit in production.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokenAction {
    /// A person is told.
    #[default]
    Alert,
    /// Production is rolled back.
    Rollback,
}

/// The answers of sources about one version, by metric.
pub type LimitReadings = BTreeMap<String, Reading<Sample>>;

/// A finding about a limit, or about the whole stage.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitFinding {
    /// The metric; `None` for the whole stage.
    pub metric: Option<String>,
    /// The kind.
    pub kind: LimitFindingKind,
}

/// A kind of finding.
#[derive(Debug, Clone, PartialEq)]
pub enum LimitFindingKind {
    /// The value keeps the limit.
    Within {
        /// The share or the mean.
        value: f64,
        /// The limit.
        worst: f64,
    },
    /// The value is beyond the limit, and more samples may show that it is by chance.
    Beyond {
        /// The share or the mean.
        value: f64,
        /// The limit.
        worst: f64,
    },
    /// A figure without a variance is beyond the limit, which no test can show to be chance or not.
    Untested {
        /// The figure.
        value: f64,
        /// The limit.
        worst: f64,
    },
    /// The limit is broken.
    Broken {
        /// The share or the mean.
        value: f64,
        /// The limit.
        worst: f64,
    },
    /// Too few samples.
    FewSamples {
        /// The samples.
        have: u64,
        /// The required ones.
        need: u64,
    },
    /// No usable samples.
    Missing(String),
    /// Samples that cannot be samples.
    Invalid(String),
    /// The source failed.
    Failed(String),
    /// The stage has not lasted long enough.
    HoldUntil(jiff::Timestamp),
    /// The gate failed on the golden cases after the version came to the stage.
    ReplayFailed,
    /// The gate could not decide on the golden cases after the version came to the stage.
    ReplayInconclusive,
    /// The gate passed on the golden cases, which stand in for traffic.
    Replayed,
    /// The stage has lasted longer than `max_hold`.
    MaxHold(jiff::Timestamp),
}

impl LimitFindingKind {
    /// Its meaning for the stage.
    pub fn status(&self) -> Status {
        match self {
            Self::Broken { .. } | Self::ReplayFailed => Status::Fail,
            Self::Failed(_) => Status::Error,
            Self::Untested { .. } | Self::Missing(_) | Self::Invalid(_) | Self::MaxHold(_) => Status::Hold,
            Self::Beyond { .. } | Self::FewSamples { .. } | Self::HoldUntil(_) | Self::ReplayInconclusive => {
                Status::Inconclusive
            }
            Self::Within { .. } | Self::Replayed => Status::Pass,
        }
    }

    /// The code in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Within { .. } => "within",
            Self::Beyond { .. } => "beyond",
            Self::Untested { .. } => "untested",
            Self::Broken { .. } => "broken",
            Self::FewSamples { .. } => "few_samples",
            Self::Missing(_) => "missing",
            Self::Invalid(_) => "invalid",
            Self::Failed(_) => "failed",
            Self::HoldUntil(_) => "hold_until",
            Self::ReplayFailed => "replay_failed",
            Self::ReplayInconclusive => "replay_inconclusive",
            Self::Replayed => "replayed",
            Self::MaxHold(_) => "max_hold",
        }
    }
}

/// The findings about limits, each in its order.
fn review(limits: &[Limit], readings: &LimitReadings, min_samples: u64) -> Vec<LimitFinding> {
    let finding = |limit: &Limit| LimitFinding {
        metric: Some(limit.metric.clone()),
        kind: match readings.get(&limit.metric) {
            Some(Reading::Observed(sample)) => limit.check(sample, min_samples),
            Some(Reading::Missing(why)) => LimitFindingKind::Missing(why.clone()),
            Some(Reading::Failed(why)) => LimitFindingKind::Failed(why.clone()),
            None => LimitFindingKind::Missing("no source returned it".to_owned()),
        },
    };
    limits.iter().map(finding).collect()
}

/// Why sources failed; `None` if none did.
fn failure(findings: &[LimitFinding]) -> Option<String> {
    let failures: Vec<&str> = findings
        .iter()
        .filter_map(|finding| match &finding.kind {
            LimitFindingKind::Failed(why) => Some(why.as_str()),
            _ => None,
        })
        .collect();
    (!failures.is_empty()).then(|| failures.join("; "))
}

/// The worst status of findings; passes without any.
fn worst(findings: &[LimitFinding]) -> Status {
    findings.iter().map(|finding| finding.kind.status()).max().unwrap_or(Status::Pass)
}

impl Limit {
    /// Compares a sample with the limit. A share or a mean breaks it where a one-sided test at the level of 0.1 % shows that it
    /// is beyond: the exact binomial one for shares, Student's for means.
    fn check(&self, sample: &Sample, min_samples: u64) -> LimitFindingKind {
        if let Some(problem) = sample.problem() {
            return LimitFindingKind::Invalid(problem.to_owned());
        }
        let (worst, have) = (self.worst, sample.n());
        let Some(value) = sample.value() else {
            return LimitFindingKind::FewSamples { have, need: min_samples.max(1) };
        };
        let is_beyond = match self.better {
            Better::Higher => value < worst,
            Better::Lower => value > worst,
        };
        if is_beyond && self.chance_of(sample).is_some_and(|chance| chance < ALPHA) {
            return LimitFindingKind::Broken { value, worst };
        }
        let is_level = matches!(sample, Sample::Level { .. });
        match (is_beyond, is_level) {
            // Few samples are no reason to leave out that they are bad ones.
            (true, false) => LimitFindingKind::Beyond { value, worst },
            _ if have < min_samples => LimitFindingKind::FewSamples { have, need: min_samples },
            (true, true) => LimitFindingKind::Untested { value, worst },
            (false, _) => LimitFindingKind::Within { value, worst },
        }
    }

    /// The probability of a sample at least as bad as this one, if the metric is exactly at its limit; `None` where it cannot
    /// be said.
    fn chance_of(&self, sample: &Sample) -> Option<f64> {
        match *sample {
            Sample::Share { successes, n } => {
                let (successes, n) = (usize::try_from(successes).ok()?, usize::try_from(n).ok()?);
                Some(match self.better {
                    Better::Higher => binomial_cdf(successes, n, self.worst),
                    Better::Lower => binomial_cdf(n - successes, n, 1.0 - self.worst),
                })
            }
            Sample::Mean { n, mean, variance } if n >= MEAN_SAMPLES => {
                let beyond = match self.better {
                    Better::Higher => self.worst - mean,
                    Better::Lower => mean - self.worst,
                };
                let error = (variance / n as f64).sqrt();
                // Scores that are all the same leave nothing to chance.
                Some(if error > 0.0 { student_t_cdf(-beyond / error, (n - 1) as f64) } else { 0.0 })
            }
            Sample::Mean { .. } | Sample::Level { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
