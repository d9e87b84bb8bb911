//! How judged metrics go with the length of the answers in words, for Markdown and HTML.

use serde::Serialize;

use super::number::{self, minus};
use crate::v1::Report;

/// One metric.
#[derive(Serialize)]
pub(crate) struct LengthRow {
    metric: String,
    candidate: String,
    differences: String,
}

impl LengthRow {
    /// The row with what others wrote passed through `text`.
    pub(crate) fn through(self, text: impl Fn(&str) -> String) -> Self {
        Self { metric: text(&self.metric), ..self }
    }
}

/// The metrics of which it can be told.
pub(crate) fn rows(report: &Report) -> impl Iterator<Item = LengthRow> {
    let shown = |value: Option<f64>| {
        minus(value.map_or_else(|| number::NONE.to_owned(), |value| format!("{value:.2}")))
    };
    report.metrics.iter().filter_map(move |metric| {
        let found = metric.length_correlation?;
        (found.candidate.is_some() || found.differences.is_some()).then(|| LengthRow {
            metric: metric.name.clone(),
            candidate: shown(found.candidate),
            differences: shown(found.differences),
        })
    })
}
