//! Metrics by tag. Descriptive: only a criterion on a tag decides.

use std::collections::BTreeMap;

use crate::model::{Analysis, Interval, MetricKind, MetricScores, Scope, Slice};
use crate::stats::mean;

use super::evidence::{Context, Parameter};
use super::fill::{Fill, Selection};
use super::means::{candidate_mean, mean_difference};
use super::summary::interval;

/// Maximum number of reported tags, the most frequent first.
const MAX_TAGS: usize = 50;

/// The reported tags of a run, in alphabetical order.
pub(super) fn tags(analysis: &Analysis) -> Vec<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for tag in analysis.cases.iter().flat_map(|case| &case.tags) {
        *counts.entry(tag).or_default() += 1;
    }
    let mut tags: Vec<(&str, usize)> = counts.into_iter().collect();
    tags.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    tags.truncate(MAX_TAGS);
    let mut tags: Vec<&str> = tags.into_iter().map(|(tag, _)| tag).collect();
    tags.sort_unstable();
    tags
}

/// The slices of a check or judged metric by tag, from existing grades.
pub(super) fn slices(
    analysis: &Analysis,
    context: &Context,
    metric: &MetricScores,
    scope: Scope,
    tags: &[&str],
) -> Vec<Slice> {
    if !matches!(metric.kind, MetricKind::Check | MetricKind::Judge) {
        return Vec::new();
    }
    tags.iter().filter_map(|tag| slice(analysis, context, metric, scope, tag)).collect()
}

fn slice(
    analysis: &Analysis,
    context: &Context,
    metric: &MetricScores,
    scope: Scope,
    tag: &str,
) -> Option<Slice> {
    let select = |paired| {
        Selection { tag: Some(tag), ..Selection::all(analysis, metric, paired) }.fill(Fill::Observed)
    };
    let candidate = select(false);
    if candidate.candidate.is_empty() {
        return None;
    }
    let paired =
        metric.scores.baseline.is_some().then(|| select(true)).filter(|paired| !paired.candidate.is_empty());
    let baseline =
        paired.as_ref().and_then(|paired| paired.baseline.as_ref()).map(|rows| mean(&rows.row_means()));
    let difference: Option<Interval> = paired
        .and_then(|paired| mean_difference(&paired, scope, context))
        .map(|estimated| interval(metric.kind, Parameter::Difference, estimated));
    Some(Slice {
        tag: tag.to_owned(),
        cases: candidate.candidate.len(),
        candidate: interval(metric.kind, Parameter::Mean, candidate_mean(&candidate, scope, context)),
        baseline,
        difference,
    })
}
