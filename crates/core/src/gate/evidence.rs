//! What is known about one criterion, and the verdict that follows from it.

use crate::model::{CriterionVerdict, MetricKind, Need, Scope};

use super::{Rule, Schedule};

/// Comparisons of estimates against requirements forgive this much rounding.
pub(super) const EXACT: f64 = 1e-12;

/// What all criteria of one decision have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// The one-sided alpha of this look.
    pub(super) alpha: f64,
    /// The shortfall that must be ruled out.
    pub(super) resolution: f64,
    /// The rule.
    pub(super) rule: Rule,
    /// The scope asked for.
    pub(super) scope: Scope,
    /// Whether repeats are copies of each other, and so count as one.
    pub(super) repeats_cached: bool,
    /// Seed of drawn permutations.
    pub(super) seed: u64,
    /// The looks of the run.
    pub(super) schedule: Schedule,
    /// The one-sided alpha of all of them together.
    pub(super) run_alpha: f64,
    /// Repeats that this look reads.
    pub(super) repeats: u32,
    /// Whether the baseline's answers are those of an earlier run, and so get no more.
    pub(super) baseline_reused: bool,
}

impl Context {
    /// The scope that decides, given the repeats of the case that has fewest: one repeat shows no noise.
    pub(super) fn scope(&self, repeats: usize) -> Scope {
        if repeats < 2 || self.repeats_cached { Scope::Population } else { self.scope }
    }
}

/// How a verdict follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ruling {
    /// By comparison alone.
    Literal(CriterionVerdict),
    /// By p and bound.
    Weighed {
        /// Whether the shortfall beyond the resolution is ruled out (and the estimate meets the requirement,
        /// where it has to).
        ruled_out: bool,
    },
}

/// What is known about one criterion under one fill.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evidence {
    /// The estimate; `None` where nothing was graded.
    pub(super) estimate: Option<f64>,
    /// One-sided lower bound.
    pub(super) lower: Option<f64>,
    /// One-sided upper bound.
    pub(super) upper: Option<f64>,
    /// What is required of the estimate.
    pub(super) required: f64,
    /// The p of "shown to be missed".
    pub(super) p: Option<f64>,
    /// Whether the criterion takes a place in Holm's family; without a p it counts with 1.
    pub(super) in_family: bool,
    /// How it was decided.
    pub(super) method: String,
    /// What follows.
    pub(super) ruling: Ruling,
    /// What would settle it, where that can be told.
    pub(super) need: Option<Need>,
    /// Where it passes by its bound: the repeats at which it would again, were they the last of a longer schedule.
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
            holds_from: None,
        }
    }

    /// Nothing to go by: never green.
    pub(super) fn none(required: f64) -> Self {
        Self {
            estimate: None,
            method: "none".to_owned(),
            ..Self::literal(0.0, required, CriterionVerdict::Incomplete)
        }
    }

    /// The verdict, given the p after Holm.
    pub(super) fn verdict(&self, adjusted: Option<f64>, alpha: f64) -> CriterionVerdict {
        match self.ruling {
            Ruling::Literal(verdict) => verdict,
            Ruling::Weighed { .. } if adjusted.is_some_and(|p| p <= alpha + EXACT) => CriterionVerdict::Fail,
            Ruling::Weighed { ruled_out: true } => CriterionVerdict::Pass,
            Ruling::Weighed { ruled_out: false } => CriterionVerdict::Inconclusive,
        }
    }
}

/// Pass if `met`, else fail.
pub(super) fn literally(met: bool) -> CriterionVerdict {
    if met { CriterionVerdict::Pass } else { CriterionVerdict::Fail }
}

/// What a reported interval is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// A mean.
    Mean,
    /// A difference of two means.
    Difference,
}

impl Parameter {
    /// A bound as it is reported: of scores, not beyond what a score can be. Student's t knows nothing of the ends of
    /// the scale. Decisions are made on the bound as it is.
    pub(super) fn reported(self, kind: MetricKind, bound: f64) -> f64 {
        match (kind, self) {
            (MetricKind::Check | MetricKind::Judge, Self::Mean) => bound.clamp(0.0, 1.0),
            (MetricKind::Check | MetricKind::Judge, Self::Difference) => bound.clamp(-1.0, 1.0),
            _ => bound,
        }
    }
}
