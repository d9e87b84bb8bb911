//! Which commit a change is compared with when nobody names one.

use promptgate_core::model::Diagnostic;

use super::{Repository, is_object_name, short};

/// The commit that a change started from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeBase {
    /// The full object name.
    pub commit: String,
    /// How it was found, for the report: `first parent of the pull request's merge commit`.
    pub how: String,
    /// Whether HEAD's own looks alone say so. Whoever writes a commit chooses its parents and its message, so this must
    /// not decide what a change is judged by, unless [`Repository::is_merged`] confirms it.
    pub guessed: bool,
}

/// Why no merge base was found. None of these means that nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoMergeBase {
    /// The repository has no commit, or no branch to compare with: a default baseline may fall back to none.
    Nothing(Diagnostic),
    /// There is one to compare with, but it is not in this clone, or shares no history: never "no change".
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

/// Variables that hold the ref that a CI system checked out.
const CHECKED_OUT: [&str; 3] = ["GITHUB_REF", "CI_MERGE_REQUEST_REF_PATH", "BUILD_SOURCEBRANCH"];

/// Variables that hold the merge base itself.
const BASE_COMMITS: [&str; 1] = ["CI_MERGE_REQUEST_DIFF_BASE_SHA"];

/// Variables that hold the branch that a pull request wants to be merged into; empty elsewhere.
const TARGET_BRANCHES: [&str; 6] = [
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "CHANGE_TARGET",
];

/// Where a main branch is looked for, in this order.
const MAIN_BRANCHES: [&str; 5] = ["origin/HEAD", "origin/main", "main", "origin/master", "master"];

/// Whether the subject of a merge says that a main branch was merged into a change: then the first parent is an
/// earlier state of the change, not what it started from.
fn merges_main(subject: &str, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let merged = subject.split('\'').nth(1).unwrap_or_default();
    let merged = merged.strip_prefix("origin/").unwrap_or(merged);
    let target = TARGET_BRANCHES.iter().find_map(|name| variable(name));
    ["main", "master"].contains(&merged) || target.is_some_and(|target| target == merged)
}

impl Repository {
    /// The commit that HEAD's change is compared with: the first parent of a pull request's merge commit, else
    /// what the CI system says, else the merge base with `origin/HEAD`, `origin/main` or `main` (then `master`).
    /// `variable` looks up the environment of the CI system.
    ///
    /// # Errors
    /// See [`NoMergeBase`]; in a shallow clone the help says what to fetch.
    pub fn merge_base(&self, variable: &dyn Fn(&str) -> Option<String>) -> Result<MergeBase, NoMergeBase> {
        let variable =
            |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let Some(head) = self.commit_of("HEAD")? else {
            return Err(NoMergeBase::Nothing(
                Diagnostic::new("the git repository has no commit yet")
                    .help("commit the prompt first, or set `baseline: none`"),
            ));
        };
        let commit = self.raw_commit(&head)?;
        if let [first, _] = commit.parents.as_slice()
            && let Some((how, guessed)) = self.pull_request(&head, &commit, &variable)?
        {
            return match self.commit_of(first)? {
                Some(commit) => Ok(MergeBase { commit, how: format!("first parent of {how}"), guessed }),
                None => Err(NoMergeBase::OutOfReach(
                    Diagnostic::new(format!(
                        "HEAD is {how}, but its first parent {} is not in this clone",
                        short(first)
                    ))
                    .help("check out two commits deep: `fetch-depth: 2`"),
                )),
            };
        }
        match (self.elsewhere(&head, &variable), commit.parents.as_slice()) {
            // With nothing else in reach, a shallow clone of a merge is taken for what it looks like.
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
            (found, _) => found,
        }
    }

