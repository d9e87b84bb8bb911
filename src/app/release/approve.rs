//! `approve`: one person's approval of one version.
//!
//! The login of a job that was dispatched on GitHub's default branch is known; anywhere else it is a claim, which counts
//! where the ledger is a folder that everybody can write anyway.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::approvers::{ApproverMatch, match_approver};
use super::authors::{self, ChangeOptions};
use super::identity::{Host, Identity, identity};
use super::open::{Opened, Target};
use super::resolve;
use super::write::{self, Current, Stamp};
use crate::app::github::GitHub;
use crate::app::{Environment, Failure};
use promptgate_adapters::git::Repository;
use promptgate_adapters::github::api::{ApiError, ApiErrorKind};
use promptgate_core::model::{Diagnostic, Diagnostics};
use promptgate_release::ports::{Addition, LedgerStore};
use promptgate_release::{
    Approval, ApprovalSource, Digest, EventKind, Name, PromptReference, Record, Selector, Version,
};

/// Digits of a digest that identify a content.
const MIN_DIGITS: usize = 12;

/// Which version is approved.
#[derive(Debug, Clone)]
pub(crate) struct ApproveOptions {
    /// The configuration, or its folder; else the one that releases the prompt.
    pub(crate) config: Option<PathBuf>,
    /// The prompt.
    pub(crate) name: Name,
    /// The version.
    pub(crate) version: Version,
    /// The digest that was read, or its first twelve digits or more; other content is not approved.
    pub(crate) digest: Option<String>,
    /// Decide, and append nothing.
    pub(crate) dry_run: bool,
}

/// The decision about an approval.
#[derive(Debug, Clone)]
pub(crate) struct Approved {
    /// The prompt.
    pub(crate) name: Name,
    /// The version.
    pub(crate) version: Version,
    /// The approval.
    pub(crate) approval: Approval,
    /// The result.
    pub(crate) result: ApproveResult,
    /// Limits of an approval that was given.
    pub(crate) warnings: Vec<String>,
    /// Whether nothing was written.
    pub(crate) dry_run: bool,
}

/// The result of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApproveResult {
    /// It is in the ledger, or would be.
    Approved,
    /// It was in the ledger before.
    AlreadyApproved,
    /// It does not count, and was not appended.
    Refused(Vec<String>),
}

/// Approves a version as the person that runs the command.
///
/// # Errors
/// An unknown name or version, a ledger or GitHub that cannot be read, a ledger that cannot be written.
pub(crate) async fn approve(
    options: &ApproveOptions,
    environment: &Environment,
) -> Result<Approved, Failure> {
    let target = Target { config: options.config.clone(), name: Some(options.name.clone()) };
    let opened = Opened::open(&target)?;
    let identity = identity(environment, &opened.folder)?;
    let repository = Repository::discover(&opened.folder).ok();
    let prefix = repository.as_ref().map(Repository::prefix).filter(|prefix| !prefix.is_empty());
    let folder = prefix.unwrap_or(".").to_owned();
    let repository = repository.as_ref();
    approve_as(
        opened.ledger.as_ref(),
        options,
        &Approver { identity: &identity, environment, repository, folder },
    )
    .await
}

/// Who approves, and what is known of the change beside the ledger.
struct Approver<'a> {
    identity: &'a Identity,
    environment: &'a Environment,
    /// The clone that has the version's commit; `None` outside a repository.
    repository: Option<&'a Repository>,
    /// The folder of the configuration, relative to the root of the repository.
    folder: String,
}

async fn approve_as(
    ledger: &dyn LedgerStore,
    options: &ApproveOptions,
    approver: &Approver<'_>,
) -> Result<Approved, Failure> {
    let record = record(ledger, options).await?;
    let (mut approval, mut reasons) = decide(ledger, &record, options, approver).await?;
    let mut warnings = Vec::new();
    if reasons.is_empty() {
        match listed(&record, approver).await? {
            (login, ApproverMatch::Approver { teams }) => (approval.login, approval.teams) = (login, teams),
            (login, ApproverMatch::None { notes }) => {
                reasons.push(format!("{login} is not one of `approvers`, as they were before this version"));
                reasons.extend(notes);
            }
        }
    }
    let result = if reasons.is_empty() {
        if approval.source == ApprovalSource::Unverified {
            let warning =
                "nobody verified the login: the approval counts only because the ledger is a folder";
            warnings.push(warning.to_owned());
        }
        let stamp = Stamp { at: approver.environment.now()?, actor: approver.identity.actor.clone() };
        append(ledger, options, stamp, &approval).await?
    } else {
        ApproveResult::Refused(reasons)
    };
    let ApproveOptions { name, version, dry_run, .. } = options.clone();
    Ok(Approved { name, version, approval, result, warnings, dry_run })
}

/// The record of the version.
async fn record(ledger: &dyn LedgerStore, options: &ApproveOptions) -> Result<Record, Failure> {
    let ApproveOptions { name, version, .. } = options;
    let Current { state, history } = write::current(ledger, name).await?;
    if history.events.is_empty() {
        return Err(resolve::unknown_name(ledger, name).await?.into());
    }
    let reference = PromptReference { name: name.clone(), selector: Selector::Version(*version) };
    let resolved = resolve::resolve_in(&state, &reference)?;
    Ok(resolve::record(ledger, name, *version, &resolved.digest).await?)
}

