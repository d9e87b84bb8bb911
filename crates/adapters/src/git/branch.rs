//! Commits a file to a new branch, without touching work tree, index or hooks.

use super::Repository;
use super::process::{command, output, spawn_error};
use promptgate_core::model::Diagnostic;

/// A commit of one file.
#[derive(Debug, Clone, Copy)]
pub struct BranchCommit<'a> {
    /// The branch to create: a short name.
    pub branch: &'a str,
    /// The file, relative to the root of the repository.
    pub path: &'a str,
    /// Its content.
    pub content: &'a [u8],
    /// The author: `Name <address>`; the committer is git's user.
    pub author: &'a str,
    /// The message.
    pub message: &'a str,
}

impl Repository {
    /// Creates a branch at HEAD with one commit that replaces a file; returns the full name of the commit.
    ///
    /// # Errors
    /// A branch that exists, and whatever git refuses.
    pub fn commit_to_branch(&self, commit: &BranchCommit<'_>) -> Result<String, Diagnostic> {
        let reference = format!("refs/heads/{}", commit.branch);
        if !self.git(&["check-ref-format", &reference])?.success {
            return Err(Diagnostic::new(format!("invalid branch `{}`", commit.branch)));
        }
        if self.git(&["show-ref", "--verify", "--quiet", &reference])?.success {
            return Err(Diagnostic::new(format!("branch {} exists already", commit.branch))
                .help("name another one, or delete it"));
        }
        let head = self.run(&["rev-parse", "--verify", "HEAD^{commit}"], &[])?;
        let blob = self.run_with(&["hash-object", "-w", "--stdin"], &[], commit.content)?;
        let index = tempfile::Builder::new()
            .prefix("promptgate-index")
            .tempdir()
            .map_err(|error| Diagnostic::new(format!("could not create a temporary folder: {error}")))?;
        let file = index.path().join("index").to_string_lossy().into_owned();
        let index = [("GIT_INDEX_FILE", file.as_str())];
        self.run(&["read-tree", &head], &index)?;
        let entry = format!("100644,{blob},{}", commit.path);
        self.run(&["update-index", "--add", "--cacheinfo", &entry], &index)?;
        let tree = self.run(&["write-tree"], &index)?;
        let (name, address) = person(commit.author);
        let author = [("GIT_AUTHOR_NAME", name), ("GIT_AUTHOR_EMAIL", address)];
        let made = self.run(&["commit-tree", &tree, "-p", &head, "-m", commit.message], &author)?;
        // The empty old value requires that nobody created the branch meanwhile.
        self.run(&["update-ref", &reference, &made, ""], &[])?;
        Ok(made)
    }

    /// Runs git with variables, and returns what it printed.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, Diagnostic> {
        self.run_with(arguments, variables, &[])
    }

    fn run_with(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
        input: &[u8],
    ) -> Result<String, Diagnostic> {
        let mut command = command(self.top());
        command.args(arguments).envs(variables.iter().copied());
        let output = output(&mut command, input).map_err(|error| spawn_error(self.top(), &error))?;
        if output.success {
            return Ok(output.text());
        }
        Err(Diagnostic::new(format!("git {} failed: {}", arguments[0], output.error())))
    }
}

/// `Name <address>` in two; an author without an address gets an empty one, which git takes.
fn person(author: &str) -> (&str, &str) {
    match author.split_once('<') {
        Some((name, address)) => (name.trim(), address.trim_end_matches('>').trim()),
        None => (author.trim(), ""),
    }
}
