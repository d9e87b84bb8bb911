//! Determines the commit on which a change is based.

use promptgate_core::model::Diagnostic;

use super::{Repository, is_object_name, short};

/// The commit on which a change is based.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeBase {
    /// Full object name.
    pub commit: String,
    /// How the commit was determined, for the report: `first parent of the pull request's merge commit`.
    pub how: String,
    /// Whether only HEAD's own parents or message indicate this commit. The author of a change controls both, so they
    /// must not determine its baseline unless [`Repository::is_merged`] confirms the commit.
    pub guessed: bool,
}

/// An error of finding the merge base. It never means that nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoMergeBase {
    /// The repository has no commits, or no branch to compare with. A default baseline may fall back to none.
    Nothing(Diagnostic),
    /// The commit or branch to compare with is not in this clone, or shares no history with HEAD.
    OutOfReach(Diagnostic),
}

impl From<NoMergeBase> for Diagnostic {
    fn from(reason: NoMergeBase) -> Self {
        match reason {
            NoMergeBase::Nothing(diagnostic) | NoMergeBase::OutOfReach(diagnostic) => diagnostic,
        }
    }
}

impl From<Diagnostic> for NoMergeBase {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::OutOfReach(diagnostic)
    }
}

/// Variables with the ref that the CI system checked out.
const CHECKED_OUT: [&str; 3] = ["GITHUB_REF", "CI_MERGE_REQUEST_REF_PATH", "BUILD_SOURCEBRANCH"];

/// Variables with the merge base.
const BASE_COMMITS: [&str; 1] = ["CI_MERGE_REQUEST_DIFF_BASE_SHA"];

/// Variables with the target branch of a pull request; unset or empty otherwise.
const TARGET_BRANCHES: [&str; 6] = [
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "CHANGE_TARGET",
];

/// Candidates for the main branch, by priority.
const MAIN_BRANCHES: [&str; 5] = ["origin/HEAD", "origin/main", "main", "origin/master", "master"];

/// Whether the subject of a merge commit shows that a main branch was merged into a change. The first parent is then an
/// earlier commit of the change, not its base.
fn merges_main(subject: &str, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let merged = subject.split('\'').nth(1).unwrap_or_default();
    let merged = merged.strip_prefix("origin/").unwrap_or(merged);
    let target = TARGET_BRANCHES.iter().find_map(|name| variable(name));
    ["main", "master"].contains(&merged) || target.is_some_and(|target| target == merged)
}

impl Repository {
    /// Returns the base of the change at HEAD: the first parent of a pull request's merge commit, else the commit or
    /// target branch given by the CI system, else the merge base with `origin/HEAD`, `origin/main` or `main` (then
    /// `master`). `variable` looks up environment variables of the CI system.
    ///
    /// # Errors
    /// If the base cannot be determined; in a shallow clone the help shows how to fetch it.
    pub fn merge_base(&self, variable: &dyn Fn(&str) -> Option<String>) -> Result<MergeBase, NoMergeBase> {
        let variable =
            |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let Some(head) = self.commit_of("HEAD")? else {
            return Err(NoMergeBase::Nothing(
                Diagnostic::new("the git repository has no commits yet")
                    .help("commit the prompt first, or set `baseline: none`"),
            ));
        };
        let commit = self.raw_commit(&head)?;
        if let [first, _] = commit.parents.as_slice()
            && let Some((how, guessed)) = self.pull_request_merge(&head, &commit, &variable)?
        {
            return match self.commit_of(first)? {
                Some(commit) => Ok(MergeBase { commit, how: format!("first parent of {how}"), guessed }),
                None => Err(NoMergeBase::OutOfReach(
                    Diagnostic::new(format!(
                        "HEAD is {how}, but its first parent {} is not in this clone",
                        short(first)
                    ))
                    .help("check out two commits: `fetch-depth: 2`"),
                )),
            };
        }
        match (self.without_merge_commit(&head, &variable), commit.parents.as_slice()) {
            // As a last resort, a merge commit in a shallow clone is treated as a pull request's.
            (Err(NoMergeBase::OutOfReach(diagnostic)), [first, _]) if self.shallow => {
                match self.commit_of(first)?.filter(|_| !merges_main(&commit.subject, &variable)) {
                    Some(commit) => Ok(MergeBase {
                        commit,
                        how: "first parent of HEAD, a merge in a shallow clone".to_owned(),
                        guessed: true,
                    }),
                    None => Err(NoMergeBase::OutOfReach(diagnostic)),
                }
            }
            (result, _) => result,
        }
    }

