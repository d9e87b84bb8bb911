//! The scores of a criterion, with their gaps filled at worst, filled at best, or left out.

use std::collections::HashMap;

use super::evidence::Context;
use crate::model::{Analysis, Cell, MetricKind, MetricScores, Rule};
use crate::stats::{Repeated, VarianceFloor};

/// The worst value of a metric without an upper end. Finite, so that sums stay finite.
pub(super) const UNBOUNDED: f64 = 1e12;

/// The value of a missing grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// None: only existing grades count. For estimates, never for a verdict.
    Observed,
    /// The value least favourable to the candidate.
    Worst,
    /// The value most favourable to the candidate.
    Best,
}

/// The cells that a criterion applies to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) metric: &'a MetricScores,
    /// Only cases with this tag count.
    pub(super) tag: Option<&'a str>,
    /// Whether the baseline's cells count as well.
    pub(super) paired: bool,
    /// Whether cells that were not asked are gaps. True only after `--fail-fast`.
    pub(super) gaps_from_fail_fast: bool,
}

/// Counts of the cells of a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CellCounts {
    /// Cases in the selection.
    pub(super) cases: usize,
    /// The candidate's cells with a value.
    pub(super) candidate: usize,
    /// The candidate's missing cells.
    pub(super) candidate_missing: usize,
    /// The baseline's cells with a value.
    pub(super) baseline: usize,
    /// The baseline's missing cells.
    pub(super) baseline_missing: usize,
    /// Cells of both variants that were not asked because of `--fail-fast`.
    pub(super) stopped_early: usize,
}

impl CellCounts {
    /// Cells that need a value.
    pub(super) fn gaps(&self) -> usize {
        self.candidate_missing + self.baseline_missing + self.stopped_early
    }
}

/// Filled scores, one row per case. Both variants have the same rows.
#[derive(Debug, Clone)]
pub(super) struct FilledScores {
    pub(super) candidate: Repeated,
    /// `None` unless the selection is paired.
    pub(super) baseline: Option<Repeated>,
    /// By case, whether it was answered once for both variants.
    pub(super) shared: Vec<bool>,
    /// The cluster of each case, if any case has a group. A case without a group is a cluster of its own.
    pub(super) clusters: Option<Vec<usize>>,
    /// Whether a lack of noise may be chance: scores whose repeats are not certain to be the same.
    pub(super) may_vary: bool,
    /// Whether the scores are results of pairs, so that the baseline's are constant.
    pub(super) pairwise: bool,
    /// Whether any number of repeats shows the scores: those of applications that are declared deterministic and are.
    pub(super) is_certain: bool,
}

impl FilledScores {
    /// The floor of variances for a lower bound; `None` if there is none.
    pub(super) fn floor(&self, context: &Context) -> Option<VarianceFloor> {
        let floored = self.may_vary && context.rule == Rule::Evidence;
        floored.then(|| VarianceFloor::new(context.resolution))
    }

    /// Minimum repeats of a case, over both variants.
    pub(super) fn repeats(&self) -> usize {
        let candidate = self.candidate.shortest();
        self.baseline.as_ref().map_or(candidate, |baseline| candidate.min(baseline.shortest()))
    }

    /// Number of independent units if cases are a sample: clusters, or cases without clusters.
    pub(super) fn units(&self) -> usize {
        match &self.clusters {
            Some(clusters) => clusters.iter().max().map_or(0, |last| last + 1),
            None => self.candidate.len(),
        }
    }

    /// The values of the cases, added up by unit.
    pub(super) fn by_unit(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let Some(clusters) = &self.clusters else { return values.collect() };
        let mut totals = vec![0.0; self.units()];
        for (value, cluster) in values.zip(clusters) {
            totals[*cluster] += value;
        }
        totals
    }
}

impl<'a> Selection<'a> {
    /// All cells of a metric.
    pub(super) fn all(analysis: &'a Analysis, metric: &'a MetricScores, paired: bool) -> Self {
        Self { analysis, metric, tag: None, paired, gaps_from_fail_fast: false }
    }

    /// The cases that the metric applies to and that have the tag, with the candidate's row.
    fn cases(self) -> impl Iterator<Item = (usize, &'a [Cell])> {
        self.metric.scores.candidate.rows().enumerate().filter_map(move |(case, row)| {
            let facts = self.analysis.cases.get(case)?;
            let selected = self.tag.is_none_or(|tag| facts.tags.iter().any(|own| own == tag));
            row.filter(|_| selected).map(|row| (case, row))
        })
    }

