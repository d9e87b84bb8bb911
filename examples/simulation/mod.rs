//! The common parts of the simulations of the gate: cases of known truth, a policy with the default looks, and runs on all cores.

mod cores;

pub(crate) use cores::on_all_cores;

use promptgate_core::gate::{Criterion, Policy, Rule};
use promptgate_core::model::{
    Analysis, CaseFacts, Contested, MetricKind, MetricScores, Scope, VariantScores,
};
use promptgate_core::stats::beta_quantile;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Parameters of the Beta distribution with mean 0.85 and standard deviation 0.127.
const BETA: (f64, f64) = (5.869, 1.036);

/// The rates of `cases` cases: how often a statement of an answer is supported.
pub(crate) fn rates(generator: &mut ChaCha8Rng, cases: usize) -> Vec<f64> {
    (0..cases).map(|_| beta_quantile(generator.random(), BETA.0, BETA.1)).collect()
}

/// The name of a metric.
pub(crate) fn name(metric: usize) -> String {
    format!("metric {metric}")
}

/// A policy with the default rule that looks first at 3 repeats.
pub(crate) fn policy(criteria: Vec<Criterion>, max_repeats: u32, seed: u64) -> Policy {
    Policy {
        criteria,
        repeats: 3,
        max_repeats,
        rule: Rule::Evidence,
        scope: Scope::Suite,
        confidence: 0.95,
        resolution: 0.05,
        max_missing: 0.02,
        seed,
    }
}

/// An analysis of `cases` cases and `metrics` judged metrics without repeats.
pub(crate) fn empty_analysis(metrics: usize, cases: usize) -> Analysis {
    let case = |case| CaseFacts { id: format!("case-{case}"), ..CaseFacts::default() };
    let empty = || (0..cases).map(|_| Some([])).collect();
    let metric = |metric| MetricScores {
        name: name(metric),
        kind: MetricKind::Judge,
        repeats: 0,
        baseline_repeats: 0,
        declared_deterministic: false,
        deterministic_repeats: 0,
        scores: VariantScores { candidate: empty(), baseline: Some(empty()) },
    };
    Analysis {
        cases: (0..cases).map(case).collect(),
        repeats: 0,
        metrics: (0..metrics).map(metric).collect(),
        has_baseline: true,
        baseline_reused: false,
        fresh_times: Vec::new(),
        unreviewed_price: None,
        sessions_differ: false,
        stored_baseline: None,
        refusals: None,
        repeats_cached: false,
        contested: Contested::default(),
    }
}
