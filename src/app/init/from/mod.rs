//! Imports a suite of another tool: bytes in, files out, and a line for everything that could not be carried.

mod detect;
mod dotprompt;
pub(super) mod draft;
mod front_matter;
mod github;
mod langfuse;
mod layout;
mod names;
mod original;
mod promptfoo;
mod prompty;
pub(super) mod sources;
mod template;
pub(super) mod yaml;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::path::{Component, Path, PathBuf};

use super::{Failure, write_files};
use draft::{Answerer, Draft};
use promptgate_adapters::files::{DATASET_LIMIT, Tree};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use sources::Sources;

/// The result of an import.
#[derive(Debug)]
pub(crate) struct Imported {
    /// The kind of the source.
    pub(crate) kind: &'static str,
    /// Files that were written.
    pub(crate) written: Vec<PathBuf>,
    /// Number of cases.
    pub(crate) cases: usize,
    /// Number of assertions that were carried.
    pub(crate) carried: usize,
    /// Files that were copied, and what that means: a line for each.
    pub(crate) copies: Vec<String>,
    /// The variables that hold the keys of the endpoints.
    pub(crate) keys: Vec<String>,
    /// Parts without a counterpart, with their places and the text to write.
    pub(crate) notes: Vec<Diagnostic>,
    /// Whether a run calls a program or a server in place of a model.
    pub(crate) is_application: bool,
}

/// The kind of a file that can be imported; `None` for any other.
pub(super) fn is_source(path: &str, text: &str) -> Option<&'static str> {
    let read = |_: &str| Ok(text.as_bytes().to_vec());
    let list = |_: &str| Ok(Vec::new());
    let sources = Sources {
        folder: String::new(),
        prefix: String::new(),
        read: &read,
        list: &list,
        unreadable: RefCell::default(),
    };
    detect::detect(path, &sources).ok().map(|found| found.name())
}

/// A conversion in memory.
struct Conversion {
    kind: &'static str,
    files: Vec<(String, String)>,
    draft: Draft,
}

/// Imports a file, or the one in a folder, and writes the suite to another folder.
///
/// # Errors
/// The source cannot be read, a file exists already, or, if `strict`, something could not be carried; then nothing is
/// written.
pub(crate) fn import(source: &Path, folder: &Path, strict: bool) -> Result<Imported, Failure> {
    prepare(source, folder, strict)?.write(folder)
}

/// An import before it is written.
#[derive(Debug)]
pub(super) struct Import {
    /// The result, without the files.
    pub(super) result: Imported,
    files: Vec<(String, String)>,
}

impl Import {
    /// Writes the files.
    ///
    /// # Errors
    /// One exists already; then nothing is written.
    pub(super) fn write(self, folder: &Path) -> Result<Imported, Failure> {
        let written = write_files(folder, self.files)?;
        Ok(Imported { written, ..self.result })
    }
}

/// Imports a file, or the one in a folder, in memory.
///
/// # Errors
/// The source cannot be read, or, if `strict`, something could not be carried.
pub(super) fn prepare(source: &Path, folder: &Path, strict: bool) -> Result<Import, Failure> {
    let (root, name) = located(source)?;
    let prefix = prefix(&root, folder)?;
    let tree = Tree::work_tree(&root);
    let shown = if root == Path::new(".") { String::new() } else { root.display().to_string() };
    let without_place = |error: Diagnostic| match error.help {
        Some(help) => format!("{} ({help})", error.message),
        None => error.message,
    };
    let read = |path: &str| tree.read_limited(path, DATASET_LIMIT).map_err(without_place);
    let list = |pattern: &str| tree.glob(pattern).map_err(without_place);
    let sources = Sources { folder: shown, prefix, read: &read, list: &list, unreadable: RefCell::default() };
    let conversion = convert(name.as_deref(), &sources)?;
    let at = |name: &str| super::in_folder(folder, name).display().to_string();
    let copies = conversion.draft.copies(&at, &|original| original.shown.clone());
    let keys = conversion.files.first().and_then(|(name, text)| super::keys_of(name, text));
    let keys = keys.unwrap_or_default();
    let notes = conversion.draft.notes;
    if strict && !notes.is_empty() {
        return Err(Diagnostics(notes).into());
    }
    let is_application = matches!(conversion.draft.answerer, Answerer::Target(_));
    let (cases, carried) = (conversion.draft.cases.len(), conversion.draft.carried);
    let kind = conversion.kind;
    let result = Imported { kind, written: Vec::new(), cases, carried, copies, keys, notes, is_application };
    Ok(Import { result, files: conversion.files })
}

/// Converts a file, or the one that is found in the folder of the sources.
fn convert(name: Option<&str>, sources: &Sources<'_>) -> Result<Conversion, Diagnostics> {
    let path = match name {
        Some(name) => name.to_owned(),
        None => detect::in_folder(sources)?,
    };
    let found = detect::detect(&path, sources)?;
    let draft = detect::convert(&path, &found, sources)?;
    let unreadable = sources.unreadable.take();
    if !unreadable.is_empty() {
        return Err(Diagnostics(unreadable));
    }
    if draft.prompts.is_empty() && !matches!(draft.answerer, Answerer::Target(_)) {
        let first = Diagnostic::new("no prompt could be carried")
            .at(Place::file(sources.shown(&path)))
            .help("write the text of the prompt into a file, name it in the source, and import again");
        return Err(Diagnostics([vec![first], draft.notes].concat()));
    }
    if draft.cases.is_empty() {
        let first = Diagnostic::new("no case could be carried")
            .at(Place::file(sources.shown(&path)))
            .help("write the tests into the source or a file that it names, and import again");
        return Err(Diagnostics([vec![first], draft.notes].concat()));
    }
    let origin = format!("{}, {}", sources.shown(&path), found.name());
    let (files, draft) = layout::files(draft, &origin);
    Ok(Conversion { kind: found.name(), files, draft })
}

/// The folder of the source, and its name unless it is a folder itself.
fn located(source: &Path) -> Result<(PathBuf, Option<String>), Diagnostic> {
    let place = || Place::file(source.display().to_string());
    let facts = std::fs::metadata(source).map_err(|error| {
        Diagnostic::new(format!("cannot read the source: {error}"))
            .at(place())
            .help("write --from FILE or --from FOLDER")
    })?;
    if facts.is_dir() {
        return Ok((source.to_owned(), None));
    }
    let parent = source.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = source.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Diagnostic::new("the name of the source is not UTF-8").at(place()))?;
    Ok((parent.to_owned(), Some(name.to_owned())))
}

/// The path from the written folder to that of the source, with a slash at its end; empty where they are the same.
pub(super) fn prefix(root: &Path, folder: &Path) -> Result<String, Diagnostic> {
    let absolute = |path: &Path| {
        let failed = |error: std::io::Error| {
            Diagnostic::new(format!("cannot find the folder: {error}"))
                .at(Place::file(path.display().to_string()))
        };
        let path = std::path::absolute(path).map_err(failed)?;
        // The written folder need not exist.
        Ok::<PathBuf, Diagnostic>(path.canonicalize().unwrap_or_else(|_| without_dots(&path)))
    };
    let (root, folder) = (absolute(root)?, absolute(folder)?);
    let shared = root.components().zip(folder.components()).take_while(|(one, other)| one == other).count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = root.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    Ok(up.chain(down).map(|part| part + "/").collect())
}

/// A path without `.`, and without `..` where a folder precedes it.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(result.components().next_back(), Some(Component::Normal(_))) => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}
