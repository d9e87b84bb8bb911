//! The trials of a run with their provenance.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    CaseFacts, Completion, DatasetFacts, Fault, Grade, JudgeFacts, Names, PolicySource, Role, TrialSummary,
    Usage, VariantFacts,
};

/// What was answered within this time counts as one session: an endpoint's latency drifts by the hour.
pub const SESSION_SECONDS: u64 = 3600;

/// One completion of one case by one variant, with its grades.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Index of the case in [`Run::cases`].
    pub case: usize,
    /// The side.
    pub role: Role,
    /// The repeat, from 0.
    pub repeat: u32,
    /// What came of it.
    pub result: TrialResult,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum TrialResult {
    /// An answer, graded.
    Answered(TrialSummary),
    /// No answer: the endpoint's fault. Every grade of it is missing.
    Missing(Fault),
}

impl TrialResult {
    /// A graded answer, in memory.
    pub fn answered(completion: Completion, grades: Vec<Grade>) -> Self {
        Self::Answered(TrialSummary::new(completion, grades, &mut Names::default()))
    }
}

/// How the run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// The plan was carried out (single grades may be missing all the same).
    Completed,
    /// Nothing more could come of it.
    Stopped(Fault),
    /// `--fail-fast`: the verdict could only be fail.
    FailedFast,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

/// Calls and tokens of a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CallTotals {
    /// Requests sent, retries and judgements included.
    pub calls: u64,
    /// Answers taken from a cache or a saved report.
    pub cached: u64,
    /// Judgements taken from a cache.
    pub cached_judgements: u64,
    /// When the oldest of what came from the cache was cached, in seconds since 1970 (UTC).
    pub cached_since: Option<u64>,
    /// Tokens of completions.
    pub completions: Usage,
    /// Tokens of judgements.
    pub judgements: Usage,
    /// US dollars of completions; `None` where a price is not known.
    pub completion_cost_usd: Option<f64>,
    /// US dollars of judgements; `None` where a price is not known.
    pub judgement_cost_usd: Option<f64>,
}

/// How often every case was asked for, and by which scorers its answers were graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Repeats of every case.
    pub repeats: u32,
    /// For each scorer, how many of these it was asked to grade: a judge whose metric passed is asked no more.
    pub graded: Vec<u32>,
}

impl Asked {
    /// All scorers graded all repeats.
    pub fn all(repeats: u32, scorers: usize) -> Self {
        Self { repeats, graded: vec![repeats; scorers] }
    }
}

/// A run: what was asked, what came back, where everything is from.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Name of the suite.
    pub name: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// The dataset.
    pub dataset: DatasetFacts,
    /// The cases in dataset order.
    pub cases: Arc<[CaseFacts]>,
    /// The candidate.
    pub candidate: VariantFacts,
    /// The baseline; `None` without one.
    pub baseline: Option<VariantFacts>,
    /// Why there is no baseline, or where a reused one is from.
    pub baseline_note: Option<String>,
    /// The judge; `None` where no judge was asked.
    pub judge: Option<JudgeFacts>,
    /// Metric names of the checks, then of the judges, in configuration order.
    pub scorers: Vec<String>,
    /// For each scorer, whether it grades each case: scorers x cases.
    pub applies: Vec<Vec<bool>>,
    /// What the candidate was asked for, and the baseline too unless it is reused_baseline.
    pub asked: Asked,
    /// What a reused_baseline baseline was asked for: one that was answered in an earlier session.
    pub reused_baseline: Option<Asked>,
    /// The trials in plan order: case, repeat, candidate before baseline.
    pub trials: Vec<Trial>,
    /// What it took.
    pub totals: CallTotals,
    /// US dollars per million tokens of the candidate's and the baseline's model, input and output.
    pub prices: Vec<(String, f64, f64)>,
    /// Whether the endpoint was the simulated one.
    pub simulated: bool,
    /// How it ended.
    pub ended: Ended,
    /// Where the policy is from; `None` for the candidate's own configuration.
    pub policy_source: Option<PolicySource>,
    /// Things a reader should know.
    pub warnings: Vec<String>,
}
