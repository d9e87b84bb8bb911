//! A commit that a work tree is held to: what lies there has to be what the commit holds.

use std::collections::BTreeSet;
use std::path::Path;

use super::{find_in_commit, glob_in_commit, in_repository};
use crate::load::git::{Repository, short};
use promptgate_core::model::{Diagnostic, Place};

/// The commit, seen from the root of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    repository: Repository,
    commit: String,
}

impl Committed {
    /// A commit of the repository that the folder is in.
    pub(super) fn of(root: &Path, commit: &str) -> Result<Self, Diagnostic> {
        let repository = Repository::discover(root).map_err(Diagnostic::from)?;
        Ok(Self { repository, commit: commit.to_owned() })
    }

    /// The same, seen from the folder of a file.
    pub(super) fn beside(&self, file: &str) -> Result<Self, Diagnostic> {
        let full = in_repository(&self.repository, file)?;
        let prefix = full.rsplit_once('/').map_or("", |(folder, _)| folder);
        Ok(Self { repository: self.repository.seen_from(prefix), commit: self.commit.clone() })
    }

    /// Adds what the commit holds under a pattern and the folder no longer does: it is missed when it is read.
    pub(super) fn add_missing(&self, pattern: &str, found: &mut Vec<String>) -> Result<(), Diagnostic> {
        let full = |path: &str| in_repository(&self.repository, path);
        let here: BTreeSet<String> = found.iter().map(|path| full(path)).collect::<Result<_, _>>()?;
        for path in glob_in_commit(&self.repository, &self.commit, pattern)? {
            if !here.contains(&full(&path)?) {
                found.push(path);
            }
        }
        Ok(())
    }

    /// Refuses bytes that are not those of the commit, line ends aside. What the commit does not hold, the job has made.
    pub(super) fn refuse_another(
        &self,
        path: &str,
        bytes: Option<&[u8]>,
        limit: u64,
    ) -> Result<(), Diagnostic> {
        let Some(there) = find_in_commit(&self.repository, &self.commit, path, path, limit)? else {
            return Ok(());
        };
        let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        if bytes.is_some_and(|bytes| bytes == there || lines(bytes) == lines(&there)) {
            return Ok(());
        }
        Err(Diagnostic::new(format!("this is not what commit {} holds here", short(&self.commit)))
            .at(Place::file(path))
            .help(
                "a filter of .gitattributes, or a step before this one, changes it: commit what is to be evaluated",
            ))
    }
}
