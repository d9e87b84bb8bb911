//! `promptgate store`: what the store of answers holds, and making it smaller.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::cli::args::{StoreArguments, StoreCommand, StorePlace};
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::{answers, output, suite};
use promptgate_adapters::load::Tree;
use promptgate_adapters::store::{Statistics, Store};
use promptgate_core::model::{Mistake, Place};

/// A store that is in use is not waited for: looking is cheap to do again.
const PATIENCE: Duration = Duration::ZERO;

/// Carries out the sub-command.
pub(crate) fn store(arguments: &StoreArguments) -> Result<ExitStatus, Failure> {
    match &arguments.command {
        StoreCommand::Stats(place) => {
            let (path, _, store) = open(place)?;
            output::print(&table(&path, &store.statistics()?))?;
        }
        StoreCommand::Prune { place, older_than } => {
            let (path, max_age, store) = open(place)?;
            let age = older_than.or(max_age).ok_or_else(|| {
                Mistake::new("how old may what stays be?")
                    .at(Place::file(path.clone()))
                    .help("say `--older-than 30d`, or set `store.max_age`")
            })?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let removed = store.prune(now.saturating_sub(age).as_secs())?;
            output::print(&removal(removed, &path))?;
        }
        StoreCommand::Clear(place) => {
            let (path, _, store) = open(place)?;
            let removed = store.prune(u64::MAX)?;
            output::print(&removal(removed, &path))?;
        }
    }
    Ok(ExitStatus::Pass)
}

/// The store of a configuration, with its path and the age that it allows.
fn open(place: &StorePlace) -> Result<(String, Option<Duration>, Store), Failure> {
    let found = suite::configured(place.config.as_deref())?;
    let path = answers::path(&found.settings, &Tree::work_tree(&found.folder));
    let shown = path.display().to_string();
    if !path.is_file() {
        return Err(Mistake::new("there is no store yet")
            .at(Place::file(shown))
            .help("`promptgate run` makes one; where it is, `store.path` says")
            .into());
    }
    Ok((shown, found.settings.store.max_age, Store::open(&path, PATIENCE)?))
}

fn removal(removed: u64, path: &str) -> String {
    let entries = if removed == 1 { "entry" } else { "entries" };
    format!("{removed} {entries} removed from {path}\n")
}

fn table(path: &str, statistics: &Statistics) -> String {
    let mut text = format!("{path}, {}\n", bytes(statistics.file_bytes));
    for (name, by_model) in [("answers", &statistics.answers), ("judgements", &statistics.verdicts)] {
        for (model, shelved) in by_model {
            text.push_str(&format!(
                "  {name:<11} {:>9}  {:>9}  {} to {}  {model}\n",
                shelved.entries,
                bytes(shelved.bytes),
                day(shelved.oldest),
                day(shelved.newest),
            ));
        }
    }
    if statistics.answers.is_empty() && statistics.verdicts.is_empty() {
        text.push_str("  empty\n");
    }
    text
}

fn day(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "–".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
