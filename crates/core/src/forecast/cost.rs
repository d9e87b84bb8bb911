//! Calls, tokens and money of a planned run.

use crate::model::Usage;

/// The average cost of one answer, or of one judgement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CallCost {
    /// Tokens of the request.
    pub prompt_tokens: f64,
    /// Tokens of the response.
    pub completion_tokens: f64,
    /// US dollars; `None` if the price is unknown.
    pub usd: Option<f64>,
}

impl CallCost {
    /// The cost of a part or a multiple.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens * factor,
            completion_tokens: self.completion_tokens * factor,
            usd: self.usd.map(|usd| usd * factor),
        }
    }
}

/// Answers and judgements of one repeat of every case, over all variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Answers to requests, each turn of a conversation by itself. A request that both variants share counts once.
    pub answers: u64,
    /// Judgements.
    pub judgements: u64,
}

/// The estimated cost of some repeats of every case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostEstimate {
    /// Repeats of every case.
    pub repeats: u32,
    /// Calls for answers.
    pub answers: u64,
    /// Calls for judgements, without repeated calls after an invalid reply.
    pub judgements: u64,
    /// Tokens of all calls.
    pub tokens: Usage,
    /// US dollars; `None` if a price is unknown.
    pub usd: Option<f64>,
}

/// Estimates the cost of `repeats` repeats of `load`.
pub fn estimate_cost(load: Load, repeats: u32, answer: CallCost, judgement: CallCost) -> CostEstimate {
    let (answers, judgements) = (load.answers * u64::from(repeats), load.judgements * u64::from(repeats));
    let sum = |tokens: fn(&CallCost) -> f64| {
        (answers as f64 * tokens(&answer) + judgements as f64 * tokens(&judgement)).round() as u64
    };
    let usd = |count: u64, cost: CallCost| match count {
        0 => Some(0.0),
        count => cost.usd.map(|usd| usd * count as f64),
    };
    CostEstimate {
        repeats,
        answers,
        judgements,
        tokens: Usage::new(sum(|cost| cost.prompt_tokens), sum(|cost| cost.completion_tokens)),
        usd: usd(answers, answer).zip(usd(judgements, judgement)).map(|(one, other)| one + other),
    }
}
