//! A trial in JSON, and its conversion from and to a trial of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{seconds, timestamp};
use promptgate_core::model::{
    self, Attempt, CallFacts, CallOrigin, Completion, Fault, FinishReason, Judging, Opinion, Outcome, Role,
    Score, ToolCall, Transformed, TrialText, Turn, Usage,
};
use promptgate_core::text::neutral;

/// One completion of a case by one variant, with its grades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// The variant's role.
    pub role: Role,
    /// Where the answer came from: a call of this run, and why it was made, the cache, an earlier run, or the other variant.
    /// Absent without an answer, and in reports of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallFacts>,
    /// The repeat, from 0.
    pub repeat: u32,
    /// The text of the completion; null without one.
    pub output: Option<String>,
    /// Reasoning that was removed from the front of the text, or came in a field of its own; never graded. Absent where
    /// there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Calls of tools, in order; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The turns before this answer, of a case with several; absent where there are none. Tokens, time and cost are those of
    /// all turns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
    /// The answer before `transform`, or why that could not be applied; absent where it changed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformed: Option<Transformed>,
    /// Whether the text came in the `refusal` field.
    pub refusal: bool,
    /// The passages that an application retrieved; absent where it reported none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contexts: Option<Vec<String>>,
    /// The ids of these passages, in their order; absent where none has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context_ids: Vec<Option<String>>,
    /// Why the model stopped; null without a completion.
    #[schemars(with = "Option<String>")]
    pub finish_reason: Option<FinishReason>,
    /// Tokens; null where the endpoint reported none.
    pub usage: Option<Usage>,
    /// Duration of the successful attempt, from sending to the last byte, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Time from sending to the first token of a stream, in milliseconds; absent without a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// Cost in US dollars, as an application reports it; absent where it reports none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The model that the response named.
    pub model: Option<String>,
    /// The `system_fingerprint` of the response.
    pub system_fingerprint: Option<String>,
    /// Whether the completion came from a cache.
    pub cached: bool,
    /// When it was cached, RFC 3339; absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_at: Option<String>,
    /// The failed attempts before the completion, or before the fault; absent without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The grades, in scorer order; a scorer that does not apply to the case has none.
    pub grades: Vec<Grade>,
    /// The fault that prevented a completion; absent with a completion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
}

/// The grade of a trial by a scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Grade {
    /// The metric that the grade counts for.
    pub scorer: String,
    /// The score in 0 to 1; null where the scorer could not grade. Never 0 for "missing".
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: Option<f64>,
    /// Why there is no score; absent where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ungraded: Option<Ungraded>,
    /// One line that explains the score or its absence.
    pub reason: String,
    /// Evidence: verdicts by statement, quotes, expected and actual values; null where there is none.
    pub details: Value,
    /// Peculiarities: `no_claims`, `unquoted_support`, …
    pub flags: Vec<String>,
    /// Calls and tokens of judging; null for checks.
    pub judging: Option<Judging>,
    /// The opinion of each judge of a panel; absent where one judgement is the grade.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opinions: Vec<Opinion>,
}

/// Why a scorer could not grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ungraded {
    /// The endpoint's fault; null where the judge responded without a valid verdict.
    pub fault: Option<Fault>,
}

impl Trial {
    /// A completed trial.
    pub(super) fn completed(text: &TrialText, role: Role, repeat: u32) -> Self {
        let TrialText { completion, grades } = text;
        Self {
            call: completion.call,
            output: Some(completion.text.clone()),
            reasoning: completion.reasoning.clone(),
            tool_calls: completion.tool_calls.clone(),
            turns: completion.turns.clone(),
            transformed: completion.transformed.clone(),
            refusal: completion.refusal,
            contexts: completion.contexts.clone(),
            context_ids: completion.context_ids.clone(),
            finish_reason: Some(completion.finish_reason.clone()),
            usage: completion.usage,
            latency_ms: Some(completion.latency_ms).filter(|latency| latency.is_finite()),
            ttft_ms: completion.ttft_ms,
            cost_usd: completion.cost_usd,
            model: completion.model.clone(),
            system_fingerprint: completion.system_fingerprint.clone(),
            cached: completion.cached_at.is_some(),
            cached_at: completion.cached_at.and_then(timestamp),
            attempts: completion.attempts.clone(),
            grades: grades.iter().map(Grade::from).collect(),
            error: None,
            ..Self::missing(None, role, repeat)
        }
    }

