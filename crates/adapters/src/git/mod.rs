//! Reads a repository through the git program, without changing its work tree, index or configuration.
//!
//! [`Repository`] resolves references and finds the [`MergeBase`] of a change; [`CommitCheck`] compares files with a
//! commit.
//!
//! Nothing is fetched; no hook, filter, pager or prompt runs. User input reaches git only after `--end-of-options` or
//! as a resolved object name. Environment variables of the CI system are read through a lookup passed as an argument.

mod branch;
mod change;
mod changed;
mod commit;
mod commit_check;
mod commit_files;
#[cfg(test)]
pub(crate) mod fixture;
mod merge_base;
mod presence;
pub(crate) mod process;
#[cfg(test)]
mod tests;
mod tree_digest;
mod worktree;

use std::path::{Path, PathBuf};

use promptgate_core::model::Diagnostic;

pub use branch::BranchCommit;
pub use change::{ChangeCommit, ChangeHistory, Person};
pub use changed::ChangedLines;
pub use commit_check::CommitCheck;
pub(crate) use commit_files::{
    GLOB_OPTIONS, find_in_commit, glob_in_commit, in_repository, invalid_pattern, is_pattern, too_large,
};
pub use merge_base::{MergeBase, named_base};
use process::{GitOutput, git};
pub use worktree::Checkout;

/// Looks up an environment variable of the CI system.
pub type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

/// A repository with a work tree. Paths are relative to a folder in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    folder: PathBuf,
    top: PathBuf,
    prefix: String,
    /// Whether history is truncated, as in most CI checkouts.
    shallow: bool,
}

/// The commit of a git reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedCommit {
    /// The resolved name: the reference itself, or `origin/NAME` if only that exists.
    pub name: String,
    /// Full object name.
    pub commit: String,
}

/// An error of opening a repository or of finding a merge base. It never means that nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitError {
    /// No repository in this folder or above it. A default baseline may fall back to none.
    Absent(Diagnostic),
    /// The repository has no commit yet, so that everything in it is new.
    Unborn(Diagnostic),
    /// No branch that changes are merged into was found. An error if a criterion needs a baseline.
    NoTrunk(Diagnostic),
    /// The repository cannot be read, or the commit is not in this clone.
    Unreadable(Diagnostic),
}

impl From<GitError> for Diagnostic {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Absent(diagnostic)
            | GitError::Unborn(diagnostic)
            | GitError::NoTrunk(diagnostic)
            | GitError::Unreadable(diagnostic) => diagnostic,
        }
    }
}

impl From<Diagnostic> for GitError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Unreadable(diagnostic)
    }
}

