//! The printed table.

use std::time::Duration;

/// One row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) measured: String,
    /// The ideal, or a comparison on the same machine.
    pub(crate) comparison: String,
    /// The ratio of measurement and comparison.
    pub(crate) ratio: String,
    pub(crate) target: &'static str,
}

/// A Markdown table with aligned columns.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let head = ["work", "measured", "ideal or comparison", "ratio", "target"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        [
            row.work.clone(),
            row.measured.clone(),
            row.comparison.clone(),
            row.ratio.clone(),
            row.target.to_owned(),
        ]
    });
    let lines: Vec<[String; 5]> = std::iter::once(head).chain(cells).collect();
    let widths: Vec<usize> =
        (0..5).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(&format!("| {cell:width$} "));
        }
        text.push_str("|\n");
        if number == 0 {
            text.push_str(
                &widths.iter().map(|width| format!("| {} ", "-".repeat(*width))).collect::<String>(),
            );
            text.push_str("|\n");
        }
    }
    text
}

/// `12,345`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3 MB`.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// `12.3 ms`.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
