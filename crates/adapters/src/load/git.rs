//! Reading a repository through the git program, without touching its work tree, index or configuration.
//!
//! Nothing is fetched, no hook, filter, pager or prompt runs, and what the user writes reaches git only after
//! `--end-of-options` or inside an object name that was resolved before. The room reads no environment itself:
//! what a CI system says comes in through a lookup.

mod changed;
#[cfg(test)]
pub(super) mod fixture;
mod merge_base;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use promptgate_core::model::Diagnostic;

pub use changed::Changed;
pub use merge_base::{MergeBase, NoMergeBase};

/// A repository with a work tree, seen from a folder in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    folder: PathBuf,
    top: PathBuf,
    prefix: String,
    shallow: bool,
}

/// A commit that a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The name that was found: as asked for, or `origin/NAME` where only that exists.
    pub name: String,
    /// The full object name.
    pub commit: String,
}

/// Why there is no repository to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRepository {
    /// The folder is in no repository, or there is no git program: nothing to compare with, no mistake by itself.
    Absent(Diagnostic),
    /// There is one, but it cannot be read.
    Unreadable(Diagnostic),
}

impl From<NoRepository> for Diagnostic {
    fn from(reason: NoRepository) -> Self {
        match reason {
            NoRepository::Absent(diagnostic) | NoRepository::Unreadable(diagnostic) => diagnostic,
        }
    }
}

/// What one call of git said.
struct Said {
    success: bool,
    stdout: Vec<u8>,
    stderr: String,
}

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches(['\n', '\r']).to_owned()
    }

    /// The first line of what git complained, bounded.
    fn complaint(&self) -> String {
        let line = self.stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or("no message");
        line.trim().chars().filter(|character| !character.is_control()).take(300).collect()
    }
}

