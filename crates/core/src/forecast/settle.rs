//! What would settle the criteria that a run left open, from what the run itself took.

use std::collections::BTreeSet;

use super::Each;
use crate::model::{Decision, MetricKind, Need, Role, Run, ToSettle, TrialResult, Usage};

/// What one answer and one judgement of a run took on average, and how many calls a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// One answer.
    pub answer: Each,
    /// One judgement.
    pub judgement: Each,
    /// Calls of one judgement: more than 1 where the judge had to be asked again.
    pub judgement_calls: f64,
}

/// What answers and judgements of a run took. Answers that it did not ask for itself do not count.
pub fn rates(run: &Run) -> Rates {
    let (mut answers, mut judgements, mut judgement_calls) = (0.0, 0.0, 0.0);
    for trial in &run.trials {
        let elsewhere =
            trial.role == Role::Baseline && (run.cases[trial.case].shared || run.reused_baseline.is_some());
        let TrialResult::Completed(answered) = &trial.result else { continue };
        // What came from a cache took nothing of this run's totals.
        if elsewhere {
            continue;
        }
        answers += f64::from(u8::from(answered.cached_at.is_none()));
        for grade in answered.grades.iter().filter(|grade| !grade.judgements.is_empty()) {
            let asked: u32 = grade.judgements.iter().map(|it| it.calls.saturating_sub(it.cached_calls)).sum();
            judgements += f64::from(u8::from(asked > 0));
            judgement_calls += f64::from(asked);
        }
    }
    let each = |usage: Usage, usd: Option<f64>, count: f64| match count {
        0.0 => Each { usd, ..Each::default() },
        count => Each {
            prompt_tokens: usage.prompt_tokens as f64 / count,
            completion_tokens: usage.completion_tokens as f64 / count,
            usd: usd.map(|usd| usd / count),
        },
    };
    let totals = &run.totals;
    Rates {
        answer: each(totals.completions, totals.completion_cost_usd, answers),
        judgement: each(totals.judgements, totals.judgement_cost_usd, judgements),
        judgement_calls: if judgements > 0.0 { judgement_calls / judgements } else { 0.0 },
    }
}

/// What would settle every criterion that is inconclusive, if its estimate stayed where it is, and what that takes at
/// this run's own rates. `None` where nothing is open, or nothing can be told.
pub fn to_settle(run: &Run, decision: &Decision) -> Option<ToSettle> {
    let open = || decision.criteria.iter().filter_map(|outcome| Some((outcome, outcome.need?)));
    let most = |pick: fn(Need) -> Option<usize>| open().filter_map(|(_, need)| pick(need)).max();
    let repeats = most(|need| if let Need::Repeats(count) = need { Some(count) } else { None });
    // What passed has to pass again, with less alpha for each look.
    let asked = run.repeats.per_case as usize;
    let hold = || decision.repeats_to_hold.iter().filter(|(_, repeats)| **repeats > asked);
    let held = hold().map(|(_, repeats)| repeats - asked).max().unwrap_or(0);
    let repeats = repeats.map(|repeats| repeats.max(held));
    let cases = most(|need| if let Need::Cases(count) = need { Some(count) } else { None });
    repeats.or(cases)?;
    // Only the judges of open criteria, and of what has to pass again, are asked about further repeats, all of them
    // about further cases.
    let judged = |name: &str| {
        let metric = decision.metrics.iter().find(|metric| metric.name == name);
        metric.is_some_and(|metric| metric.kind == MetricKind::Judge)
    };
    let open_judges: BTreeSet<&str> = open()
        .filter(|(_, need)| matches!(need, Need::Repeats(_)))
        .map(|(outcome, _)| outcome.metric.as_str())
        .chain(hold().map(|(metric, _)| metric.as_str()))
        .filter(|metric| judged(metric))
        .collect();
    let all_judges = run.scorers.iter().filter(|scorer| judged(scorer)).count();
    let both = if run.baseline.is_some() && run.reused_baseline.is_none() { 2 } else { 1 };
    let shared = run.cases.iter().filter(|case| case.shared).count();
    // Answers to one repeat of all cases there are, and to one case as often as it was asked.
    let repeat_answers = run.cases.len() * both - if both == 2 { shared } else { 0 };
    let case_answers = both * run.repeats.per_case as usize;
    let answers = (repeats.unwrap_or(0) * repeat_answers + cases.unwrap_or(0) * case_answers) as f64;
    let judgements = (repeats.unwrap_or(0) * repeat_answers * open_judges.len()
        + cases.unwrap_or(0) * case_answers * all_judges) as f64;
    let rates = rates(run);
    let usd = |count: f64, each: Each| if count > 0.0 { each.usd.map(|usd| usd * count) } else { Some(0.0) };
    Some(ToSettle {
        repeats,
        cases,
        calls: (answers + judgements * rates.judgement_calls.max(1.0)).ceil() as u64,
        cost_usd: usd(answers, rates.answer)
            .zip(usd(judgements, rates.judgement))
            .map(|(one, other)| one + other),
    })
}
