//! Number formats: scores with three decimals, latency in seconds, cost in dollars.

use crate::v1::{MetricKind, Tokens};
pub(crate) use promptgate_core::text::{count, counted};

/// Placeholder for a missing number.
pub(crate) const NONE: &str = "–";

/// A value in the unit of its metric.
pub(crate) fn value(kind: MetricKind, value: f64) -> String {
    // A rounded negative zero would read as a loss.
    match kind {
        MetricKind::Check | MetricKind::Judge => unsigned_zero(format!("{value:.3}")),
        MetricKind::Latency => unsigned_zero(format!("{value:.2} s")),
        MetricKind::OutputTokens | MetricKind::Length => {
            unsigned_zero(if value.abs() < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") })
        }
        MetricKind::Cost => dollars(value),
    }
}

/// A difference in the unit of its metric, with its sign.
pub(crate) fn signed(kind: MetricKind, difference: f64) -> String {
    let text = value(kind, difference);
    let zero = !text.contains(|character: char| ('1'..='9').contains(&character));
    if zero || text.starts_with('-') { text } else { format!("+{text}") }
}

/// A difference of scores in points of 100: `5 points`, `0.4 points`.
pub(crate) fn points(difference: f64) -> String {
    let size = difference * 100.0;
    let text = trimmed(size, if size >= 0.05 { 1 } else { 3 });
    if text == "1" { "1 point".to_owned() } else { format!("{text} points") }
}

/// A number with at most `digits` decimals, without trailing zeros.
pub(crate) fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// US dollars: enough decimals to see what a call costs.
pub(crate) fn dollars(usd: f64) -> String {
    let size = usd.abs();
    let digits = if size >= 10.0 || size == 0.0 {
        format!("{size:.2}")
    } else if size >= 0.01 {
        format!("{size:.4}")
    } else {
        format!("{size:.6}")
    };
    let sign = if usd < 0.0 && digits.contains(|c: char| ('1'..='9').contains(&c)) { "-" } else { "" };
    format!("{sign}${digits}")
}

/// Bounds in the unit of their metric: `0.812 to 0.874`; one-sided where a bound is missing. Equal bounds are shown as `–`:
/// nothing varied, so no variance could be estimated, and a width of zero would read as certainty.
pub(crate) fn bounds(lower: Option<f64>, upper: Option<f64>, show: impl Fn(f64) -> String) -> String {
    match (lower, upper) {
        (Some(lower), Some(upper)) if lower == upper => NONE.to_owned(),
        (Some(lower), Some(upper)) => format!("{} to {}", show(lower), show(upper)),
        (Some(lower), None) => format!("from {}", show(lower)),
        (None, Some(upper)) => format!("up to {}", show(upper)),
        (None, None) => NONE.to_owned(),
    }
}

/// Tokens both ways: `12,345 tokens in, 678 out`.
pub(crate) fn tokens(tokens: Tokens) -> String {
    format!("{} tokens in, {} out", count(tokens.prompt_tokens), count(tokens.completion_tokens))
}

/// A wall time: `840 ms`, `12.3 s`, `2 min 05 s`, `1 h 02 min`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A share in percent, without trailing zeros: `97.5 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e6).round() / 1e4)
}

/// Replaces hyphens by minus signs, which Markdown does not take for list or table markup.
pub(crate) fn minus(text: String) -> String {
    text.replace('-', "\u{2212}")
}

/// Turns `-0.000` into `0.000`.
pub(crate) fn unsigned_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if !rest.contains(|character: char| ('1'..='9').contains(&character)) => rest.to_owned(),
        _ => text,
    }
}