impl Repository {
    /// The repository that holds `folder`.
    ///
    /// # Errors
    /// [`NoRepository::Absent`] where there is none, or no git program; [`NoRepository::Unreadable`] where git
    /// refuses it.
    pub fn discover(folder: &Path) -> Result<Self, NoRepository> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let arguments = ["rev-parse", "--is-shallow-repository", "--show-prefix", "--show-toplevel"];
        let said = match git(folder, &arguments) {
            Ok(said) => said,
            Err(GitFailure::NotInstalled) => return Err(NoRepository::Absent(not_installed())),
            Err(GitFailure::Other(diagnostic)) => return Err(NoRepository::Unreadable(diagnostic)),
        };
        if !said.success {
            return Err(no_repository(folder, &said));
        }
        let text = said.text();
        let mut lines = text.splitn(3, '\n');
        let (Some(shallow), Some(prefix), Some(top)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(NoRepository::Unreadable(
                Diagnostic::new("git did not say where the repository is").help("use git 2.30 or newer"),
            ));
        };
        Ok(Self {
            folder: folder.to_owned(),
            top: PathBuf::from(top),
            prefix: prefix.trim_end_matches('/').to_owned(),
            shallow: shallow == "true",
        })
    }

    /// The top folder of the work tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The folder it was discovered from.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The same repository with paths relative to another of its folders, named from the top.
    pub(super) fn seen_from(&self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self.clone() }
    }

    /// The folder it was discovered from, relative to the top, with `/`; empty for the top itself.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether a file of its folder is part of the repository: committed, or about to be.
    ///
    /// # Errors
    /// A mistake where git does not say.
    pub fn tracks(&self, name: &str) -> Result<bool, Diagnostic> {
        let said = self.git(&["ls-files", "--", name])?;
        if !said.success {
            return Err(Diagnostic::new(format!(
                "git could not say whether `{name}` is tracked: {}",
                said.complaint()
            )));
        }
        Ok(!said.text().is_empty())
    }

    /// Whether history is cut off, as in most CI checkouts.
    pub fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// The commit that a branch, tag, object name or expression such as `HEAD~2` stands for. A name that exists
    /// only as `origin/NAME` is found there, as in a CI checkout that has no local branches.
    ///
    /// # Errors
    /// A mistake for a malformed name, one that is not there, or a repository without commits.
    pub fn resolve(&self, reference: &str) -> Result<Resolved, Diagnostic> {
        well_formed(reference)?;
        self.refuse_two_meanings(reference)?;
        if let Some(commit) = self.commit_of(reference)? {
            return Ok(Resolved { name: reference.to_owned(), commit });
        }
        let remote = format!("refs/remotes/origin/{reference}");
        if !is_object_name(reference)
            && let Some(commit) = self.commit_of(&remote)?
        {
            return Ok(Resolved { name: format!("origin/{reference}"), commit });
        }
        Err(self.unknown(reference))
    }

    /// The tip of a branch, by its name alone: a tag of that name, which anybody may push, is none.
    fn branch(&self, name: &str) -> Result<Option<String>, Diagnostic> {
        match self.commit_of(&format!("refs/remotes/{name}"))? {
            Some(commit) => Ok(Some(commit)),
            None => self.commit_of(&format!("refs/heads/{name}")),
        }
    }

    /// Git takes a tag before a branch of the same name: where there are both, of different commits, whoever pushes the
    /// tag would choose what the name means.
    fn refuse_two_meanings(&self, reference: &str) -> Result<(), Diagnostic> {
        let name = reference.split(['~', '^', '@']).next().unwrap_or_default();
        let Some(tag) = self.commit_of(&format!("refs/tags/{name}"))? else { return Ok(()) };
        for branch in [name.to_owned(), format!("origin/{name}")] {
            if self.branch(&branch)?.is_some_and(|commit| commit != tag) {
                return Err(Diagnostic::new(format!("`{name}` is a tag and a branch, of different commits"))
                    .help("say which: `git:refs/tags/NAME`, `git:refs/heads/NAME`, `git:refs/remotes/origin/NAME`"));
            }
        }
        Ok(())
    }

    /// The commit of a name, `None` where there is none.
    fn commit_of(&self, reference: &str) -> Result<Option<String>, Diagnostic> {
        let peeled = format!("{reference}^{{commit}}");
        let said = self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled])?;
        let commit = said.text();
        Ok((said.success && is_object_name(&commit)).then_some(commit))
    }

    fn unknown(&self, reference: &str) -> Diagnostic {
        if matches!(self.commit_of("HEAD"), Ok(None)) {
            return Diagnostic::new("the git repository has no commit yet")
                .help("commit the prompt first, or set `baseline: none`");
        }
        let diagnostic = Diagnostic::new(format!("git knows no commit `{reference}` here"));
        if self.shallow {
            return diagnostic.help(format!(
                "this is a shallow clone: fetch it (`git fetch --depth=1 origin {reference}`), or check out with \
                 `fetch-depth: 0`"
            ));
        }
        diagnostic.help(
            "name a branch, a tag or a commit of this repository; `git branch --all` lists the branches",
        )
    }

    /// What stands at a path of a commit; `None` where nothing does. `path` is relative to the top, with `/`.
    pub(super) fn entry(&self, commit: &str, path: &str) -> Result<Option<Entry>, Diagnostic> {
        let entries = self.list_tree(&["ls-tree", "-z", "--full-tree", commit, "--", path], commit)?;
        Ok(entries.into_iter().find(|entry| entry.path == path))
    }

    /// Every file below a folder of a commit, in byte order. `folder` is relative to the top; empty for all.
    pub(super) fn files(&self, commit: &str, folder: &str) -> Result<Vec<Entry>, Diagnostic> {
        let mut arguments = vec!["ls-tree", "-z", "-r", "--full-tree", commit];
        let below = format!("{folder}/");
        if !folder.is_empty() {
            arguments.extend(["--", below.as_str()]);
        }
        let mut entries = self.list_tree(&arguments, commit)?;
        entries.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(entries)
    }

    fn list_tree(&self, arguments: &[&str], commit: &str) -> Result<Vec<Entry>, Diagnostic> {
        let said = self.git(arguments)?;
        if !said.success {
            return Err(self.unreadable(commit, &said));
        }
        // MODE SP TYPE SP OBJECT TAB PATH NUL; a path that is not UTF-8 cannot be named in a configuration.
        Ok(said
            .stdout
            .split(|byte| *byte == 0)
            .filter_map(|record| {
                let (facts, path) = std::str::from_utf8(record).ok()?.split_once('\t')?;
                let mut facts = facts.split(' ');
                let kind = match (facts.next()?, facts.next()?) {
                    ("120000", _) => EntryKind::Link,
                    (_, "blob") => EntryKind::File,
                    (_, "tree") => EntryKind::Folder,
                    _ => EntryKind::Submodule,
                };
                Some(Entry { kind, object: facts.next()?.to_owned(), path: path.to_owned() })
            })
            .collect())
    }

    /// The bytes of a file; `Err(size)` inside where it is larger than `limit` bytes.
    pub(super) fn blob(
        &self,
        commit: &str,
        entry: &Entry,
        limit: u64,
    ) -> Result<Result<Vec<u8>, u64>, Diagnostic> {
        let said = self.git(&["cat-file", "-s", &entry.object])?;
        let Some(size) = said.success.then(|| said.text().parse::<u64>().ok()).flatten() else {
            return Err(self.unreadable(commit, &said));
        };
        if size > limit {
            return Ok(Err(size));
        }
        let said = self.git(&["cat-file", "blob", &entry.object])?;
        if said.success { Ok(Ok(said.stdout)) } else { Err(self.unreadable(commit, &said)) }
    }

    fn unreadable(&self, commit: &str, said: &Said) -> Diagnostic {
        let diagnostic =
            Diagnostic::new(format!("git could not read commit {}: {}", short(commit), said.complaint()));
        diagnostic.help("its objects may not be here (a shallow or partial clone): fetch that commit whole")
    }

    fn git(&self, arguments: &[&str]) -> Result<Said, Diagnostic> {
        git(&self.folder, arguments).map_err(|failure| match failure {
            GitFailure::NotInstalled => not_installed(),
            GitFailure::Other(diagnostic) => diagnostic,
        })
    }
}

