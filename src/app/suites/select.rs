//! Which suites a command is about.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::super::Failure;
use super::super::sources;
use crate::config::{self, Placed};
use promptgate_adapters::files::{FILE_LIMIT, Tree};
use promptgate_core::model::{Diagnostic, Place};

/// How many suites a message names.
const LISTED: usize = 5;

/// The suites that a command line names.
#[derive(Debug, Clone, Default)]
pub(crate) struct SuiteChoice {
    /// Configurations or their folders; none for the nearest configuration.
    pub(crate) named: Vec<PathBuf>,
    /// All suites in and below the current folder.
    pub(crate) all: bool,
}

/// The chosen suites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selected {
    /// One suite; `None` for the nearest configuration.
    One(Option<PathBuf>),
    /// Several.
    Several {
        /// The paths of their configurations.
        configurations: Vec<PathBuf>,
        /// The folder of what they share: that of the list, or the current one.
        folder: PathBuf,
    },
}

/// Finds the suites. A configuration that lists suites stands for these.
///
/// # Errors
/// A configuration that cannot be read, a listed path without a suite, and `--all` where there is none.
pub(crate) fn select(choice: &SuiteChoice) -> Result<Selected, Failure> {
    let mut found = Vec::new();
    let mut list = None;
    let mut lists = false;
    if choice.all {
        for file in sources::configurations(&sources::current_folder()?) {
            if list_of(&file)?.is_none() {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(Diagnostic::new("there is no promptgate.yaml in this folder or below it")
                .at(Place::file("--all"))
                .help("`promptgate init` writes one")
                .into());
        }
        lists = true;
    } else {
        let none_named = [None];
        let named: Vec<Option<&Path>> = match choice.named.as_slice() {
            [] => none_named.to_vec(),
            named => named.iter().map(|path| Some(path.as_path())).collect(),
        };
        for path in named {
            let file = sources::configuration_file(path)?;
            match list_of(&file)? {
                None => found.push(file),
                Some(listed) => {
                    lists = true;
                    list = file.parent().map(Path::to_owned).filter(|_| choice.named.len() <= 1);
                    found.extend(expand(&file, &listed)?);
                }
            }
        }
    }
    // Links are not followed: in place of a suite, one must not make it disappear.
    let mut seen = BTreeSet::new();
    found.retain(|file| seen.insert(file.components().collect::<PathBuf>()));
    match found.as_slice() {
        [_] if !lists => Ok(Selected::One(choice.named.first().cloned())),
        _ => {
            let folder = list.map_or_else(sources::current_folder, Ok)?;
            Ok(Selected::Several { configurations: found, folder })
        }
    }
}

/// The first suites of a list as a reader in the current folder would type them, and how many more there are; `None` where they
/// cannot be read, and for a suite.
pub(in crate::app) fn listed(file: &Path) -> Option<String> {
    let found = expand(file, &list_of(file).ok()??).ok()?;
    let typed = |file: &PathBuf| match file.parent() {
        Some(folder) if config::NAMES.iter().any(|name| file.ends_with(name)) => sources::shown(folder),
        _ => sources::shown(file),
    };
    let mut names: Vec<String> =
        found.iter().take(LISTED).map(|file| sources::shown_path(&typed(file))).collect();
    match found.len() - names.len() {
        0 => {}
        more => names.push(format!("and {more} more")),
    }
    (!names.is_empty()).then(|| names.join(", "))
}

/// The suites that a configuration lists; `None` for a suite.
fn list_of(file: &Path) -> Result<Option<Vec<Placed<String>>>, Failure> {
    let shown = sources::shown(file);
    let Ok(bytes) = std::fs::read(file) else { return Ok(None) };
    // Errors of a suite are reported when it is loaded.
    let Ok(text) = String::from_utf8(bytes) else { return Ok(None) };
    if !text.contains("suites") {
        return Ok(None);
    }
    Ok(config::listed_suites(&shown, &text)?)
}

/// The configurations behind the paths and globs of a list.
fn expand(file: &Path, listed: &[Placed<String>]) -> Result<Vec<PathBuf>, Failure> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let tree = Tree::work_tree(folder);
    let mut found = Vec::new();
    for Placed { value, place } in listed {
        let refuse = |message: String, help: &str| Diagnostic::new(message).at(place.clone()).help(help);
        if Path::new(value).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
        {
            return Err(refuse(
                format!("{value} is not below the folder of this file"),
                "list suites below it; or move the list up",
            )
            .into());
        }
        let matches =
            matching(&tree, value).map_err(|error| Diagnostic { place: Some(place.clone()), ..error })?;
        if matches.is_empty() {
            let help = "name a promptgate.yaml or its folder, relative to this file";
            return Err(refuse(format!("no suite matches {value}"), help).into());
        }
        found.extend(matches);
    }
    let found: Vec<PathBuf> =
        without_extended(&tree, found).into_iter().map(|path| folder.join(path)).collect();
    for suite in &found {
        if list_of(suite)?.is_some() {
            return Err(Diagnostic::new("a list of suites cannot list another list")
                .at(Place::file(sources::shown(suite)))
                .help("list its suites directly")
                .into());
        }
    }
    Ok(found)
}

