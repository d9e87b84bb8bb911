//! Finds the commit that the change of an event is compared with.
//!
//! A commit that is missing from this clone, or that is HEAD itself, never means that nothing changed: for a pull
//! request it is an error, for any other event there is no baseline, with the reason.

use std::path::Path;

use crate::app::sources::KnownBase;
use promptgate_adapters::files::{self, Baseline, BaselineSpec, Tree};
use promptgate_adapters::git::{GitError, Repository};
use promptgate_adapters::github::{Event, EventKind, PullRequest};
use promptgate_core::model::{Diagnostic, Place};

/// Variables in which GitLab and Buildkite name the target branch.
const TARGETS: [&str; 2] = ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "BUILDKITE_PULL_REQUEST_BASE_BRANCH"];
/// Branches that changes are usually merged into.
const MAIN: [&str; 3] = ["HEAD", "main", "master"];

/// Looks up an environment variable.
pub(super) type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The commit to compare with.
pub(super) struct Base {
    /// The commit behind `git:merge-base`.
    pub(super) known: KnownBase,
    /// The commit that was checked out; `None` outside a repository.
    pub(super) head: Option<String>,
    /// Whether no run is needed where nothing differs from it.
    pub(super) settles: bool,
    /// The commit of the policy, where it is newer than that of the baseline.
    pub(super) policy: Option<String>,
    /// Outside GitHub: the newest commit of the branch that the change is merged into, by each of its names.
    pub(super) tips: Vec<String>,
}

impl Base {
    fn at(commit: String, how: impl Into<String>, head: &str) -> Self {
        Self { settles: commit != head, ..Self::of(Some(commit), how, Some(head.to_owned())) }
    }

    fn none(why: impl Into<String>, head: Option<String>) -> Self {
        Self::of(None, why, head)
    }

    /// A base that settles nothing.
    pub(super) fn of(commit: Option<String>, how: impl Into<String>, head: Option<String>) -> Self {
        let known = KnownBase { commit, how: how.into(), evaluated: None, if_needed: None };
        Self { known, head, settles: false, policy: None, tips: Vec::new() }
    }
}

/// The base of an event; `None` outside GitHub, where with `trusted` a merge base that only HEAD supports is refused.
///
/// # Errors
/// An event that must not be run on this checkout, and a base that is not in this clone.
pub(super) fn find(
    event: Option<&Event>,
    folder: &Path,
    variable: Variable<'_>,
    trusted: bool,
) -> Result<Base, Diagnostic> {
    let Some(event) = event else { return merge_base(folder, variable, trusted) };
    match event.kind {
        EventKind::PullRequestTarget => Err(Diagnostic::new(
            "pull_request_target brings the secrets of the repository, so nothing of a pull request is run in it",
        )
        .at(Place::file("GITHUB_EVENT_NAME"))
        .help(
            "use `on: pull_request`; one from a fork has no key there, and is not evaluated: see \
             `--on-missing-credentials`",
        )),
        EventKind::PullRequest => match &event.pull_request {
            Some(request) => base_of_pull_request(request, folder, variable),
            None => Err(Diagnostic::new("the event names no pull request").at(Place::file("GITHUB_EVENT_PATH"))),
        },
        EventKind::MergeGroup => base_of_merge_group(event, folder, variable),
        EventKind::Push => base_of_push(event, folder, variable),
        EventKind::Other { privileged: true } => {
            let (_, head) = head(folder)?;
            if variable("GITHUB_SHA").is_none_or(|sha| sha != head) {
                return Err(Diagnostic::new(
                    "this event brings the secrets of the repository, and something else than its own commit is \
                     checked out",
                )
                .at(Place::file("GITHUB_EVENT_NAME"))
                .help("use `on: pull_request` to evaluate a pull request, or check out the commit of the event"));
            }
            base_with_default_branch(event, folder, variable)
        }
        EventKind::WorkflowDispatch | EventKind::Schedule | EventKind::Other { privileged: false } => {
            Ok(Base { settles: false, ..base_with_default_branch(event, folder, variable)? })
        }
    }
}

