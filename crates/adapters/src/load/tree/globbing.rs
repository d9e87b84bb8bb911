//! Glob patterns over a folder and over the files of a commit.

use std::fs;
use std::path::Path;

use promptgate_core::model::Diagnostic;

use super::{MAX_MATCHES, in_repository};
use crate::load::git::{EntryKind, Repository};

const GLOB_OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn invalid_pattern(pattern: &str, error: &glob::PatternError) -> Diagnostic {
    Diagnostic::new(format!("invalid glob pattern `{pattern}`: {}", error.msg))
        .help("`*` matches within a folder, `**` across folders, `?` one character, `[ab]` `a` or `b`")
}

pub(super) fn glob_in_folder(root: &Path, pattern: &str) -> Result<Vec<String>, Diagnostic> {
    if !is_pattern(pattern) || fs::symlink_metadata(root.join(pattern)).is_ok() {
        return Ok(if root.join(pattern).exists() { vec![pattern.to_owned()] } else { Vec::new() });
    }
    let prefix = if Path::new(pattern).is_absolute() || root.as_os_str().is_empty() {
        String::new()
    } else {
        let root = root.to_str().ok_or_else(|| {
            Diagnostic::new("the path of the configuration's folder is not UTF-8").help("rename that folder")
        })?;
        format!("{}/", glob::Pattern::escape(root.trim_end_matches('/')))
    };
    let matches = glob::glob_with(&format!("{prefix}{pattern}"), GLOB_OPTIONS)
        .map_err(|error| invalid_pattern(pattern, &error))?;
    let mut paths = Vec::new();
    for entry in matches {
        let path = entry.map_err(|error| {
            Diagnostic::new(format!(
                "`{pattern}`: {} cannot be read: {}",
                error.path().display(),
                error.error()
            ))
        })?;
        if !path.is_file() {
            continue;
        }
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let Some(text) = relative.to_str() else {
            return Err(Diagnostic::new(format!("`{pattern}` matches a file whose name is not UTF-8"))
                .help("rename that file"));
        };
        paths.push(text.to_owned());
        if paths.len() > MAX_MATCHES {
            break;
        }
    }
    Ok(paths)
}

pub(super) fn glob_in_commit(
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
