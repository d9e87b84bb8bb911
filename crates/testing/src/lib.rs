//! Support for tests of several crates: a scripted model, a ledger in memory, a simulated GitHub, readers of Markdown
//! and of workflow commands, and the conformance suite of registries.

pub mod forge;
pub mod github;
mod ledger;
mod model;
pub mod registry;
mod rollout;
pub mod runner;

pub use ledger::MemoryLedger;
pub use model::{Call, RecordedEvents, Reply, ScriptedModel, completion, request, request_of};
pub use rollout::rollout_start;

use promptgate_core::model::{Completion, Grade, TrialResult};

/// Edits the completion and the grades of a trial whose text is in memory.
pub fn edit_answer(result: &mut TrialResult, edit: impl FnOnce(&mut Completion, &mut Vec<Grade>)) {
    if let TrialResult::Completed(summary) = result
        && let Some(mut text) = summary.in_memory().cloned()
    {
        edit(&mut text.completion, &mut text.grades);
        *result = TrialResult::completed(text.completion, text.grades);
    }
}
