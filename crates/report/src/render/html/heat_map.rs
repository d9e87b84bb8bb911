//! Differences by tag and judged metric as a heat map.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::v1::{Metric, MetricKind, Report, Slice};
use crate::view::number::minus;
use crate::view::{Sanitizer, number};

/// Metrics shown.
const MAX_METRICS: usize = 8;
/// Tags shown.
const MAX_TAGS: usize = 30;

/// The heat map.
#[derive(Debug, Serialize)]
pub(super) struct HeatMap {
    metrics: Vec<String>,
    rows: Vec<HeatRow>,
    /// Tags without a row.
    left_out: usize,
    /// Whether few tags carry the drop of a metric.
    explains: bool,
}

/// A tag.
#[derive(Debug, Serialize)]
struct HeatRow {
    tag: String,
    cases: usize,
    cells: Vec<HeatCell>,
}

/// A difference; the class says its sign and size.
#[derive(Debug, Serialize)]
struct HeatCell {
    text: String,
    class: &'static str,
}

/// Returns the heat map; `None` without a baseline, and for fewer than two tags.
pub(super) fn heat_map(report: &Report, sanitizer: &Sanitizer<'_>) -> Option<HeatMap> {
    report.variants.baseline.as_ref()?;
    let judged = |metric: &&Metric| metric.kind == MetricKind::Judge && !metric.slices.is_empty();
    let metrics: Vec<&Metric> = report.metrics.iter().filter(judged).take(MAX_METRICS).collect();
    let mut tags: BTreeMap<&str, Vec<Option<&Slice>>> = BTreeMap::new();
    for (column, metric) in metrics.iter().enumerate() {
        for slice in &metric.slices {
            let cells = tags.entry(&slice.tag).or_insert_with(|| vec![None; metrics.len()]);
            if let Some(cell) = cells.get_mut(column) {
                *cell = Some(slice);
            }
        }
    }
    let mean = |slice: &Slice| slice.difference.map(|difference| difference.mean);
    let worst =
        |cells: &[Option<&Slice>]| cells.iter().flatten().filter_map(|slice| mean(slice)).fold(0.0, f64::min);
    let mut sorted: Vec<(&str, Vec<Option<&Slice>>)> = tags.into_iter().collect();
    // A stable sort keeps the order of names among equals.
    sorted.sort_by(|(_, one), (_, other)| worst(one).total_cmp(&worst(other)));
    if sorted.len() < 2 {
        return None;
    }
    let cell = |(metric, slice): (&&Metric, &Option<&Slice>)| {
        let difference = slice.and_then(mean);
        HeatCell {
            text: difference
                .map_or_else(|| number::NONE.to_owned(), |of| minus(number::signed(metric.kind, of))),
            class: difference.map_or("", class),
        }
    };
    let row = |(tag, cells): &(&str, Vec<Option<&Slice>>)| HeatRow {
        tag: sanitizer.clip(tag, 80),
        cases: cells.iter().flatten().map(|slice| slice.cases).max().unwrap_or_default(),
        cells: metrics.iter().zip(cells).map(cell).collect(),
    };
    Some(HeatMap {
        metrics: metrics.iter().map(|metric| sanitizer.clip(&metric.name, 60)).collect(),
        rows: sorted.iter().take(MAX_TAGS).map(row).collect(),
        left_out: sorted.len().saturating_sub(MAX_TAGS),
        explains: metrics.iter().any(|metric| metric.carried_by.is_some()),
    })
}

/// The class of a difference: no color up to two points, then three steps.
fn class(difference: f64) -> &'static str {
    match difference {
        of if of <= -0.15 => "worse-3",
        of if of <= -0.05 => "worse-2",
        of if of <= -0.02 => "worse-1",
        of if of >= 0.15 => "better-3",
        of if of >= 0.05 => "better-2",
        of if of >= 0.02 => "better-1",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use promptgate_core::text::Redactor;

    #[test]
    fn tags_with_losses_come_first() {
        let redactor = Redactor::default();
        let sanitizer = Sanitizer::new(&redactor);
        let map = heat_map(&fixtures::fail(), &sanitizer).unwrap();
        let losses: Vec<(&str, &str)> =
            map.rows.iter().map(|row| (row.tag.as_str(), row.cells[0].class)).collect();
        assert_eq!(losses.first().map(|(_, class)| *class), Some("worse-3"), "{losses:?}");
        assert_eq!(map.metrics, ["faithfulness", "relevance"]);
        assert!(map.rows[0].cells[0].text.starts_with('−'), "{map:?}");
        assert!(heat_map(&fixtures::no_baseline(), &sanitizer).is_none());
    }

    #[test]
    fn small_differences_have_no_color() {
        for (difference, expected) in [
            (-0.5, "worse-3"),
            (-0.06, "worse-2"),
            (-0.03, "worse-1"),
            (0.01, ""),
            (0.03, "better-1"),
            (0.2, "better-3"),
        ] {
            assert_eq!(class(difference), expected, "{difference}");
        }
    }
}
