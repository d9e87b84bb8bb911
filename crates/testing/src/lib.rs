//! Support for the tests of several crates; never part of the program.

pub mod forge;
pub mod runner;

use promptgate_core::model::{Completion, Grade, TrialResult};

/// Changes the text of an answer that is in memory.
pub fn edit_answer(result: &mut TrialResult, change: impl FnOnce(&mut Completion, &mut Vec<Grade>)) {
    if let TrialResult::Completed(answered) = result
        && let Some(mut spoken) = answered.in_memory().cloned()
    {
        change(&mut spoken.completion, &mut spoken.grades);
        *result = TrialResult::completed(spoken.completion, spoken.grades);
    }
}
