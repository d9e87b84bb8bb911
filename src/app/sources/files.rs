//! The trees of a suite, from which phase one fetches, and the fetched files, which phase two parses.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use promptgate_adapters::files::{DatasetSource, FILE_LIMIT, Tree, decode};
use promptgate_core::model::Diagnostic;

use super::secrets::endpoints;
use crate::app::suite::files_of_checks;
use crate::config::{DatasetSettings, Settings};

/// The trees of a suite; all are the same unless the policy is from elsewhere.
#[derive(Debug, Clone)]
pub(in crate::app) struct Trees {
    /// Relative to the policy's configuration: schemas, planted answers, calibration, certificates.
    pub(super) policy: Tree,
    /// The policy's files that single cases name, relative to the candidate's configuration.
    pub(super) of_cases: Tree,
    /// Relative to the candidate's configuration: prompt and dataset.
    pub(super) candidate: Tree,
}

impl Trees {
    /// One tree for everything.
    pub(super) fn of(tree: Tree) -> Self {
        Self { policy: tree.clone(), of_cases: tree.clone(), candidate: tree }
    }
}

/// The source of a configured dataset.
pub(in crate::app) fn dataset_source(written: &DatasetSettings) -> DatasetSource {
    DatasetSource {
        path: written.path.clone(),
        format: written.format,
        fields: written.fields.clone(),
        rows: written.rows.clone(),
        shared_ids: None,
        must_pass: written.must_pass,
        defaults: written.defaults.clone(),
        files: written.files.clone(),
        grade_turns: written.grade_turns,
    }
}

/// The certificates that endpoints name.
pub(in crate::app) fn certificates(settings: &Settings) -> impl Iterator<Item = String> {
    endpoints(settings).filter_map(|endpoint| Some(endpoint.ca_cert.as_ref()?.value.clone()))
}

/// The files of the policy that settings name one by one: of checks, the calibration, certificates.
pub(super) fn named_files(settings: &Settings) -> impl Iterator<Item = String> {
    let checks = files_of_checks(settings.checks.iter().map(|check| &check.value));
    certificates(settings).chain(calibration(settings)).chain(checks)
}

/// The calibration that the judge names.
pub(super) fn calibration(settings: &Settings) -> Option<String> {
    Some(settings.judge.as_ref()?.calibration.as_ref()?.value.clone())
}

/// A file that exists.
#[derive(Debug)]
pub(in crate::app) struct FetchedFile {
    /// Its name in messages.
    pub(in crate::app) name: String,
    /// Its content.
    pub(in crate::app) bytes: Vec<u8>,
}

/// The result of fetching a path.
#[derive(Debug)]
enum Fetched {
    File(FetchedFile),
    Missing(Diagnostic),
    Unreadable(Diagnostic),
}

impl Fetched {
    fn from(tree: &Tree, path: &str) -> Self {
        match tree.find(path, FILE_LIMIT) {
            Ok(Some(bytes)) => Self::File(FetchedFile { name: tree.describe(path), bytes }),
            Ok(None) => Self::Missing(tree.not_found(path)),
            Err(diagnostic) => Self::Unreadable(diagnostic),
        }
    }
}

/// Fetched files by the paths that name them.
#[derive(Debug, Default)]
pub(in crate::app) struct NamedFiles {
    /// The folder of the configuration that names them.
    pub(in crate::app) folder: PathBuf,
    files: BTreeMap<String, Fetched>,
    /// Files that single cases name.
    of_cases: BTreeMap<String, Fetched>,
}

impl NamedFiles {
    /// Fetches files of a configuration.
    pub(in crate::app) fn fetch(tree: &Tree, paths: impl IntoIterator<Item = String>) -> Self {
        let fetched = paths.into_iter().map(|path| {
            let fetched = Fetched::from(tree, &path);
            (path, fetched)
        });
        Self { folder: tree.folder().to_owned(), files: fetched.collect(), of_cases: BTreeMap::new() }
    }

    /// Fetches files of single cases: the policy's, and the candidate's where that is new.
    pub(super) fn fetch_of_cases(&mut self, trees: &Trees, paths: BTreeSet<String>) {
        self.of_cases.extend(paths.into_iter().map(|path| {
            let fetched = match Fetched::from(&trees.of_cases, &path) {
                Fetched::Missing(_) => Fetched::from(&trees.candidate, &path),
                found => found,
            };
            (path, fetched)
        }));
    }

    /// Files that checks of configuration and cases name, in memory.
    #[cfg(test)]
    pub(in crate::app) fn in_memory(files: &BTreeMap<&str, &str>) -> Self {
        let fetched = || {
            files.iter().map(|(path, text)| {
                let file = FetchedFile { name: (*path).to_owned(), bytes: text.as_bytes().to_vec() };
                ((*path).to_owned(), Fetched::File(file))
            })
        };
        Self { files: fetched().collect(), of_cases: fetched().collect(), ..Self::default() }
    }

    /// The file at a path, `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(in crate::app) fn find(&self, path: &str) -> Result<Option<&FetchedFile>, Diagnostic> {
        match self.files.get(path) {
            Some(Fetched::Missing(_)) => Ok(None),
            _ => self.read(path).map(Some),
        }
    }

    /// The file at a path.
    ///
    /// # Errors
    /// If it is missing or cannot be read.
    pub(in crate::app) fn read(&self, path: &str) -> Result<&FetchedFile, Diagnostic> {
        read(&self.files, path)
    }

    /// The text of a file that a check of the configuration names.
    pub(in crate::app) fn of_check(&self, path: &str) -> Result<String, String> {
        text(&self.files, path)
    }

    /// The text of a file that a check of a single case names.
    pub(in crate::app) fn of_case(&self, path: &str) -> Result<String, String> {
        text(&self.of_cases, path)
    }
}

fn read<'a>(files: &'a BTreeMap<String, Fetched>, path: &str) -> Result<&'a FetchedFile, Diagnostic> {
    match files.get(path) {
        Some(Fetched::File(file)) => Ok(file),
        Some(Fetched::Missing(diagnostic) | Fetched::Unreadable(diagnostic)) => Err(diagnostic.clone()),
        None => Err(Diagnostic::new(format!("`{path}` was not fetched"))),
    }
}

fn text(files: &BTreeMap<String, Fetched>, path: &str) -> Result<String, String> {
    let text = read(files, path).and_then(|file| decode(&file.name, &file.bytes).map(Cow::into_owned));
    text.map_err(|diagnostic| diagnostic.message)
}
