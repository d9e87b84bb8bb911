//! The status of every case: broken, fixed, regressed and so on.

use crate::metric::row_mean;
use crate::model::{
    Analysis, CaseStatus, CaseSummary, Cell, Criterion, MetricKind, Policy, Requirement, Role,
};

use super::evidence::EXACT;
use super::first_attempts::timed_out_cases;
use super::trials::{Tally, TrialTallies, role_row};

/// The status of every case, in dataset order.
pub(super) fn statuses(analysis: &Analysis, policy: &Policy, tallies: &TrialTallies) -> Vec<CaseSummary> {
    let quality: Vec<usize> = (0..analysis.metrics.len())
        .filter(|index| matches!(analysis.metrics[*index].kind, MetricKind::Check | MetricKind::Judge))
        .collect();
    let gating: Vec<Vec<&Criterion>> = analysis
        .metrics
        .iter()
        .map(|metric| policy.criteria.iter().filter(|criterion| gates(criterion, &metric.name)).collect())
        .collect();
    let inputs = StatusInputs { analysis, resolution: policy.resolution, quality, gating };
    let slow = timed_out_cases(analysis);
    let status = |case| CaseSummary { timed_out: slow.contains(&case), ..status(&inputs, tallies, case) };
    (0..analysis.cases.len()).map(status).collect()
}

/// Whether a criterion gates this metric, for some cases at least.
fn gates(criterion: &Criterion, metric: &str) -> bool {
    let quality = matches!(
        criterion.requirement,
        Requirement::Minimum { .. }
            | Requirement::EveryTrial
            | Requirement::NoNewFailures
            | Requirement::NotWorse { .. }
    );
    quality && criterion.metric == metric
}

/// Inputs that the statuses of all cases share, computed once because there may be a criterion for every case.
struct StatusInputs<'a> {
    analysis: &'a Analysis,
    /// The loss above which a case counts as regressed.
    resolution: f64,
    /// Indices of the checks and judged metrics.
    quality: Vec<usize>,
    /// The criteria that gate each metric, by metric index.
    gating: Vec<Vec<&'a Criterion>>,
}

impl StatusInputs<'_> {
    /// Whether a criterion gates this metric for this case.
    fn is_gated(&self, metric: usize, case: usize) -> bool {
        let tags = &self.analysis.cases[case].tags;
        self.gating[metric]
            .iter()
            .any(|criterion| criterion.tag.as_ref().is_none_or(|tag| tags.iter().any(|own| own == tag)))
    }

    /// The candidate's case mean minus the baseline's; `None` if either has no value.
    fn difference(&self, metric: usize, case: usize) -> Option<f64> {
        let ours = row_mean(role_row(self.analysis, metric, Role::Candidate, case));
        let theirs = row_mean(role_row(self.analysis, metric, Role::Baseline, case));
        ours.zip(theirs).map(|(ours, theirs)| ours - theirs)
    }

    /// Whether a grade of the case is missing in either variant.
    fn has_missing(&self, case: usize) -> bool {
        let missing = |metric, role| {
            role_row(self.analysis, metric, role, case).is_some_and(|row| row.contains(&Cell::Missing))
        };
        self.quality.iter().any(|&metric| missing(metric, Role::Candidate) || missing(metric, Role::Baseline))
    }

    /// The gated metric with the largest loss, or with the largest gain if none lost.
    fn largest_difference(&self, case: usize) -> Option<(&str, f64)> {
        let mut largest: Option<(&str, f64)> = None;
        for &index in &self.quality {
            let Some(difference) = self.difference(index, case) else { continue };
            if !self.is_gated(index, case) || difference.abs() <= EXACT {
                continue;
            }
            let larger = largest.is_none_or(|(_, so_far)| {
                if so_far < 0.0 { difference < so_far } else { difference < 0.0 || difference > so_far }
            });
            if larger {
                largest = Some((&self.analysis.metrics[index].name, difference));
            }
        }
        largest
    }

    /// Whether a gated metric gained more than `margin`, even if another one lost a little.
    fn improved(&self, case: usize, margin: f64) -> bool {
        self.quality.iter().any(|&index| {
            self.difference(index, case).is_some_and(|difference| difference > margin)
                && self.is_gated(index, case)
        })
    }
}

fn status(inputs: &StatusInputs<'_>, tallies: &TrialTallies, case: usize) -> CaseSummary {
    let (ours, theirs) = (tallies.candidate(case), tallies.baseline(case));
    let largest = inputs.largest_difference(case);
    // With rounding errors, a loss of exactly the resolution must not exceed it.
    let margin = inputs.resolution + EXACT;
    let status = if inputs.has_missing(case) {
        CaseStatus::Missing
    } else if tallies.is_broken(case, (true, false)) {
        CaseStatus::Broken
    } else if tallies.is_fixed(case) {
        CaseStatus::Fixed
    } else if largest.is_some_and(|(_, difference)| difference < -margin) {
        CaseStatus::Regressed
    } else if inputs.improved(case, margin) {
        CaseStatus::Improved
    } else if ours.is_flaky() || theirs.is_some_and(Tally::is_flaky) {
        CaseStatus::Flaky
    } else {
        CaseStatus::Same
    };
    let failing = tallies.failing_metrics(inputs.analysis, case);
    CaseSummary {
        status,
        candidate_passes: ours.passes(),
        baseline_passes: theirs.and_then(Tally::passes),
        largest_difference: largest.map(|(metric, difference)| (metric.to_owned(), difference)),
        failing: failing.map(|index| inputs.analysis.metrics[index].name.clone()).collect(),
        timed_out: false,
    }
}
