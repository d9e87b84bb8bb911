//! Finds and reads the shard files below some folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::cache::refuse_tracked;
use crate::app::files::{Links, read_text};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_report::FileSpool;
use promptgate_report::shard::{self, Shard, ShardFile};

/// The largest shard that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// Depth to which folders are searched.
const MAX_DEPTH: usize = 16;

/// The shard files of some folders.
#[derive(Debug, Default)]
pub(in crate::app) struct ShardFiles {
    /// Shards, each with the path of its file.
    pub(in crate::app) shards: Vec<(String, ShardFile)>,
    /// Errors in files that are not valid shards.
    pub(in crate::app) damaged: Vec<Diagnostic>,
    /// The shards that these would be by their names.
    pub(in crate::app) refused: Vec<Shard>,
}

/// Reads every `shard-*.json` in these folders and below them; a file may be named as well. Trials move to the spool, if
/// there is one.
///
/// # Errors
/// A folder that is missing or cannot be read, and folders without any shard.
pub(in crate::app) fn find(
    named: &[PathBuf],
    spool: Option<&Arc<FileSpool>>,
) -> Result<ShardFiles, Diagnostic> {
    let paths = paths(named)?;
    let mut files = ShardFiles::default();
    for path in paths {
        let file = path.display().to_string();
        let text = read_text(&path, "shard", MAX_BYTES, Links::Refuse)
            .map_err(|message| Diagnostics::from(Diagnostic::new(message).at(Place::file(&file))));
        match text.and_then(|text| shard::read(&file, &text, spool)) {
            Ok(shard) => files.shards.push((file, shard)),
            Err(diagnostics) => files.refuse(&path, diagnostics.0),
        }
    }
    Ok(files)
}

/// The paths of all shard files, in order; none of them is part of the repository.
fn paths(named: &[PathBuf]) -> Result<BTreeSet<PathBuf>, Diagnostic> {
    // By their real paths: a folder that is named twice, or within another, is read once.
    let mut files: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for path in named {
        let place = || Place::file(path.display().to_string());
        let facts = std::fs::metadata(path).map_err(|error| {
            Diagnostic::new(format!("cannot read this: {error}"))
                .at(place())
                .help("name the folder that holds the files of all shards")
        })?;
        if facts.is_file() {
            add(path, &mut files);
        } else {
            search(path, MAX_DEPTH, &is_shard, &mut files)
                .map_err(|error| Diagnostic::new(format!("cannot read this folder: {error}")).at(place()))?;
        }
    }
    if files.is_empty() {
        let shown: Vec<String> = named.iter().map(|path| path.display().to_string()).collect();
        return Err(Diagnostic::new("there is no shard here: no file is named shard-k-of-n.json")
            .at(Place::file(shown.join(", ")))
            .help("`promptgate run --shard k/n` writes them into its --out folder"));
    }
    for path in files.keys() {
        refuse_tracked(path, "this shard", "take it out with `git rm --cached`, and merge what jobs wrote")?;
    }
    Ok(files.into_values().collect())
}

impl ShardFiles {
    fn refuse(&mut self, path: &Path, diagnostics: Vec<Diagnostic>) {
        let with_help = |diagnostic: Diagnostic| match diagnostic.help {
            Some(_) => diagnostic,
            None => diagnostic.help("run this shard again, and merge the file that it writes"),
        };
        self.damaged.extend(diagnostics.into_iter().map(with_help));
        let name = path.file_name().map(|name| name.to_string_lossy());
        self.refused.extend(name.and_then(|name| Shard::of_file_name(&name)));
    }
}

/// The files in a folder and below it whose names match, ordered by path.
///
/// # Errors
/// Those of reading the folders.
pub(in crate::app) fn files_below(
    folder: &Path,
    matches: &dyn Fn(&str) -> bool,
) -> std::io::Result<Vec<PathBuf>> {
    let mut files = BTreeMap::new();
    search(folder, MAX_DEPTH, matches, &mut files)?;
    let shown: BTreeSet<PathBuf> = files.into_values().collect();
    Ok(shown.into_iter().collect())
}

/// Whether a file has the name of a shard.
pub(in crate::app) fn is_shard(name: &str) -> bool {
    name.starts_with("shard-") && name.ends_with(".json")
}

fn search(
    folder: &Path,
    depth: usize,
    matches: &dyn Fn(&str) -> bool,
    files: &mut BTreeMap<PathBuf, PathBuf>,
) -> std::io::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        // Links to folders are not followed: they may lead back.
        if kind.is_dir() && depth > 0 {
            search(&path, depth - 1, matches, files)?;
        } else if !kind.is_dir() && matches(&name) {
            add(&path, files);
        }
    }
    Ok(())
}

fn add(path: &Path, files: &mut BTreeMap<PathBuf, PathBuf>) {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    files.entry(real).or_insert_with(|| path.to_owned());
}
