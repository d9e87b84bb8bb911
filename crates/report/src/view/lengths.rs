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

impl LengthRow {
    /// Sanitizes the name.
    pub(crate) fn map_text(self, text: impl Fn(&str) -> String) -> Self {
        Self { metric: text(&self.metric), ..self }
    }
}

/// Rows of the metrics that have a correlation.
pub(crate) fn rows(report: &Report) -> impl Iterator<Item = LengthRow> {
    let shown = |value: Option<f64>| {
        minus(value.map_or_else(|| number::NONE.to_owned(), |value| format!("{value:.2}")))
    };
    report.metrics.iter().filter_map(move |metric| {
        let correlation = metric.length_correlation?;
        (correlation.candidate.is_some() || correlation.differences.is_some()).then(|| LengthRow {
            metric: metric.name.clone(),
            candidate: shown(correlation.candidate),
            differences: shown(correlation.differences),
        })
    })
}
