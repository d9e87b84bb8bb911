//! The tasks of a Slurm array, which is a range with a step: `--array=0-7`, `--array=1-99%10`, `--array=0-98:2`.

use super::{Detected, diagnostic, number};
use promptgate_core::model::Diagnostic;
use promptgate_report::shard::{MAX_SHARDS, Shard};

pub(super) const ID: &str = "SLURM_ARRAY_TASK_ID";
const MIN: &str = "SLURM_ARRAY_TASK_MIN";
const MAX: &str = "SLURM_ARRAY_TASK_MAX";
const STEP: &str = "SLURM_ARRAY_TASK_STEP";
const COUNT: &str = "SLURM_ARRAY_TASK_COUNT";

const HELP: &str = "submit one task for each shard as a range, such as `sbatch --array=0-7`; to run one shard again, pass \
                    `--shard k/n`";

/// The shard of a task of an array; `None` outside of one.
///
/// # Errors
/// Missing or invalid variables, and arrays that are not a range.
pub(super) fn detect(read: &impl Fn(&str) -> Option<String>) -> Result<Option<Detected>, Diagnostic> {
    let Some(id) = read(ID) else { return Ok(None) };
    let required = |name: &str| {
        let text = read(name).ok_or_else(|| diagnostic(format!("{ID} is set without {name}")).help(HELP))?;
        number(name, &text, HELP)
    };
    let optional = |name: &str| read(name).map(|text| number(name, &text, HELP)).transpose();
    let id = number(ID, &id, HELP)?;
    let (min, max) = (required(MIN)?, required(MAX)?);
    let step = optional(STEP)?.unwrap_or(1);
    let count = optional(COUNT)?;
    let range = range(id, min, max, step).filter(|(_, of)| count.is_none_or(|count| count == *of));
    let Some((index, of)) = range else {
        let count = count.map_or_else(String::new, |count| format!(", {COUNT} {count}"));
        return Err(diagnostic(format!(
            "the tasks of this array are not a range: {ID} is {id}, {MIN} {min}, {MAX} {max}, {STEP} {step}{count}"
        ))
        .help(HELP));
    };
    let shard = Shard::new(index, of).ok_or_else(|| {
        diagnostic(format!("{COUNT} is {of}: there are at most {MAX_SHARDS} shards")).help(HELP)
    })?;
    let variables = format!("{ID}, {MIN}, {MAX} and {STEP}");
    Ok(Some(Detected { shard, name: "Slurm", variables, parallel: true }))
}

/// The place of a task, from 1, and the number of tasks; `None` where the task is not in the range.
fn range(id: u32, min: u32, max: u32, step: u32) -> Option<(u32, u32)> {
    let (place, last) = (id.checked_sub(min)?, max.checked_sub(min)?);
    let fits = place <= last && place.checked_rem(step)? == 0;
    fits.then_some((place / step + 1, (last / step).saturating_add(1)))
}
