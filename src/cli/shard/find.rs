//! The shard files below some folders, read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::cli::answers;
use crate::cli::files::{Links, read_text};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::shard::{self, Shard, ShardFile};

/// The largest shard that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// Folders are searched this deep.
const DEPTH: usize = 16;

/// What was found.
#[derive(Debug, Default)]
pub(in crate::cli) struct Found {
    /// Shards, each with the path of its file.
    pub(in crate::cli) shards: Vec<(String, ShardFile)>,
    /// What is wrong with files that are no shard.
    pub(in crate::cli) damaged: Vec<Diagnostic>,
    /// The shards that these would be by their names.
    pub(in crate::cli) refused: Vec<Shard>,
}

/// Reads every `shard-*.json` in these folders and below them; a file may be named as well.
///
/// # Errors
/// A folder that is not there or cannot be read, and folders without any shard.
pub(in crate::cli) fn find(named: &[PathBuf]) -> Result<Found, Diagnostic> {
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
            search(path, DEPTH, &is_shard, &mut files)
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
        answers::refuse_tracked(
            path,
            "this shard",
            "take it out with `git rm --cached`, and merge what jobs wrote",
        )?;
    }
    let mut found = Found::default();
    let shown: BTreeSet<PathBuf> = files.into_values().collect();
    for path in shown {
        let file = path.display().to_string();
        match read_text(&path, "shard", MAX_BYTES, Links::Refuse)
            .map_err(|message| Diagnostic::new(message).at(Place::file(&file)).into())
        {
            Ok(text) => match shard::read(&file, &text) {
                Ok(shard) => found.shards.push((file, shard)),
                Err(diagnostics) => found.refuse(&path, diagnostics.0),
            },
            Err(diagnostics) => {
                let diagnostics: promptgate_core::model::Diagnostics = diagnostics;
                found.refuse(&path, diagnostics.0);
            }
        }
    }
    Ok(found)
}

impl Found {
    fn refuse(&mut self, path: &Path, diagnostics: Vec<Diagnostic>) {
        self.damaged.extend(diagnostics);
        let name = path.file_name().map(|name| name.to_string_lossy());
        self.refused.extend(name.and_then(|name| Shard::of_file_name(&name)));
    }
}

/// The files in a folder and below it whose names are wanted, in the order of their paths.
///
/// # Errors
/// Those of reading the folders.
pub(in crate::cli) fn files_below(
    folder: &Path,
    wanted: &dyn Fn(&str) -> bool,
) -> std::io::Result<Vec<PathBuf>> {
    let mut files = BTreeMap::new();
    search(folder, DEPTH, wanted, &mut files)?;
    let shown: BTreeSet<PathBuf> = files.into_values().collect();
    Ok(shown.into_iter().collect())
}

/// Whether a file is named as shards are.
pub(in crate::cli) fn is_shard(name: &str) -> bool {
    name.starts_with("shard-") && name.ends_with(".json")
}

fn search(
    folder: &Path,
    depth: usize,
    wanted: &dyn Fn(&str) -> bool,
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
            search(&path, depth - 1, wanted, files)?;
        } else if !kind.is_dir() && wanted(&name) {
            add(&path, files);
        }
    }
    Ok(())
}

fn add(path: &Path, files: &mut BTreeMap<PathBuf, PathBuf>) {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    files.entry(real).or_insert_with(|| path.to_owned());
}
