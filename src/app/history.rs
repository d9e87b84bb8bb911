//! The runs of a suite over time, from saved reports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::files::{Links, is_special, read_text, write_whole};
use super::report_files::DEFAULT_FOLDER;
use super::{Failure, mismatch, shard};
use promptgate_adapters::files::digest_of_bytes;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::Format;
use promptgate_report::history::{self, History, SavedRun, SkippedReport};

/// Largest report that is read, in bytes.
pub(super) const MAX_BYTES: u64 = 1 << 30;
/// Bytes of a file that tell whether it is a report: its schema comes first.
const HEAD_BYTES: u64 = 4096;
/// The schema of reports, of any version.
const REPORT_SCHEMA: &str = "\"promptgate.report/";

/// Which reports.
#[derive(Debug, Clone)]
pub(crate) struct HistoryOptions {
    /// Reports, and folders that are searched for them; none for the default folder.
    pub(crate) paths: Vec<PathBuf>,
    /// The suite; `None` for the one with most reports.
    pub(crate) suite: Option<String>,
}

/// A history with warnings.
#[derive(Debug)]
pub(crate) struct FoundHistory {
    /// The history.
    pub(crate) history: History,
    /// A warning for each skipped file, except partial runs found in a folder and copies.
    pub(crate) warnings: Vec<String>,
}

/// Reads the reports and makes the history of one suite.
///
/// # Errors
/// A path that does not exist, and no report of the suite.
pub(crate) fn find(options: &HistoryOptions) -> Result<FoundHistory, Failure> {
    let default = [PathBuf::from(DEFAULT_FOLDER)];
    let paths = if options.paths.is_empty() { &default[..] } else { &options.paths };
    let mut skipped = Vec::new();
    let mut saved: Vec<(String, SavedRun)> = Vec::new();
    let mut digests = BTreeSet::new();
    for file in files(paths)? {
        let shown = file.path.display().to_string();
        let skip = |reason: String| SkippedReport { report: shown.clone(), reason };
        match read(&file.path) {
            // Count a copied report once.
            Ok((_, digest)) if !digests.insert(digest.clone()) => {}
            Ok((run, _)) => match mismatch::partial(&run.dataset) {
                Some(_) if !file.is_named => {}
                Some(diagnostic) => skipped.push(skip(diagnostic.message)),
                None => saved.push((shown, run)),
            },
            Err(reason) => skipped.push(skip(reason)),
        }
    }
    let Some(suite) = options.suite.clone().or_else(|| most_frequent(&saved)) else {
        return Err(none(paths, &skipped, None));
    };
    let (of_suite, others): (Vec<_>, Vec<_>) = saved.into_iter().partition(|(_, run)| run.name == suite);
    skipped.extend(
        others
            .into_iter()
            .map(|(report, run)| SkippedReport { report, reason: format!("from the suite `{}`", run.name) }),
    );
    let warnings =
        skipped.iter().map(|skipped| format!("skipped {}: {}", skipped.report, skipped.reason)).collect();
    match History::of(&suite, of_suite, skipped.clone()) {
        Some(history) => Ok(FoundHistory { history, warnings }),
        None => Err(none(paths, &skipped, Some(&suite))),
    }
}

/// Writes the text of a history to a file.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn write(path: &Path, text: &[u8]) -> Result<(), Failure> {
    if is_special(path) {
        let found = if path.is_dir() { "expected a file, found a folder" } else { "expected a regular file" };
        return Err(Diagnostic::new(found)
            .at(Place::file("--out"))
            .help("name a file: `--out history.html`; without `--out` the history goes to standard output")
            .into());
    }
    write_whole(path, |file| file.write_all(text))
}

fn none(paths: &[PathBuf], skipped: &[SkippedReport], suite: Option<&str>) -> Failure {
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let of_suite = suite.map_or_else(String::new, |suite| format!(" of the suite `{suite}`"));
    let message = match skipped {
        [] => format!("no report{of_suite} found"),
        [one] => format!("no report{of_suite} found: skipped {}: {}", one.report, one.reason),
        [one, others @ ..] => format!(
            "no report{of_suite} found: skipped {}: {}; and {} more",
            one.report,
            one.reason,
            others.len()
        ),
    };
    Diagnostic::new(message)
        .at(Place::file(shown.join(", ")))
        .help("keep the report of each run, as with `promptgate run --out reports/$(date +%F)`, and name the folder")
        .into()
}

/// The suite with most reports; of equals, the first by name.
fn most_frequent(saved: &[(String, SavedRun)]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    saved.iter().for_each(|(_, run)| *counts.entry(run.name.as_str()).or_default() += 1);
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(name, _)| name.to_owned())
}

/// A file that may be a report.
pub(super) struct ReportFile {
    /// Its path.
    pub(super) path: PathBuf,
    /// Whether it was named, not found in a folder.
    is_named: bool,
}

/// The reports that are named, and those below the folders that are named, by path.
///
/// # Errors
/// A path that does not exist or cannot be read.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<ReportFile>, Failure> {
    let mut files: BTreeMap<PathBuf, bool> = BTreeMap::new();
    for path in paths {
        let refuse = |error: std::io::Error| {
            Diagnostic::new(format!("cannot read: {error}"))
                .at(Place::file(path.display().to_string()))
                .help("name reports that `promptgate run` wrote, or the folder that holds them")
        };
        if std::fs::metadata(path).map_err(refuse)?.is_dir() {
            let found = shard::files_below(path, &|name| name.ends_with(".json")).map_err(refuse)?;
            for file in found.into_iter().filter(|file| is_report(file)) {
                files.entry(file).or_insert(false);
            }
        } else {
            files.insert(path.clone(), true);
        }
    }
    Ok(files.into_iter().map(|(path, is_named)| ReportFile { path, is_named }).collect())
}

/// Whether a file has the name of a report, or starts like one.
fn is_report(path: &Path) -> bool {
    if path.file_name().is_some_and(|name| Format::Json.file_name() == name.to_str()) {
        return true;
    }
    let is_file = std::fs::metadata(path).is_ok_and(|facts| facts.is_file());
    let mut head = Vec::new();
    let read = || File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    is_file && { read }().is_ok() && String::from_utf8_lossy(&head).contains(REPORT_SCHEMA)
}

/// Reads the head of a report, with the digest of the file; a reason where it cannot be read.
fn read(path: &Path) -> Result<(SavedRun, String), String> {
    let text = read_text(path, "report", MAX_BYTES, Links::Follow)?;
    let run = history::read(&path.display().to_string(), &text).map_err(|diagnostic| diagnostic.message)?;
    Ok((run, digest_of_bytes(text.as_bytes())))
}
