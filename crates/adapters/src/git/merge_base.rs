//! Determines the commit on which a change is based.

use promptgate_core::model::Diagnostic;

use super::{GitError, Repository, Variables, is_object_name, short, validate_reference};

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

/// Variables with the ref that the CI system checked out.
const CHECKED_OUT: [&str; 3] = ["GITHUB_REF", "CI_MERGE_REQUEST_REF_PATH", "BUILD_SOURCEBRANCH"];

/// Variable with the merge base.
const BASE_COMMIT: &str = "CI_MERGE_REQUEST_DIFF_BASE_SHA";

/// Variables with the target branch of a pull request; unset or empty otherwise.
const TARGET_BRANCHES: [&str; 6] = [
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "CHANGE_TARGET",
];

/// Start of the branches of GitHub's merge queue.
const MERGE_QUEUE: &str = "refs/heads/gh-readonly-queue/";

/// Candidates for the main branch, by priority.
const MAIN_BRANCHES: [&str; 5] = ["origin/HEAD", "origin/main", "main", "origin/master", "master"];

/// Returns the CI variable that names the base of the change, with its value; `None` outside of a pull request.
pub fn named_base(variable: Variables<'_>) -> Option<(&'static str, String)> {
    let queue = || {
        let reference = variable("GITHUB_REF")?;
        reference.starts_with(MERGE_QUEUE).then_some(("GITHUB_REF", reference))
    };
    let named = TARGET_BRANCHES.into_iter().chain([BASE_COMMIT]);
    let set = |name| Some((name, variable(name)?)).filter(|(_, value)| !value.trim().is_empty());
    named.into_iter().find_map(set).or_else(queue)
}

/// Whether the subject of a merge commit shows that a main branch was merged into a change. The first parent is then an
/// earlier commit of the change, not its base.
fn merges_main(subject: &str, variable: Variables<'_>) -> bool {
    let merged = subject.split('\'').nth(1).unwrap_or_default();
    let merged = merged.strip_prefix("origin/").unwrap_or(merged);
    let target = TARGET_BRANCHES.iter().find_map(|name| variable(name));
    ["main", "master"].contains(&merged) || target.is_some_and(|target| target == merged)
}

/// Returns the names by which a clone may know the target branch in a CI variable; the shorter one is last.
fn target_names(value: &str) -> Result<[String; 2], Diagnostic> {
    let branch = value.strip_prefix("refs/heads/").unwrap_or(value);
    validate_reference(branch)?;
    Ok([format!("origin/{branch}"), branch.to_owned()])
}

impl Repository {
    /// Returns the base of the change at HEAD: the first parent of a pull request's merge commit, else the commit or
    /// target branch given by the CI system, else the merge base with `origin/HEAD`, `origin/main` or `main` (then
    /// `master`). `variable` looks up environment variables of the CI system.
    ///
    /// # Errors
    /// If the base cannot be determined; in a shallow clone the help shows how to fetch it.
    pub fn merge_base(&self, variable: Variables<'_>) -> Result<MergeBase, GitError> {
        let variable =
            |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let head = self.head()?;
        let (parents, subject) = self.parents_and_subject(&head)?;
        let [first, second] = parents.as_slice() else { return self.without_merge_commit(&head, &variable) };
        let is_test_merge = subject == format!("Merge {second} into {first}");
        if let Some((how, guessed)) = self.pull_request_merge(&head, is_test_merge, &variable)? {
            let commit = self.commit_of(first)?.ok_or_else(|| {
                let parent = short(first);
                Diagnostic::new(format!("HEAD is {how}, but its first parent {parent} is not in this clone"))
                    .help("check out two commits: `fetch-depth: 2`")
            })?;
            return Ok(MergeBase { commit, how: format!("first parent of {how}"), guessed });
        }
        match self.without_merge_commit(&head, &variable) {
            // As a last resort, a merge commit in a shallow clone is treated as a pull request's.
            Err(GitError::Unreadable(diagnostic)) if self.shallow && !merges_main(&subject, &variable) => {
                let commit = self.commit_of(first)?.ok_or(diagnostic)?;
                let how = "first parent of HEAD, a merge in a shallow clone".to_owned();
                Ok(MergeBase { commit, how, guessed: true })
            }
            result => result,
        }
    }

    /// Returns the common ancestor of HEAD and a branch, tag or commit.
    ///
    /// # Errors
    /// If the reference is unknown, or the two have no common commit in this clone.
    pub fn merge_base_with(&self, reference: &str) -> Result<MergeBase, GitError> {
        let head = self.head()?;
        let other = self.resolve(reference)?;
        self.common_ancestor(&head, &other.commit, &other.name)
    }

