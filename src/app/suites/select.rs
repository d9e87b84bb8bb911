//! Which suites a command is about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::super::sources;
use crate::config::{self, Placed};
use promptgate_core::model::{Diagnostic, Place};

/// The suites that a command line names.
#[derive(Debug, Clone, Default)]
pub(crate) struct SuiteChoice {
    /// Configurations or their folders; none for the nearest configuration.
    pub(crate) named: Vec<PathBuf>,
    /// All suites in and below the current folder.
    pub(crate) all: bool,
}

/// What was chosen.
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
    let mut seen = BTreeSet::new();
    found.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    match found.as_slice() {
        [_] if !lists => Ok(Selected::One(choice.named.first().cloned())),
        _ => {
            let folder = list.map_or_else(sources::current_folder, Ok)?;
            Ok(Selected::Several { configurations: found, folder })
        }
    }
}

/// The suites that a configuration lists; `None` for a suite.
fn list_of(file: &Path) -> Result<Option<Vec<Placed<String>>>, Failure> {
    let shown = sources::shown_path(&file.display().to_string());
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
    let mut found = Vec::new();
    for Placed { value, place } in listed {
        let refuse = |message: String, help: &str| Diagnostic::new(message).at(place.clone()).help(help);
        let pattern = format!("{}/{value}", glob::Pattern::escape(&folder.display().to_string()));
        let options =
            glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
        let matches = glob::glob_with(&pattern, options).map_err(|error| {
            refuse(
                format!("not a valid pattern: {}", error.msg),
                "`*` stands for any part of a name, `**` for folders",
            )
        })?;
        let before = found.len();
        for path in matches.flatten() {
            let names = config::NAMES.iter().map(|name| path.join(name));
            let inside = names.into_iter().find(|inside| inside.is_file());
            let is_configuration = path.is_file()
                && path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
            match inside {
                Some(inside) => found.push(inside),
                None if is_configuration => found.push(path),
                // A glob of folders may also match others.
                None => {}
            }
        }
        if found.len() == before {
            let help = "name a promptgate.yaml or its folder, relative to this file";
            return Err(refuse(format!("no suite matches {value}"), help).into());
        }
    }
    for suite in &found {
        if list_of(suite)?.is_some() {
            return Err(Diagnostic::new("a list of suites cannot list another list")
                .at(Place::file(sources::shown_path(&suite.display().to_string())))
                .help("list its suites directly")
                .into());
        }
    }
    Ok(found)
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
            ("a**b", "not a valid pattern"),
            (".", "a list of suites cannot list another list"),
        ] {
            let folder = folder(&[("promptgate.yaml", &format!("version: 1\nsuites: [\"{list}\"]\n"))]);
            let error = names(folder.path(), &["promptgate.yaml"]).unwrap_err();
            assert!(error.starts_with(message), "{list}: {error}");
        }
    }
}
