//! Judged metrics by tag, for Markdown and HTML.

use serde::Serialize;

use super::number::{self, minus};
use crate::v1::{Metric, MetricKind, Report, Slice};

/// A metric over the cases with one tag.
#[derive(Serialize)]
pub(crate) struct SliceRow {
    tag: String,
    metric: String,
    cases: usize,
    candidate: String,
    baseline: String,
    difference: String,
    interval: String,
}

/// Every slice of a judged metric, the largest loss first; `text` sanitizes the names.
pub(crate) fn rows(report: &Report, text: impl Fn(&str) -> String) -> Vec<SliceRow> {
    let judged = report.metrics.iter().filter(|metric| metric.kind == MetricKind::Judge);
    let mut rows: Vec<_> =
        judged.flat_map(|metric| metric.slices.iter().map(move |slice| (metric, slice))).collect();
    let loss = |slice: &Slice| slice.difference.as_ref().map_or(0.0, |difference| difference.mean);
    rows.sort_by(|(_, one), (_, other)| loss(one).total_cmp(&loss(other)));
    let row = |(metric, slice): (&Metric, &Slice)| {
        let score = |value: f64| number::value(metric.kind, value);
        let signed = |value: f64| number::signed(metric.kind, value);
        let (difference, interval) = match &slice.difference {
            Some(of) => (signed(of.mean), number::bounds(of.lower, of.upper, signed)),
            None => {
                let of = &slice.candidate;
                (number::NONE.to_owned(), number::bounds(of.lower, of.upper, score))
            }
        };
        SliceRow {
            tag: text(&slice.tag),
            metric: text(&metric.name),
            cases: slice.cases,
            candidate: score(slice.candidate.mean),
            baseline: slice.baseline.map_or_else(|| number::NONE.to_owned(), score),
            difference: minus(difference),
            interval: minus(interval),
        }
    };
    rows.into_iter().map(row).collect()
}
