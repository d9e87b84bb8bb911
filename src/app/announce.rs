//! The two lines before the first call: the planned requests, the number of calls and their estimated cost.

use std::cmp::Ordering;

use super::{CacheMode, CallOptions};
use crate::config::Settings;
use promptgate_core::forecast::{self, CallCost, CostEstimate, Load};
use promptgate_core::gate::Schedule;
use promptgate_core::port::Event;
use promptgate_core::text::{count, counted};
use promptgate_engine::evaluate;
use promptgate_engine::execute::{Engine, Slot};
use promptgate_engine::judge::Judge;

/// Columns of a line that every terminal shows without a break.
const MAX_LINE: usize = 80;
/// Requests that are measured.
const SAMPLE: usize = 50;
/// Bytes of text in a token, as in English.
pub(super) const BYTES_PER_TOKEN: f64 = 4.0;
/// Assumed tokens of an answer.
pub(super) const ANSWER_TOKENS: f64 = 100.0;
/// Assumed tokens of a judge's instructions, beside the case and the answer.
const INSTRUCTION_TOKENS: f64 = 700.0;
/// Assumed tokens of a judgement.
const JUDGEMENT_TOKENS: f64 = 150.0;

/// Emits the cost estimate and the plan of the first look. `cached` says whether there is a cache.
pub(super) fn announce(
    engine: &Engine,
    schedule: Schedule,
    settings: &Settings,
    calls: CallOptions,
    cached: bool,
) {
    let dataset = &engine.plan.dataset().facts;
    if [" with ", "UTF-16", "read as "].iter().any(|words| dataset.format.contains(words)) {
        engine.sink.emit(Event::Note { message: format!("{} is read as {}", dataset.path, dataset.format) });
    }
    let planned = evaluate::planned(engine, 0, schedule.first(), engine.scorers.judges.len());
    if let Event::Planned { cases, completions, .. } = &planned {
        let judgements = load(engine, &engine.plan.slots(0, schedule.first())).judgements;
        let judged = match (judgements, &engine.scorers.planted) {
            (0, _) => String::new(),
            (judgements, planted) => {
                let after = if planted.is_some() { " after a self-test" } else { "" };
                format!(" and {}{after}", counted(judgements, "judgement"))
            }
        };
        let answers = counted(*completions as u64, "answer");
        let requested = format!("{answers} to {}{judged}", counted(*cases as u64, "case"));
        let note = |message| engine.sink.emit(Event::Note { message });
        if calls.cache == CacheMode::CachedOnly {
            note(format!("looking up {requested} in the cache; no calls"));
        } else {
            note(format!("requesting {requested}"));
            note(estimate(engine, schedule, settings, calls, cached));
        }
    }
    let self_test = engine.scorers.self_test_calls();
    if self_test > 0 {
        engine.sink.emit(Event::SelfTestPlanned { calls: self_test });
    }
    engine.sink.emit(planned);
}

/// The calls that answers need.
pub(super) fn load(engine: &Engine, slots: &[Slot]) -> Load {
    let answers = slots.len() as u64;
    let judgements = |is_pairwise| -> u64 {
        let judges = engine.scorers.judges.iter().filter(|judge| judge.is_pairwise() == is_pairwise);
        judges.map(Judge::judgements).sum::<usize>() as u64
    };
    // A pair is judged in both orders. The pair of a shared answer is a tie without a call.
    let of_pairs = 2 * judgements(true) * pairs(engine, answers);
    Load { answers: engine.plan.calls(slots) as u64, judgements: answers * judgements(false) + of_pairs }
}

/// The pairs among answers.
fn pairs(engine: &Engine, answers: u64) -> u64 {
    let of_a_repeat = engine.plan.slots(0, 1).len() as u64;
    let unshared = engine.plan.shared().iter().filter(|shared| !**shared).count() as u64;
    (answers * unshared).checked_div(of_a_repeat).unwrap_or_default()
}

