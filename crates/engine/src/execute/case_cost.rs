//! Ends a run whose candidate costs many times the baseline a case: a change could otherwise multiply what its own
//! evaluation costs.

use super::plan::Roles;
use promptgate_core::model::{Fault, FaultKind, Role, Usage};

/// Answers of each variant from which their costs are compared.
const MIN_ANSWERS: u32 = 6;

/// How much a case of the candidate may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaseCostLimit {
    /// Times the baseline's cost.
    pub factor: f64,
    /// US dollars per million input and output tokens of the candidate and of the baseline; without both, tokens are
    /// compared.
    pub prices: Option<[(f64, f64); 2]>,
}

impl CaseCostLimit {
    /// The cost of an answer: dollars, or tokens.
    pub fn cost(&self, role: Role, prompt_tokens: f64, completion_tokens: f64) -> f64 {
        match self.prices {
            Some([candidate, baseline]) => {
                let (input, output) = if role == Role::Candidate { candidate } else { baseline };
                (prompt_tokens * input + completion_tokens * output) / 1e6
            }
            None => prompt_tokens + completion_tokens,
        }
    }

    /// The fault of a candidate that costs this many times the baseline.
    pub fn fault(&self, times: f64) -> Option<Fault> {
        let unit = if self.prices.is_some() { "dollars" } else { "tokens" };
        (times > self.factor).then(|| {
            Fault::new(
                FaultKind::BudgetSpent,
                format!(
                    "a case of the candidate costs {times:.1} times the baseline in {unit}, more than the {} of \
                     budget.case_factor",
                    self.factor
                ),
            )
            .help("raise `budget.case_factor` in a change of its own, or make the prompt cheaper")
        })
    }
}

/// The cost of the answers so far.
#[derive(Debug, Clone, Default)]
pub(super) struct CaseCost {
    limit: Option<CaseCostLimit>,
    candidate: (f64, u32),
    baseline: (f64, u32),
}

impl CaseCost {
    pub(super) fn new(limit: Option<CaseCostLimit>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Counts an answer; returns the fault that ends the run.
    pub(super) fn count(&mut self, roles: Roles, usage: Option<Usage>) -> Option<Fault> {
        let (limit, usage) = (self.limit?, usage?);
        let Roles::One(role) = roles else { return None };
        let side = if role == Role::Candidate { &mut self.candidate } else { &mut self.baseline };
        side.0 += limit.cost(role, usage.prompt_tokens as f64, usage.completion_tokens as f64);
        side.1 += 1;
        let mean = |(cost, answers): (f64, u32)| (answers >= MIN_ANSWERS).then(|| cost / f64::from(answers));
        let (ours, theirs) = mean(self.candidate).zip(mean(self.baseline))?;
        if theirs > 0.0 { limit.fault(ours / theirs) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(prompt_tokens: u64, completion_tokens: u64) -> Option<Usage> {
        Some(Usage::new(prompt_tokens, completion_tokens))
    }

    /// The answer with which the run ends, if it does within a hundred of each variant.
    fn ends_at(limit: CaseCostLimit, candidate: Option<Usage>, baseline: Option<Usage>) -> Option<u32> {
        let mut cost = CaseCost::new(Some(limit));
        (1..=100).find(|_| {
            let theirs = cost.count(Roles::One(Role::Baseline), baseline);
            cost.count(Roles::One(Role::Candidate), candidate).or(theirs).is_some()
        })
    }

    #[test]
    fn candidate_of_many_times_the_cost_ends_the_run() {
        let tokens = CaseCostLimit { factor: 3.0, prices: None };
        assert_eq!(ends_at(tokens, usage(100, 100), usage(100, 100)), None);
        assert_eq!(ends_at(tokens, usage(100, 499), usage(100, 100)), None);
        assert_eq!(ends_at(tokens, usage(100, 20_000), usage(100, 100)), Some(MIN_ANSWERS));
        assert_eq!(ends_at(tokens, None, usage(100, 100)), None);
        let dearer = CaseCostLimit { factor: 3.0, prices: Some([(10.0, 40.0), (1.0, 4.0)]) };
        assert_eq!(ends_at(dearer, usage(100, 100), usage(100, 100)), Some(MIN_ANSWERS));
        let fault = dearer.fault(10.0).expect("above the factor");
        assert!(fault.message.contains("10.0 times") && fault.kind == FaultKind::BudgetSpent);
    }

    #[test]
    fn shared_answers_are_not_counted() {
        let mut cost = CaseCost::new(Some(CaseCostLimit { factor: 1.0, prices: None }));
        assert!((0..100).all(|_| cost.count(Roles::Both, usage(1, 1_000_000)).is_none()));
    }
}
