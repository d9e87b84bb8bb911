//! Template values that Markdown and HTML share.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::number::{self, minus};
use super::{Sanitizer, judge_summary, lengths, looks, slices};
use crate::v1::{Metric, Report, Verdict};

/// Limits of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageLimits {
    /// Rows of each table, reasons and warnings.
    pub(crate) rows: usize,
    /// Characters of a text.
    pub(crate) text: usize,
    /// Characters of the name of a metric.
    pub(crate) name: usize,
}

/// Returns the values that do not depend on the format; `reasons` are those of the verdict.
pub(crate) fn shared_context(
    report: &Report,
    reasons: &[String],
    limits: PageLimits,
    sanitizer: &Sanitizer<'_>,
) -> Value {
    let PageLimits { rows, .. } = limits;
    let text = |text: &str| sanitizer.clip(text, limits.text);
    let name = |name: &str| sanitizer.clip(name, limits.name);
    let slices = slices::rows(report, text);
    let looks = looks::rows(report, sanitizer.redactor()).into_iter().map(|row| row.map_text(text));
    let why = super::why(report, sanitizer.redactor());
    let planted = judge_summary::failed_self_test(report, sanitizer.redactor()).into_iter().take(rows);
    context! {
        name => text(&report.name),
        baseline_note => report.baseline_note.as_deref().map(super::baseline_note).map(text),
        notices => super::page_notices(report).take(rows).map(text).collect::<Value>(),
        release => super::release_line(report).map(|line| text(&line)),
        exit_code_zero => super::is_non_blocking(report),
        simulated => report.simulated,
        incomplete => report.verdict == Verdict::Incomplete,
        reasons => reasons.iter().take(rows).map(|reason| text(reason)).collect::<Value>(),
        // Number of reasons before the next step.
        reasons_lead => super::reasons_before_help(report, reasons.len()).min(rows),
        reasons_left_out => reasons.len().saturating_sub(rows),
        why => Serde(why.iter().flat_map(|why| &why.pieces).collect::<Vec<_>>()),
        infrastructure => super::is_infrastructure_failure(report),
        legend => super::legend(report),
        settle => looks::settle(report),
        metrics => report.metrics.iter().take(rows).map(|of| metric(of, name)).collect::<Value>(),
        metrics_left_out => report.metrics.len().saturating_sub(rows),
        confidence => number::percent(report.policy.confidence),
        planted => Serde(planted.map(|row| row.map_text(text)).collect::<Vec<_>>()),
        looks => Serde(looks.collect::<Vec<_>>()),
        alpha_spent => looks::spent(report),
        slices_left_out => slices.len().saturating_sub(rows),
        slices => Serde(slices.into_iter().take(rows).collect::<Vec<_>>()),
        lengths => Serde(lengths::rows(report, name).take(rows).collect::<Vec<_>>()),
    }
}

fn metric(metric: &Metric, text: impl Fn(&str) -> String) -> Value {
    let row = super::metric_row(metric);
    let value = |value: Option<f64>| {
        value.map_or_else(|| number::NONE.to_owned(), |value| number::value(metric.kind, value))
    };
    context! {
        name => text(row.name),
        candidate => minus(row.candidate),
        baseline => minus(row.baseline),
        difference => minus(row.difference),
        interval => minus(row.interval),
        detects => value(metric.smallest_detectable_drop),
        noise => value(metric.noise),
        cases => metric.candidate.n,
        missing => row.missing,
    }
}
