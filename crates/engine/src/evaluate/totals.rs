//! Calls, tokens and dollars of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::execute::Engine;
use promptgate_core::model::{CallTotals, Purpose, Role, Run, TrialResult, Usage};
use promptgate_core::port::{Event, EventSink};

/// A sink that counts calls and passes events on.
pub struct CallCounter {
    inner: Arc<dyn EventSink>,
    calls: AtomicU64,
    judgements: AtomicU64,
    /// Time of the oldest cache entry that was used.
    oldest_hit: AtomicU64,
}

impl CallCounter {
    /// Creates a counter that passes events on to `inner`.
    pub fn new(inner: Arc<dyn EventSink>) -> Self {
        Self {
            inner,
            calls: AtomicU64::new(0),
            judgements: AtomicU64::new(0),
            oldest_hit: AtomicU64::new(u64::MAX),
        }
    }

    /// Number of calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl EventSink for CallCounter {
    fn emit(&self, event: Event) {
        match event {
            Event::CallStarted => {
                self.calls.fetch_add(1, Ordering::Relaxed);
            }
            Event::CacheHit { purpose, at } => {
                self.judgements.fetch_add(u64::from(purpose == Purpose::Judgement), Ordering::Relaxed);
                self.oldest_hit.fetch_min(at, Ordering::Relaxed);
            }
            _ => {}
        }
        self.inner.emit(event);
    }
}

/// Adds up the self-test and the trials. A completion that both variants share counts once.
pub(super) fn of(run: &Run, engine: &Engine, counter: &CallCounter) -> CallTotals {
    let cost = |usage: Usage, asked: &str, answered: Option<&str>| {
        Some(run.prices.of_answer(asked, answered)?.cost(usage))
    };
    let only_judge = run.judge.as_ref().and_then(|judge| judge.panel.first()).map_or("", String::as_str);
    let mut totals = CallTotals {
        calls: counter.calls(),
        cached_judgements: counter.judgements.load(Ordering::Relaxed),
        cached_since: Some(counter.oldest_hit.load(Ordering::Relaxed)).filter(|at| *at < u64::MAX),
        completion_cost_usd: Some(0.0),
        judgement_cost_usd: Some(0.0),
        ..CallTotals::default()
    };
    let mut add_judgement = |usage: Usage, model: &str, answered: Option<&str>, was_reached: bool| {
        totals.judgements.add(usage);
        // A judge that replied has used tokens, even if it reports none. One that was not reached has used none.
        let is_known = usage != Usage::default() || !was_reached;
        let cost = if is_known { cost(usage, model, answered) } else { None };
        totals.judgement_cost_usd = totals.judgement_cost_usd.zip(cost).map(|(sum, cost)| sum + cost);
    };
    let planted = run.judge.iter().flat_map(|judge| &judge.self_test).flat_map(|test| &test.rows);
    for row in planted {
        let was_called = row.judging.calls > row.judging.cached_calls();
        let answered = row.judging.model.as_deref();
        add_judgement(row.judging.fresh_usage(), &row.judge, answered, was_called);
    }
    for trial in &run.trials {
        if trial.role == Role::Baseline && (run.cases[trial.case].shared || run.reused_baseline.is_some()) {
            continue;
        }
        let TrialResult::Completed(completed) = &trial.result else { continue };
        let variant = match (trial.role, engine.plan.baseline()) {
            (Role::Baseline, Some(baseline)) => baseline,
            _ => engine.plan.candidate(),
        };
        if completed.cached_at.is_some() {
            totals.cached += 1;
        } else {
            totals.completions.add(completed.usage.unwrap_or_default());
            // Without a reported cost and without usage the cost is unknown.
            let answered = completed.by.model.as_deref();
            let computed = || cost(completed.usage?, &variant.facts.model, answered);
            let cost = completed.cost_usd.or_else(computed);
            totals.completion_cost_usd = totals.completion_cost_usd.zip(cost).map(|(sum, cost)| sum + cost);
        }
        for grade in &completed.grades {
            for judgement in &grade.judgements {
                let model = judgement.by.judge.as_deref().unwrap_or(only_judge);
                let was_called = judgement.calls > judgement.cached_calls;
                let was_reached = was_called && grade.fault.is_none();
                add_judgement(judgement.fresh_usage, model, judgement.by.model.as_deref(), was_reached);
            }
        }
    }
    totals
}
