//! The evidence on one criterion, and the verdict that follows from it.

use crate::model::{CorrectedMean, CriterionVerdict, MetricKind, Need, Rule, Scope};

use super::schedule::Schedule;

/// Rounding error that comparisons of estimates with requirements tolerate.
pub(super) const EXACT: f64 = 1e-12;

/// Settings that all criteria share at one look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// The one-sided alpha of this look.
    pub(super) alpha: f64,
    /// The part of it that criteria may spend to fail.
    pub(super) fail_alpha: f64,
    /// The shortfall that must be ruled out.
    pub(super) resolution: f64,
    pub(super) rule: Rule,
    /// The scope in the policy.
    pub(super) scope: Scope,
    /// Whether repeats are copies of each other, so that they count as one.
    pub(super) repeats_cached: bool,
    /// Seed of drawn permutations.
    pub(super) seed: u64,
    pub(super) schedule: Schedule,
    /// The one-sided alpha of all looks together.
    pub(super) run_alpha: f64,
    /// Repeats that this look reads.
    pub(super) repeats: u32,
    /// Whether the baseline's answers come from an earlier run, so that more repeats do not add to them.
    pub(super) baseline_reused: bool,
}

impl Context {
    /// The scope that decides, given the minimum repeats of a case: a single repeat does not show noise.
    pub(super) fn scope(&self, repeats: usize) -> Scope {
        if repeats < 2 || self.repeats_cached { Scope::Population } else { self.scope }
    }
}

/// How the verdict is reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ruling {
    /// By comparison alone.
    Literal(CriterionVerdict),
    /// By p and bound.
    Statistical {
        /// Whether a shortfall beyond the resolution is ruled out, and the estimate meets the requirement if it must.
        ruled_out: bool,
    },
}

/// The evidence on one criterion under one fill of its gaps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evidence {
    /// The estimate; `None` if nothing was graded.
    pub(super) estimate: Option<f64>,
    /// One-sided lower bound.
    pub(super) lower: Option<f64>,
    /// One-sided upper bound.
    pub(super) upper: Option<f64>,
    /// The requirement on the estimate.
    pub(super) required: f64,
    /// The p of "the requirement is missed".
    pub(super) p: Option<f64>,
    /// Whether the criterion belongs to Holm's family. Without a p it counts with 1.
    pub(super) in_family: bool,
    /// The method of the decision.
    pub(super) method: String,
    pub(super) ruling: Ruling,
    /// The repeats or cases that would settle it, if known.
    pub(super) need: Option<Need>,
    /// The correction of the estimate by labels.
    pub(super) corrected: Option<CorrectedMean>,
    /// If it passes by its bound: the repeats of the last look of a longer schedule at which it would pass again.
    pub(super) holds_from: Option<usize>,
}

impl Evidence {
    /// A literal comparison.
    pub(super) fn literal(estimate: f64, required: f64, verdict: CriterionVerdict) -> Self {
        Self {
            estimate: Some(estimate),
            lower: None,
            upper: None,
            required,
            p: None,
            in_family: false,
            method: "literal".to_owned(),
            ruling: Ruling::Literal(verdict),
            need: None,
            corrected: None,
            holds_from: None,
        }
    }

    /// No evidence, which is incomplete and never a pass.
    pub(super) fn none(required: f64) -> Self {
        Self {
            estimate: None,
            method: "none".to_owned(),
            ..Self::literal(0.0, required, CriterionVerdict::Incomplete)
        }
    }

    /// The verdict, given the p adjusted by Holm.
    pub(super) fn verdict(&self, adjusted: Option<f64>, alpha: f64) -> CriterionVerdict {
        match self.ruling {
            Ruling::Literal(verdict) => verdict,
            Ruling::Statistical { .. } if adjusted.is_some_and(|p| p <= alpha + EXACT) => {
                CriterionVerdict::Fail
            }
            Ruling::Statistical { ruled_out: true } => CriterionVerdict::Pass,
            Ruling::Statistical { ruled_out: false } => CriterionVerdict::Inconclusive,
        }
    }
}

/// Pass if the requirement is met, otherwise fail.
pub(super) fn literal_verdict(met: bool) -> CriterionVerdict {
    if met { CriterionVerdict::Pass } else { CriterionVerdict::Fail }
}

/// The parameter that a reported interval estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    Mean,
    /// A difference of two means.
    Difference,
}

impl Parameter {
    /// A bound as reported: clamped to the scale of scores, which Student's t ignores. Decisions use the bound as it is.
    pub(super) fn reported(self, kind: MetricKind, bound: f64) -> f64 {
        match (kind, self) {
            (MetricKind::Check | MetricKind::Judge, Self::Mean) => bound.clamp(0.0, 1.0),
            (MetricKind::Check | MetricKind::Judge, Self::Difference) => bound.clamp(-1.0, 1.0),
            _ => bound,
        }
    }
}
