//! Findings about limits as sentences.

use std::fmt;

use super::LimitFindingKind;

impl fmt::Display for LimitFindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within { value, worst } => write!(f, "{}, within the limit of {worst}", short(*value)),
            Self::Beyond { value, worst } => {
                write!(f, "{}, beyond the limit of {worst}, which may be chance", short(*value))
            }
            Self::Untested { value, worst } => {
                write!(
                    f,
                    "{}, beyond the limit of {worst}; a figure without a variance is not tested",
                    short(*value)
                )
            }
            Self::Broken { value, worst } => {
                write!(f, "{}, which breaks the limit of {worst}", short(*value))
            }
            Self::FewSamples { have, need } => write!(f, "{have} of {need} samples"),
            Self::Missing(why) => write!(f, "no data: {why}"),
            Self::Invalid(why) => write!(f, "invalid data: {why}"),
            Self::Failed(why) => write!(f, "the source failed: {why}"),
            Self::HoldUntil(until) => write!(f, "held until {}", minute(*until)),
            Self::ReplayFailed => write!(f, "the gate failed on the golden cases since"),
            Self::ReplayInconclusive => write!(f, "the gate could not decide on the golden cases since"),
            Self::Replayed => write!(f, "too little traffic; the gate passed on the golden cases since"),
            Self::MaxHold(end) => {
                write!(f, "longer on staging than `max_hold`, which ended {}", minute(*end))
            }
        }
    }
}

/// At most four digits after the point, without trailing zeros.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn minute(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
