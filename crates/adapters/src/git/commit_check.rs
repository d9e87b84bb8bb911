//! Verifies that files of the work tree have the content of a commit.

use std::collections::BTreeSet;
use std::path::Path;

use super::commit_files::{find_in_commit, glob_in_commit, in_repository};
use super::{EntryKind, Repository, short};
use promptgate_core::model::{Diagnostic, Place};

/// The commit. Paths are relative to the root of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitCheck {
    repository: Repository,
    commit: String,
}

impl CommitCheck {
    /// Opens the repository that contains `root`.
    pub(crate) fn new(root: &Path, commit: &str) -> Result<Self, Diagnostic> {
        let repository = Repository::discover(root).map_err(Diagnostic::from)?;
        Ok(Self { repository, commit: commit.to_owned() })
    }

    /// Returns the same check with paths relative to the folder of a file.
    pub(crate) fn in_folder_of(&self, file: &str) -> Result<Self, Diagnostic> {
        Ok(Self { repository: self.repository.in_folder_of(file)?, commit: self.commit.clone() })
    }

    /// Adds files of the commit that match a pattern but are not in the folder, so that reading them fails.
    pub(crate) fn add_missing(&self, pattern: &str, paths: &mut Vec<String>) -> Result<(), Diagnostic> {
        let full = |path: &str| in_repository(&self.repository, path);
        let existing: BTreeSet<String> = paths.iter().map(|path| full(path)).collect::<Result<_, _>>()?;
        for path in glob_in_commit(&self.repository, &self.commit, pattern)? {
            if !existing.contains(&full(&path)?) {
                paths.push(path);
            }
        }
        Ok(())
    }

    /// Whether the commit holds a file. Files below a link or a submodule are not in it.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let entry =
            in_repository(&self.repository, path).and_then(|full| self.repository.entry(&self.commit, &full));
        matches!(entry, Ok(Some(entry)) if entry.kind == EntryKind::File)
    }

    /// Fails if the bytes differ from those in the commit, apart from line endings. Files that are not in the commit
    /// are accepted, since the job may create them.
    pub(crate) fn verify(&self, path: &str, bytes: Option<&[u8]>, limit: u64) -> Result<(), Diagnostic> {
        let Some(committed) = find_in_commit(&self.repository, &self.commit, path, path, limit)? else {
            return Ok(());
        };
        let normalize = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        if bytes.is_some_and(|bytes| bytes == committed || normalize(bytes) == normalize(&committed)) {
            return Ok(());
        }
        Err(Diagnostic::new(format!("the content differs from commit {}", short(&self.commit)))
            .at(Place::file(path))
            .help(
                "commit the change first; if there is none, an earlier step or a filter in .gitattributes changed the file",
            ))
    }
}
