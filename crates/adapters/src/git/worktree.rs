//! Clean checkouts of commits, as git worktrees in a folder of their own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::process::{self, GitOutput, spawn_error};
use super::{Repository, is_object_name, short};
use promptgate_core::model::{Diagnostic, Place};

/// Checkouts that are kept in a folder, the last used ones.
const MAX_CHECKOUTS: usize = 4;

/// A checkout of a commit. Other processes wait until it is dropped.
#[derive(Debug)]
pub struct Checkout {
    root: PathBuf,
    ready: PathBuf,
    _lock: File,
}

impl Checkout {
    /// The folder of the checkout that is `prefix` in the repository.
    pub fn folder(&self, prefix: &str) -> PathBuf {
        if prefix.is_empty() { self.root.clone() } else { self.root.join(prefix) }
    }

    /// Whether it was set up with this fingerprint before.
    pub fn is_set_up(&self, fingerprint: &str) -> bool {
        fs::read_to_string(&self.ready).is_ok_and(|text| text == fingerprint)
    }

    /// Records that it was set up.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn set_up(&self, fingerprint: &str) -> Result<(), Diagnostic> {
        fs::write(&self.ready, fingerprint).map_err(|error| unusable(&self.ready, &error))
    }
}

impl Repository {
    /// Checks a commit out below `folder`, or takes the checkout that is there, if none of its tracked files was changed.
    /// Hooks do not run, and submodules are not fetched.
    ///
    /// # Errors
    /// The folder cannot be written, or git fails, as where the clone lacks the commit's files.
    pub fn check_out(&self, commit: &str, folder: &Path) -> Result<Checkout, Diagnostic> {
        if !is_object_name(commit) {
            return Err(Diagnostic::new("the commit must be a full object name"));
        }
        fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
        let folder = std::path::absolute(folder).map_err(|error| unusable(folder, &error))?;
        let beside = |ending: &str| folder.join(format!("{commit}.{ending}"));
        let lock_path = beside("lock");
        let lock = File::create(&lock_path)
            .and_then(|lock| lock.lock().map(|()| lock))
            .map_err(|error| unusable(&lock_path, &error))?;
        let checkout = Checkout { root: folder.join(commit), ready: beside("ready"), _lock: lock };
        if !is_clean(&checkout.root, commit) {
            let _ = fs::remove_file(&checkout.ready);
            self.remove_worktree(&checkout.root)?;
            let root = checkout.root.to_string_lossy();
            let added =
                self.worktree(&["add", "--force", "--force", "--detach", "--quiet", &root, commit])?;
            if !added.success {
                let message = format!("git could not check out {}: {}", short(commit), added.error());
                let help = "fetch the whole commit, with `fetch-depth: 0` and no partial clone";
                return Err(Diagnostic::new(message).help(help));
            }
        }
        self.remove_old(&folder, commit);
        Ok(checkout)
    }

    fn worktree(&self, arguments: &[&str]) -> Result<GitOutput, Diagnostic> {
        let mut command = process::command(&self.folder);
        command.arg("worktree").args(arguments).env("GIT_NO_LAZY_FETCH", "1");
        process::output(&mut command, &[]).map_err(|error| spawn_error(&self.folder, &error).into())
    }

