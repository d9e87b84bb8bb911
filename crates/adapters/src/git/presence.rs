//! Distinguishes a missing repository from an unreadable one, and a repository without commits from one that lost them.
//!
//! Only the former of each pair may mean that there is nothing to compare with.

use std::path::{Path, PathBuf};

use promptgate_core::model::Diagnostic;
use promptgate_core::text::neutral;

use super::{GitError, Repository, is_object_name};

/// Names of branches that changes are often merged into, by priority.
const TRUNKS: [&str; 6] = ["main", "master", "develop", "trunk", "development", "default"];

/// Turns [`GitError::Absent`] into [`GitError::Unreadable`] if there is a `.git` in the folder or above it.
pub(super) fn refine(folder: &Path, error: GitError) -> GitError {
    let GitError::Absent(diagnostic) = error else { return error };
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let Some(entry) = entry_above(folder, home.as_deref()) else { return GitError::Absent(diagnostic) };
    if diagnostic.message.contains("not installed") {
        return unreadable(&entry, &diagnostic.message, "install git");
    }
    unreadable(&entry, reason(&entry), "check out the repository again")
}

/// Rejects a damaged `.git` below the repository that git found in its place.
pub(super) fn refuse_damaged_below(folder: &Path, top: &Path) -> Result<(), GitError> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let Some(entry) = entry_above(folder, home.as_deref()) else { return Ok(()) };
    let top = std::fs::canonicalize(top).unwrap_or_else(|_| top.to_owned());
    let of_entry = entry.parent().unwrap_or(&entry);
    if of_entry != top && of_entry.starts_with(&top) {
        return Err(unreadable(&entry, reason(&entry), "remove it, or check out the repository again"));
    }
    Ok(())
}

fn unreadable(entry: &Path, reason: &str, next: &str) -> GitError {
    let entry = neutral::terminal(&entry.display().to_string());
    let help = format!(
        "{next}. An unreadable repository is not treated as a missing one; to run without a baseline, set `baseline: none`"
    );
    Diagnostic::new(format!("the git repository at `{entry}` cannot be read: {reason}")).help(help).into()
}

/// Why git does not accept a `.git` that exists.
fn reason(entry: &Path) -> &'static str {
    if entry.is_file() {
        "`.git` is a file that does not lead to a repository"
    } else if !entry.join("HEAD").exists() {
        "`.git` has no HEAD"
    } else if !entry.join("objects").is_dir() {
        "`.git` has no objects"
    } else {
        "git does not accept it as a repository"
    }
}

/// The nearest `.git` in a folder or above it, except that of the home folder, which is rarely that of a project.
fn entry_above(folder: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let folder = std::fs::canonicalize(folder).ok()?;
    let home = home.and_then(|home| std::fs::canonicalize(home).ok());
    let entries =
        folder.ancestors().filter(|above| home.as_deref() != Some(*above)).map(|it| it.join(".git"));
    entries.into_iter().find(|entry| entry.symlink_metadata().is_ok())
}

impl Repository {
    /// The commit at HEAD.
    ///
    /// # Errors
    /// [`GitError::Unborn`] if the repository has no commit yet; [`GitError::Unreadable`] if the commit is lost, or HEAD
    /// is on a branch without commits although other branches have some.
    pub(super) fn head(&self) -> Result<String, GitError> {
        if let Some(commit) = self.commit_of("HEAD")? {
            return Ok(commit);
        }
        let named = self.git(&["rev-parse", "--verify", "--quiet", "HEAD"])?.text();
        if is_object_name(&named) {
            return Err(Diagnostic::new(
                "the commit at HEAD is not in this repository: its objects are missing",
            )
            .help("check out the repository again")
            .into());
        }
        let on_branch = self.git(&["symbolic-ref", "--quiet", "HEAD"])?.success;
        let references = self.git(&["for-each-ref", "--count=1", "--format=%(refname)"])?;
        if !on_branch || !references.success || !references.text().is_empty() {
            return Err(Diagnostic::new("HEAD has no commit, although the repository has some")
                .help("check out a commit, or name the baseline: `baseline: git:REF`")
                .into());
        }
        Err(GitError::Unborn(
            Diagnostic::new("the git repository has no commits yet")
                .help("commit the prompt first, or set `baseline: none`"),
        ))
    }

