//! Findings about limits as sentences.

use std::fmt;

use super::{LimitFinding, LimitFindingKind};
use crate::rollout::Status;
use crate::time::minute;

impl fmt::Display for LimitFindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within { value, worst } => write!(f, "{}, within the limit of {worst}", short(*value)),
            Self::Beyond { value, worst } => {
                write!(f, "{}, worse than the limit of {worst}, but possibly by chance", short(*value))
            }
            Self::Untested { value, worst } => {
                write!(
                    f,
                    "{}, worse than the limit of {worst}; not tested, because it has no variance",
                    short(*value)
                )
            }
            Self::Broken { value, worst } => {
                write!(f, "{}, significantly worse than the limit of {worst}", short(*value))
            }
            Self::FewSamples { have, need } => write!(f, "{have} of {need} samples"),
            Self::Missing(why) => write!(f, "no data: {why}"),
            Self::Invalid(why) => write!(f, "invalid data: {why}"),
            Self::Failed(why) => write!(f, "the source failed: {why}"),
            Self::HoldUntil(until) => write!(f, "held until {}", minute(*until)),
            Self::ReplayFailed => write!(f, "the gate has since failed on the golden cases"),
            Self::ReplayInconclusive => write!(f, "the gate has since been inconclusive on the golden cases"),
            Self::Replayed => write!(f, "too little traffic; the gate has since passed on the golden cases"),
            Self::MaxHold(end) => {
                write!(f, "on staging for longer than `max_hold`, overdue since {}", minute(*end))
            }
        }
    }
}

/// At most four digits after the point, without trailing zeros.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The broken limits, as the reason of a rollback.
pub fn broken(findings: &[LimitFinding]) -> String {
    let broken = findings.iter().filter(|finding| finding.kind.status() == Status::Fail);
    let named = broken.map(|finding| match &finding.metric {
        Some(metric) => format!("{metric} is {}", finding.kind),
        None => finding.kind.to_string(),
    });
    named.collect::<Vec<_>>().join("; ")
}