    /// Finds the base by the merge queue, variables of the CI system, or the main branches.
    fn without_merge_commit(
        &self,
        head: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<MergeBase, NoMergeBase> {
        if let Some(base) = self.of_merge_queue(variable)? {
            return Ok(base);
        }
        for name in BASE_COMMITS {
            if let Some(value) = variable(name) {
                return match if is_object_name(&value) { self.commit_of(&value)? } else { None } {
                    Some(commit) => Ok(MergeBase {
                        commit,
                        how: format!("variable {name} of the CI system"),
                        guessed: false,
                    }),
                    None => Err(NoMergeBase::OutOfReach(
                        Diagnostic::new(format!("the commit in {name} is not in this clone")).help(
                            "fetch more history: `GIT_DEPTH: 0`, or `git fetch --depth=1 origin COMMIT`",
                        ),
                    )),
                };
            }
        }
        for name in TARGET_BRANCHES {
            if let Some(value) = variable(name) {
                return self.of_target_branch(head, name, &value);
            }
        }
        for name in MAIN_BRANCHES {
            if let Some(other) = self.branch(name)? {
                return self.common_ancestor(head, &other, name);
            }
        }
        let diagnostic =
            Diagnostic::new("no branch to compare with: origin/HEAD, origin/main and main do not exist");
        if self.shallow {
            let help = "the clone is shallow: also fetch the base branch (`fetch-depth: 0`), or set the \
                        baseline: `git:REF`";
            return Err(NoMergeBase::OutOfReach(diagnostic.help(help)));
        }
        Err(NoMergeBase::Nothing(diagnostic.help("set the baseline: `git:REF`, `file:PATH`, or `none`")))
    }

    /// If HEAD, a commit with two parents, is a pull request's merge commit, returns a description of it and whether
    /// that is only inferred from HEAD itself. A merge of main into a branch has the same shape, but its first parent is
    /// not a base.
    fn pull_request_merge(
        &self,
        head: &str,
        commit: &RawCommit,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<(String, bool)>, Diagnostic> {
        let other_commit = variable("GITHUB_SHA").is_some_and(|value| value != head);
        for name in CHECKED_OUT {
            if let Some(value) = variable(name).filter(|value| is_merge_ref(value)) {
                // `actions/checkout` with `ref: head.sha` checks out a different commit than GITHUB_SHA.
                if !(other_commit && name == "GITHUB_REF") {
                    return Ok(Some((format!("the merge commit of {value}"), false)));
                }
            }
        }
        let output = self.git(&["for-each-ref", "--points-at", head, "--format=%(refname)"])?;
        if let Some(name) = output.text().lines().find(|name| is_merge_ref(name)) {
            return Ok(Some((format!("the merge commit of {name}"), false)));
        }
        if let [first, second] = commit.parents.as_slice()
            && commit.subject == format!("Merge {second} into {first}")
        {
            return Ok(Some(("a pull request's merge commit".to_owned(), true)));
        }
        // A test merge is not on any branch.
        let attached = self.git(&["symbolic-ref", "--quiet", "HEAD"])?.success;
        if !attached {
            let output = self.git(&["for-each-ref", "--contains", head, "--format=%(refname)"])?;
            if output.success && output.text().is_empty() {
                return Ok(Some(("a merge commit that is not on any branch".to_owned(), true)));
            }
        }
        Ok(None)
    }

    /// Returns the base commit of GitHub's merge queue, which is the end of the branch name.
    fn of_merge_queue(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<MergeBase>, NoMergeBase> {
        let Some(reference) = variable("GITHUB_REF") else { return Ok(None) };
        if !reference.starts_with("refs/heads/gh-readonly-queue/") {
            return Ok(None);
        }
        let Some(base) = reference.rsplit('-').next().filter(|base| is_object_name(base)) else {
            return Ok(None);
        };
        match self.commit_of(base)? {
            Some(commit) => {
                let how = "base commit of the merge queue".to_owned();
                Ok(Some(MergeBase { commit, how, guessed: false }))
            }
            None => Err(NoMergeBase::OutOfReach(
                Diagnostic::new(format!(
                    "the merge queue's base commit {} is not in this clone",
                    short(base)
                ))
                .help(format!("fetch it: `git fetch --depth=1 origin {base}`, or `fetch-depth: 0`")),
            )),
        }
    }

    /// Returns the merge base with the target branch in a CI variable.
    fn of_target_branch(&self, head: &str, variable: &str, value: &str) -> Result<MergeBase, NoMergeBase> {
        let branch = value.strip_prefix("refs/heads/").unwrap_or(value);
        super::validate_reference(branch)?;
        for name in [format!("origin/{branch}"), branch.to_owned()] {
            if let Some(other) = self.branch(&name)? {
                return self.common_ancestor(head, &other, &name);
            }
        }
        Err(NoMergeBase::OutOfReach(
            Diagnostic::new(format!("branch `{branch}` from {variable} is not in this clone")).help(
                "check out the pull request's merge commit with `fetch-depth: 2`, or all history with \
                 `fetch-depth: 0`",
            ),
        ))
    }

    /// Whether this clone shows that a commit is part of the target branch: the one given by the CI system, else a main
    /// branch.
    ///
    /// # Errors
    /// If git fails or the branch name is malformed.
    pub fn is_merged(
        &self,
        commit: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<bool, Diagnostic> {
        let target = TARGET_BRANCHES.iter().find_map(|name| variable(name)).filter(|name| !name.is_empty());
        let branches = match &target {
            Some(value) => {
                let branch = value.strip_prefix("refs/heads/").unwrap_or(value);
                super::validate_reference(branch)?;
                vec![format!("origin/{branch}"), branch.to_owned()]
            }
            None => MAIN_BRANCHES.map(str::to_owned).to_vec(),
        };
        for branch in branches {
            // Only the first existing branch counts, as when finding the merge base.
            if let Some(tip) = self.branch(&branch)? {
                return Ok(self.git(&["merge-base", "--is-ancestor", commit, &tip])?.success);
            }
        }
        Ok(false)
    }

    /// Returns the common ancestor of HEAD and another commit.
    fn common_ancestor(&self, head: &str, other: &str, name: &str) -> Result<MergeBase, NoMergeBase> {
        let output = self.git(&["merge-base", head, other])?;
        let commit = output.text();
        if output.success && is_object_name(&commit) {
            return Ok(MergeBase { commit, how: format!("merge base with {name}"), guessed: false });
        }
        let diagnostic = Diagnostic::new(format!("HEAD and {name} have no common commit in this clone"));
        let help = if self.shallow {
            "the clone is shallow: check out the pull request's merge commit with `fetch-depth: 2`, or all \
             history with `fetch-depth: 0`"
        } else {
            "their histories are unrelated; set the baseline: `git:REF`"
        };
        Err(NoMergeBase::OutOfReach(diagnostic.help(help)))
    }

    /// Reads the parents and the subject of a commit. Parents may be missing from this clone.
    fn raw_commit(&self, commit: &str) -> Result<RawCommit, Diagnostic> {
        let output = self.git(&["cat-file", "commit", commit])?;
        if !output.success {
            return Err(self.read_error(commit, &output));
        }
        let text = output.text();
        let (header, message) = text.split_once("\n\n").unwrap_or((text.as_str(), ""));
        let parents =
            header.lines().filter_map(|line| line.strip_prefix("parent ")).map(str::to_owned).collect();
        let subject = message.lines().next().unwrap_or_default().trim().to_owned();
        Ok(RawCommit { parents, subject })
    }
}

struct RawCommit {
    parents: Vec<String>,
    subject: String,
}

/// `refs/pull/7/merge`, `refs/remotes/pull/7/merge`, `refs/merge-requests/7/merge`.
fn is_merge_ref(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("refs/") else { return false };
    let rest = rest.strip_prefix("remotes/").unwrap_or(rest);
    let Some(rest) = rest.strip_prefix("pull/").or_else(|| rest.strip_prefix("merge-requests/")) else {
        return false;
    };
    rest.strip_suffix("/merge").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}