    /// The branch that changes are probably merged into, for a suggestion; never used as a baseline.
    pub(super) fn likely_trunk(&self) -> Option<String> {
        let output = self.git(&["for-each-ref", "--format=%(refname)", "refs/remotes", "refs/heads"]).ok()?;
        let text = output.text();
        let plain =
            |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
        let names = || {
            let short = text.lines().filter_map(|name| {
                name.strip_prefix("refs/remotes/").or_else(|| name.strip_prefix("refs/heads/"))
            });
            short.filter(plain)
        };
        let is = |name: &str, trunk: &str| name == trunk || name.rsplit('/').next() == Some(trunk);
        let known = TRUNKS.into_iter().find_map(|trunk| names().find(|name| is(name, trunk)));
        let trunk = known.or_else(|| names().find(|name| !name.ends_with("/HEAD")))?;
        // A checkout of a CI system knows the branch as origin/NAME only, which `git:NAME` finds too.
        Some(trunk.strip_prefix("origin/").unwrap_or(trunk).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn error(folder: &Path) -> GitError {
        let none = |_: &str| None;
        match Repository::discover(folder).and_then(|repository| repository.merge_base(&none)) {
            Ok(base) => panic!("found {base:?}"),
            Err(error) => error,
        }
    }

    #[test]
    fn unreadable_repository_is_not_absent() {
        type Damage = (&'static str, fn(&Path));
        let breaks: [Damage; 5] = [
            ("does not lead to a repository", |git| {
                std::fs::remove_dir_all(git).unwrap();
                std::fs::write(git, "gitdir: /nowhere/at/all\n").unwrap();
            }),
            ("has no HEAD", |git| std::fs::remove_file(git.join("HEAD")).unwrap()),
            ("has no objects", |git| std::fs::remove_dir_all(git.join("objects")).unwrap()),
            ("its objects are missing", |git| {
                std::fs::remove_dir_all(git.join("objects")).unwrap();
                std::fs::create_dir(git.join("objects")).unwrap();
            }),
            ("although the repository has some", |git| {
                std::fs::write(git.join("HEAD"), "ref: refs/heads/gone\n").unwrap();
            }),
        ];
        for (reason, damage) in breaks {
            let fixture = Fixture::new();
            fixture.write("suite/prompt.md", "x\n");
            fixture.commit("start");
            damage(&fixture.path().join(".git"));
            match error(&fixture.path().join("suite")) {
                GitError::Unreadable(diagnostic) => {
                    assert!(diagnostic.message.contains(reason), "{reason}: {diagnostic}");
                }
                other => panic!("{reason}: {other:?}"),
            }
        }
    }

    #[test]
    fn missing_git_is_unreadable_only_beside_a_repository() {
        let absent = || GitError::Absent(Diagnostic::new("git is not installed or not on PATH"));
        let fixture = Fixture::new();
        assert!(matches!(refine(&fixture.path(), absent()), GitError::Unreadable(_)));
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(refine(empty.path(), absent()), GitError::Absent(_)));
    }

    #[test]
    fn repository_of_the_home_folder_is_not_the_projects() {
        let fixture = Fixture::new();
        fixture.write("project/prompt.md", "x\n");
        let project = fixture.path().join("project");
        assert!(entry_above(&project, None).is_some());
        assert_eq!(entry_above(&project, Some(&fixture.path())), None);
    }

    #[test]
    fn repository_without_commits_is_unborn() {
        assert!(matches!(error(&Fixture::new().path()), GitError::Unborn(_)));
    }

    #[test]
    fn unknown_trunk_is_suggested_in_the_key_to_write() {
        for (branch, remote, line) in [
            ("develop", "origin", "baseline: git:develop"),
            ("trunk", "origin", "baseline: git:trunk"),
            ("main", "upstream", "baseline: git:upstream/main"),
        ] {
            let origin = Fixture::new();
            origin.commit("start");
            origin.git(&["branch", "-m", branch]);
            let clone = Fixture::clone_of(&origin, &["-o", remote]);
            clone.git(&["switch", "--quiet", "-c", "change"]);
            clone.git(&["branch", "--quiet", "-D", branch]);
            // `git clone` records the default branch of the remote only where it is named so.
            clone.git(&["remote", "set-head", remote, "--delete"]);
            let GitError::NoTrunk(diagnostic) = error(&clone.path()) else { panic!("{branch} is found") };
            assert!(diagnostic.help.as_deref().unwrap_or_default().contains(line), "{diagnostic}");
        }
    }

    #[test]
    fn variables_name_a_base_in_every_system() {
        for (name, value) in [
            ("GITHUB_BASE_REF", "main"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "abc"),
            ("CHANGE_TARGET", "main"),
            ("GITHUB_REF", "refs/heads/gh-readonly-queue/main/pr-1-abc"),
        ] {
            let variable = |asked: &str| (asked == name).then(|| value.to_owned());
            assert_eq!(super::super::named_base(&variable), Some((name, value.to_owned())));
        }
        assert_eq!(super::super::named_base(&|_| Some(" ".to_owned())), None);
    }
}