    /// Finds the base by the merge queue, variables of the CI system, or the main branches.
    fn without_merge_commit(&self, head: &str, variable: Variables<'_>) -> Result<MergeBase, GitError> {
        if let Some(base) = self.of_merge_queue(variable)? {
            return Ok(base);
        }
        if let Some(value) = variable(BASE_COMMIT) {
            let commit = if is_object_name(&value) { self.commit_of(&value)? } else { None };
            let commit = commit.ok_or_else(|| {
                Diagnostic::new(format!("the commit in {BASE_COMMIT} is not in this clone"))
                    .help("fetch more history: `GIT_DEPTH: 0`, or `git fetch --depth=1 origin COMMIT`")
            })?;
            let how = format!("variable {BASE_COMMIT} of the CI system");
            return Ok(MergeBase { commit, how, guessed: false });
        }
        if let Some((name, value)) = TARGET_BRANCHES.iter().find_map(|name| Some((name, variable(name)?))) {
            let names = target_names(&value)?;
            return match self.first_branch(&names)? {
                Some((branch, tip)) => self.common_ancestor(head, &tip, branch),
                None => Err(Diagnostic::new(format!(
                    "branch `{}` from {name} is not in this clone",
                    names[1]
                ))
                .help(
                    "check out the pull request's merge commit with `fetch-depth: 2`, or all history with \
                         `fetch-depth: 0`",
                )
                .into()),
            };
        }
        if let Some((branch, tip)) = self.first_branch(&MAIN_BRANCHES)? {
            return self.common_ancestor(head, &tip, branch);
        }
        let diagnostic = Diagnostic::new(
            "no branch to compare with: origin/HEAD, origin/main, main, origin/master and master do not exist",
        );
        if self.shallow {
            let help = "the clone is shallow: also fetch the base branch (`fetch-depth: 0`), or set the \
                        baseline: `git:REF`";
            return Err(diagnostic.help(help).into());
        }
        let trunk = self.likely_trunk().unwrap_or_else(|| "REF".to_owned());
        let help = format!(
            "name the branch that changes are merged into, in promptgate.yaml: `baseline: git:{trunk}`; or write \
             `baseline: none`"
        );
        Err(GitError::NoTrunk(diagnostic.help(help)))
    }

    /// Returns name and tip of the first branch that exists.
    fn first_branch<'n, N: AsRef<str>>(
        &self,
        names: &'n [N],
    ) -> Result<Option<(&'n str, String)>, Diagnostic> {
        for name in names.iter().map(AsRef::as_ref) {
            if let Some(tip) = self.branch(name)? {
                return Ok(Some((name, tip)));
            }
        }
        Ok(None)
    }

    /// If HEAD, a commit with two parents, is a pull request's merge commit, returns a description of it and whether
    /// that is only inferred from HEAD itself. A merge of main into a branch has the same shape, but its first parent is
    /// not a base.
    fn pull_request_merge(
        &self,
        head: &str,
        is_test_merge: bool,
        variable: Variables<'_>,
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
        if is_test_merge {
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
    fn of_merge_queue(&self, variable: Variables<'_>) -> Result<Option<MergeBase>, Diagnostic> {
        let reference = variable("GITHUB_REF").filter(|name| name.starts_with(MERGE_QUEUE));
        let base = reference.as_deref().and_then(|name| name.rsplit('-').next());
        let Some(base) = base.filter(|base| is_object_name(base)) else { return Ok(None) };
        let commit = self.commit_of(base)?.ok_or_else(|| {
            let message = format!("the merge queue's base commit {} is not in this clone", short(base));
            Diagnostic::new(message)
                .help(format!("fetch it: `git fetch --depth=1 origin {base}`, or `fetch-depth: 0`"))
        })?;
        Ok(Some(MergeBase { commit, how: "base commit of the merge queue".to_owned(), guessed: false }))
    }

    /// Whether this clone shows that a commit is part of the target branch: the one given by the CI system, else a main
    /// branch.
    ///
    /// # Errors
    /// If git fails or the branch name is malformed.
    pub fn is_merged(&self, commit: &str, variable: Variables<'_>) -> Result<bool, Diagnostic> {
        let target = TARGET_BRANCHES.iter().find_map(|name| variable(name)).filter(|name| !name.is_empty());
        let names = match &target {
            Some(value) => target_names(value)?.to_vec(),
            None => MAIN_BRANCHES.map(str::to_owned).to_vec(),
        };
        // Only the first existing branch counts, as when finding the merge base.
        let Some((_, tip)) = self.first_branch(&names)? else { return Ok(false) };
        Ok(self.git(&["merge-base", "--is-ancestor", commit, &tip])?.success)
    }

    /// Returns the common ancestor of HEAD and another commit.
    fn common_ancestor(&self, head: &str, other: &str, name: &str) -> Result<MergeBase, GitError> {
        let output = self.git(&["merge-base", head, other])?;
        let commit = output.text();
        if output.success && is_object_name(&commit) {
            return Ok(MergeBase { commit, how: format!("merge base with {name}"), guessed: false });
        }
        let help = if self.shallow {
            "the clone is shallow: check out the pull request's merge commit with `fetch-depth: 2`, or all \
             history with `fetch-depth: 0`"
        } else {
            "their histories are unrelated; set the baseline: `git:REF`"
        };
        let message = format!("HEAD and {name} have no common commit in this clone");
        Err(Diagnostic::new(message).help(help).into())
    }

    /// Reads the parents and the subject of a commit. Parents may be missing from this clone.
    fn parents_and_subject(&self, commit: &str) -> Result<(Vec<String>, String), Diagnostic> {
        let text = self.read_commit(commit, &["cat-file", "commit", commit])?.text();
        let (header, message) = text.split_once("\n\n").unwrap_or((text.as_str(), ""));
        let parents =
            header.lines().filter_map(|line| line.strip_prefix("parent ")).map(str::to_owned).collect();
        Ok((parents, message.lines().next().unwrap_or_default().trim().to_owned()))
    }
}

/// `refs/pull/7/merge`, `refs/remotes/pull/7/merge`, `refs/merge-requests/7/merge`.
fn is_merge_ref(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        ["refs", "pull" | "merge-requests", number, "merge"]
        | ["refs", "remotes", "pull" | "merge-requests", number, "merge"] => {
            number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}
