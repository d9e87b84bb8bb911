//! Suites that the base has and a change does not name any more: nobody would notice that they are not evaluated.

use std::path::{Path, PathBuf};

use super::CiContext;
use crate::app::Failure;
use crate::app::sources::{configuration_file, current_folder, shown};
use crate::app::suites::{NamedSuite, SuiteChoice};
use crate::config::{NAMES, listed_suites};
use promptgate_adapters::files::{FILE_LIMIT, Tree};
use promptgate_adapters::git::Repository;

/// The configurations that the same command would evaluate at the base, and that are not among these suites, as a reader
/// would write their paths.
///
/// # Errors
/// If git fails.
pub(crate) fn removed_suites(
    choice: &SuiteChoice,
    named: &[NamedSuite],
    contexts: &[&CiContext],
) -> Result<Vec<String>, Failure> {
    let Some(commit) = contexts.iter().find_map(|context| context.base_commit()) else {
        return Ok(Vec::new());
    };
    let of_base = if choice.all { all_at(commit)? } else { listed_at(commit, choice)? };
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let kept: Vec<PathBuf> = named.iter().map(|suite| real(&suite.config)).collect();
    Ok(of_base.iter().filter(|path| !kept.contains(&real(path))).map(|path| shown(path)).collect())
}

/// The suites in the current folder and below it, at a commit.
fn all_at(commit: &str) -> Result<Vec<PathBuf>, Failure> {
    let here = current_folder()?;
    let Ok(repository) = Repository::discover(&here) else { return Ok(Vec::new()) };
    let prefix = match repository.prefix() {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let files = repository.files_named(commit, &NAMES)?;
    let below = files.iter().filter_map(|path| path.strip_prefix(&prefix));
    let is_hidden = |path: &str| path.split('/').any(|part| part.starts_with('.'));
    let tree = tree(&here, commit);
    let is_suite = |path: &&str| list_in(tree.as_ref(), path).is_none();
    Ok(below.filter(|path| !is_hidden(path)).filter(is_suite).map(|path| here.join(path)).collect())
}

/// The suites that the named lists had at a commit.
fn listed_at(commit: &str, choice: &SuiteChoice) -> Result<Vec<PathBuf>, Failure> {
    let mut named: Vec<Option<&Path>> = choice.named.iter().map(|path| Some(path.as_path())).collect();
    if named.is_empty() {
        named.push(None);
    }
    let mut found = Vec::new();
    for path in named {
        let file = configuration_file(path)?;
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { continue };
        let Some(tree) = tree(folder, commit) else { continue };
        for pattern in list_in(Some(&tree), &name.to_string_lossy()).unwrap_or_default() {
            let inside = NAMES.map(|name| format!("{pattern}/{name}"));
            let is_file = pattern.ends_with(".yaml") || pattern.ends_with(".yml");
            for pattern in inside.into_iter().chain(is_file.then_some(pattern)) {
                // A pattern without a match is an error elsewhere.
                let matches = tree.glob(&pattern).unwrap_or_default();
                let exists = |path: &String| tree.find(path, FILE_LIMIT).is_ok_and(|bytes| bytes.is_some());
                found.extend(matches.into_iter().filter(exists).map(|path| folder.join(path)));
            }
        }
    }
    Ok(found)
}

/// The files of a commit, with paths relative to a folder; `None` outside a repository.
fn tree(folder: &Path, commit: &str) -> Option<Tree> {
    let repository = Repository::discover(folder).ok()?;
    Some(Tree::Commit { repository, commit: commit.to_owned(), reference: "base".to_owned() })
}

/// The paths and globs of a list of suites; `None` for a suite, and for a file that is not there.
fn list_in(tree: Option<&Tree>, path: &str) -> Option<Vec<String>> {
    let bytes = tree?.find(path, FILE_LIMIT).ok().flatten()?;
    let text = String::from_utf8(bytes).ok()?;
    let listed = listed_suites(path, &text).ok().flatten()?;
    Some(listed.into_iter().map(|path| path.value).collect())
}
