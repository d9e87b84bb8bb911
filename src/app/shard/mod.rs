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
pub(super) use part::Part;
pub(crate) use part::ShardResult;
pub(super) use share::{ceilings, narrow};

use super::Environment;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::shard::{InvalidShard, Shard};

/// Which shard to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShardChoice {
    /// The one in the variables of the CI system or batch engine.
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
        let or_auto = |error: InvalidShard| {
            format!("{error}; or auto, in a parallel job of a CI system or batch engine")
        };
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
        ShardChoice::Auto => {
            auto::detect(&|name: &str| environment.variable(name)).map(|found| Some(found.shard))
        }
    }
}

/// Where the shard was read; `None` for one that is named.
pub(super) fn source(choice: Option<ShardChoice>, environment: &Environment) -> Option<String> {
    match choice? {
        ShardChoice::Of(_) => None,
        ShardChoice::Auto => {
            auto::detect(&|name: &str| environment.variable(name)).ok().map(|found| found.source())
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn shard_is_named_or_read_from_variables() {
        let gitlab = environment(&[("CI_NODE_INDEX", "3"), ("CI_NODE_TOTAL", "8")]);
        let choose = |choice, max_repeats| choose(choice, max_repeats, &gitlab);
        assert_eq!(choose(None, Some(9)), Ok(None));
        assert_eq!(choose(Some("2/4".parse().unwrap()), None), Ok(Shard::new(2, 4)));
        assert_eq!(choose(Some(ShardChoice::Auto), None), Ok(Shard::new(3, 8)));
        assert!(choose(Some(ShardChoice::Auto), Some(9)).unwrap_err().message.contains("one look"));
        assert!("5/4".parse::<ShardChoice>().unwrap_err().contains("or auto"));
    }

    #[test]
    fn stale_shard_is_removed_and_other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let shard = Shard::new(1, 2).unwrap();
        for name in [shard.file_name(), "shard-2-of-2.json".to_owned()] {
            testing::write(folder.path(), &name, "{}");
        }
        remove_stale_shard(shard, folder.path()).unwrap();
        remove_stale_shard(shard, folder.path()).unwrap();
        assert!(!folder.path().join(shard.file_name()).exists());
        assert!(folder.path().join("shard-2-of-2.json").exists());
    }

    #[test]
    fn narrowed_suite_takes_one_look() {
        let folder = testing::folder();
        let mut suite = testing::load(&testing::options(folder.path())).unwrap();
        assert!(suite.policy.max_repeats > suite.policy.repeats);
        narrow(Shard::new(1, 2).unwrap(), &mut suite).unwrap();
        assert_eq!(suite.policy.max_repeats, suite.policy.repeats);
    }
}
