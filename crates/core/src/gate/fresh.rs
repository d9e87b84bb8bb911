//! Absolute limits on latency and time to the first token: cached answers do not count, since theirs were measured in
//! another run.

use crate::model::{Bound, Requirement, Statistic};

use super::fill::Selection;

/// The selection without cached answers, if the requirement is an absolute limit on a time.
///
/// # Errors
/// The reason, if too few fresh answers are left.
pub(super) fn fresh<'a>(
    selection: Selection<'a>,
    requirement: Requirement,
    alpha: f64,
) -> Result<Selection<'a>, String> {
    let Requirement::Limit { statistic, bound: Bound::Absolute(_) } = requirement else {
        return Ok(selection);
    };
    let analysis = selection.analysis;
    let Some(metric) = analysis.fresh_times.iter().find(|fresh| fresh.name == selection.metric.name) else {
        return Ok(selection);
    };
    // A cached answer that did not come as a stream has a latency and no time to the first token.
    let everyone = analysis.metric("latency").unwrap_or(selection.metric);
    let all = Selection { metric: everyone, ..selection }.counts().candidate;
    let noun = if metric.name == "latency" { "latencies" } else { "times to the first token" };
    let selection = Selection { metric, ..selection };
    let left = selection.counts().candidate;
    let needed = needed(statistic, alpha).min(all);
    if left >= needed {
        return Ok(selection);
    }
    Err(format!(
        "not measured, since {} of {all} answers are from the cache and their {} is that of an earlier call; {left} \
         fresh {noun} are left of the {needed} that it needs; run with --refresh",
        all - left,
        metric.name,
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
