//! `--shard`: which part of a run this process carries out, and how it does.
//!
//! Which cases belong to it, and how its file is written and read, is said by [`report::shard`](promptgate_report::shard).

mod auto;
mod find;
mod part;
mod plan;
mod share;

use std::path::Path;
use std::str::FromStr;

pub(super) use find::{files_below, find, is_shard};
pub(super) use part::Part;
pub(super) use plan::Facts;
pub(super) use share::{ceilings, take};

use super::args::RunArguments;
use super::environment::variable;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::shard::{NoShard, Shard};

/// What `--shard` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardArgument {
    /// What the variables of the CI system say.
    Auto,
    /// This one.
    Of(Shard),
}

impl FromStr for ShardArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let or_auto = |error: NoShard| format!("{error}; or auto, in a parallel job of a CI system");
        text.parse().map(Self::Of).map_err(or_auto)
    }
}

/// The shard that the arguments ask for; `None` without `--shard`.
///
/// # Errors
/// No shard where `auto` looks, and `--max-repeats`, which a shard cannot follow.
pub(super) fn asked(arguments: &RunArguments) -> Result<Option<Shard>, Diagnostic> {
    let Some(asked) = arguments.shard else { return Ok(None) };
    if arguments.suite.max_repeats.is_some() {
        return Err(Diagnostic::new(
            "a shard takes one look at all its repeats, so it cannot ask for more while undecided",
        )
        .at(Place::file("--max-repeats"))
        .help("say with `--repeats N` how many each shard takes, and leave `--max-repeats` out"));
    }
    match asked {
        ShardArgument::Of(shard) => Ok(Some(shard)),
        ShardArgument::Auto => auto::detect(&variable).map(Some),
    }
}

/// Takes away what an earlier run left in the place of this shard: where this one comes to nothing, a merge must not find
/// the other.
pub(super) fn forget_earlier(shard: Shard, out: &Path) -> Result<(), Diagnostic> {
    let path = out.join(shard.file_name());
    // A folder that is a link is refused before anything is written there.
    if out.is_symlink() {
        return Ok(());
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Diagnostic::new(format!("the shard of an earlier run cannot be taken away: {error}"))
                .at(Place::file(path.display().to_string()))
                .help("remove it, or name another folder with `--out`"))
        }
        _ => Ok(()),
    }
}