impl Repository {
    /// Opens the repository that contains `folder`.
    ///
    /// # Errors
    /// [`GitError::Absent`] if there is no repository; [`GitError::Unreadable`] if there is one that git cannot read, or
    /// git is not installed.
    pub fn discover(folder: &Path) -> Result<Self, GitError> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let arguments = ["rev-parse", "--is-shallow-repository", "--show-prefix", "--show-toplevel"];
        let output = git(folder, &arguments).map_err(|error| presence::refine(folder, error))?;
        if !output.success {
            return Err(discovery_error(folder, &output));
        }
        let text = output.text();
        let mut lines = text.splitn(3, '\n');
        let (Some(shallow), Some(prefix), Some(top)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(Diagnostic::new("git did not report the location of the repository")
                .help("use git 2.30 or later")
                .into());
        };
        presence::refuse_damaged_below(folder, Path::new(top))?;
        Ok(Self {
            folder: folder.to_owned(),
            top: PathBuf::from(top),
            prefix: prefix.trim_end_matches('/').to_owned(),
            shallow: shallow == "true",
        })
    }

    /// Root folder of the work tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Whether history is truncated.
    pub fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// The folder passed to [`Repository::discover`].
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the same repository with paths relative to the folder of a file.
    pub(crate) fn in_folder_of(&self, file: &str) -> Result<Self, Diagnostic> {
        let full = in_repository(self, file)?;
        let prefix = full.rsplit_once('/').map_or("", |(folder, _)| folder);
        Ok(Self { prefix: prefix.to_owned(), ..self.clone() })
    }

    /// The folder that paths are relative to, itself relative to the root, with `/`; empty for the root.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether a file is committed or staged. `name` is relative to the folder.
    ///
    /// # Errors
    /// If git fails.
    pub fn tracks(&self, name: &str) -> Result<bool, Diagnostic> {
        let output = self.git(&["ls-files", "--", name])?;
        if !output.success {
            return Err(Diagnostic::new(format!(
                "git could not determine whether `{name}` is tracked: {}",
                output.error()
            )));
        }
        Ok(!output.text().is_empty())
    }

    /// Opens the repository that contains `folder`; `None` where there is none.
    ///
    /// # Errors
    /// A repository that git cannot read, or git is not installed.
    pub fn find(folder: &Path) -> Result<Option<Self>, GitError> {
        match Self::discover(folder) {
            Ok(repository) => Ok(Some(repository)),
            Err(GitError::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The files below the folder that are committed or staged, relative to it.
    ///
    /// # Errors
    /// If git fails.
    pub(crate) fn tracked(&self) -> Result<Vec<String>, Diagnostic> {
        let output = self.git(&["ls-files", "-z"])?;
        if !output.success {
            let message = format!("git could not determine which files are tracked: {}", output.error());
            return Err(Diagnostic::new(message));
        }
        let files = output.stdout.split(|byte| *byte == 0).filter(|file| !file.is_empty());
        Ok(files.map(|file| String::from_utf8_lossy(file).into_owned()).collect())
    }

    /// The path of a file, given relative to the folder, from the root of the repository.
    ///
    /// # Errors
    /// A path outside the repository.
    pub fn path_from_root(&self, path: &str) -> Result<String, Diagnostic> {
        in_repository(self, path)
    }

    /// The address of a remote as configured, before `url.*.insteadOf`; `None` for an unknown remote.
    pub fn remote_url(&self, remote: &str) -> Option<String> {
        let output = self.git(&["config", "--get", &format!("remote.{remote}.url")]).ok()?;
        output.success.then(|| output.text().trim().to_owned()).filter(|address| !address.is_empty())
    }

    /// Resolves a branch, tag, object name or expression such as `HEAD~2`. If NAME does not exist, `origin/NAME` is
    /// tried, since CI checkouts often have no local branches.
    ///
    /// # Errors
    /// If the reference is malformed, ambiguous or unknown, or the repository has no commits.
    pub fn resolve(&self, reference: &str) -> Result<ResolvedCommit, Diagnostic> {
        validate_reference(reference)?;
        self.reject_ambiguous(reference)?;
        if let Some(commit) = self.commit_of(reference)? {
            return Ok(ResolvedCommit { name: reference.to_owned(), commit });
        }
        let remote = format!("refs/remotes/origin/{reference}");
        if !is_object_name(reference)
            && let Some(commit) = self.commit_of(&remote)?
        {
            return Ok(ResolvedCommit { name: format!("origin/{reference}"), commit });
        }
        Err(self.unknown_reference(reference))
    }

    /// Returns the tip of a branch. Tags of the same name are ignored, since branch protection does not cover them.
    fn branch(&self, name: &str) -> Result<Option<String>, Diagnostic> {
        match self.commit_of(&format!("refs/remotes/{name}"))? {
            Some(commit) => Ok(Some(commit)),
            None => self.commit_of(&format!("refs/heads/{name}")),
        }
    }

    /// Rejects a name of both a tag and a branch with different commits. Git prefers the tag, so anyone who can push a
    /// tag could redirect the name.
    fn reject_ambiguous(&self, reference: &str) -> Result<(), Diagnostic> {
        let name = reference.split(['~', '^', '@']).next().unwrap_or_default();
        let Some(tag) = self.commit_of(&format!("refs/tags/{name}"))? else { return Ok(()) };
        for branch in [name.to_owned(), format!("origin/{name}")] {
            if self.branch(&branch)?.is_some_and(|commit| commit != tag) {
                return Err(Diagnostic::new(format!("`{name}` is both a tag and a branch, with different commits"))
                    .help("specify one: `git:refs/tags/NAME`, `git:refs/heads/NAME`, `git:refs/remotes/origin/NAME`"));
            }
        }
        Ok(())
    }

    /// Returns the commit of a reference, `None` if it does not exist.
    fn commit_of(&self, reference: &str) -> Result<Option<String>, Diagnostic> {
        let peeled = format!("{reference}^{{commit}}");
        let output = self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled])?;
        let commit = output.text();
        Ok((output.success && is_object_name(&commit)).then_some(commit))
    }

    fn unknown_reference(&self, reference: &str) -> Diagnostic {
        if let Err(error) = self.head() {
            return error.into();
        }
        let diagnostic = Diagnostic::new(format!("no commit `{reference}` in this git repository"));
        if self.shallow {
            return diagnostic.help(format!(
                "the clone is shallow: fetch the commit (`git fetch --depth=1 origin {reference}`), or check out \
                 with `fetch-depth: 0`"
            ));
        }
        diagnostic
            .help("use a branch, tag or commit of this repository; `git branch --all` lists the branches")
    }

    /// Returns the entry at a path of a commit, `None` if there is none. `path` is relative to the root, with `/`.
    pub(crate) fn entry(&self, commit: &str, path: &str) -> Result<Option<Entry>, Diagnostic> {
        let entries = self.list_tree(&["ls-tree", "-z", "--full-tree", commit, "--", path], commit)?;
        Ok(entries.into_iter().find(|entry| entry.path == path))
    }

    /// Returns the files below a folder of a commit, in byte order. `folder` is relative to the root; empty for all.
    pub(crate) fn files(&self, commit: &str, folder: &str) -> Result<Vec<Entry>, Diagnostic> {
        let mut arguments = vec!["ls-tree", "-z", "-r", "--full-tree", commit];
        let pathspec = format!("{folder}/");
        if !folder.is_empty() {
            arguments.extend(["--", pathspec.as_str()]);
        }
        let mut entries = self.list_tree(&arguments, commit)?;
        entries.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(entries)
    }

    /// Returns the paths of the files of a commit that have one of these names, from the root.
    ///
    /// # Errors
    /// If the commit cannot be read.
    pub fn files_named(&self, commit: &str, names: &[&str]) -> Result<Vec<String>, Diagnostic> {
        let of_name = |path: &str| names.contains(&path.rsplit('/').next().unwrap_or_default());
        let files = self.files(commit, "")?;
        Ok(files
            .into_iter()
            .filter(|entry| entry.kind == EntryKind::File && of_name(&entry.path))
            .map(|entry| entry.path)
            .collect())
    }

    /// Returns the paths of the symbolic links of a commit, from the root.
    ///
    /// # Errors
    /// If the commit cannot be read.
    pub fn links(&self, commit: &str) -> Result<Vec<String>, Diagnostic> {
        let files = self.files(commit, "")?;
        Ok(files.into_iter().filter(|entry| entry.kind == EntryKind::Link).map(|entry| entry.path).collect())
    }

    fn list_tree(&self, arguments: &[&str], commit: &str) -> Result<Vec<Entry>, Diagnostic> {
        let output = self.read_commit(commit, arguments)?;
        // MODE SP TYPE SP OBJECT TAB PATH NUL. Paths that are not UTF-8 are skipped: no configuration can name them.
        Ok(output
            .stdout
            .split(|byte| *byte == 0)
            .filter_map(|record| {
                let (fields, path) = std::str::from_utf8(record).ok()?.split_once('\t')?;
                let mut fields = fields.split(' ');
                let kind = match (fields.next()?, fields.next()?) {
                    ("120000", _) => EntryKind::Link,
                    (_, "blob") => EntryKind::File,
                    (_, "tree") => EntryKind::Folder,
                    _ => EntryKind::Submodule,
                };
                Some(Entry { kind, object: fields.next()?.to_owned(), path: path.to_owned() })
            })
            .collect())
    }

    /// Returns the bytes of a file, `None` if it is larger than `limit` bytes.
    fn blob(&self, commit: &str, entry: &Entry, limit: u64) -> Result<Option<Vec<u8>>, Diagnostic> {
        let output = self.read_commit(commit, &["cat-file", "-s", &entry.object])?;
        if output.text().parse::<u64>().is_ok_and(|size| size > limit) {
            return Ok(None);
        }
        let output = self.read_commit(commit, &["cat-file", "blob", &entry.object])?;
        Ok(Some(output.stdout))
    }

    /// Runs a command that reads from a commit and must succeed.
    fn read_commit(&self, commit: &str, arguments: &[&str]) -> Result<GitOutput, Diagnostic> {
        let output = self.git(arguments)?;
        if output.success {
            return Ok(output);
        }
        Err(Diagnostic::new(format!("git could not read commit {}: {}", short(commit), output.error()))
            .help("objects may be missing (a shallow or partial clone): fetch the complete commit"))
    }

    fn git(&self, arguments: &[&str]) -> Result<GitOutput, Diagnostic> {
        git(&self.folder, arguments).map_err(Diagnostic::from)
    }
}

