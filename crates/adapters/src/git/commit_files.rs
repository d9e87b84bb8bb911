//! Reads and matches files of a commit.

use std::fs;
use std::path::Path;

use promptgate_core::model::{Diagnostic, Place};

use super::{Entry, EntryKind, Repository};

/// Wildcards stop at `/`; a leading dot must be written.
pub(crate) const GLOB_OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

pub(crate) fn invalid_pattern(pattern: &str, error: &glob::PatternError) -> Diagnostic {
    Diagnostic::new(format!("invalid glob pattern `{pattern}`: {}", error.msg))
        .help("`*` matches within a folder, `**` across folders, `?` one character, `[ab]` `a` or `b`")
}

pub(crate) fn glob_in_commit(
    repository: &Repository,
    commit: &str,
    pattern: &str,
) -> Result<Vec<String>, Diagnostic> {
    let exact = repository.entry(commit, &in_repository(repository, pattern)?)?;
    if exact.is_some() || !is_pattern(pattern) {
        return Ok(exact.map(|_| pattern.to_owned()).into_iter().collect());
    }
    // The folder before the first part with a wildcard is prepended to each match again.
    let start = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let folder = pattern.get(..start).and_then(|head| head.rfind('/')).map_or("", |slash| &pattern[..slash]);
    let rest = pattern.get(folder.len()..).unwrap_or_default().trim_start_matches('/');
    let base = if folder.is_empty() {
        repository.prefix().to_owned()
    } else {
        in_repository(repository, &format!("{folder}/.")).unwrap_or_default()
    };
    let compiled = glob::Pattern::new(rest).map_err(|error| invalid_pattern(pattern, &error))?;
    let mut paths = Vec::new();
    for entry in repository.files(commit, &base)? {
        let below = if base.is_empty() {
            Some(entry.path.as_str())
        } else {
            entry.path.strip_prefix(&base).and_then(|rest| rest.strip_prefix('/'))
        };
        let Some(below) = below.filter(|below| compiled.matches_with(below, GLOB_OPTIONS)) else { continue };
        if entry.kind == EntryKind::File {
            paths.push(if folder.is_empty() { below.to_owned() } else { format!("{folder}/{below}") });
        }
    }
    Ok(paths)
}

pub(crate) fn too_large(shown: &str, limit: u64) -> Diagnostic {
    let mebibytes = limit >> 20;
    Diagnostic::new(format!("is larger than {mebibytes} MiB"))
        .at(Place::file(shown))
        .help("split it, or reduce its size")
}

pub(crate) fn find_in_commit(
    repository: &Repository,
    commit: &str,
    path: &str,
    shown: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, Diagnostic> {
    let full = in_repository(repository, path)?;
    let Some(entry) = repository.entry(commit, &full)? else {
        // Files below a link or a submodule cannot be read, but that does not mean that they are missing.
        for (end, _) in full.match_indices('/') {
            match repository.entry(commit, &full[..end])? {
                Some(Entry { kind: EntryKind::Folder, .. }) => {}
                Some(entry) => return Err(not_a_file(&entry, shown)),
                None => break,
            }
        }
        return Ok(None);
    };
    if entry.kind != EntryKind::File {
        return Err(not_a_file(&entry, shown));
    }
    repository.blob(commit, &entry, limit)?.map(Some).ok_or_else(|| too_large(shown, limit))
}

fn not_a_file(entry: &Entry, shown: &str) -> Diagnostic {
    let (kind, help) = match entry.kind {
        EntryKind::File => ("a file", "use a path that does not go through a file"),
        EntryKind::Folder => ("a folder, not a file", "use a file in it"),
        EntryKind::Link => {
            ("a symbolic link", "links in a commit are not followed: use the path of its target")
        }
        EntryKind::Submodule => {
            ("a submodule", "submodules are not supported: add the file to this repository")
        }
    };
    Diagnostic::new(format!("`{}` is {kind} in that commit", entry.path)).at(Place::file(shown)).help(help)
}

/// Converts a path relative to the configuration to one relative to the repository root.
pub(crate) fn in_repository(repository: &Repository, path: &str) -> Result<String, Diagnostic> {
    let slashed = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let outside = || {
        Diagnostic::new(format!("`{path}` is outside the git repository"))
            .help("use a file of the repository: a commit contains no others")
    };
    let mut parts: Vec<&str> = Vec::new();
    let relative = if Path::new(path).is_absolute() {
        let top = fs::canonicalize(repository.top()).unwrap_or_else(|_| repository.top().to_owned());
        let below = Path::new(path)
            .strip_prefix(&top)
            .or_else(|_| Path::new(path).strip_prefix(repository.top()))
            .map_err(|_| outside())?;
        below.to_str().ok_or_else(outside)?.replace('\\', "/")
    } else {
        parts.extend(repository.prefix().split('/').filter(|part| !part.is_empty()));
        slashed
    };
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(outside)?;
            }
            name => parts.push(name),
        }
    }
    if parts.is_empty() {
        return Err(Diagnostic::new(format!("`{path}` is the root folder of the repository, not a file")));
    }
    Ok(parts.join("/"))
}