/// The configurations that a path or glob of a list names in a tree, relative to its folder: files, and those in folders.
///
/// # Errors
/// An invalid pattern, and a folder that cannot be read.
pub(in crate::app) fn matching(tree: &Tree, pattern: &str) -> Result<Vec<String>, Diagnostic> {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    let inside = config::NAMES.map(|name| format!("{pattern}/{name}"));
    let mut found = BTreeSet::new();
    for pattern in inside.iter().map(String::as_str) {
        found.extend(tree.glob(pattern)?);
    }
    let is_configuration = |path: &String| path.ends_with(".yaml") || path.ends_with(".yml");
    found.extend(tree.glob(pattern)?.into_iter().filter(is_configuration));
    let is_file = |path: &String| tree.find(path, FILE_LIMIT).is_ok_and(|bytes| bytes.is_some());
    Ok(found.into_iter().filter(is_file).collect())
}

/// The configurations among these paths: a glob may match what they extend as well, which is not a suite.
pub(in crate::app) fn without_extended(tree: &Tree, found: Vec<String>) -> Vec<String> {
    let extended: BTreeSet<PathBuf> = found
        .iter()
        .filter_map(|path| {
            let text = String::from_utf8(tree.find(path, FILE_LIMIT).ok()??).ok()?;
            let shared = config::extends(path, &text).ok()??;
            Some(sources::lexical(&Path::new(path).parent()?.join(shared.value)))
        })
        .collect();
    found.into_iter().filter(|path| !extended.contains(&sources::lexical(Path::new(path)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    const SUITE: &str = "version: 1\ndataset: cases.jsonl\n";

    fn names(folder: &Path, named: &[&str]) -> Result<Vec<String>, String> {
        let choice = SuiteChoice { named: named.iter().map(|name| folder.join(name)).collect(), all: false };
        let relative = |path: &PathBuf| path.strip_prefix(folder).unwrap().display().to_string();
        match select(&choice) {
            Ok(Selected::Several { configurations, .. }) => Ok(configurations.iter().map(relative).collect()),
            Ok(Selected::One(Some(path))) => Ok(vec![format!("one {}", relative(&path))]),
            Ok(Selected::One(None)) => Ok(vec!["nearest".to_owned()]),
            Err(failure) => Err(failure.diagnostics()[0].message.clone()),
        }
    }

    #[test]
    fn lists_and_folders_are_expanded_once() {
        let list = "version: 1\nsuites: [prompts/*, b/promptgate.yml]\n";
        let folder = folder(&[
            ("promptgate.yaml", list),
            ("prompts/a/promptgate.yaml", SUITE),
            ("prompts/c/promptgate.yaml", SUITE),
            ("prompts/notes.md", "x"),
            ("prompts/.hidden/promptgate.yaml", SUITE),
            ("prompts/c/notes.yml.d/x", "x"),
            ("b/promptgate.yml", SUITE),
        ]);
        let all = ["prompts/a/promptgate.yaml", "prompts/c/promptgate.yaml", "b/promptgate.yml"];
        assert_eq!(names(folder.path(), &["promptgate.yaml"]).unwrap(), all);
        assert_eq!(names(folder.path(), &["promptgate.yaml", "b"]).unwrap(), all);
        assert_eq!(names(folder.path(), &["prompts/a"]).unwrap(), ["one prompts/a"]);
        assert_eq!(names(folder.path(), &["b", "prompts/a"]).unwrap(), [all[2], all[0]]);
    }

    #[test]
    fn list_without_suites_is_an_error() {
        for (list, message) in [
            ("prompts/*", "no suite matches prompts/*"),
            ("nothing", "no suite matches nothing"),
            ("a**b", "invalid"),
            ("../elsewhere", "../elsewhere is not below the folder"),
            ("/elsewhere", "/elsewhere is not below the folder"),
            (".", "a list of suites cannot list another list"),
        ] {
            let folder = folder(&[("promptgate.yaml", &format!("version: 1\nsuites: [\"{list}\"]\n"))]);
            let error = names(folder.path(), &["promptgate.yaml"]).unwrap_err();
            assert!(error.starts_with(message), "{list}: {error}");
        }
    }
}