    /// The ways that need no merge commit: the merge queue, the CI system, the main branches.
    fn elsewhere(
        &self,
        head: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<MergeBase, NoMergeBase> {
        if let Some(base) = self.merge_queue(variable)? {
            return Ok(base);
        }
        for name in BASE_COMMITS {
            if let Some(value) = variable(name) {
                return match if is_object_name(&value) { self.commit_of(&value)? } else { None } {
                    Some(commit) => {
                        Ok(MergeBase { commit, how: format!("{name} of the CI system"), guessed: false })
                    }
                    None => Err(NoMergeBase::OutOfReach(
                        Diagnostic::new(format!("the commit that {name} names is not in this clone")).help(
                            "fetch more history: `GIT_DEPTH: 0`, or `git fetch --depth=1 origin COMMIT`",
                        ),
                    )),
                };
            }
        }
        for name in TARGET_BRANCHES {
            if let Some(value) = variable(name) {
                return self.with_target(head, name, &value);
            }
        }
        for name in MAIN_BRANCHES {
            if let Some(other) = self.branch(name)? {
                return self.common(head, &other, name);
            }
        }
        let diagnostic =
            Diagnostic::new("found no branch to compare with: no origin/HEAD, origin/main or main");
        if self.shallow {
            let help = "this is a shallow clone: fetch the base branch too (`fetch-depth: 0`), or name the \
                        baseline: `git:REF`";
            return Err(NoMergeBase::OutOfReach(diagnostic.help(help)));
        }
        Err(NoMergeBase::Nothing(diagnostic.help("name the baseline: `git:REF`, `file:PATH`, or `none`")))
    }

    /// What tells that HEAD, a commit of two parents, is a pull request's merge commit, and whether it is HEAD itself
    /// that does; `None` where nothing does. A merge of main into a branch looks the same from inside, and its first parent is no baseline.
    fn pull_request(
        &self,
        head: &str,
        commit: &RawCommit,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<(String, bool)>, Diagnostic> {
        let another = variable("GITHUB_SHA").is_some_and(|value| value != head);
        for name in CHECKED_OUT {
            if let Some(value) = variable(name).filter(|value| is_merge_ref(value)) {
                // `actions/checkout` with `ref: head.sha` checks out another commit than the one named here.
                if !(another && name == "GITHUB_REF") {
                    return Ok(Some((format!("the merge commit of {value}"), false)));
                }
            }
        }
        let said = self.git(&["for-each-ref", "--points-at", head, "--format=%(refname)"])?;
        if let Some(name) = said.text().lines().find(|name| is_merge_ref(name)) {
            return Ok(Some((format!("the merge commit of {name}"), false)));
        }
        if let [first, second] = commit.parents.as_slice()
            && commit.subject == format!("Merge {second} into {first}")
        {
            return Ok(Some(("a pull request's merge commit".to_owned(), true)));
        }
        // A test merge is on no branch.
        let attached = self.git(&["symbolic-ref", "--quiet", "HEAD"])?.success;
        if !attached {
            let said = self.git(&["for-each-ref", "--contains", head, "--format=%(refname)"])?;
            if said.success && said.text().is_empty() {
                return Ok(Some(("a merge commit on no branch".to_owned(), true)));
            }
        }
        Ok(None)
    }

    /// GitHub's merge queue names the base commit at the end of its branch's name.
    fn merge_queue(
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

    /// The merge base with the branch that a CI variable names.
    fn with_target(&self, head: &str, variable: &str, value: &str) -> Result<MergeBase, NoMergeBase> {
        let branch = value.strip_prefix("refs/heads/").unwrap_or(value);
        super::well_formed(branch)?;
        for name in [format!("origin/{branch}"), branch.to_owned()] {
            if let Some(other) = self.branch(&name)? {
                return self.common(head, &other, &name);
            }
        }
        Err(NoMergeBase::OutOfReach(
            Diagnostic::new(format!("{variable} names the branch `{branch}`, which is not in this clone"))
                .help(
                    "check out the pull request's merge commit with `fetch-depth: 2`, or all history with \
                 `fetch-depth: 0`",
                ),
        ))
    }

    /// Whether a commit is part of the branch that a change wants to be merged into, as far as this clone tells: the one
    /// that the CI system names, else a main branch.
    ///
    /// # Errors
    /// A mistake where git does not say.
    pub fn is_merged(
        &self,
        commit: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<bool, Diagnostic> {
        let target = TARGET_BRANCHES.iter().find_map(|name| variable(name)).filter(|name| !name.is_empty());
        let branches = match &target {
            Some(value) => {
                let branch = value.strip_prefix("refs/heads/").unwrap_or(value);
                super::well_formed(branch)?;
                vec![format!("origin/{branch}"), branch.to_owned()]
            }
            None => MAIN_BRANCHES.map(str::to_owned).to_vec(),
        };
        for branch in branches {
            // The first that is there speaks for the rest, as it does when the merge base is looked for.
            if let Some(tip) = self.branch(&branch)? {
                return Ok(self.git(&["merge-base", "--is-ancestor", commit, &tip])?.success);
            }
        }
        Ok(false)
    }

    /// The common ancestor of HEAD and another commit.
    fn common(&self, head: &str, other: &str, name: &str) -> Result<MergeBase, NoMergeBase> {
        let said = self.git(&["merge-base", head, other])?;
        let commit = said.text();
        if said.success && is_object_name(&commit) {
            return Ok(MergeBase { commit, how: format!("merge base with {name}"), guessed: false });
        }
        let diagnostic = Diagnostic::new(format!("HEAD and {name} have no common commit in this clone"));
        let help = if self.shallow {
            "history is cut off here: check out the pull request's merge commit with `fetch-depth: 2`, or all \
             history with `fetch-depth: 0`"
        } else {
            "the two share no history; name the baseline: `git:REF`"
        };
        Err(NoMergeBase::OutOfReach(diagnostic.help(help)))
    }

    /// The parents as written in the commit, whether or not they are in this clone, and the subject.
    fn raw_commit(&self, commit: &str) -> Result<RawCommit, Diagnostic> {
        let said = self.git(&["cat-file", "commit", commit])?;
        if !said.success {
            return Err(self.unreadable(commit, &said));
        }
        let text = said.text();
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