fn head(folder: &Path) -> Result<(Repository, String), Diagnostic> {
    let repository = Repository::discover(folder).map_err(Diagnostic::from)?;
    let commit = repository.resolve("HEAD")?.commit;
    Ok((repository, commit))
}

/// The merge base, as `promptgate run` finds it.
fn merge_base(folder: &Path, variable: Variable<'_>, trusted: bool) -> Result<Base, Diagnostic> {
    let head = head(folder).ok().map(|(_, commit)| commit);
    let mut needed = None;
    let found = match trusted {
        true => files::trusted_baseline(None, folder, variable)?,
        false => files::baseline(None, folder, variable)?,
    };
    let why = match (found, &head) {
        (Baseline::Commit { tree: Tree::Commit { commit, .. }, how, .. }, Some(head)) => {
            return Ok(Base { tips: tips(folder, variable), ..Base::at(commit, how, head) });
        }
        (Baseline::Commit { .. }, _) => "git did not say which commit it is".to_owned(),
        (Baseline::None { note: Some(note), if_needed }, _) => {
            needed = if_needed;
            note.replacen("no baseline: ", "", 1)
        }
        _ => "there is none".to_owned(),
    };
    let mut base = Base::none(why, head);
    base.known.if_needed = needed;
    Ok(base)
}

/// The newest commit of the target branch at `origin`: of the branch that the CI system names, else of the main branches.
fn tips(folder: &Path, variable: Variable<'_>) -> Vec<String> {
    let Ok(repository) = Repository::discover(folder) else { return Vec::new() };
    let named = TARGETS.iter().find_map(|name| variable(name)).filter(|name| !name.is_empty());
    let names = named.map_or_else(|| MAIN.map(str::to_owned).to_vec(), |name| vec![name]);
    let tip = |name: String| repository.resolve(&format!("refs/remotes/origin/{name}")).ok();
    names.into_iter().filter_map(tip).map(|found| found.commit).collect()
}

fn base_of_pull_request(
    request: &PullRequest,
    folder: &Path,
    variable: Variable<'_>,
) -> Result<Base, Diagnostic> {
    let number = request.number;
    let (repository, head) = head(folder)?;
    let Some(sha) = variable("GITHUB_SHA") else {
        return Err(Diagnostic::new("the commit of the event is not known")
            .at(Place::file("GITHUB_SHA"))
            .help("leave the variables that GitHub sets as they are"));
    };
    let checkout = "check out the merge commit, as actions/checkout does without `ref:`, with `fetch-depth: 2`; or the pull \
         request's head with `fetch-depth: 0`";
    if head != sha && head != request.head {
        return Err(Diagnostic::new(format!(
            "HEAD is neither the merge commit nor the last commit of pull request {number}"
        ))
        .at(Place::file("HEAD"))
        .help(checkout));
    }
    let merge_ref = format!("refs/pull/{number}/merge");
    let lookup = |name: &str| match name {
        "GITHUB_BASE_REF" => Some(request.base_branch.clone()),
        "GITHUB_REF" => Some(merge_ref.clone()),
        // The head commit of a pull request is its own, whatever its parents are.
        "GITHUB_SHA" if head == request.head => Some("0".repeat(head.len())),
        _ => variable(name),
    };
    let found = files::trusted_baseline(Some(&BaselineSpec::MergeBase { path: None }), folder, &lookup);
    let place = Place::file(format!("the base of pull request {number}"));
    let found = found.map_err(|diagnostic| diagnostic.or_at(&place))?;
    match found {
        Baseline::Commit { tree: Tree::Commit { commit, .. }, how, .. } if commit != head => {
            // A branch may start from an old commit with a weaker policy. A merge commit is of the current target.
            let policy = request.base.as_deref().filter(|base| head == request.head && *base != commit);
            let policy =
                policy.map(|base| policy_of_event(&repository, base, request, variable)).transpose()?;
            Ok(Base { policy, ..Base::at(commit, how, &head) })
        }
        Baseline::Commit { .. } => Err(Diagnostic::new(format!(
            "what is checked out is in {} already: nothing of pull request {number} is in it",
            request.base_branch
        ))
        .at(Place::file("HEAD"))
        .help(checkout)),
        _ => Err(Diagnostic::new(format!("the base of pull request {number} was not found")).help(checkout)),
    }
}

