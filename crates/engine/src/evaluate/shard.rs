//! One shard of a run: trials without a decision.

use std::sync::Arc;
use std::time::Duration;

use super::totals::{self, CallCounter};
use super::{Header, adopt_baseline, empty_run, try_judge};
use crate::execute::{Engine, Round};
use promptgate_core::model::{CallTotals, RepeatCounts, Run};

/// The part of a run that a shard executes.
#[derive(Debug)]
pub struct ShardRun<'a> {
    /// Metric names of the whole run; the engine may have only some of them.
    pub scorers: Vec<String>,
    /// Number of repeats of every case.
    pub repeats: u32,
    /// The run whose candidate is the baseline, if any.
    pub earlier: Option<&'a Run>,
}

/// Executes the plan once with every judge. Without a case no call is made, not even for the self-test.
pub async fn execute_shard(
    engine: &Arc<Engine>,
    header: Header,
    shard: ShardRun<'_>,
    counter: &CallCounter,
    elapsed: impl Fn() -> Duration,
) -> Run {
    let ShardRun { scorers, repeats, earlier } = shard;
    let rejection = header.rejection.clone();
    let mut run = empty_run(engine, header, scorers);
    run.repeats = RepeatCounts::all(repeats, run.scorers.len());
    if run.cases.is_empty() {
        run.totals = CallTotals {
            completion_cost_usd: Some(0.0),
            judgement_cost_usd: Some(0.0),
            ..CallTotals::default()
        };
    } else {
        match try_judge(engine, &mut run, rejection).await {
            Some(ended) => run.ended = ended,
            None => {
                let slots = engine.plan.slots(0, repeats);
                let judges = engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
                let result = engine.execute(Round { slots, judges, earlier: Vec::new() }).await;
                run.trials = result.trials;
                run.ended = result.ended;
            }
        }
        run.totals = totals::of(&run, engine, counter);
    }
    if let Some(earlier) = earlier {
        adopt_baseline(&mut run, earlier);
    }
    run.duration_ms = elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    run
}