/// One entry of a commit's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    pub(crate) object: String,
    pub(crate) path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Folder,
    Link,
    Submodule,
}

/// Abbreviates an object name to twelve digits.
pub fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

pub(crate) fn is_object_name(text: &str) -> bool {
    (40..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(crate) fn validate_reference(reference: &str) -> Result<(), Diagnostic> {
    let reason = if reference.is_empty() {
        "is empty"
    } else if reference.starts_with('-') {
        "starts with `-`"
    } else if reference.chars().any(|character| character.is_control() || character == ' ') {
        "contains a space or a control character"
    } else if reference.contains(':') {
        "contains a `:`"
    } else if reference.contains("..") {
        "is a range (`..`), not a single commit"
    } else {
        return Ok(());
    };
    let shown: String = reference.chars().filter(|character| !character.is_control()).take(100).collect();
    Err(Diagnostic::new(format!("the git reference `{shown}` {reason}"))
        .help("write a branch, tag or commit: `git:main`, `git:v1.2`, `git:HEAD~1`"))
}

fn discovery_error(folder: &Path, output: &GitOutput) -> GitError {
    let error = output.error();
    let shown = folder.display();
    if error.contains("not a git repository") {
        // This text appears in the report, which must not contain local paths.
        let absent = GitError::Absent(Diagnostic::new("the configuration is not in a git repository").help(
            "compare with a file or a saved report (`baseline: file:PATH` or `report:PATH`), or set `none`",
        ));
        return presence::refine(folder, absent);
    }
    let diagnostic = if error.contains("dubious ownership") {
        Diagnostic::new(format!("git rejects the repository of {shown}: it belongs to another user"))
            .help("run `git config --global --add safe.directory FOLDER` before this step")
    } else if error.contains("must be run in a work tree") || error.contains("cannot use bare repository") {
        Diagnostic::new(format!("the git repository of {shown} has no work tree"))
            .help("use a clone that is not bare")
    } else {
        Diagnostic::new(format!("git cannot read the repository of {shown}: {error}"))
    };
    diagnostic.into()
}
