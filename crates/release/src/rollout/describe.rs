//! Findings as sentences.

use std::fmt;

use super::finding::FindingKind;
use super::plan::ALL_UNITS;
use crate::time::minute;

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Harm { difference: Some(difference) } => write!(f, "harm shown: {difference:+.3}"),
            Self::Harm { difference: None } => write!(f, "harm was shown by an earlier `advance`"),
            Self::Tolerated { difference } => {
                write!(f, "worse ({difference:+.3}), but by less than the margin")
            }
            Self::NoHarm => write!(f, "no harm shown"),
            Self::NotWorse => write!(f, "shown to be no worse than the margin allows"),
            Self::NotYetNotWorse => {
                write!(f, "not yet shown to be within the margin: needs more samples")
            }
            Self::Within { ratio } => write!(f, "{ratio:.2} times production"),
            Self::Exceeded { ratio, max } => {
                write!(f, "{ratio:.2} times production, above the limit of {max:.2}")
            }
            Self::FewSamples { have, need } => write!(f, "{have} of {need} samples"),
            Self::Missing(why) => write!(f, "no data: {why}"),
            Self::Failed(why) => write!(f, "the source failed: {why}"),
            Self::Unbalanced { seen, planned } => {
                let all = seen.control.saturating_add(seen.treatment).max(1);
                let share = seen.treatment as f64 / all as f64 * 100.0;
                let expected = f64::from(*planned) / f64::from(ALL_UNITS) * 100.0;
                write!(
                    f,
                    "{share:.1} % of {all} units got the new version, expected {expected} %: check the assignment and \
                     the version tags"
                )
            }
            Self::HoldUntil(until) => write!(f, "held until {}", minute(*until)),
            Self::ClockBefore(last) => {
                write!(f, "the clock of this machine is before the last event, {}", minute(*last))
            }
            Self::ProductionMoved(Some(version)) => {
                write!(f, "production serves {version}, not the version this rollout started from")
            }
            Self::ProductionMoved(None) => write!(f, "production serves no version"),
            Self::SourcesChanged => {
                write!(
                    f,
                    "the sources of metrics changed since the rollout began: `rollout resume` accepts them"
                )
            }
            Self::Evaluation(obstacle) => write!(f, "the newest evaluation of this version: {obstacle}"),
            Self::Paused(reason) => write!(f, "paused: {reason}"),
            Self::MaxHold(end) => {
                write!(f, "on this step for longer than `max_hold`, overdue since {}", minute(*end))
            }
            Self::Fixed => write!(f, "an A/B test stays at its percentage"),
        }
    }
}
