//! Absolute limits on latency: cached answers do not count, since their latency was measured in another run.

use crate::model::{Bound, MetricKind, Requirement, Statistic};

use super::fill::Selection;

/// The selection without cached latencies, if the requirement is an absolute limit on latency.
///
/// # Errors
/// The reason, if too few fresh latencies are left.
pub(super) fn fresh<'a>(
    selection: Selection<'a>,
    requirement: Requirement,
    alpha: f64,
) -> Result<Selection<'a>, String> {
    let Requirement::Limit { statistic, bound: Bound::Absolute(_) } = requirement else {
        return Ok(selection);
    };
    let analysis = selection.analysis;
    let fresh = analysis.fresh_latency.as_ref().filter(|_| selection.metric.kind == MetricKind::Latency);
    let Some(metric) = fresh else { return Ok(selection) };
    let all = selection.counts().candidate;
    let selection = Selection { metric, ..selection };
    let left = selection.counts().candidate;
    let needed = needed(statistic, alpha).min(all);
    if left >= needed {
        return Ok(selection);
    }
    Err(format!(
        "not measured, since {} of {all} answers are from the cache and their latency is that of an earlier call; {left} \
         fresh latencies are left of the {needed} that it needs; run with --refresh",
        all - left,
    ))
}

/// The fewest values that bound a percentile from above, ln(alpha) / ln(level). A mean is treated as the median.
fn needed(statistic: Statistic, alpha: f64) -> usize {
    let level: f64 = match statistic {
        Statistic::P95 => 0.95,
        Statistic::P50 | Statistic::Mean => 0.5,
    };
    (alpha.ln() / level.ln()).ceil().max(1.0) as usize
}
