//! The extra repeats or cases that would settle an inconclusive run, and their cost at the run's own rates.

use std::collections::BTreeSet;

use super::cost::CallCost;
use crate::model::{Decision, MetricKind, Need, Price, Role, Run, ToSettle, TrialResult, Usage};

/// Average costs of a run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Cost of one answer.
    pub answer: CallCost,
    /// Cost of one judgement.
    pub judgement: CallCost,
    /// Calls per judgement: more than 1 if the judge was called again after invalid replies.
    pub judgement_calls: f64,
}

/// The average costs of the answers and judgements of a run, those from a cache included: a run of other answers has to
/// pay for its own. Answers of a reused baseline do not count.
pub fn rates(run: &Run) -> Rates {
    let (mut answers, mut judgements) = (Sum::default(), Sum::default());
    let mut judgement_calls = 0.0;
    let only_judge = run.judge.as_ref().and_then(|judge| judge.panel.first()).map_or("", String::as_str);
    for trial in &run.trials {
        let reused =
            trial.role == Role::Baseline && (run.cases[trial.case].shared || run.reused_baseline.is_some());
        let TrialResult::Completed(answer) = &trial.result else { continue };
        if reused {
            continue;
        }
        let asked = match (trial.role, &run.baseline) {
            (Role::Baseline, Some(baseline)) => &baseline.model,
            _ => &run.candidate.model,
        };
        let price = run.prices.of_answer(asked, answer.by.model.as_deref());
        answers.add(answer.usage, price);
        answers.count += 1.0;
        for grade in answer.grades.iter().filter(|grade| grade.judgements.iter().any(|it| it.calls > 0)) {
            for judgement in &grade.judgements {
                let asked = judgement.by.judge.as_deref().unwrap_or(only_judge);
                let price = run.prices.of_answer(asked, judgement.by.model.as_deref());
                // A judge that replied has used tokens, even if it reports none. One that was not reached has used none.
                let is_known = judgement.usage != Usage::default() || grade.fault.is_some();
                judgements.add(Some(judgement.usage).filter(|_| is_known), price);
                judgement_calls += f64::from(judgement.calls);
            }
            judgements.count += 1.0;
        }
    }
    Rates {
        answer: answers.mean(),
        judgement: judgements.mean(),
        judgement_calls: if judgements.count > 0.0 { judgement_calls / judgements.count } else { 0.0 },
    }
}

/// A sum of tokens and cost.
struct Sum {
    usage: Usage,
    /// `None` where tokens or a price are not known.
    usd: Option<f64>,
    count: f64,
}

impl Default for Sum {
    fn default() -> Self {
        Self { usage: Usage::default(), usd: Some(0.0), count: 0.0 }
    }
}

impl Sum {
    fn add(&mut self, usage: Option<Usage>, price: Option<Price>) {
        self.usage.add(usage.unwrap_or_default());
        let cost = usage.zip(price).map(|(usage, price)| price.cost(usage));
        self.usd = self.usd.zip(cost).map(|(sum, cost)| sum + cost);
    }

    fn mean(&self) -> CallCost {
        let count = self.count.max(1.0);
        CallCost {
            prompt_tokens: self.usage.prompt_tokens as f64 / count,
            completion_tokens: self.usage.completion_tokens as f64 / count,
            usd: self.usd.map(|usd| usd / count),
        }
    }
}

/// The repeats or cases that would settle every inconclusive criterion if its estimate stayed the same, and their cost at
/// this run's rates. `None` if no criterion is inconclusive, or none has a known need.
pub fn to_settle(run: &Run, decision: &Decision) -> Option<ToSettle> {
    let open = || decision.criteria.iter().filter_map(|outcome| Some((outcome, outcome.need?)));
    let largest = |count: fn(Need) -> Option<usize>| open().filter_map(|(_, need)| count(need)).max();
    let repeats = largest(|need| if let Need::Repeats(count) = need { Some(count) } else { None });
    // Criteria that passed have to pass again, with less alpha at each look.
    let planned = run.repeats.per_case as usize;
    let to_hold = || decision.repeats_to_hold.iter().filter(|(_, repeats)| **repeats > planned);
    let holding = to_hold().map(|(_, repeats)| repeats - planned).max().unwrap_or(0);
    let repeats = repeats.map(|repeats| repeats.max(holding));
    let cases = largest(|need| if let Need::Cases(count) = need { Some(count) } else { None });
    repeats.or(cases)?;
    // Further repeats need only the judges of open criteria and of those that have to pass again; further cases need all
    // judges.
    let judged = |name: &str| {
        let metric = decision.metrics.iter().find(|metric| metric.name == name);
        metric.is_some_and(|metric| metric.kind == MetricKind::Judge)
    };
    let open_judges: BTreeSet<&str> = open()
        .filter(|(_, need)| matches!(need, Need::Repeats(_)))
        .map(|(outcome, _)| outcome.metric.as_str())
        .chain(to_hold().map(|(metric, _)| metric.as_str()))
        .filter(|metric| judged(metric))
        .collect();
    let all_judges = run.scorers.iter().filter(|scorer| judged(scorer)).count();
    let variants = if run.baseline.is_some() && run.reused_baseline.is_none() { 2 } else { 1 };
    let shared = run.cases.iter().filter(|case| case.shared).count();
    // Answers in one more repeat of all cases, and in all repeats of one more case.
    let repeat_answers = run.cases.len() * variants - if variants == 2 { shared } else { 0 };
    let case_answers = variants * planned;
    let answers = (repeats.unwrap_or(0) * repeat_answers + cases.unwrap_or(0) * case_answers) as f64;
    let judgements = (repeats.unwrap_or(0) * repeat_answers * open_judges.len()
        + cases.unwrap_or(0) * case_answers * all_judges) as f64;
    let rates = rates(run);
    let usd =
        |count: f64, cost: CallCost| if count > 0.0 { cost.usd.map(|usd| usd * count) } else { Some(0.0) };
    Some(ToSettle {
        repeats,
        cases,
        calls: (answers + judgements * rates.judgement_calls.max(1.0)).ceil() as u64,
        cost_usd: usd(answers, rates.answer)
            .zip(usd(judgements, rates.judgement))
            .map(|(one, other)| one + other),
    })
}
