//! `--shard`: one shard of a run on several machines.
//!
//! [`report::shard`](promptgate_report::shard) assigns cases to shards, and reads and writes their files.

mod auto;
mod find;
mod part;
mod plan;
mod share;

use std::path::Path;
use std::str::FromStr;

pub(super) use find::{files_below, find, is_shard};
pub(crate) use part::ShardResult;
pub(super) use part::{Part, ShardOutput};
pub(super) use plan::PlanFacts;
pub(super) use share::{ceilings, narrow};

use super::Environment;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::shard::{NoShard, Shard};

/// Which shard to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShardChoice {
    /// The one in the variables of the CI system.
    Auto,
    /// This one.
    Of(Shard),
}

impl FromStr for ShardChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let or_auto = |error: NoShard| format!("{error}; or auto, in a parallel job of a CI system");
        text.parse().map(Self::Of).map_err(or_auto)
    }
}

/// The shard that is chosen; `None` for the whole run.
///
/// # Errors
/// No shard in the variables, and `--max-repeats`, which a shard cannot follow.
pub(super) fn choose(
    choice: Option<ShardChoice>,
    max_repeats: Option<u32>,
    environment: &Environment,
) -> Result<Option<Shard>, Diagnostic> {
    let Some(choice) = choice else { return Ok(None) };
    if max_repeats.is_some() {
        return Err(Diagnostic::new(
            "a shard takes one look at all its repeats, so it cannot ask for more while undecided",
        )
        .at(Place::file("--max-repeats"))
        .help("set the repeats of each shard with `--repeats N`, and leave `--max-repeats` out"));
    }
    match choice {
        ShardChoice::Of(shard) => Ok(Some(shard)),
        ShardChoice::Auto => auto::detect(&|name: &str| environment.variable(name)).map(Some),
    }
}

/// Removes the file of this shard that an earlier run left: if this run fails, a merge must not take the old one.
pub(super) fn remove_stale_shard(shard: Shard, out: &Path) -> Result<(), Diagnostic> {
    let path = out.join(shard.file_name());
    // A folder that is a link is refused before anything is written there.
    if out.is_symlink() {
        return Ok(());
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Diagnostic::new(format!("the shard of an earlier run cannot be removed: {error}"))
                .at(Place::file(path.display().to_string()))
                .help("remove it, or name another folder with `--out`"))
        }
        _ => Ok(()),
    }
}
