//! Tokens and cost of one answer and one judgement.

use std::sync::Arc;

use super::{EarlierRun, PlannedRun, amount_of};
use promptgate_core::forecast::{self, CallCost, Load, Rates};
use promptgate_core::model::{SelfTest, TrialResult, Usage};
use promptgate_engine::execute::{Engine, Round};
use promptgate_report::plan::Amount;

/// Cases that the simulated model answers to measure requests.
const SAMPLE: usize = 100;

/// Tokens and cost of one answer and one judgement, as in the earlier run, else as the simulated model answers; and
/// those of the judge's self-test, if there is one.
pub(super) async fn rates(
    planned: &PlannedRun,
    earlier: Option<&EarlierRun>,
    notes: &mut Vec<String>,
) -> (Rates, Option<Amount>) {
    let PlannedRun { engine, settings, .. } = planned;
    let mut rates = match earlier {
        Some(earlier) => {
            notes.push(format!("tokens: the means of {}", earlier.file));
            forecast::rates(&earlier.run)
        }
        None => {
            notes.push(
                "tokens: as the simulated model answers these requests; a real model may write more (--after REPORT \
                 takes them from a run)"
                    .to_owned(),
            );
            simulated(engine).await
        }
    };
    let mut price = |model: &str, each: &mut CallCost| {
        let known = settings.price(model);
        each.usd = known.map(|price| {
            (each.prompt_tokens * price.input_per_million + each.completion_tokens * price.output_per_million)
                / 1e6
        });
        let note = format!("no price of {model}: add it to `prices`");
        if known.is_none() && !notes.contains(&note) {
            notes.push(note);
        }
        if let Some(day) = known.and_then(|price| price.as_of) {
            let note =
                format!("prices as of {day}, of the table that promptgate brings; `prices` overrides it");
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    };
    price(&engine.plan.candidate().facts.model, &mut rates.answer);
    let mut tested = None;
    if let (Some(judge), Some(one)) = (&settings.judge, engine.scorers.judges.first()) {
        // The judgements of a grade share its tokens; each member of the panel has its own price.
        let judgements = one.judgements() as f64;
        rates.judgement.prompt_tokens /= judgements;
        rates.judgement.completion_tokens /= judgements;
        let mut mean_price = |each: &mut CallCost| {
            let mut usd = Some(0.0);
            for member in &judge.panel {
                price(&member.model.value, each);
                usd = usd.zip(each.usd).map(|(sum, one)| sum + one);
            }
            each.usd = usd.map(|sum| sum / judge.panel.len() as f64);
        };
        mean_price(&mut rates.judgement);
        tested = self_test(engine).await;
        if let Some((_, each)) = &mut tested {
            mean_price(each);
        }
    }
    let self_test = tested.map(|(judgements, each)| {
        amount_of(forecast::estimate_cost(Load { answers: 0, judgements }, 1, CallCost::default(), each))
    });
    (rates, self_test)
}

/// Answers a sample of the suite with the simulated model: the requests and their length are the real ones.
async fn simulated(engine: &Arc<Engine>) -> Rates {
    let step = engine.plan.dataset().cases.len().div_ceil(SAMPLE).max(1);
    let slots = engine.plan.slots(0, 1).into_iter().filter(|slot| slot.case % step == 0).collect();
    let judges = engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    let executed = engine.execute(Round { slots, judges, earlier: Vec::new() }).await;
    let (mut answers, mut judgements) = (Vec::new(), Vec::new());
    for trial in &executed.trials {
        if let TrialResult::Completed(answered) = &trial.result {
            answers.extend(answered.usage);
            for grade in answered.grades.iter().filter(|grade| !grade.judgements.is_empty()) {
                let mut usage = Usage::default();
                grade.judgements.iter().for_each(|judgement| usage.add(judgement.usage));
                if engine.scorers.is_pairwise(&grade.scorer) {
                    // Both orders of the answers.
                    let half = Usage::new(usage.prompt_tokens / 2, usage.completion_tokens / 2);
                    judgements.extend([half, half]);
                } else {
                    judgements.push(usage);
                }
            }
        }
    }
    Rates { answer: mean(&answers), judgement: mean(&judgements), judgement_calls: 1.0 }
}

/// The number of judgements in the self-test, and the tokens of one.
async fn self_test(engine: &Arc<Engine>) -> Option<(u64, CallCost)> {
    let tested = engine.self_test().await.unwrap_or_else(|(_, outcome)| outcome);
    let usages = |test: SelfTest| test.rows.into_iter().map(|row| row.judging.usage).collect::<Vec<_>>();
    let calls = engine.scorers.self_test_calls().max(1) as u64;
    tested.map(usages).map(|usages| {
        // A pair is one planted answer and two calls.
        let each = mean(&usages);
        let share = usages.len() as f64 / calls as f64;
        let each = CallCost {
            prompt_tokens: each.prompt_tokens * share,
            completion_tokens: each.completion_tokens * share,
            ..each
        };
        (calls, each)
    })
}

fn mean(usages: &[Usage]) -> CallCost {
    let count = usages.len().max(1) as f64;
    let sum = |of: fn(&Usage) -> u64| usages.iter().map(of).sum::<u64>() as f64;
    CallCost {
        prompt_tokens: sum(|usage| usage.prompt_tokens) / count,
        completion_tokens: sum(|usage| usage.completion_tokens) / count,
        usd: None,
    }
}
