//! Tags that carry the drop of a metric. Descriptive: no verdict depends on them.

use std::collections::{BTreeMap, HashMap};

use crate::metric::row_mean;
use crate::model::{Analysis, CarriedBy, MetricKind, Role, TagDrop};
use crate::stats::lowest_group;

use super::evidence::EXACT;
use super::slices;
use super::trials::role_row;

/// The chance of naming a tag where all cases dropped alike, or none did.
const ALPHA: f64 = 0.05;
/// Tags named at most.
const MAX_TAGS: usize = 3;
/// Minimum number of cases of a tag: the drop of one or two is told by their status.
const MIN_CASES: usize = 3;
/// Minimum share of the drop that the named tags carry together.
const MIN_SHARE: f64 = 0.5;
/// Maximum share of the cases that they have together: above that, they are the suite.
const MAX_CASES_SHARE: f64 = 0.5;

/// A case that both variants answered, as far as the question where a metric dropped is concerned.
struct Compared<'a> {
    /// The candidate's mean minus the baseline's.
    difference: f64,
    /// Indices of its tags.
    tags: Vec<usize>,
    /// Its cluster.
    group: Option<&'a str>,
}

/// The tags whose cases carry the drop of a score; `None` where it did not drop, or the drop is not shown to be in certain
/// tags.
///
/// The clearest tag is named first. Its cases are then left aside and the next one is looked for among the others, so that
/// a tag that only overlaps with a worse one is not named.
pub(super) fn carried_by(analysis: &Analysis, metric: usize, seed: u64) -> Option<CarriedBy> {
    let scores = analysis.metrics.get(metric)?;
    if !matches!(scores.kind, MetricKind::Check | MetricKind::Judge) {
        return None;
    }
    let tags = slices::tags(analysis);
    let compared = compared(analysis, metric, &tags);
    let total: f64 = compared.iter().map(|case| case.difference).sum();
    if tags.is_empty() || total >= -EXACT {
        return None;
    }
    let mut left: Vec<&Compared<'_>> = compared.iter().collect();
    let mut named: Vec<usize> = Vec::new();
    while named.len() < MAX_TAGS {
        let Some(tag) = worst_tag(&left, tags.len(), seed) else { break };
        named.push(tag);
        left.retain(|case| !case.tags.contains(&tag));
    }
    let rest: f64 = left.iter().map(|case| case.difference).sum();
    let share = (total - rest) / total;
    let cases_share = 1.0 - left.len() as f64 / compared.len() as f64;
    let drop = |&tag: &usize| {
        let of_tag: Vec<f64> =
            compared.iter().filter(|case| case.tags.contains(&tag)).map(|case| case.difference).collect();
        TagDrop {
            tag: tags[tag].to_owned(),
            cases: of_tag.len(),
            difference: of_tag.iter().sum::<f64>() / of_tag.len() as f64,
        }
    };
    let explains = !named.is_empty() && share >= MIN_SHARE && cases_share <= MAX_CASES_SHARE;
    explains.then(|| CarriedBy { tags: named.iter().map(drop).collect(), share })
}

fn compared<'a>(analysis: &'a Analysis, metric: usize, tags: &[&str]) -> Vec<Compared<'a>> {
    let index: HashMap<&str, usize> = tags.iter().enumerate().map(|(index, tag)| (*tag, index)).collect();
    let cases = analysis.cases.iter().enumerate().filter(|(_, facts)| !facts.shared);
    cases
        .filter_map(|(case, facts)| {
            let ours = row_mean(role_row(analysis, metric, Role::Candidate, case))?;
            let theirs = row_mean(role_row(analysis, metric, Role::Baseline, case))?;
            let tags = facts.tags.iter().filter_map(|tag| index.get(tag.as_str()).copied()).collect();
            Some(Compared { difference: ours - theirs, tags, group: facts.group.as_deref() })
        })
        .collect()
}

/// The tag that is lowest beyond chance and lost at all. Cases of one cluster move together, so they are one unit.
fn worst_tag(cases: &[&Compared<'_>], tags: usize, seed: u64) -> Option<usize> {
    let mut clusters: BTreeMap<&str, Vec<&Compared<'_>>> = BTreeMap::new();
    let mut units: Vec<Vec<&Compared<'_>>> = Vec::new();
    for &case in cases {
        match case.group {
            Some(group) => clusters.entry(group).or_default().push(case),
            None => units.push(vec![case]),
        }
    }
    units.extend(clusters.into_values());
    let mean =
        |unit: &Vec<&Compared<'_>>| unit.iter().map(|case| case.difference).sum::<f64>() / unit.len() as f64;
    let values: Vec<f64> = units.iter().map(mean).collect();
    let mut groups = vec![Vec::new(); tags];
    let mut counts = vec![0; tags];
    for (index, unit) in units.iter().enumerate() {
        for tag in unit.iter().flat_map(|case| &case.tags) {
            counts[*tag] += 1;
            if groups[*tag].last() != Some(&index) {
                groups[*tag].push(index);
            }
        }
    }
    for (group, count) in groups.iter_mut().zip(&counts) {
        if *count < MIN_CASES {
            group.clear();
        }
    }
    let (tag, _) = lowest_group(&values, &groups, ALPHA, seed)?;
    let lost = groups[tag].iter().map(|unit| values[*unit]).sum::<f64>() < -EXACT;
    lost.then_some(tag)
}
