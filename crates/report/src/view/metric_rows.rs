//! Metrics as rows of text, and what the suite can detect.

use super::number::{self, NONE};
use crate::v1::{Interval, Metric, MetricKind, Report, VariantSummary};

/// A metric as a row.
pub(crate) struct MetricRow<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The candidate's mean.
    pub(crate) candidate: String,
    /// The baseline's mean.
    pub(crate) baseline: String,
    /// Candidate minus baseline.
    pub(crate) difference: String,
    /// The bounds around the difference, or around the candidate's mean without one.
    pub(crate) interval: String,
    /// Missing grades of both variants.
    pub(crate) missing: usize,
}

/// The rows of the metrics that say something beside the criteria: no check that every trial passes, no length
/// where nothing is judged, nothing that was not measured.
pub(crate) fn telling_metrics(report: &Report) -> Vec<MetricRow<'_>> {
    let perfect = |of: &VariantSummary| of.missing == 0 && of.mean.is_some_and(|mean| mean >= 1.0);
    let telling = |metric: &&Metric| match metric.kind {
        MetricKind::Judge => true,
        MetricKind::Check => {
            !perfect(&metric.candidate) || metric.baseline.as_ref().is_some_and(|of| !perfect(of))
        }
        // A judge may favour long answers, so their length belongs beside its scores.
        MetricKind::Length => report.judge.is_some() && metric.candidate.mean.is_some(),
        MetricKind::Latency | MetricKind::OutputTokens | MetricKind::Cost => metric.candidate.mean.is_some(),
    };
    report.metrics.iter().filter(telling).map(metric_row).collect()
}

/// The rows of the metrics.
pub(crate) fn metrics(report: &Report) -> Vec<MetricRow<'_>> {
    report.metrics.iter().map(metric_row).collect()
}

fn metric_row(metric: &Metric) -> MetricRow<'_> {
    let mean =
        |mean: Option<f64>| mean.map_or_else(|| NONE.to_owned(), |mean| number::value(metric.kind, mean));
    let (difference, interval) = match &metric.difference {
        Some(difference) => {
            (number::signed(metric.kind, difference.mean), difference_bounds(metric, difference))
        }
        None => {
            let of = &metric.candidate;
            (NONE.to_owned(), number::bounds(of.lower, of.upper, |value| number::value(metric.kind, value)))
        }
    };
    MetricRow {
        name: &metric.name,
        candidate: mean(metric.candidate.mean),
        baseline: mean(metric.baseline.as_ref().and_then(|baseline| baseline.mean)),
        difference,
        interval,
        missing: metric.candidate.missing + metric.baseline.as_ref().map_or(0, |baseline| baseline.missing),
    }
}

fn difference_bounds(metric: &Metric, difference: &Interval) -> String {
    number::bounds(difference.lower, difference.upper, |value| number::signed(metric.kind, value))
}

/// What a metric measures; a metric that the report does not tell of is taken for a score.
pub(crate) fn kind(report: &Report, metric: &str) -> MetricKind {
    let found = report.metrics.iter().find(|of| of.name == metric);
    found.map_or(MetricKind::Judge, |metric| metric.kind)
}

/// The smallest drops that the suite detects, by judged metric, of at most `most`; names pass through `text`.
pub(crate) fn smallest_drops(report: &Report, most: usize, text: impl Fn(&str) -> String) -> Option<String> {
    let judged = report.metrics.iter().filter(|metric| metric.kind == MetricKind::Judge);
    let drops = judged.filter_map(|metric| {
        let drop = metric.smallest_detectable_drop?;
        let of_people = metric.judged.as_ref().and_then(|judged| judged.smallest_true_drop);
        let of_people = of_people.map_or_else(String::new, |drop| {
            format!(" ({} in what people would say)", number::value(metric.kind, drop))
        });
        Some(format!("{} {}{of_people}", text(&metric.name), number::value(metric.kind, drop)))
    });
    let drops: Vec<String> = drops.take(most).collect();
    (!drops.is_empty()).then(|| drops.join(", "))
}

/// What n clean cases cannot exclude at 95 %, the exact (Clopper and Pearson) bound for no failure in n: failures in a
/// share of 1 - 0.05^(1/n).
pub(crate) fn not_excluded(cases: usize) -> Option<String> {
    let share = (cases > 0).then(|| 1.0 - 0.05_f64.powf(1.0 / cases as f64))?;
    Some(format!("failures in up to {:.1} % of traffic", share * 100.0))
}
