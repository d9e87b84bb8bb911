//! A plan in shards: the size of the largest one, and their names for a job matrix.

use std::collections::BTreeMap;

use serde_json::json;

use promptgate_core::gate::Schedule;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_engine::execute::{Plan, Slot};
use promptgate_report::shard::Shard;

/// `{"shard":["1/8",…]}` in one line: `strategy.matrix` of GitHub Actions, by `fromJSON`.
///
/// # Errors
/// Without a number of shards.
pub(crate) fn matrix(shards: Option<u32>) -> Result<String, Diagnostic> {
    let Some(of) = shards else {
        return Err(Diagnostic::new("a matrix needs the number of shards")
            .at(Place::file("--format github-matrix"))
            .help("give it with `--shards N`"));
    };
    let names: Vec<String> = (1..=of).map(|index| Shard { index, of }.to_string()).collect();
    Ok(json!({ "shard": names }).to_string() + "\n")
}

/// Cases of the largest shard, and its slots for one repeat.
pub(super) fn largest(plan: &Plan, of: u32) -> (usize, Vec<Slot>) {
    let index: Vec<u32> = plan.dataset().cases.iter().map(|case| Shard::index_of(&case.id, of)).collect();
    let mut shards: BTreeMap<u32, (usize, Vec<Slot>)> = BTreeMap::new();
    for index in &index {
        shards.entry(*index).or_default().0 += 1;
    }
    for slot in plan.slots(0, 1) {
        if let Some(index) = index.get(slot.case) {
            shards.entry(*index).or_default().1.push(slot);
        }
    }
    shards.into_values().max_by_key(|(cases, slots)| (plan.calls(slots), *cases)).unwrap_or_default()
}

/// A note on how a run in shards differs.
pub(super) fn note(schedule: Schedule, tested: bool) -> String {
    let repeats = schedule.first();
    let more = if schedule.last() > repeats {
        format!(" and never more: --repeats N where {repeats} are too few")
    } else {
        String::new()
    };
    let test = if tested { "; each shard runs the judge's self-test" } else { "" };
    format!("shards: one look at {repeats} repeats, which spends all of alpha{more}{test}")
}
