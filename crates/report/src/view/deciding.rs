//! The criterion that a report leads with.

use crate::v1::{Criterion, CriterionVerdict, Metric, MetricKind, Report};
use crate::view;
use promptgate_core::gate::NOT_CAUSED;

/// The score criterion that decides: failed before incomplete, inconclusive and passed; among equals, what the change
/// caused first, then comparisons with the baseline, then the largest distance below the requirement. `None` where no score criterion has an estimate.
pub(crate) fn deciding(report: &Report) -> Option<Gated<'_>> {
    let gated = report.criteria.iter().filter_map(|criterion| {
        let metric = report.metrics.iter().find(|metric| metric.name == criterion.metric)?;
        let score = matches!(metric.kind, MetricKind::Check | MetricKind::Judge);
        Gated::new(report, criterion, metric).filter(|_| score)
    });
    gated.min_by(|one, other| {
        let order = |of: &Gated<'_>| {
            (
                view::verdict_rank(of.criterion.verdict),
                of.criterion.explanation.contains(NOT_CAUSED),
                !of.paired,
            )
        };
        order(one).cmp(&order(other)).then_with(|| one.margin.total_cmp(&other.margin))
    })
}

/// A criterion on a score.
pub(crate) struct Gated<'a> {
    pub(crate) criterion: &'a Criterion,
    pub(crate) metric: &'a Metric,
    /// Whether the effect is a difference.
    paired: bool,
    /// The difference, or how far the mean is above its minimum.
    margin: f64,
}

impl<'a> Gated<'a> {
    fn new(report: &Report, criterion: &'a Criterion, metric: &'a Metric) -> Option<Self> {
        let estimate = criterion.estimate?;
        if criterion.kind == "baseline" {
            return Some(Self { criterion, metric, paired: true, margin: estimate });
        }
        // The difference is more informative than a minimum that is met, unless a criterion of its own covers it.
        let own = report.criteria.iter().any(|of| of.kind == "baseline" && of.metric == metric.name);
        let difference = metric
            .difference
            .as_ref()
            .filter(|_| criterion.verdict == CriterionVerdict::Pass && criterion.kind != "slice" && !own);
        match difference {
            Some(difference) => Some(Self { criterion, metric, paired: true, margin: difference.mean }),
            // A check that every trial passes has no distance to its requirement.
            None if criterion.verdict == CriterionVerdict::Pass && criterion.kind == "check" => None,
            None => Some(Self { criterion, metric, paired: false, margin: estimate - criterion.required? }),
        }
    }
}

#[cfg(test)]
mod tests;
