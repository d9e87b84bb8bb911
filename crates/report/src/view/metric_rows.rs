//! Metrics as rows of text, and the detection limits of the suite.

use super::number::{self, NONE};
use crate::v1::{Interval, Metric, MetricKind, Report, VariantSummary};

/// A metric as a row.
pub(crate) struct MetricRow<'a> {
    pub(crate) name: &'a str,
    /// Mean of the candidate.
    pub(crate) candidate: String,
    /// Mean of the baseline.
    pub(crate) baseline: String,
    /// Candidate minus baseline.
    pub(crate) difference: String,
    /// Bounds of the difference, or of the candidate's mean where there is no difference.
    pub(crate) interval: String,
    /// Missing grades of both variants.
    pub(crate) missing: usize,
}

/// Rows of the metrics that add information to the criteria: without checks that every trial passes, lengths of runs
/// without a judge, and metrics that were not measured.
pub(crate) fn informative_metrics(report: &Report) -> Vec<MetricRow<'_>> {
    let perfect = |of: &VariantSummary| of.missing == 0 && of.mean.is_some_and(|mean| mean >= 1.0);
    let informative = |metric: &&Metric| match metric.kind {
        MetricKind::Judge => true,
        MetricKind::Check => {
            !perfect(&metric.candidate) || metric.baseline.as_ref().is_some_and(|of| !perfect(of))
        }
        // A judge may favour long answers, so their length belongs beside its scores.
        MetricKind::Length => report.judge.is_some() && metric.candidate.mean.is_some(),
        MetricKind::Latency | MetricKind::OutputTokens | MetricKind::Cost => metric.candidate.mean.is_some(),
    };
    report.metrics.iter().filter(informative).map(metric_row).collect()
}

/// Formats one metric.
pub(crate) fn metric_row(metric: &Metric) -> MetricRow<'_> {
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

/// The kind of a metric; a metric that is not in the report counts as a score.
pub(crate) fn metric_kind(report: &Report, metric: &str) -> MetricKind {
    let found = report.metrics.iter().find(|of| of.name == metric);
    found.map_or(MetricKind::Judge, |metric| metric.kind)
}

/// The smallest detectable drop of each judged metric, for at most `max` metrics; `text` sanitizes their names.
pub(crate) fn smallest_drops(report: &Report, max: usize, text: impl Fn(&str) -> String) -> Option<String> {
    let judged = report.metrics.iter().filter(|metric| metric.kind == MetricKind::Judge);
    let drops = judged.filter_map(|metric| {
        let drop = metric.smallest_detectable_drop?;
        let true_drop = metric.judged.as_ref().and_then(|judged| judged.smallest_true_drop);
        let true_drop = true_drop.map_or_else(String::new, |drop| {
            format!(" ({} as rated by people)", number::value(metric.kind, drop))
        });
        Some(format!("{} {}{true_drop}", text(&metric.name), number::value(metric.kind, drop)))
    });
    let drops: Vec<String> = drops.take(max).collect();
    (!drops.is_empty()).then(|| drops.join(", "))
}

/// The failure rate that n passing cases cannot rule out at 95 %: 1 - 0.05^(1/n), the exact (Clopper-Pearson) bound
/// for no failure in n.
pub(crate) fn undetected_failure_rate(cases: usize) -> Option<String> {
    let share = (cases > 0).then(|| 1.0 - 0.05_f64.powf(1.0 / cases as f64))?;
    Some(format!("failures in up to {:.1} % of traffic", share * 100.0))
}