/// The approval, and everything that speaks against it but the list of approvers.
async fn decide(
    ledger: &dyn LedgerStore,
    record: &Record,
    options: &ApproveOptions,
    approver: &Approver<'_>,
) -> Result<(Approval, Vec<String>), Failure> {
    let identity = approver.identity;
    let source = match identity.is_verified_dispatch() {
        true => ApprovalSource::Dispatch,
        false => ApprovalSource::Unverified,
    };
    let login = identity.actor.login.clone();
    let approval = Approval { login, teams: Vec::new(), source, digest: record.digest.clone() };
    let mut refusals = Vec::new();
    if let Some(digest) = &options.digest
        && !is_digest(digest, &record.digest)
    {
        let version = record.version;
        refusals.push(format!("version {version} has the digest {}, not {digest}", record.digest));
    }
    if let Some(other) = &identity.rerun_by {
        refusals.push(format!(
            "{} dispatched this run and {other} ran it again: dispatch a new run to approve",
            identity.actor.login
        ));
    }
    if source == ApprovalSource::Unverified && !ledger.is_local() {
        refusals.push(
            "nobody can verify the login here: approve the pull request, or dispatch the approval on the default branch"
                .to_owned(),
        );
        return Ok((approval, refusals));
    }
    let authors = authors(ledger, record, approver).await?;
    let author = identity.names().find(|name| authors.iter().any(|author| author.eq_ignore_ascii_case(name)));
    if let Some(author) = author {
        refusals.push(format!("{author} is an author of the change: somebody else has to approve it"));
    }
    Ok((approval, refusals))
}

/// The authors in the record, and where it names no pull request those that can be found now: GitHub may have been
/// unreachable when the version was published, and then the record has no logins.
async fn authors(
    ledger: &dyn LedgerStore,
    record: &Record,
    approver: &Approver<'_>,
) -> Result<Vec<String>, Failure> {
    let mut authors = record.change.authors.clone();
    let Some(commit) = record.change.commit.as_deref().filter(|_| record.change.pull_request.is_none())
    else {
        return Ok(authors);
    };
    let Some(repository) = approver.repository else {
        return Err(Diagnostic::new(
            "the authors of the change are read from the repository, and there is none here",
        )
        .help("run this command in a clone of the repository that the version was published from")
        .into());
    };
    let before = match record.compared_with {
        Some(version) => {
            let state = ledger.state(&record.name).await?.unwrap_or_default();
            resolve::record_in(ledger, &record.name, &state, version).await?.change.commit
        }
        None => None,
    };
    // The record does not name every file of the content: all of the suite's folder counts.
    let paths: Vec<String> = record.change.path.iter().chain([&approver.folder]).cloned().collect();
    let commits = ChangeOptions { repository, commit, since: before.as_deref(), paths: &paths }.commits()?;
    if approver.identity.host == Host::GitHub {
        authors.extend(authors::of_change(&github(approver)?, &commits).await.map_err(unread)?.authors);
    } else {
        authors.extend(authors::of_commits(&commits));
    }
    Ok(authors)
}

/// The name under which the actor is an approver, else the login.
async fn listed(record: &Record, approver: &Approver<'_>) -> Result<(String, ApproverMatch), Failure> {
    let (identity, approvers) = (approver.identity, &record.policy.approvers);
    let is_listed = |name: &&str| approvers.iter().any(|approver| approver.eq_ignore_ascii_case(name));
    let name = identity.names().find(is_listed);
    let has_teams = name.is_none() && approvers.iter().any(|approver| approver.starts_with('@'));
    let github = match identity.host == Host::GitHub && has_teams {
        true => Some(github(approver)?),
        false => None,
    };
    let login = name.unwrap_or(&identity.actor.login);
    let found = match_approver(github.as_ref(), login, approvers).await.map_err(unread)?;
    Ok((login.to_owned(), found))
}

async fn append(
    ledger: &dyn LedgerStore,
    options: &ApproveOptions,
    stamp: Stamp,
    approval: &Approval,
) -> Result<ApproveResult, Failure> {
    // A claim does not replace an identity that is known.
    let is_same = |other: &Approval| {
        other.login.eq_ignore_ascii_case(&approval.login)
            && other.digest == approval.digest
            && (other.source != ApprovalSource::Unverified || approval.source == ApprovalSource::Unverified)
    };
    write::append(ledger, &options.name, async |current: &Current| {
        let version = current.state.versions.get(&options.version);
        if version.is_some_and(|version| version.approvals.iter().any(is_same)) {
            return Ok((Addition::default(), ApproveResult::AlreadyApproved));
        }
        let approved = EventKind::Approved { version: options.version, approval: approval.clone() };
        let addition = if options.dry_run { Addition::default() } else { stamp.events([approved]) };
        Ok((addition, ApproveResult::Approved))
    })
    .await
}

/// Whether a text is a digest, or enough of its first digits; `sha256:` may be left out.
fn is_digest(text: &str, digest: &Digest) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    digits.len() >= MIN_DIGITS
        && digest.as_str().strip_prefix("sha256:").is_some_and(|all| all.starts_with(&digits))
}

fn github(approver: &Approver<'_>) -> Result<GitHub, Diagnostic> {
    GitHub::of(approver.environment, "authors and members of teams are read with it")
}

/// GitHub could not be read, and so nothing is approved.
fn unread(error: ApiError) -> Failure {
    let message = format!("nothing was approved: {}", error.message);
    let diagnostic = Diagnostic { place: None, message, help: error.help };
    match error.kind {
        ApiErrorKind::Usage | ApiErrorKind::Forbidden => diagnostic.into(),
        ApiErrorKind::Unavailable => Failure::Incomplete(Diagnostics(vec![diagnostic])),
    }
}
