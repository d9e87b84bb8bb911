//! Correlation of judged metrics with answer length, for Markdown and HTML.

use serde::Serialize;

use super::number::{self, minus};
use crate::v1::Report;

/// Length correlation of one metric.
#[derive(Serialize)]
pub(crate) struct LengthRow {
    metric: String,
    candidate: String,
    differences: String,
}

/// Rows of the metrics that have a correlation; `text` sanitizes their names.
pub(crate) fn rows(report: &Report, text: impl Fn(&str) -> String) -> impl Iterator<Item = LengthRow> {
    let shown = |value: Option<f64>| {
        minus(value.map_or_else(|| number::NONE.to_owned(), |value| format!("{value:.2}")))
    };
    report.metrics.iter().filter_map(move |metric| {
        let correlation = metric.length_correlation?;
        (correlation.candidate.is_some() || correlation.differences.is_some()).then(|| LengthRow {
            metric: text(&metric.name),
            candidate: shown(correlation.candidate),
            differences: shown(correlation.differences),
        })
    })
}