    /// The trial of a variant; that of a variant other than the sender's is shared.
    #[must_use]
    pub(super) fn of(self, role: Role) -> Self {
        let is_shared = self.role != role;
        let call = self.call.map(|call| if is_shared { CallFacts::spared(CallOrigin::Shared) } else { call });
        Self { role, call, ..self }
    }

    /// A trial without a completion.
    pub(super) fn missing(fault: Option<&Fault>, role: Role, repeat: u32) -> Self {
        Self {
            role,
            call: None,
            repeat,
            output: None,
            reasoning: None,
            tool_calls: Vec::new(),
            turns: Vec::new(),
            transformed: None,
            refusal: false,
            contexts: None,
            context_ids: Vec::new(),
            finish_reason: None,
            usage: None,
            latency_ms: None,
            ttft_ms: None,
            cost_usd: None,
            model: None,
            system_fingerprint: None,
            cached: false,
            cached_at: None,
            attempts: fault.map(|fault| fault.attempts.clone()).unwrap_or_default(),
            grades: Vec::new(),
            // They are beside the fault, once.
            error: fault.map(|fault| Fault { attempts: Vec::new(), ..fault.clone() }),
        }
    }

    /// The completion with its grades.
    ///
    /// # Errors
    /// A message that names a missing field or an invalid grade.
    pub(crate) fn text(&self) -> Result<TrialText, String> {
        let (Some(text), Some(latency_ms), Some(finish_reason)) =
            (&self.output, self.latency_ms, &self.finish_reason)
        else {
            return Err("needs `output`, `latency_ms` and `finish_reason`, or an `error`".to_owned());
        };
        let completion = Completion {
            text: text.clone(),
            reasoning: self.reasoning.clone(),
            tool_calls: self.tool_calls.clone(),
            turns: self.turns.clone(),
            transformed: self.transformed.clone(),
            refusal: self.refusal,
            contexts: self.contexts.clone(),
            context_ids: self.context_ids.clone(),
            finish_reason: finish_reason.clone(),
            usage: self.usage,
            latency_ms,
            ttft_ms: self.ttft_ms,
            cost_usd: self.cost_usd,
            model: self.model.clone(),
            system_fingerprint: self.system_fingerprint.clone(),
            attempts: self.attempts.clone(),
            // Early reports lack the time.
            cached_at: self.cached.then(|| self.cached_at.as_deref().and_then(seconds).unwrap_or(0)),
            call: self.call,
        };
        let grades = self.grades.iter().map(Grade::restore).collect::<Result<_, _>>()?;
        Ok(TrialText { completion, grades })
    }
}

impl Grade {
    fn restore(&self) -> Result<model::Grade, String> {
        let outcome = match (self.score.map(Score::new), &self.ungraded) {
            (Some(Some(score)), None) => Outcome::Score(score),
            (None, Some(ungraded)) => Outcome::Ungraded(ungraded.fault.clone()),
            _ => {
                return Err(format!("the grade of `{}` has no valid score", neutral::terminal(&self.scorer)));
            }
        };
        Ok(model::Grade {
            scorer: self.scorer.clone(),
            outcome,
            reason: self.reason.clone(),
            details: self.details.clone(),
            flags: self.flags.clone(),
            judging: self.judging.clone(),
            opinions: self.opinions.clone(),
        })
    }
}

impl From<&model::Grade> for Grade {
    fn from(grade: &model::Grade) -> Self {
        let ungraded = match &grade.outcome {
            Outcome::Score(_) => None,
            Outcome::Ungraded(fault) => Some(Ungraded { fault: fault.clone() }),
        };
        Self {
            scorer: grade.scorer.clone(),
            score: grade.score(),
            ungraded,
            reason: grade.reason.clone(),
            details: grade.details.clone(),
            flags: grade.flags.clone(),
            judging: grade.judging.clone(),
            opinions: grade.opinions.clone(),
        }
    }
}
