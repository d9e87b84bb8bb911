//! `promptgate cache`: shows the cache of answers, and removes entries.

use jiff::Timestamp;

use crate::app::Failure;
use crate::app::cache::Maintenance;
use crate::cli::args::{CacheArguments, CacheCommand};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_adapters::cache::Statistics;

/// Runs the sub-command.
pub(super) fn cache(arguments: &CacheArguments) -> Result<ExitStatus, Failure> {
    let text = match &arguments.command {
        CacheCommand::Stats(selection) => {
            let cache = Maintenance::open(selection.config.as_deref())?;
            table(&cache.path, &cache.statistics()?)
        }
        CacheCommand::Prune { cache, older_than } => {
            let cache = Maintenance::open(cache.config.as_deref())?;
            let path = cache.path.clone();
            removed(cache.prune(*older_than)?, &path)
        }
        CacheCommand::Clear(selection) => {
            let cache = Maintenance::open(selection.config.as_deref())?;
            let path = cache.path.clone();
            removed(cache.clear()?, &path)
        }
    };
    output::print(&text)?;
    Ok(ExitStatus::Pass)
}

fn removed(count: u64, path: &str) -> String {
    let entries = if count == 1 { "entry" } else { "entries" };
    format!("{count} {entries} removed from {path}\n")
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
