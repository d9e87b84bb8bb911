//! The findings about a step, and what each means for it.

use jiff::Timestamp;

use super::observation::Variants;
use crate::Version;
use crate::promotion::Obstacle;

/// The meaning of a finding for the step; the worst of all decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
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

/// A finding about a metric, or about the whole step.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The metric; `None` for the whole step.
    pub metric: Option<String>,
    /// The kind.
    pub kind: FindingKind,
}

/// A kind of finding.
#[derive(Debug, Clone, PartialEq)]
pub enum FindingKind {
    /// The treatment is worse.
    Harm {
        /// Treatment less control, in the unit of the metric; `None` where an earlier call recorded the harm and the data
        /// cannot be read now.
        difference: Option<f64>,
    },
    /// The treatment is worse, but by less than the margin.
    Tolerated {
        /// Treatment less control, in the unit of the metric.
        difference: f64,
    },
    /// No harm is shown.
    NoHarm,
    /// The treatment is worse by less than the margin, if at all.
    NotWorse,
    /// Non-inferiority is not shown yet.
    NotYetNotWorse,
    /// The ratio of a signal is within its limit.
    Within {
        /// Treatment over control.
        ratio: f64,
    },
    /// The ratio of a signal is above its limit.
    Exceeded {
        /// Treatment over control.
        ratio: f64,
        /// The limit.
        max: f64,
    },
    /// The source has too few samples.
    FewSamples {
        /// The samples of the variant with fewer.
        have: u64,
        /// The required ones.
        need: u64,
    },
    /// The source has no usable samples.
    Missing(String),
    /// The source failed.
    Failed(String),
    /// The variants do not split as the assignment says.
    Unbalanced {
        /// The numbers seen.
        seen: Variants<u64>,
        /// The planned share of the treatment, in basis points.
        planned: u32,
    },
    /// The step has not lasted long enough.
    HoldUntil(Timestamp),
    /// The time is before the last event.
    ClockBefore(Timestamp),
    /// Production serves another version than the one that the rollout began with.
    ProductionMoved(Option<Version>),
    /// The sources of metrics are not those that the rollout began with.
    SourcesChanged,
    /// The newest evaluation of the treatment did not pass.
    Evaluation(Obstacle),
    /// Somebody paused it, or five failures did.
    Paused(String),
    /// The step has lasted longer than `max_hold`.
    MaxHold(Timestamp),
    /// It stays at its percentage.
    Fixed,
}

impl FindingKind {
    /// Its meaning for the step.
    pub fn status(&self) -> Status {
        match self {
            Self::Harm { .. } => Status::Fail,
            Self::Failed(_) => Status::Error,
            Self::Exceeded { .. }
            | Self::Missing(_)
            | Self::Unbalanced { .. }
            | Self::ClockBefore(_)
            | Self::ProductionMoved(_)
            | Self::SourcesChanged
            | Self::Evaluation(_)
            | Self::Paused(_)
            | Self::MaxHold(_) => Status::Hold,
            Self::FewSamples { .. } | Self::NotYetNotWorse | Self::HoldUntil(_) | Self::Fixed => {
                Status::Inconclusive
            }
            Self::NoHarm | Self::NotWorse | Self::Tolerated { .. } | Self::Within { .. } => Status::Pass,
        }
    }

    /// The code in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Harm { .. } => "harm",
            Self::Tolerated { .. } => "tolerated",
            Self::NoHarm => "no_harm",
            Self::NotWorse => "not_worse",
            Self::NotYetNotWorse => "not_yet_not_worse",
            Self::Within { .. } => "within",
            Self::Exceeded { .. } => "exceeded",
            Self::FewSamples { .. } => "few_samples",
            Self::Missing(_) => "missing",
            Self::Failed(_) => "failed",
            Self::Unbalanced { .. } => "unbalanced",
            Self::HoldUntil(_) => "hold_until",
            Self::ClockBefore(_) => "clock_before",
            Self::ProductionMoved(_) => "production_moved",
            Self::SourcesChanged => "sources_changed",
            Self::Evaluation(obstacle) => obstacle.code(),
            Self::Paused(_) => "paused",
            Self::MaxHold(_) => "max_hold",
            Self::Fixed => "fixed",
        }
    }
}
