//! `promptgate cache`: what the cache of answers holds, and making it smaller.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::cli::args::{CacheArguments, CacheCommand, CachePlace};
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::{answers, output, suite};
use promptgate_adapters::cache::{Cache, Statistics};
use promptgate_adapters::load::Tree;
use promptgate_core::model::{Diagnostic, Place};

/// A cache that is in use is not waited for: looking is cheap to do again.
const PATIENCE: Duration = Duration::ZERO;

/// Carries out the sub-command.
pub(crate) fn cache(arguments: &CacheArguments) -> Result<ExitStatus, Failure> {
    match &arguments.command {
        CacheCommand::Stats(place) => {
            let (path, _, cache) = open(place)?;
            output::print(&table(&path, &cache.statistics()?))?;
        }
        CacheCommand::Prune { place, older_than } => {
            let (path, max_age, cache) = open(place)?;
            let age = older_than.or(max_age).ok_or_else(|| {
                Diagnostic::new("how old may what stays be?")
                    .at(Place::file(path.clone()))
                    .help("say `--older-than 30d`, or set `cache.max_age`")
            })?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let removed = cache.prune(now.saturating_sub(age).as_secs())?;
            output::print(&removal(removed, &path))?;
        }
        CacheCommand::Clear(place) => {
            let (path, _, cache) = open(place)?;
            let removed = cache.prune(u64::MAX)?;
            output::print(&removal(removed, &path))?;
        }
    }
    Ok(ExitStatus::Pass)
}

/// The cache of a configuration, with its path and the age that it allows.
fn open(place: &CachePlace) -> Result<(String, Option<Duration>, Cache), Failure> {
    let found = suite::configured(place.config.as_deref())?;
    let path = answers::path(&found.settings, &Tree::work_tree(&found.folder));
    let shown = path.display().to_string();
    if !path.is_file() {
        return Err(Diagnostic::new("there is no cache yet")
            .at(Place::file(shown))
            .help("`promptgate run` makes one; where it is, `cache.path` says")
            .into());
    }
    Ok((shown, found.settings.cache.max_age, Cache::open(&path, PATIENCE)?))
}

fn removal(removed: u64, path: &str) -> String {
    let entries = if removed == 1 { "entry" } else { "entries" };
    format!("{removed} {entries} removed from {path}\n")
}

fn table(path: &str, statistics: &Statistics) -> String {
    let mut text = format!("{path}, {}\n", bytes(statistics.file_bytes));
    for (name, by_model) in [("answers", &statistics.completions), ("judgements", &statistics.judgements)] {
        for (model, stats) in by_model {
            text.push_str(&format!(
                "  {name:<11} {:>9}  {:>9}  {} to {}  {model}\n",
                stats.entries,
                bytes(stats.bytes),
                day(stats.oldest),
                day(stats.newest),
            ));
        }
    }
    if statistics.completions.is_empty() && statistics.judgements.is_empty() {
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