/// One entry of a commit's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    pub(super) object: String,
    pub(super) path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Folder,
    Link,
    Submodule,
}

/// The first twelve digits of an object name, for readers.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn is_object_name(text: &str) -> bool {
    (40..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn well_formed(reference: &str) -> Result<(), Diagnostic> {
    let reason = if reference.is_empty() {
        "is empty"
    } else if reference.starts_with('-') {
        "starts with `-`"
    } else if reference.chars().any(|character| character.is_control() || character == ' ') {
        "holds a space or a control character"
    } else if reference.contains(':') {
        "holds a `:`"
    } else if reference.contains("..") {
        "is a range (`..`), not one commit"
    } else {
        return Ok(());
    };
    let shown: String = reference.chars().filter(|character| !character.is_control()).take(100).collect();
    Err(Diagnostic::new(format!("the git reference `{shown}` {reason}"))
        .help("write a branch, a tag or a commit: `git:main`, `git:v1.2`, `git:HEAD~1`"))
}

enum GitFailure {
    NotInstalled,
    Other(Diagnostic),
}

fn not_installed() -> Diagnostic {
    Diagnostic::new("the git program was not found").help(
        "install git, or compare with a file or a saved report: `baseline: file:PATH`, `report:PATH`, `none`",
    )
}

fn no_repository(folder: &Path, said: &Said) -> NoRepository {
    let complaint = said.complaint();
    let shown = folder.display();
    if complaint.contains("not a git repository") {
        // The note of a run without a baseline: a report holds no path of the machine it was made on.
        return NoRepository::Absent(Diagnostic::new("the configuration is in no git repository").help(
            "compare with a file or a saved report, `baseline: file:PATH` or `report:PATH`, or set `none`",
        ));
    }
    if complaint.contains("dubious ownership") {
        return NoRepository::Unreadable(
            Diagnostic::new(format!("git refuses the repository of {shown}: it belongs to another user"))
                .help("trust it with `git config --global --add safe.directory FOLDER` before this step"),
        );
    }
    if complaint.contains("must be run in a work tree") || complaint.contains("cannot use bare repository") {
        return NoRepository::Unreadable(
            Diagnostic::new(format!("the git repository of {shown} has no work tree"))
                .help("run in a clone that is not bare"),
        );
    }
    NoRepository::Unreadable(Diagnostic::new(format!(
        "git cannot read the repository of {shown}: {complaint}"
    )))
}

/// Runs git in a folder and waits for it.
fn git(folder: &Path, arguments: &[&str]) -> Result<Said, GitFailure> {
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .arg("--no-replace-objects")
        .arg("--no-optional-locks")
        .arg("--literal-pathspecs")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
        // Files of a commit can look like a repository without a work tree; its answers would be the committer's.
        .args(["-c", "safe.bareRepository=explicit"])
        .args(arguments)
        .current_dir(folder)
        // Never reach for the network, ask, or talk in another language.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("LC_ALL", "C")
        .env("LANGUAGE", "C")
        .stdin(Stdio::null());
    // A git hook sets these for its own repository; ours is that of the folder.
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_SHALLOW_FILE",
        "GIT_GRAFT_FILE",
        "GIT_GLOB_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
        "GIT_TRACE",
        "GIT_EXTERNAL_DIFF",
    ] {
        command.env_remove(name);
    }
    match command.output() {
        Ok(output) => Ok(Said {
            success: output.status.success(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if folder.is_dir() {
                Err(GitFailure::NotInstalled)
            } else {
                Err(GitFailure::Other(Diagnostic::new(format!("there is no folder {}", folder.display()))))
            }
        }
        Err(error) => Err(GitFailure::Other(Diagnostic::new(format!("could not run git: {error}")))),
    }
}
