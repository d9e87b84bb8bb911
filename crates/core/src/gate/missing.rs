//! Missing grades of gated metrics.

use crate::model::{Analysis, MetricScores, Policy, Role};

use super::evidence::EXACT;
use super::fill::Selection;
use super::first_attempts::contested_missing;

/// The largest share of missing grades of a gated metric in either variant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MissingShare {
    pub(super) share: f64,
    /// The variant and its metric: `the candidate's grades of faithfulness`.
    pub(super) grades: String,
}

impl MissingShare {
    /// `None` if no grade is missing. Those that a contested attempt explains do not count: the decision by first attempts
    /// counts them as 0.
    pub(super) fn largest(analysis: &Analysis, policy: &Policy) -> Option<Self> {
        let gated =
            |metric: &&MetricScores| policy.criteria.iter().any(|criterion| criterion.metric == metric.name);
        let shares = analysis.metrics.iter().filter(gated).flat_map(|metric| {
            let counts = Selection::all(analysis, metric, metric.scores.baseline.is_some()).counts();
            let share = |missing: usize, graded: usize, role: Role| {
                let variant = role.as_str();
                let explained = if missing == 0 { 0 } else { contested_missing(analysis, metric, role) };
                let (missing, graded) = (missing.saturating_sub(explained), graded + explained);
                (missing > 0).then(|| Self {
                    share: missing as f64 / (missing + graded) as f64,
                    grades: format!("the {variant}'s grades of {}", metric.name),
                })
            };
            [
                share(counts.candidate_missing, counts.candidate, Role::Candidate),
                share(counts.baseline_missing, counts.baseline, Role::Baseline),
            ]
        });
        shares.flatten().fold(None, |largest: Option<Self>, next| match largest {
            Some(largest) if largest.share >= next.share => Some(largest),
            _ => Some(next),
        })
    }

    /// Whether more grades are missing than the policy allows.
    pub(super) fn exceeds(&self, policy: &Policy) -> bool {
        self.share > policy.max_missing + EXACT
    }
}
