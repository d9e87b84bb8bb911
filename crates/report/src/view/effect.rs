//! The size of the effect: the one number a report leads with, of the criterion that decides.
//!
//! A criterion that failed comes before one that is open, and that before those that passed; among equals what was
//! compared with the baseline comes first, then what is furthest from its requirement. The words around it are left
//! to the templates.

use serde::Serialize;

use super::number::{self, minus};
use crate::v1::{Criterion, CriterionVerdict, Metric, MetricKind, Report};
use crate::view;

/// What is said of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A difference that failed.
    Regression,
    /// A mean that failed its minimum.
    Short,
    /// A difference that is open.
    OpenDifference,
    /// A mean that is open.
    OpenMean,
    /// The largest drop of a run in which no score is open or failed.
    Drop,
    /// The same where nothing dropped.
    NoDrop,
    /// The mean nearest to its minimum, where there is nothing to compare with.
    Nearest,
}

/// The number, with what it goes with.
#[derive(Debug, Serialize)]
pub(crate) struct Effect {
    /// What is said of it.
    pub(crate) kind: Kind,
    /// The metric, and the tag where it is of those cases alone.
    pub(crate) name: String,
    /// The difference, or the mean.
    pub(crate) size: String,
    /// Its bounds as the criterion had them; `None` where there are none.
    pub(crate) interval: Option<String>,
    /// Confidence of each bound: `97.5 %`.
    pub(crate) confidence: String,
    /// What is required of it.
    pub(crate) required: String,
    /// The baseline's mean; `–` without one.
    pub(crate) baseline: String,
    /// The candidate's mean.
    pub(crate) candidate: String,
}

/// The effect of a report, its name passed through `text`; `None` where no criterion on a score has an estimate.
pub(crate) fn effect(report: &Report, text: impl Fn(&str) -> String) -> Option<Effect> {
    let gated = report.criteria.iter().filter_map(|criterion| {
        let metric = report.metrics.iter().find(|metric| metric.name == criterion.metric)?;
        let score = matches!(metric.kind, MetricKind::Check | MetricKind::Judge);
        Gated::new(report, criterion, metric).filter(|_| score)
    });
    let decides = gated.min_by(|one, other| {
        let order = |of: &Gated<'_>| (of.rank(), !of.paired);
        order(one).cmp(&order(other)).then_with(|| one.margin.total_cmp(&other.margin))
    })?;
    Some(decides.effect(report, text))
}

/// A criterion on a score.
struct Gated<'a> {
    criterion: &'a Criterion,
    metric: &'a Metric,
    /// Whether the number is a difference.
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
        // A minimum that is met says less than the difference, which then comes from the metric; but where the
        // difference has a criterion of its own, that one speaks for it.
        let own = report.criteria.iter().any(|of| of.kind == "baseline" && of.metric == metric.name);
        let difference = metric
            .difference
            .as_ref()
            .filter(|_| criterion.verdict == CriterionVerdict::Pass && criterion.kind != "slice" && !own);
        match difference {
            Some(difference) => Some(Self { criterion, metric, paired: true, margin: difference.mean }),
            // Of a check that every trial passes there is no nearer or further.
            None if criterion.verdict == CriterionVerdict::Pass && criterion.kind == "check" => None,
            None => Some(Self { criterion, metric, paired: false, margin: estimate - criterion.required? }),
        }
    }

    fn rank(&self) -> u8 {
        match self.criterion.verdict {
            CriterionVerdict::Fail => 0,
            CriterionVerdict::Incomplete => 1,
            CriterionVerdict::Inconclusive => 2,
            CriterionVerdict::Pass => 3,
        }
    }

    fn effect(&self, report: &Report, text: impl Fn(&str) -> String) -> Effect {
        let Self { criterion, metric, paired, margin } = *self;
        let row = view::criterion_row(report, criterion);
        let mean = |mean: Option<f64>| {
            minus(mean.map_or_else(|| number::NONE.to_owned(), |of| number::value(metric.kind, of)))
        };
        let signed = |value: f64| number::signed(metric.kind, value);
        let of_metric = metric.difference.as_ref().filter(|_| paired && criterion.kind != "baseline");
        let size = if paired { signed(margin) } else { row.estimate };
        let (interval, confidence) = match of_metric {
            Some(of) => (number::bounds(of.lower, of.upper, signed), report.policy.confidence),
            None => (row.interval, 1.0 - criterion.alpha),
        };
        let tag = criterion.id.strip_prefix("slice.").filter(|_| criterion.kind == "slice");
        let tag = tag.and_then(|rest| rest.split(&format!(".{}.", metric.name)).next());
        Effect {
            kind: match (criterion.verdict, paired) {
                (CriterionVerdict::Fail, true) => Kind::Regression,
                (CriterionVerdict::Fail, false) => Kind::Short,
                (CriterionVerdict::Incomplete | CriterionVerdict::Inconclusive, true) => Kind::OpenDifference,
                (CriterionVerdict::Incomplete | CriterionVerdict::Inconclusive, false) => Kind::OpenMean,
                (CriterionVerdict::Pass, true) if size.starts_with('-') => Kind::Drop,
                (CriterionVerdict::Pass, true) => Kind::NoDrop,
                (CriterionVerdict::Pass, false) => Kind::Nearest,
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
