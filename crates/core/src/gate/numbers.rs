//! Numbers in sentences for readers.

use crate::model::MetricKind;

/// The number of decimal places at which two scores differ, at least 2.
pub(super) fn distinct_digits(a: f64, b: f64) -> usize {
    (2..9).find(|&digits| score(a, digits) != score(b, digits) || (a - b).abs() < 1e-9).unwrap_or(9)
}

/// A score with `digits` decimal places.
pub(super) fn score(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

/// A difference of scores in points of 100: `5 points`, `0.4 points`.
pub(super) fn points(difference: f64) -> String {
    let size = difference * 100.0;
    // Enough digits that a small difference does not look like 0.
    let digits = match size {
        _ if size >= 1.0 => 1,
        _ if (1e-7..0.005).contains(&size) => 7,
        _ => 2,
    };
    let text = trimmed(size, digits);
    if text == "1" { "1 point".to_owned() } else { format!("{text} points") }
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", trimmed(share * 100.0, if share < 0.01 { 2 } else { 1 }))
}

/// A number without trailing zeros.
pub(super) fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A measured amount with its unit.
pub(super) fn amount(value: f64, kind: MetricKind) -> String {
    match kind {
        MetricKind::Latency => format!("{} s", trimmed(value, if value < 1.0 { 3 } else { 2 })),
        MetricKind::OutputTokens => format!("{} tokens", trimmed(value, 1)),
        MetricKind::Cost => format!("${}", trimmed(value, if value < 0.01 { 6 } else { 4 })),
        MetricKind::Length => format!("{} characters", trimmed(value, 1)),
        MetricKind::Check | MetricKind::Judge => score(value, 3),
    }
}
