//! Matrices with their gaps filled: at worst, at best, or left as they are.

use std::collections::HashMap;

use crate::model::{Analysis, Cell, MetricKind, MetricScores};
use crate::stats::Repeated;

/// Stands for "as large as can be" where a metric has no upper end. Finite, so that sums stay numbers.
pub(super) const UNBOUNDED: f64 = 1e12;

/// What takes the place of a missing grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// Nothing: the grades there are. For estimates only, never for a verdict.
    Observed,
    /// The value that speaks most against the candidate.
    Worst,
    /// The value that speaks most for it.
    Best,
}

/// Which cells a criterion looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection<'a> {
    /// The run's matrices.
    pub(super) analysis: &'a Analysis,
    /// The metric.
    pub(super) metric: &'a MetricScores,
    /// Only cases with this tag.
    pub(super) tag: Option<&'a str>,
    /// Whether the baseline's cells count too.
    pub(super) paired: bool,
    /// Whether cells that were not asked are gaps: after `--fail-fast` only.
    pub(super) gaps_from_fail_fast: bool,
}

/// Cells of a selection by what is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
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
    /// Cells of either that were not asked after `--fail-fast`.
    pub(super) stopped_early: usize,
}

impl Counts {
    /// Cells that need a fill.
    pub(super) fn gaps(&self) -> usize {
        self.candidate_missing + self.baseline_missing + self.stopped_early
    }
}

/// Filled scores, one row per case; both sides have the same rows.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    /// The candidate's.
    pub(super) candidate: Repeated,
    /// The baseline's, where the selection is paired.
    pub(super) baseline: Option<Repeated>,
    /// Which cases were answered once for both.
    pub(super) shared: Vec<bool>,
    /// The cluster of each case, where any case names one; a case without is a cluster of its own.
    pub(super) clusters: Option<Vec<usize>>,
}

impl Filled {
    /// Repeats of the case that has fewest, on either side.
    pub(super) fn repeats(&self) -> usize {
        let candidate = self.candidate.shortest();
        self.baseline.as_ref().map_or(candidate, |baseline| candidate.min(baseline.shortest()))
    }

    /// Independent units when cases are a sample: clusters where there are any, else cases.
    pub(super) fn units(&self) -> usize {
        match &self.clusters {
            Some(clusters) => clusters.iter().max().map_or(0, |last| last + 1),
            None => self.candidate.len(),
        }
    }
}

impl<'a> Selection<'a> {
    /// The selected cases: those the metric applies to and that carry the tag.
    fn cases(self) -> impl Iterator<Item = (usize, &'a [Cell])> {
        self.metric.scores.candidate.rows().enumerate().filter_map(move |(case, row)| {
            let facts = self.analysis.cases.get(case)?;
            let wanted = self.tag.is_none_or(|tag| facts.tags.iter().any(|own| own == tag));
            row.filter(|_| wanted).map(|row| (case, row))
        })
    }

    /// The baseline's row of a case, if it has one; of a shared case the candidate's.
    fn baseline_row(self, case: usize, candidate: &'a [Cell]) -> Option<&'a [Cell]> {
        if self.analysis.cases.get(case).is_some_and(|facts| facts.shared) {
            return Some(candidate);
        }
        self.metric.scores.baseline.as_ref()?.row(case)
    }

    /// What is in the selected cells.
    pub(super) fn counts(self) -> Counts {
        let mut counts = Counts::default();
        for (case, row) in self.cases() {
            counts.cases += 1;
            for cell in row {
                match cell {
                    Cell::Value(_) => counts.candidate += 1,
                    Cell::Missing => counts.candidate_missing += 1,
                    Cell::NotAsked => counts.stopped_early += usize::from(self.gaps_from_fail_fast),
                }
            }
            if !self.paired {
                continue;
            }
            match self.baseline_row(case, row) {
                // A case that the baseline knows nothing of lacks every grade.
                None => counts.baseline_missing += row.len(),
                Some(theirs) => {
                    for cell in theirs {
                        match cell {
                            Cell::Value(_) => counts.baseline += 1,
                            Cell::Missing => counts.baseline_missing += 1,
                            Cell::NotAsked => counts.stopped_early += usize::from(self.gaps_from_fail_fast),
                        }
                    }
                }
            }
        }
        counts
    }

    /// The selected scores with their gaps filled. A case without any score left on a side drops out.
    pub(super) fn fill(self, fill: Fill) -> Filled {
        let (low, high) = match self.metric.kind {
            MetricKind::Check | MetricKind::Judge => (0.0, 1.0),
            // Less is better: the sides are turned.
            _ => (UNBOUNDED, 0.0),
        };
        let (ours, theirs) = match fill {
            Fill::Observed => (None, None),
            Fill::Worst => (Some(low), Some(high)),
            Fill::Best => (Some(high), Some(low)),
        };
        let facts = &self.analysis.cases;
        let mut filled = Filled {
            candidate: Repeated::with_capacity(facts.len(), facts.len() * self.analysis.repeats as usize),
            baseline: self.paired.then(Repeated::default),
            shared: Vec::with_capacity(facts.len()),
            clusters: None,
        };
        let mut kept = Vec::with_capacity(facts.len());
        let lost = vec![Cell::Missing; self.analysis.repeats as usize];
        for (case, row) in self.cases() {
            let shared = self.paired && facts[case].shared;
            let baseline = self.baseline_row(case, row).unwrap_or(&lost);
            if self.values(row, ours).next().is_none()
                || (self.paired && self.values(baseline, theirs).next().is_none())
            {
                continue;
            }
            filled.candidate.push(self.values(row, ours));
            if let Some(rows) = &mut filled.baseline {
                // What is missing of a shared answer is the same on both sides.
                rows.push(self.values(baseline, if shared { ours } else { theirs }));
            }
            filled.shared.push(shared);
            kept.push(case);
        }
        filled.clusters = self.clusters(&kept);
        filled
    }

    /// The values of a row, gaps filled or left out.
    fn values(self, row: &[Cell], fill: Option<f64>) -> impl Iterator<Item = f64> {
        row.iter().filter_map(move |cell| match cell {
            Cell::Value(value) => Some(*value),
            Cell::Missing => fill,
            Cell::NotAsked => fill.filter(|_| self.gaps_from_fail_fast),
        })
    }

    /// The cluster of each kept case, numbered in the order they come up.
    pub(super) fn clusters(self, kept: &[usize]) -> Option<Vec<usize>> {
        let group = |case: usize| self.analysis.cases.get(case).and_then(|facts| facts.group.as_deref());
        if !kept.iter().any(|case| group(*case).is_some()) {
            return None;
        }
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut next = 0;
        let mut fresh = || {
            next += 1;
            next - 1
        };
        let numbers = kept.iter().map(|case| match group(*case) {
            Some(name) => *known.entry(name).or_insert_with(&mut fresh),
            None => fresh(),
        });
        Some(numbers.collect())
    }
}
