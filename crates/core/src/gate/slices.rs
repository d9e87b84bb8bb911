//! Metrics by tag: where a suite is strong and where it is weak. Descriptive; a slice decides by a criterion of its
//! own.

use std::collections::BTreeMap;

use crate::model::{Analysis, Interval, MetricKind, MetricScores, Scope, Slice};
use crate::stats::mean;

use super::evidence::{Context, Parameter};
use super::fill::{Fill, Selection};
use super::summary::interval;
use super::weigh::{candidate_mean, mean_difference};

/// Tags that are told of, the most frequent first: a tag for every case says nothing.
const MAX: usize = 50;

/// The tags of a run that are told of, in the order of the alphabet.
pub(super) fn tags(analysis: &Analysis) -> Vec<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for tag in analysis.cases.iter().flat_map(|case| &case.tags) {
        *counts.entry(tag).or_default() += 1;
    }
    let mut tags: Vec<(&str, usize)> = counts.into_iter().collect();
    tags.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    tags.truncate(MAX);
    let mut tags: Vec<&str> = tags.into_iter().map(|(tag, _)| tag).collect();
    tags.sort_unstable();
    tags
}

/// A metric's numbers by tag, from the grades there are; checks and judged metrics only.
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
        Selection { analysis, metric, tag: Some(tag), paired, gaps_from_fail_fast: false }
            .fill(Fill::Observed)
    };
    let alone = select(false);
    if alone.candidate.is_empty() {
        return None;
    }
    let both =
        metric.scores.baseline.is_some().then(|| select(true)).filter(|both| !both.candidate.is_empty());
    let baseline = both.as_ref().and_then(|both| both.baseline.as_ref()).map(|rows| mean(&rows.row_means()));
    let difference: Option<Interval> = both
        .and_then(|both| mean_difference(&both, scope, context.alpha))
        .map(|found| interval(metric.kind, Parameter::Difference, found));
    Some(Slice {
        tag: tag.to_owned(),
        cases: alone.candidate.len(),
        candidate: interval(metric.kind, Parameter::Mean, candidate_mean(&alone, scope, context.alpha)),
        baseline,
        difference,
    })
}