    fn remove_worktree(&self, root: &Path) -> Result<(), Diagnostic> {
        // One that git does not know is removed as a folder.
        self.worktree(&["remove", "--force", "--force", &root.to_string_lossy()])?;
        match fs::remove_dir_all(root) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unusable(root, &error)),
            _ => Ok(()),
        }
    }

    /// Removes all but the last used checkouts. One that is in use, or cannot be removed, stays.
    fn remove_old(&self, folder: &Path, current: &str) {
        let used =
            |path: &Path| path.metadata().and_then(|it| it.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut others: Vec<(SystemTime, PathBuf)> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|it| it == "lock"))
            .filter(|path| path.file_stem().is_some_and(|commit| commit != current))
            .map(|path| (used(&path), path))
            .collect();
        others.sort();
        others.reverse();
        for (_, path) in others.iter().skip(MAX_CHECKOUTS - 1) {
            let Ok(lock) = File::open(path) else { continue };
            if lock.try_lock().is_ok() && self.remove_worktree(&path.with_extension("")).is_ok() {
                let _ = fs::remove_file(path.with_extension("ready"));
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Whether a folder is a checkout of the commit with its tracked files as they were.
fn is_clean(root: &Path, commit: &str) -> bool {
    let Ok(checkout) = Repository::discover(root) else { return false };
    let is_own =
        fs::canonicalize(root).is_ok_and(|root| fs::canonicalize(&checkout.top).is_ok_and(|top| top == root));
    let head = checkout.git(&["rev-parse", "HEAD"]).map(|output| output.text());
    let status = checkout.git(&["status", "--porcelain", "--untracked-files=no"]);
    is_own
        && head.is_ok_and(|head| head == commit)
        && status.is_ok_and(|status| status.success && status.stdout.is_empty())
}

fn unusable(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(format!("the checkout of the baseline cannot be written: {error}"))
        .at(Place::file(path.display().to_string()))
        .help("free space or permissions; `cache.path` names another folder")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::fixture::Fixture;

    #[test]
    fn checkout_is_clean_reused_and_replaced_after_a_change() {
        let fixture = Fixture::new();
        fixture.write("app/answer.py", "old\n");
        let first = fixture.commit("first");
        fixture.write("app/answer.py", "new\n");
        let second = fixture.commit("second");
        let repository = Repository::discover(&fixture.path()).unwrap();
        let folder = tempfile::tempdir().unwrap();

        let checkout = repository.check_out(&first, folder.path()).unwrap();
        let file = checkout.folder("app").join("answer.py");
        assert_eq!(fs::read_to_string(&file).unwrap(), "old\n");
        assert!(!checkout.is_set_up("a"));
        checkout.set_up("a").unwrap();
        fs::write(checkout.folder("").join("made-by-setup"), "x").unwrap();
        drop(checkout);

        let again = repository.check_out(&first, folder.path()).unwrap();
        assert!(again.is_set_up("a") && !again.is_set_up("b"));
        assert!(again.folder("").join("made-by-setup").exists());
        fs::write(&file, "tampered\n").unwrap();
        drop(again);

        let replaced = repository.check_out(&first, folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "old\n");
        assert!(!replaced.is_set_up("a") && !replaced.folder("").join("made-by-setup").exists());
        drop(replaced);
        assert_eq!(fixture.git(&["status", "--porcelain"]), "");
        let other = repository.check_out(&second, folder.path()).unwrap();
        assert_eq!(fs::read_to_string(other.folder("app").join("answer.py")).unwrap(), "new\n");
    }

    #[test]
    fn only_the_last_checkouts_are_kept() {
        let fixture = Fixture::new();
        let folder = tempfile::tempdir().unwrap();
        let commits: Vec<String> = (0..MAX_CHECKOUTS + 2)
            .map(|number| {
                fixture.write("file", format!("{number}"));
                fixture.commit("next")
            })
            .collect();
        let repository = Repository::discover(&fixture.path()).unwrap();
        for commit in &commits {
            repository.check_out(commit, folder.path()).unwrap();
        }
        let kept = commits.iter().filter(|commit| folder.path().join(commit).exists()).count();
        assert_eq!(kept, MAX_CHECKOUTS);
        assert!(folder.path().join(&commits[MAX_CHECKOUTS + 1]).exists());
        assert_eq!(fixture.git(&["worktree", "list"]).lines().count(), 1 + MAX_CHECKOUTS);
    }

    #[test]
    fn commit_that_is_not_there_is_an_error() {
        let fixture = Fixture::new();
        fixture.write("file", "a");
        fixture.commit("first");
        let repository = Repository::discover(&fixture.path()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let error = repository.check_out(&"1".repeat(40), folder.path()).unwrap_err();
        assert!(error.message.contains("could not check out 111111111111"), "{error:?}");
    }
}
