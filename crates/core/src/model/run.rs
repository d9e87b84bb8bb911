//! A run: its trials and their provenance.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    CallFacts, CaseFacts, Completion, DatasetFacts, Fault, FirstAttempt, Grade, Interner, JudgeFacts,
    MessageTexts, PolicySource, Prices, ReleaseFacts, Role, TextLocation, TrialSummary, Usage, VariantFacts,
    named,
};

/// Length of a session. Latencies of different sessions do not compare, since an endpoint's latency drifts by the hour.
pub const SESSION_SECONDS: u64 = 3600;

/// One completion of one case by one variant, with its grades.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Index of the case in [`Run::cases`].
    pub case: usize,
    /// The variant's role.
    pub role: Role,
    /// The repeat, from 0.
    pub repeat: u32,
    /// The result.
    pub result: TrialResult,
}

/// The result of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum TrialResult {
    /// A graded completion.
    Completed(TrialSummary),
    /// No completion because of a fault; all its grades are missing.
    Missing(Fault),
}

impl TrialResult {
    /// The answer, if there is one.
    pub fn answer(&self) -> Option<&TrialSummary> {
        match self {
            Self::Completed(answer) => Some(answer),
            Self::Missing(_) => None,
        }
    }

    /// Says where the answer came from. A text in the spool stays as it is.
    pub fn set_call(&mut self, call: CallFacts) {
        if let Self::Completed(TrialSummary { text: TextLocation::InMemory(text), .. }) = self {
            text.completion.call = Some(call);
        }
    }

    /// Removes the grade of a scorer. A text in the spool keeps it.
    pub fn remove_grade(&mut self, scorer: &str) {
        let Self::Completed(trial) = self else { return };
        if trial.grade(scorer).is_none() {
            return;
        }
        trial.grades = trial.grades.iter().filter(|grade| &*grade.scorer != scorer).cloned().collect();
        if let TextLocation::InMemory(text) = &mut trial.text {
            text.grades.retain(|grade| grade.scorer != scorer);
        }
    }

    /// Whether a failed attempt may have hidden another answer.
    pub fn first_attempt(&self) -> FirstAttempt {
        match self {
            Self::Completed(answer) => answer.first_attempt,
            Self::Missing(fault) => FirstAttempt::of(&fault.attempts),
        }
    }

    /// A graded completion whose text is in memory.
    pub fn completed(completion: Completion, grades: Vec<Grade>) -> Self {
        Self::Completed(TrialSummary::new(completion, grades, &mut Interner::default()))
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// All planned trials ran; some grades may still be missing.
    Completed,
    /// A fault stopped the run.
    Stopped(Fault),
    /// `--fail-fast`: the verdict could only be fail.
    FailedFast,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

named! {
    /// How a run ended.
    pub enum EndedKind {
        /// All planned trials ran; some grades may still be missing.
        Completed = "completed",
        /// A fault stopped the run.
        Stopped = "stopped",
        /// `--fail-fast`: the verdict could only be fail.
        FailedFast = "failed_fast",
        /// Ctrl-C or a request of the system to stop.
        Interrupted = "interrupted",
    }
}

impl Ended {
    /// The kind without the fault.
    pub fn kind(&self) -> EndedKind {
        match self {
            Self::Completed => EndedKind::Completed,
            Self::Stopped(_) => EndedKind::Stopped,
            Self::FailedFast => EndedKind::FailedFast,
            Self::Interrupted => EndedKind::Interrupted,
        }
    }

    /// The fault that stopped the run.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Stopped(fault) => Some(fault),
            Self::Completed | Self::FailedFast | Self::Interrupted => None,
        }
    }
}