/// Calls and cost of the first look, and calls of the whole schedule; what does not fit the line is left out.
fn estimate(
    engine: &Engine,
    schedule: Schedule,
    settings: &Settings,
    calls: CallOptions,
    cached: bool,
) -> String {
    let load = load(engine, &engine.plan.slots(0, 1));
    let (answer, judgement) = each(engine, settings);
    let cost = |load, repeats| forecast::estimate_cost(load, repeats, answer, judgement);
    let tested = cost(Load { answers: 0, judgements: engine.scorers.self_test_calls() as u64 }, 1);
    let (first, last) = (cost(load, schedule.first()), cost(load, schedule.last()));
    let with_test = |cost: &CostEstimate| cost.answers + cost.judgements + tested.judgements;
    let ceiling = calls.ceilings.calls.or(settings.budget.calls).unwrap_or(u64::MAX);
    let money = match first.usd.zip(tested.usd) {
        _ if calls.offline => "no cost".to_owned(),
        Some((usd, tested)) => format!("about ${:.2}{}", usd + tested, as_of(settings)),
        None => "price not known".to_owned(),
    };
    let (now, most) = (with_test(&first), with_test(&last).min(ceiling));
    let more = match most.cmp(&now) {
        Ordering::Greater => format!(", up to {} while undecided", count(most)),
        Ordering::Equal => String::new(),
        Ordering::Less => format!(", stopped at {} by the budget", count(most)),
    };
    let mut line = format!("{}{more}, {money}", counted(now, "call"));
    // Hits cannot be counted before the run: a judgement's request holds the answer.
    let cached = if cached { " (cached: free)" } else { "" };
    for part in ["; Ctrl-C writes a report", cached] {
        if line.len() + part.len() <= MAX_LINE {
            match part {
                _ if part == cached => line.insert_str(line.find(';').unwrap_or(line.len()), part),
                _ => line.push_str(part),
            }
        }
    }
    line
}

/// ` at prices as of 2026-07-24`, where a price is of the built-in table.
pub(super) fn as_of(settings: &Settings) -> String {
    settings.prices_as_of().map_or_else(String::new, |day| format!(" at prices as of {day}"))
}

/// Estimated tokens and price of one answer and one judgement, by the length of a sample of requests.
fn each(engine: &Engine, settings: &Settings) -> (CallCost, CallCost) {
    let slots = engine.plan.slots(0, 1);
    let step = slots.len().div_ceil(SAMPLE).max(1);
    let (mut bytes, mut count) = (0, 0);
    for slot in slots.into_iter().step_by(step) {
        let Ok(request) = engine.plan.request(slot, &[]) else { continue };
        bytes += request.messages.iter().map(|message| message.content.len()).sum::<usize>();
        count += 1;
    }
    let request_tokens = bytes as f64 / f64::from(count.max(1)) / BYTES_PER_TOKEN;
    let priced = |models: &[&str], prompt_tokens: f64, completion_tokens: f64| {
        let price = |model: &&str| {
            let price = settings.price(model)?;
            Some(
                (prompt_tokens * price.input_per_million + completion_tokens * price.output_per_million)
                    / 1e6,
            )
        };
        let prices: Option<Vec<f64>> = models.iter().map(price).collect();
        let usd = prices.map(|prices| prices.iter().sum::<f64>() / prices.len().max(1) as f64);
        CallCost { prompt_tokens, completion_tokens, usd }
    };
    let mut answering = vec![engine.plan.candidate().facts.model.as_str()];
    answering.extend(engine.plan.baseline().map(|variant| variant.facts.model.as_str()));
    let panel = settings.judge.as_ref().map_or(&[][..], |judge| &judge.panel);
    let judging: Vec<&str> = panel.iter().map(|member| member.model.value.as_str()).collect();
    (
        priced(&answering, request_tokens, ANSWER_TOKENS),
        priced(&judging, request_tokens + ANSWER_TOKENS + INSTRUCTION_TOKENS, JUDGEMENT_TOKENS),
    )
}
