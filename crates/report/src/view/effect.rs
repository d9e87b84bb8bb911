//! The effect: the number that a report leads with, taken from one score criterion.
//!
//! Order: failed, incomplete, inconclusive, passed; among equals, comparisons with the baseline first, then the largest
//! distance below the requirement. The sentences are in the templates.

use serde::Serialize;

use super::number::{self, minus};
use crate::v1::{Criterion, CriterionVerdict, Metric, MetricKind, Report};
use crate::view;

/// The sentence that the number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EffectKind {
    /// A failed difference.
    Regression,
    /// A mean that fails its minimum.
    BelowMinimum,
    /// An undecided difference.
    UndecidedDifference,
    /// An undecided mean.
    UndecidedMean,
    /// The largest drop where every score criterion passed.
    Drop,
    /// The smallest difference where every score criterion passed and nothing dropped.
    NoDrop,
    /// The mean nearest to its minimum, without a baseline.
    Nearest,
}

/// The number with its context.
#[derive(Debug, Serialize)]
pub(crate) struct Effect {
    pub(crate) kind: EffectKind,
    /// The metric, with the tag for a slice.
    pub(crate) name: String,
    /// The difference, or the mean.
    pub(crate) size: String,
    /// Bounds of the criterion.
    pub(crate) interval: Option<String>,
    /// Confidence of each bound: `97.5 %`.
    pub(crate) confidence: String,
    pub(crate) required: String,
    /// Mean of the baseline; `–` without one.
    pub(crate) baseline: String,
    /// Mean of the candidate.
    pub(crate) candidate: String,
}

/// Returns the effect of a report; `text` sanitizes its name. `None` where no score criterion has an estimate.
pub(crate) fn effect(report: &Report, text: impl Fn(&str) -> String) -> Option<Effect> {
    Some(deciding(report)?.effect(report, text))
}

/// The score criterion that decides: failed before incomplete, inconclusive and passed; among equals, comparisons with the
/// baseline first, then the largest distance below the requirement. `None` where no score criterion has an estimate.
pub(crate) fn deciding(report: &Report) -> Option<Gated<'_>> {
    let gated = report.criteria.iter().filter_map(|criterion| {
        let metric = report.metrics.iter().find(|metric| metric.name == criterion.metric)?;
        let score = matches!(metric.kind, MetricKind::Check | MetricKind::Judge);
        Gated::new(report, criterion, metric).filter(|_| score)
    });
    gated.min_by(|one, other| {
        let order = |of: &Gated<'_>| (view::verdict_rank(of.criterion.verdict), !of.paired);
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

    fn effect(&self, report: &Report, text: impl Fn(&str) -> String) -> Effect {
        let Self { criterion, metric, paired, margin } = *self;
        let row = view::criterion_row(report, criterion);
        let mean = |mean: Option<f64>| {
            minus(mean.map_or_else(|| number::NONE.to_owned(), |of| number::value(metric.kind, of)))
        };
        let signed = |value: f64| number::signed(metric.kind, value);
        let metric_difference = metric.difference.as_ref().filter(|_| paired && criterion.kind != "baseline");
        let size = if paired { signed(margin) } else { row.estimate };
        let (interval, confidence) = match metric_difference {
            Some(of) => (number::bounds(of.lower, of.upper, signed), report.policy.confidence),
            None => (row.interval, 1.0 - criterion.alpha),
        };
        let tag = criterion.id.strip_prefix("slice.").filter(|_| criterion.kind == "slice");
        let tag = tag.and_then(|rest| rest.split(&format!(".{}.", metric.name)).next());
        Effect {
            kind: match (criterion.verdict, paired) {
                (CriterionVerdict::Fail, true) => EffectKind::Regression,
                (CriterionVerdict::Fail, false) => EffectKind::BelowMinimum,
                (CriterionVerdict::Incomplete | CriterionVerdict::Inconclusive, true) => {
                    EffectKind::UndecidedDifference
                }
                (CriterionVerdict::Incomplete | CriterionVerdict::Inconclusive, false) => {
                    EffectKind::UndecidedMean
                }
                (CriterionVerdict::Pass, true) if size.starts_with('-') => EffectKind::Drop,
                (CriterionVerdict::Pass, true) => EffectKind::NoDrop,
                (CriterionVerdict::Pass, false) => EffectKind::Nearest,
            },
            name: match tag {
                Some(tag) => text(&format!("{} on cases tagged {tag}", metric.name)),
                None => text(&metric.name),
            },
            size: minus(size),
            interval: Some(minus(interval)).filter(|interval| interval != number::NONE),
            confidence: number::percent(confidence),
            required: minus(row.required),
            baseline: mean(metric.baseline.as_ref().and_then(|baseline| baseline.mean)),
            candidate: mean(metric.candidate.mean),
        }
    }
}

#[cfg(test)]
mod tests;