    /// The baseline's row of a case, if any. A shared case has the candidate's row.
    fn baseline_row(self, case: usize, candidate: &'a [Cell]) -> Option<&'a [Cell]> {
        if self.analysis.cases.get(case).is_some_and(|facts| facts.shared) {
            return Some(candidate);
        }
        self.metric.scores.baseline.as_ref()?.row(case)
    }

    pub(super) fn counts(self) -> CellCounts {
        let mut counts = CellCounts::default();
        for (case, row) in self.cases() {
            counts.cases += 1;
            self.count(row, &mut counts.candidate, &mut counts.candidate_missing, &mut counts.stopped_early);
            if !self.paired {
                continue;
            }
            match self.baseline_row(case, row) {
                // A case that the baseline does not have lacks every grade.
                None => counts.baseline_missing += row.len(),
                Some(row) => self.count(
                    row,
                    &mut counts.baseline,
                    &mut counts.baseline_missing,
                    &mut counts.stopped_early,
                ),
            }
        }
        counts
    }

    fn count(self, row: &[Cell], graded: &mut usize, missing: &mut usize, stopped_early: &mut usize) {
        for cell in row {
            match cell {
                Cell::Value(_) => *graded += 1,
                Cell::Missing => *missing += 1,
                Cell::NotAsked => *stopped_early += usize::from(self.gaps_from_fail_fast),
            }
        }
    }

    /// The selected scores with their gaps filled. A case without scores in a variant is left out.
    pub(super) fn fill(self, fill: Fill) -> FilledScores {
        let (low, high) = match self.metric.kind {
            MetricKind::Check | MetricKind::Judge => (0.0, 1.0),
            // Lower is better: worst and best are swapped.
            _ => (UNBOUNDED, 0.0),
        };
        let (ours, theirs) = match fill {
            Fill::Observed => (None, None),
            Fill::Worst => (Some(low), Some(high)),
            Fill::Best => (Some(high), Some(low)),
        };
        let cases = &self.analysis.cases;
        let mut filled = FilledScores {
            candidate: Repeated::with_capacity(cases.len(), cases.len() * self.analysis.repeats as usize),
            baseline: self.paired.then(Repeated::default),
            shared: Vec::with_capacity(cases.len()),
            clusters: None,
            may_vary: self.may_vary(),
            pairwise: self.metric.is_pairwise(),
            is_certain: self.metric.declared_deterministic && self.metric.is_deterministic(),
        };
        let mut included = Vec::with_capacity(cases.len());
        let all_missing = vec![Cell::Missing; self.analysis.repeats as usize];
        for (case, row) in self.cases() {
            // The pair of a shared answer is a tie by construction.
            let shared = (self.paired || self.metric.is_pairwise()) && cases[case].shared;
            let baseline = self.baseline_row(case, row).unwrap_or(&all_missing);
            if self.values(row, ours).next().is_none()
                || (self.paired && self.values(baseline, theirs).next().is_none())
            {
                continue;
            }
            filled.candidate.push(self.values(row, ours));
            if let Some(rows) = &mut filled.baseline {
                // A gap of a shared answer has the same value for both variants.
                rows.push(self.values(baseline, if shared { ours } else { theirs }));
            }
            filled.shared.push(shared);
            included.push(case);
        }
        filled.clusters = self.clusters(&included);
        filled
    }

    /// Whether a lack of noise may be chance.
    pub(super) fn may_vary(self) -> bool {
        matches!(self.metric.kind, MetricKind::Check | MetricKind::Judge) && !self.metric.is_deterministic()
    }

    /// The values of a row, with gaps filled or left out.
    fn values(self, row: &[Cell], fill: Option<f64>) -> impl Iterator<Item = f64> {
        row.iter().filter_map(move |cell| match cell {
            Cell::Value(value) => Some(*value),
            Cell::Missing => fill,
            Cell::NotAsked => fill.filter(|_| self.gaps_from_fail_fast),
        })
    }

    /// The cluster of each of `cases`, numbered in order of first appearance.
    pub(super) fn clusters(self, cases: &[usize]) -> Option<Vec<usize>> {
        let group = |case: usize| self.analysis.cases.get(case).and_then(|facts| facts.group.as_deref());
        if !cases.iter().any(|case| group(*case).is_some()) {
            return None;
        }
        let mut by_group: HashMap<&str, usize> = HashMap::new();
        let mut next = 0;
        let mut new_cluster = || {
            next += 1;
            next - 1
        };
        let numbers = cases.iter().map(|case| match group(*case) {
            Some(name) => *by_group.entry(name).or_insert_with(&mut new_cluster),
            None => new_cluster(),
        });
        Some(numbers.collect())
    }
}
