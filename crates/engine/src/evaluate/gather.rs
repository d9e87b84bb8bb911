//! One look's worth of trials without a decision: what a shard of a run does.

use std::sync::Arc;
use std::time::Duration;

use super::totals::{self, CallCounter, Prices};
use super::{Header, adopt_baseline, before_the_first_call, unanswered};
use crate::engine::{Engine, Round};
use promptgate_core::model::{CallTotals, RepeatCounts, Run};

/// What is to be gathered.
#[derive(Debug)]
pub struct Gathering<'a> {
    /// Metric names of the whole run, of which the engine may hold a part.
    pub scorers: Vec<String>,
    /// Repeats of every case.
    pub repeats: u32,
    /// The run whose candidate is the baseline, if there is one.
    pub earlier: Option<&'a Run>,
}

/// Carries out the plan once, at so many repeats, with every judge. Without a case nothing is called, not even for the
/// self-test of the judge.
pub async fn gather(
    engine: &Arc<Engine>,
    header: Header,
    gathering: Gathering<'_>,
    counter: &CallCounter,
    elapsed: impl Fn() -> Duration,
) -> Run {
    let Gathering { scorers, repeats, earlier } = gathering;
    let prices = Prices::of(&header);
    let unfit = header.unfit.clone();
    let mut run = unanswered(engine, header, scorers);
    run.repeats = RepeatCounts::all(repeats, run.scorers.len());
    if run.cases.is_empty() {
        run.totals = CallTotals {
            completion_cost_usd: Some(0.0),
            judgement_cost_usd: Some(0.0),
            ..CallTotals::default()
        };
    } else {
        match before_the_first_call(engine, &mut run, unfit).await {
            Some(ended) => run.ended = ended,
            None => {
                let slots = engine.plan.slots(0, repeats);
                let judges = engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
                let executed = engine.execute(Round { slots, judges, earlier: Vec::new() }).await;
                run.trials = executed.trials;
                run.ended = executed.ended;
            }
        }
        run.totals = totals::of(&run, &prices, engine, counter);
    }
    if let Some(earlier) = earlier {
        adopt_baseline(&mut run, earlier);
    }
    run.duration_ms = elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    run
}