/// The commit of the target branch that the event names; the tip of that branch if it was replaced since.
fn policy_of_event(
    repository: &Repository,
    base: &str,
    request: &PullRequest,
    variable: Variable<'_>,
) -> Result<String, Diagnostic> {
    let number = request.number;
    let found = repository.resolve(base).map_err(|diagnostic| {
        Diagnostic::new(format!(
            "the base of pull request {number} is not in this clone, and its policy decides: {}",
            diagnostic.message
        ))
        .at(Place::file("pull_request.base.sha"))
        .help(format!("fetch it: `git fetch --depth=1 origin {base}`, or check out with `fetch-depth: 0`"))
    })?;
    let branch = request.base_branch.clone();
    let lookup = |name: &str| match name {
        "GITHUB_BASE_REF" => Some(branch.clone()),
        _ => variable(name),
    };
    if repository.is_merged(&found.commit, &lookup)? {
        return Ok(found.commit);
    }
    Ok(repository.resolve(&format!("refs/remotes/origin/{branch}"))?.commit)
}

fn base_of_merge_group(event: &Event, folder: &Path, variable: Variable<'_>) -> Result<Base, Diagnostic> {
    let (repository, head) = head(folder)?;
    let base = event.base.as_deref().unwrap_or_default();
    let group = event.head.clone().or_else(|| variable("GITHUB_SHA"));
    let refuse = |message: &str| {
        let help = "check out the commit of the event, as actions/checkout does without `ref:`";
        Err(Diagnostic::new(message).at(Place::file("HEAD")).help(help))
    };
    if group.is_some_and(|group| group != head) {
        return refuse("what is checked out is not the merge group");
    }
    let found = repository.resolve(base).map_err(|diagnostic| {
        let help =
            format!("fetch it: `git fetch --depth=1 origin {base}`, or check out with `fetch-depth: 0`");
        Diagnostic::new(format!("the base of the merge group is not in this clone: {}", diagnostic.message))
            .at(Place::file("merge_group.base_sha"))
            .help(help)
    })?;
    if found.commit == head {
        return refuse("what is checked out is the base of the merge group, not the group");
    }
    Ok(Base::at(found.commit, "base of the merge group", &head))
}

fn base_of_push(event: &Event, folder: &Path, variable: Variable<'_>) -> Result<Base, Diagnostic> {
    let (repository, head) = head(folder)?;
    let before = event.base.as_deref().and_then(|before| repository.resolve(before).ok());
    if let Some(before) = before.filter(|before| before.commit != head) {
        return Ok(Base::at(before.commit, "commit before the push", &head));
    }
    base_with_default_branch(event, folder, variable)
}

/// The merge base with the default branch, where that is another commit than HEAD.
///
/// # Errors
/// A repository that cannot be read.
fn base_with_default_branch(
    event: &Event,
    folder: &Path,
    variable: Variable<'_>,
) -> Result<Base, Diagnostic> {
    let (_, head) = match Repository::discover(folder) {
        Err(GitError::Absent(_)) => return Ok(Base::none("there is no repository to look into", None)),
        Err(error) => return Err(error.into()),
        Ok(_) => head(folder)?,
    };
    let lookup = |name: &str| match name {
        "GITHUB_REF" => None,
        "GITHUB_BASE_REF" => event.default_branch.clone(),
        _ => variable(name),
    };
    let spec = BaselineSpec::MergeBase { path: None };
    let why = match files::trusted_baseline(Some(&spec), folder, &lookup) {
        Ok(Baseline::Commit { tree: Tree::Commit { commit, .. }, how, .. }) if commit != head => {
            return Ok(Base::at(commit, how, &head));
        }
        Ok(_) => format!("{} has no earlier commit of its own to compare with", event.kind.as_str()),
        Err(diagnostic) => diagnostic.message,
    };
    Ok(Base::none(why, Some(head)))
}
