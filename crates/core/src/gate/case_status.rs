//! The status of every case: broken, fixed, regressed and so on.

use crate::metric::row_mean;
use crate::model::{
    Analysis, CaseStatus, CaseSummary, Cell, Criterion, MetricKind, Policy, Requirement, Role,
};

use super::case_noise::{Change, changes_beyond_noise};
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
    let mut inputs = StatusInputs { analysis, quality, gating, changed: Vec::new() };
    inputs.changed = changes_beyond_noise(analysis, policy.resolution, |metric, case| {
        inputs.quality.contains(&metric) && inputs.is_gated(metric, case)
    });
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
            | Requirement::WinRate { .. }
    );
    quality && criterion.metric == metric
}

/// Inputs that the statuses of all cases share, computed once because there may be a criterion for every case.
struct StatusInputs<'a> {
    analysis: &'a Analysis,
    /// Indices of the checks and judged metrics.
    quality: Vec<usize>,
    /// The criteria that gate each metric, by metric index.
    gating: Vec<Vec<&'a Criterion>>,
    /// The change of each case that noise does not explain.
    changed: Vec<Option<Change>>,
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
}

fn status(inputs: &StatusInputs<'_>, tallies: &TrialTallies, case: usize) -> CaseSummary {
    let (ours, theirs) = (tallies.candidate(case), tallies.baseline(case));
    let named = |change: Change| (inputs.analysis.metrics[change.metric].name.as_str(), change.difference);
    let largest = inputs.largest_difference(case);
    let changed = inputs.changed.get(case).copied().flatten().map(named);
    let (status, largest) = if inputs.has_missing(case) {
        (CaseStatus::Missing, largest)
    } else if tallies.is_broken(case, (true, false)) {
        (CaseStatus::Broken, largest)
    } else if tallies.is_fixed(case) {
        (CaseStatus::Fixed, largest)
    } else if let Some((_, difference)) = changed {
        let status = if difference < 0.0 { CaseStatus::Regressed } else { CaseStatus::Improved };
        (status, changed)
    } else if ours.is_flaky() || theirs.is_some_and(Tally::is_flaky) {
        (CaseStatus::Flaky, largest)
    } else {
        let status = match largest {
            Some((_, difference)) if difference < 0.0 => CaseStatus::Lower,
            Some(_) => CaseStatus::Higher,
            None => CaseStatus::Same,
        };
        (status, largest)
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
