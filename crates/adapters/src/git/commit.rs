//! Facts of one commit.

use super::{Repository, is_object_name, short};
use promptgate_core::model::Diagnostic;

impl Repository {
    /// The first parent of a commit; `None` for a commit without parents.
    ///
    /// # Errors
    /// If git fails, or the parent is not in the clone, which is shallow.
    pub fn first_parent(&self, commit: &str) -> Result<Option<String>, Diagnostic> {
        if !is_object_name(commit) {
            return Err(Diagnostic::new("the commit must be a full object name"));
        }
        // The object names its parents in a shallow clone as well.
        let object = self.read_commit(commit, &["cat-file", "commit", commit])?.text();
        let header = object.split("\n\n").next().unwrap_or_default();
        let Some(parent) = header.lines().find_map(|line| line.strip_prefix("parent ")) else {
            return Ok(None);
        };
        match self.commit_of(parent)? {
            Some(parent) => Ok(Some(parent)),
            None => Err(Diagnostic::new(format!("the parent of {} is not in this clone", short(commit)))
                .help("check out all history, with `fetch-depth: 0`")),
        }
    }

    /// Whether `ancestor` is a commit that `commit` contains, or the same one; `false` if it is not in the clone.
    ///
    /// # Errors
    /// If git fails.
    pub fn is_ancestor(&self, ancestor: &str, commit: &str) -> Result<bool, Diagnostic> {
        if !is_object_name(ancestor) || !is_object_name(commit) || self.commit_of(ancestor)?.is_none() {
            return Ok(false);
        }
        Ok(self.git(&["merge-base", "--is-ancestor", ancestor, commit])?.success)
    }

    /// The committer's time of a commit, as RFC 3339.
    ///
    /// # Errors
    /// If git fails, or the commit is not a full object name or not in the clone.
    pub fn committed_at(&self, commit: &str) -> Result<String, Diagnostic> {
        if !is_object_name(commit) {
            return Err(Diagnostic::new("the commit must be a full object name"));
        }
        Ok(self
            .read_commit(commit, &["show", "--no-patch", "--format=%cI", "--end-of-options", commit])?
            .text())
    }
}
