//! Grades: the result of a scorer on one trial.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Attempt, CallFacts, Fault, Usage};

/// A score: finite, in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Score(f64);

impl Score {
    /// The lowest score.
    pub const ZERO: Self = Self(0.0);
    /// The highest score.
    pub const ONE: Self = Self(1.0);

    /// A score; `None` for a number outside 0..=1.
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

/// A score or its absence.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Graded.
    Score(Score),
    /// The judge or its endpoint failed. The grade is missing, never 0.
    Ungraded(Option<Fault>),
}

/// The grade of one trial by one scorer.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// The metric: `faithfulness`, `check.names-the-term`.
    pub scorer: String,
    /// The score or its absence.
    pub outcome: Outcome,
    /// Explanation of the outcome in one line.
    pub reason: String,
    /// Evidence: verdicts by statement, quotes, expected and actual values. `Null` where there is none.
    pub details: Value,
    /// Peculiarities for readers: `no_claims`, `unquoted_support`.
    pub flags: Vec<String>,
    /// Calls and tokens of judging; `None` for checks.
    pub judging: Option<Judging>,
    /// The opinions of a panel; empty where one judgement is the grade.
    pub opinions: Vec<Opinion>,
}

impl Grade {
    /// A grade without a call of a judge.
    pub fn unjudged(scorer: &str, outcome: Outcome, reason: impl Into<String>) -> Self {
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

    /// Adds the calls and tokens of an earlier attempt that this grade replaces.
    pub fn replace(&mut self, earlier: &Self) {
        if let Some(judging) = &earlier.judging {
            self.judging.get_or_insert_default().add(judging);
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

/// The opinion of one judge of a panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opinion {
    /// The judge's model.
    pub judge: String,
    /// The mean of its votes, in 0 to 1; null where one is missing.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: Option<f64>,
    /// Calls and tokens of its votes.
    pub judging: Judging,
}

/// Calls, tokens and circumstances of a judgement.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Judging {
    /// Calls, including re-prompts after invalid replies.
    pub calls: u32,
    /// Tokens of all calls.
    pub usage: Usage,
    /// Total duration of all calls in milliseconds.
    #[serde(default, deserialize_with = "zero_for_null")]
    #[schemars(with = "Option<f64>", !default)]
    pub latency_ms: f64,
    /// Calls with a reply from a cache, which an earlier run paid for; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<CachedCalls>,
    /// How structured output was requested: `json_schema`, `json_object` or `fenced`.
    pub output_mode: Option<String>,
    /// The model that the response named.
    pub model: Option<String>,
    /// The `system_fingerprint` of the response.
    pub system_fingerprint: Option<String>,
    /// The failed attempts of all calls, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Where the judgement came from; absent in reports of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallFacts>,
}

/// Calls of a judgement with a reply from a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CachedCalls {
    /// Number of calls.
    pub calls: u32,
    /// Their tokens.
    pub usage: Usage,
}

/// A number that JSON cannot represent was written as null.
fn zero_for_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Judging {
    /// Adds an earlier attempt at the same judgement.
    pub fn add(&mut self, earlier: &Self) {
        self.calls = self.calls.saturating_add(earlier.calls);
        self.usage.add(earlier.usage);
        self.latency_ms += earlier.latency_ms;
        self.call = self.call.or(earlier.call);
        self.attempts.splice(0..0, earlier.attempts.iter().copied());
        if let Some(earlier) = earlier.cached {
            self.add_cached(earlier.calls, earlier.usage);
        }
    }

    /// Adds calls with a reply from a cache.
    pub fn add_cached(&mut self, calls: u32, usage: Usage) {
        let cached = self.cached.get_or_insert_default();
        cached.calls = cached.calls.saturating_add(calls);
        cached.usage.add(usage);
    }

    /// Number of calls with a reply from a cache.
    pub fn cached_calls(&self) -> u32 {
        self.cached.unwrap_or_default().calls
    }

    /// Tokens of the calls that were not cached.
    pub fn fresh_usage(&self) -> Usage {
        self.usage.without(self.cached.unwrap_or_default().usage)
    }
}
