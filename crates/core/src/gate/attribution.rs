//! Tags that carry the drop of a metric. Descriptive: no verdict depends on them.

use std::collections::HashMap;

use crate::model::{Analysis, CarriedBy, Cell, MetricKind, Role, TagDrop};
use crate::stats::{Repeated, lowest_group, mean, population_mean, student_t_cdf, suite_contrast};

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
struct Compared {
    /// The candidate's mean minus the baseline's.
    difference: f64,
    /// The candidate's scores.
    ours: Vec<f64>,
    /// The baseline's scores.
    theirs: Vec<f64>,
    /// Indices of its tags.
    tags: Vec<usize>,
    /// The number of its cluster. A case without a group is a cluster of its own.
    cluster: usize,
}

/// The tags whose cases carry the drop of a score; `None` where it did not drop, or the drop is not shown to be in certain
/// tags.
///
/// The clearest tag is named first. Its cases are then left aside and the next one is looked for among the others, so that
/// a tag that only overlaps with a worse one is not named. Each is sized over the cases it was found in.
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
    let mut left: Vec<&Compared> = compared.iter().collect();
    let mut drops: Vec<TagDrop> = Vec::new();
    while drops.len() < MAX_TAGS {
        let Some((tag, difference)) = worst_tag(&left, tags.len(), seed) else { break };
        let before = left.len();
        left.retain(|case| !case.tags.contains(&tag));
        drops.push(TagDrop { tag: tags[tag].to_owned(), cases: before - left.len(), difference });
    }
    let rest: f64 = left.iter().map(|case| case.difference).sum();
    let share = (total - rest) / total;
    let cases_share = 1.0 - left.len() as f64 / compared.len() as f64;
    let explains = !drops.is_empty() && share >= MIN_SHARE && cases_share <= MAX_CASES_SHARE;
    explains.then_some(CarriedBy { tags: drops, share })
}

fn compared(analysis: &Analysis, metric: usize, tags: &[&str]) -> Vec<Compared> {
    let index: HashMap<&str, usize> = tags.iter().enumerate().map(|(index, tag)| (*tag, index)).collect();
    let values = |role, case| -> Option<Vec<f64>> {
        let row = role_row(analysis, metric, role, case)?;
        let values: Vec<f64> = row.iter().copied().filter_map(Cell::value).collect();
        // Copies of one answer are one score.
        let values = if analysis.repeats_cached && values.len() > 1 { vec![mean(&values)] } else { values };
        (!values.is_empty()).then_some(values)
    };
    let mut clusters: HashMap<&str, usize> = HashMap::new();
    let mut next = 0;
    let mut new_cluster = || {
        next += 1;
        next - 1
    };
    let cases = analysis.cases.iter().enumerate().filter(|(_, facts)| !facts.shared);
    cases
        .filter_map(|(case, facts)| {
            let (ours, theirs) = (values(Role::Candidate, case)?, values(Role::Baseline, case)?);
            let cluster = match facts.group.as_deref() {
                Some(group) => *clusters.entry(group).or_insert_with(&mut new_cluster),
                None => new_cluster(),
            };
            let tags = facts.tags.iter().filter_map(|tag| index.get(tag.as_str()).copied()).collect();
            Some(Compared { difference: mean(&ours) - mean(&theirs), ours, theirs, tags, cluster })
        })
        .collect()
}

/// The tag whose cases are lower than the others beyond chance and lost by more than their own noise, with their mean
/// difference. Cases of one cluster move together.
fn worst_tag(cases: &[&Compared], tags: usize, seed: u64) -> Option<(usize, f64)> {
    let mut groups = vec![Vec::new(); tags];
    for (index, case) in cases.iter().enumerate() {
        for tag in &case.tags {
            // A tag may be written twice.
            if groups[*tag].last() != Some(&index) {
                groups[*tag].push(index);
            }
        }
    }
    groups.iter_mut().filter(|group| group.len() < MIN_CASES).for_each(Vec::clear);
    let differences: Vec<f64> = cases.iter().map(|case| case.difference).collect();
    let clusters = numbered(cases.iter().map(|case| case.cluster));
    let (tag, _) = lowest_group(&differences, &clusters, &groups, ALPHA, seed)?;
    let own: Vec<&Compared> = groups[tag].iter().map(|index| cases[*index]).collect();
    let tested = groups.iter().filter(|group| !group.is_empty()).count();
    let difference = own.iter().map(|case| case.difference).sum::<f64>() / own.len() as f64;
    let lost = difference < -EXACT && drop_p(&own) <= ALPHA / tested as f64;
    lost.then_some((tag, difference))
}

/// The p of "these cases did not drop", from the noise of their own repeats: the noise of other cases says nothing of a
/// tag whose answers vary more. Without repeats it is from the spread of their differences.
fn drop_p(cases: &[&Compared]) -> f64 {
    let rows = |scores: fn(&Compared) -> &Vec<f64>| -> Repeated {
        cases.iter().map(|case| scores(case).iter().copied()).collect()
    };
    let (ours, theirs) = (rows(|case| &case.ours), rows(|case| &case.theirs));
    let estimate = if ours.shortest().min(theirs.shortest()) >= 2 {
        suite_contrast(&ours, &theirs, &vec![false; cases.len()], 1.0)
    } else {
        let differences: Vec<f64> = cases.iter().map(|case| case.difference).collect();
        population_mean(&differences, Some(&numbered(cases.iter().map(|case| case.cluster))))
    };
    if estimate.standard_error == 0.0 {
        return 0.0;
    }
    student_t_cdf(estimate.mean / estimate.standard_error, estimate.degrees_of_freedom)
}

/// The same clusters, numbered from 0 in order of first appearance.
fn numbered(clusters: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    clusters
        .map(|cluster| {
            let next = numbers.len();
            *numbers.entry(cluster).or_insert(next)
        })
        .collect()
}
