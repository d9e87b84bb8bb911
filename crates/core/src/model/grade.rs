//! What a scorer says of one trial.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Fault, Usage};

/// A score: finite, in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Score(f64);

impl Score {
    /// Nothing of it is right.
    pub const ZERO: Self = Self(0.0);
    /// All of it is right.
    pub const ONE: Self = Self(1.0);

    /// A score, if the number is one.
    pub fn new(value: f64) -> Option<Self> {
        (value.is_finite() && (0.0..=1.0).contains(&value)).then_some(Self(value))
    }

    /// The number, in 0..=1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl From<bool> for Score {
    fn from(passed: bool) -> Self {
        if passed { Self::ONE } else { Self::ZERO }
    }
}

/// A score or the honest absence of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Graded.
    Score(Score),
    /// The scorer could not grade: the judge or its endpoint failed. Missing, never 0.
    Ungraded(Option<Fault>),
}

/// The grade of one trial by one scorer.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// The metric that this grade counts for: `faithfulness`, `check.names-the-term`.
    pub scorer: String,
    /// The score, or that there is none.
    pub outcome: Outcome,
    /// One line that explains it (or why there is none).
    pub reason: String,
    /// Evidence: verdicts by statement, quotes, expected and found values. `Null` where there is none.
    pub details: Value,
    /// Peculiarities a reader should know: `no_claims`, `unquoted_support`.
    pub flags: Vec<String>,
    /// What judging it took; `None` for checks.
    pub judging: Option<Judging>,
    /// What each judge of a panel says; empty where one judgement is the grade.
    pub opinions: Vec<Opinion>,
}

impl Grade {
    /// A grade for which no judge was asked.
    pub fn unasked(scorer: &str, outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            scorer: scorer.to_owned(),
            outcome,
            reason: reason.into(),
            details: Value::Null,
            flags: Vec::new(),
            judging: None,
            opinions: Vec::new(),
        }
    }

    /// The score, if graded.
    pub fn score(&self) -> Option<f64> {
        self.outcome.score()
    }

    /// Takes the place of an earlier try at the same grade, whose judgements were paid for as well.
    pub fn replace(&mut self, earlier: &Self) {
        if let Some(took) = &earlier.judging {
            self.judging.get_or_insert_default().add(took);
        }
        for (opinion, before) in self.opinions.iter_mut().zip(&earlier.opinions) {
            opinion.judging.add(&before.judging);
        }
    }
}

impl Outcome {
    /// The score, if graded.
    pub fn score(&self) -> Option<f64> {
        match self {
            Self::Score(score) => Some(score.get()),
            Self::Ungraded(_) => None,
        }
    }
}

/// What one judge of a panel says.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// The judge's model, as asked for.
    pub judge: String,
    /// The mean of its votes, in 0..=1; `None` where one is missing.
    pub score: Option<f64>,
    /// What they took.
    pub judging: Judging,
}

impl Judging {
    /// Adds what an earlier try at the same judgement took.
    pub fn add(&mut self, earlier: &Self) {
        self.calls = self.calls.saturating_add(earlier.calls);
        self.usage.add(earlier.usage);
        self.latency_ms += earlier.latency_ms;
        self.cached_calls = self.cached_calls.saturating_add(earlier.cached_calls);
        self.cached_usage.add(earlier.cached_usage);
    }

    /// Tokens of the calls of this run.
    pub fn asked_usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.usage.prompt_tokens.saturating_sub(self.cached_usage.prompt_tokens),
            completion_tokens: self
                .usage
                .completion_tokens
                .saturating_sub(self.cached_usage.completion_tokens),
        }
    }
}

/// What a judgement took.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Judging {
    /// Calls made, re-asks included.
    pub calls: u32,
    /// Tokens of all of them.
    pub usage: Usage,
    /// Milliseconds of all of them.
    pub latency_ms: f64,
    /// Those of them that came from a cache: made, and paid for, in an earlier run.
    pub cached_calls: u32,
    /// Tokens of these.
    pub cached_usage: Usage,
    /// How structured output was asked for: `json_schema`, `json_object`, `fenced`.
    pub output_mode: Option<String>,
    /// The model that answered, as it said.
    pub model: Option<String>,
    /// `system_fingerprint`, as it said.
    pub system_fingerprint: Option<String>,
}