/// Calls and tokens of a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CallTotals {
    /// Requests sent, including retries and judgements.
    pub calls: u64,
    /// Completions from the cache or a saved report.
    pub cached: u64,
    /// Judgements from the cache.
    pub cached_judgements: u64,
    /// Time of the oldest cached entry in use, in seconds since 1970 (UTC).
    pub cached_since: Option<u64>,
    /// Tokens of completions.
    pub completions: Usage,
    /// Tokens of judgements.
    pub judgements: Usage,
    /// Cost of completions in US dollars; `None` where a price is not known.
    pub completion_cost_usd: Option<f64>,
    /// Cost of judgements in US dollars; `None` where a price is not known.
    pub judgement_cost_usd: Option<f64>,
}

/// Number of repeats of every case that a variant was planned for, and that each scorer graded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepeatCounts {
    /// Repeats of every case.
    #[serde(rename = "repeats")]
    pub per_case: u32,
    /// For each scorer, how many of these repeats it grades: a judge whose metric has passed grades no more of them.
    #[serde(rename = "graded")]
    pub per_scorer: Vec<u32>,
}

impl RepeatCounts {
    /// All scorers grade all repeats.
    pub fn all(repeats: u32, scorers: usize) -> Self {
        Self { per_case: repeats, per_scorer: vec![repeats; scorers] }
    }
}

/// The trials of a run with everything that describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Name of the suite.
    pub name: String,
    /// Start: RFC 3339, UTC.
    pub started_at: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// The dataset.
    pub dataset: DatasetFacts,
    /// The cases in dataset order.
    pub cases: Arc<[CaseFacts]>,
    /// Messages that are the same in many cases, by digest.
    pub messages: MessageTexts,
    /// The candidate.
    pub candidate: VariantFacts,
    /// The baseline; `None` without one.
    pub baseline: Option<VariantFacts>,
    /// Why there is no baseline, or the source of a reused one.
    pub baseline_note: Option<String>,
    /// The judge; `None` for a run without judged metrics.
    pub judge: Option<JudgeFacts>,
    /// Metric names of the checks, then of the judges, in configuration order.
    pub scorers: Vec<String>,
    /// For each scorer, whether it grades each case: scorers x cases.
    pub applies: Vec<Vec<bool>>,
    /// Repeats of the candidate, and of the baseline unless `reused_baseline` is set.
    pub repeats: RepeatCounts,
    /// Repeats of a baseline that was run in an earlier session.
    pub reused_baseline: Option<RepeatCounts>,
    /// The trials in plan order: case, repeat, candidate before baseline.
    pub trials: Vec<Trial>,
    /// Calls, tokens and cost.
    pub totals: CallTotals,
    /// Prices by model.
    pub prices: Prices,
    /// Whether the endpoint was the simulated one.
    pub simulated: bool,
    /// How it ended.
    pub ended: Ended,
    /// The release that the candidate would become; `None` without `release:`.
    pub release: Option<ReleaseFacts>,
    /// Source of the policy; `None` for the candidate's own configuration.
    pub policy_source: Option<PolicySource>,
    /// Facts that reports state first: what is new, and what was not compared.
    pub notices: Vec<String>,
    /// Warnings for readers.
    pub warnings: Vec<String>,
}

impl Run {
    /// Keeps the cases that `keep` selects, with their trials; `dataset` stays as it is.
    pub fn retain_cases(&mut self, keep: impl Fn(&CaseFacts) -> bool) {
        let mut kept = Vec::new();
        let places: Vec<Option<usize>> = self
            .cases
            .iter()
            .map(|case| {
                keep(case).then(|| {
                    kept.push(case.clone());
                    kept.len() - 1
                })
            })
            .collect();
        let place = |case: usize| places.get(case).copied().flatten();
        self.trials.retain_mut(|trial| match place(trial.case) {
            Some(case) => {
                trial.case = case;
                true
            }
            None => false,
        });
        for row in &mut self.applies {
            let of_kept = row.iter().enumerate().filter(|(case, _)| place(*case).is_some());
            *row = of_kept.map(|(_, applies)| *applies).collect();
        }
        self.cases = kept.into();
    }
}
