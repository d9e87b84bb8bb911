//! Suites that the base has and a change does not name any more: nobody would notice that they are not evaluated.
//!
//! The suites of the base are chosen as the same command would choose them there. Paths are compared as they are written,
//! since a change can put a link in place of a suite.

use std::collections::BTreeSet;
use std::path::Path;

use super::CiContext;
use crate::app::Failure;
use crate::app::sources::{current_folder, lexical};
use crate::app::suites::{NamedSuite, SuiteChoice, matching, without_extended};
use crate::config::{NAMES, listed_suites};
use promptgate_adapters::files::{FILE_LIMIT, Tree};
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Place};

/// The configurations that the same command would evaluate at the base of a pull request, and that are not among these
/// suites, from the root of the repository.
///
/// # Errors
/// If git fails.
pub(crate) fn removed_suites(
    choice: &SuiteChoice,
    named: &[NamedSuite],
    contexts: &[&CiContext],
) -> Result<Vec<String>, Failure> {
    let commit = contexts.iter().find_map(|context| context.base_commit());
    commit.map_or_else(|| Ok(Vec::new()), |commit| removed_since(choice, named, commit))
}

/// The failure of a suite that is not evaluated because the change removes it.
pub(crate) fn removal(path: &str) -> Failure {
    let message = "the change removes this suite or drops it from the list";
    let help = "keep it, or have somebody who can bypass this check merge the removal separately";
    Failure::Incomplete(Diagnostic::new(message).at(Place::file(path)).help(help).into())
}

/// The configurations that the same command would evaluate at a commit, and that are not among these suites, from the root
/// of the repository.
///
/// # Errors
/// If git fails.
pub(crate) fn removed_since(
    choice: &SuiteChoice,
    named: &[NamedSuite],
    commit: &str,
) -> Result<Vec<String>, Failure> {
    let here = current_folder()?;
    let Ok(repository) = Repository::discover(&here) else { return Ok(Vec::new()) };
    let top = repository.top().to_owned();
    let base = Base {
        prefix: repository.prefix().to_owned(),
        tree: Tree::Commit {
            repository: Repository::discover(&top).map_err(Diagnostic::from)?,
            commit: commit.to_owned(),
            reference: "base".to_owned(),
        },
        files: repository.files_named(commit, &NAMES)?,
    };
    let of_base = if choice.all { base.all() } else { base.chosen(choice, &here, &top)? };
    let from_top = |path: &Path| lexical(path).strip_prefix(&top).map(|path| path.display().to_string());
    let kept: BTreeSet<String> = named.iter().filter_map(|suite| from_top(&suite.config).ok()).collect();
    Ok(of_base.into_iter().filter(|path| !kept.contains(path)).collect())
}

/// The configurations of the base.
struct Base {
    /// The current folder, from the root of the repository.
    prefix: String,
    /// All files, from the root.
    tree: Tree,
    /// Configurations by their names.
    files: Vec<String>,
}

impl Base {
    /// The suites in the current folder and below it.
    fn all(&self) -> BTreeSet<String> {
        let prefix = if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
        let is_hidden = |path: &str| path.split('/').any(|part| part.starts_with('.'));
        let below = self.files.iter().filter_map(|path| Some((path, path.strip_prefix(&prefix)?)));
        let visible = below.filter(|(_, below)| !is_hidden(below)).map(|(path, _)| path);
        visible.filter(|path| self.list_in(path).is_none()).cloned().collect()
    }

    /// The suites that the command names, and those of the lists that it names.
    fn chosen(&self, choice: &SuiteChoice, here: &Path, top: &Path) -> Result<BTreeSet<String>, Failure> {
        let mut configurations: Vec<String> = Vec::new();
        if choice.named.is_empty() {
            configurations.extend(self.nearest());
        }
        for named in &choice.named {
            let path = lexical(&here.join(named));
            let Ok(path) = path.strip_prefix(top) else { continue };
            configurations.extend(self.named(&path.display().to_string()));
        }
        let mut found = BTreeSet::new();
        for file in configurations {
            let Some(patterns) = self.list_in(&file) else {
                found.insert(file);
                continue;
            };
            let folder = self.tree.in_folder_of(&file)?;
            let above = file.rsplit_once('/').map_or(String::new(), |(above, _)| format!("{above}/"));
            let mut listed = Vec::new();
            for pattern in patterns {
                listed.extend(matching(&folder, &pattern)?);
            }
            let suites = without_extended(&folder, listed).into_iter();
            found.extend(suites.map(|path| format!("{above}{path}")));
        }
        Ok(found)
    }

    /// The configuration in the current folder, else in the nearest one above it.
    fn nearest(&self) -> Option<String> {
        let mut folder = Some(self.prefix.as_str());
        while let Some(at) = folder {
            if let Some(found) = self.in_folder(at) {
                return Some(found);
            }
            folder = match at.rsplit_once('/') {
                Some((above, _)) => Some(above),
                None => (!at.is_empty()).then_some(""),
            };
        }
        None
    }

    /// The configuration that a path names: a file, a folder with one, or one with the other name.
    fn named(&self, path: &str) -> Option<String> {
        if self.bytes(path).is_some() {
            return Some(path.to_owned());
        }
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.in_folder(path).or_else(|| self.in_folder(above).filter(|_| NAMES.contains(&name)))
    }

    fn in_folder(&self, folder: &str) -> Option<String> {
        let within =
            |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        NAMES.map(within).into_iter().find(|path| self.files.contains(path))
    }

    fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        self.tree.find(path, FILE_LIMIT).ok().flatten()
    }

    /// The paths and globs of a list of suites; `None` for a suite.
    fn list_in(&self, path: &str) -> Option<Vec<String>> {
        let text = String::from_utf8(self.bytes(path)?).ok()?;
        let listed = listed_suites(path, &text).ok().flatten()?;
        Some(listed.into_iter().map(|path| path.value).collect())
    }
}
