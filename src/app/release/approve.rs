//! `approve`: one person's approval of one version.
//!
//! The login of a job that was dispatched on GitHub's default branch is known; anywhere else it is a claim, which counts
//! where the ledger is a folder that everybody can write anyway.

#[cfg(test)]
mod tests;

use crate::app::github::GitHub;
use crate::app::{Environment, Failure};
use jiff::Timestamp;
use promptgate_adapters::git::Repository;
use promptgate_adapters::github::api::{ApiError, ApiErrorKind};
use promptgate_adapters::ledger::{MAX_ATTEMPTS, pause};
use promptgate_core::model::{Diagnostic, Diagnostics};
use promptgate_release::ports::{Addition, LedgerStore, Tip};
use promptgate_release::{
    Approval, ApprovalSource, Digest, Event, EventKind, Name, PortError, PromptReference, Record, Selector,
    State, Version,
};

use super::approvers::{ApproverMatch, match_approver};
use super::authors::{self, ChangeOptions};
use super::identity::{Host, Identity};
use super::resolve;

/// Digits of a digest that identify a content.
const MIN_DIGITS: usize = 12;

/// Which version is approved.
#[derive(Debug, Clone)]
pub(crate) struct ApproveOptions {
    /// The prompt.
    pub(crate) name: Name,
    /// The version.
    pub(crate) version: Version,
    /// The digest that was read, or its first twelve digits or more: another content is not approved.
    pub(crate) digest: Option<String>,
    /// Decide, and append nothing.
    pub(crate) dry_run: bool,
}

/// What an approval is decided from, beside the ledger.
pub(crate) struct ApproveContext<'a> {
    /// Who approves.
    pub(crate) identity: &'a Identity,
    /// The variables of the process.
    pub(crate) environment: &'a Environment,
    /// The clone that has the version's commit; `None` outside a repository.
    pub(crate) repository: Option<&'a Repository>,
    /// The files that make the content, relative to the root of the repository.
    pub(crate) paths: &'a [String],
}

/// The decision about an approval.
#[derive(Debug, Clone)]
pub(crate) struct Approved {
    /// The approval.
    pub(crate) approval: Approval,
    /// What became of it.
    pub(crate) result: ApproveResult,
    /// What is worth knowing beside that.
    pub(crate) warnings: Vec<String>,
}

/// What became of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApproveResult {
    /// It is in the ledger, or would be.
    Approved,
    /// It was in the ledger before.
    AlreadyApproved,
    /// It does not count, and was not appended.
    Refused(Vec<String>),
}

/// Approves a version.
///
/// # Errors
/// An unknown name or version, a ledger or GitHub that cannot be read, a ledger that cannot be written.
pub(crate) async fn approve(
    ledger: &dyn LedgerStore,
    options: &ApproveOptions,
    context: &ApproveContext<'_>,
) -> Result<Approved, Failure> {
    ledger.refresh().await?;
    let (record, _) = read(ledger, options).await?;
    let (mut approval, mut refusals) = decide(ledger, &record, options, context).await?;
    let mut warnings = Vec::new();
    if approval.source == ApprovalSource::Unverified && refusals.is_empty() {
        warnings.push(
            "the login is a claim: the approval counts because the ledger is a folder, and nowhere else"
                .to_owned(),
        );
    }
    if refusals.is_empty() {
        let aliases = context.identity.aliases.iter();
        let found = approver(&record, &approval.login, aliases, context).await?;
        match found {
            (login, ApproverMatch::Approver { teams }) => (approval.login, approval.teams) = (login, teams),
            (login, ApproverMatch::None { notes }) => {
                refusals.push(format!("{login} is not in the `approvers` that held before this version"));
                refusals.extend(notes);
            }
        }
    }
    let result = if refusals.is_empty() {
        append(ledger, options, context.identity, &approval).await?
    } else {
        ApproveResult::Refused(refusals)
    };
    Ok(Approved { approval, result, warnings })
}

/// The record of the version, and the state of the prompt with its position.
async fn read(
    ledger: &dyn LedgerStore,
    options: &ApproveOptions,
) -> Result<(Record, (State, Option<Tip>)), Failure> {
    let ApproveOptions { name, version, .. } = options;
    let history = ledger.history(name).await?;
    if history.events.is_empty() {
        return Err(resolve::unknown_name(ledger, name).await?.into());
    }
    let damaged = |reason: String| PortError::Damaged(format!("{}: {reason}", ledger.location()));
    let state = State::fold(&history.events).map_err(|error| damaged(error.to_string()))?;
    let reference = PromptReference { name: name.clone(), selector: Selector::Version(*version) };
    let resolved = resolve::resolve_in(&state, &reference)?;
    let record = resolve::record(ledger, name, *version).await?;
    if record.digest != resolved.digest {
        return Err(
            damaged(format!("the record of {name}@{version} has another digest than its event")).into()
        );
    }
    Ok((record, (state, history.tip)))
}

/// The approval, and everything that speaks against it but the list of approvers.
async fn decide(
    ledger: &dyn LedgerStore,
    record: &Record,
    options: &ApproveOptions,
    context: &ApproveContext<'_>,
) -> Result<(Approval, Vec<String>), Failure> {
    let identity = context.identity;
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
            "the login is a claim here: dispatch the approval on the default branch, or approve the pull request"
                .to_owned(),
        );
        return Ok((approval, refusals));
    }
    let authors = authors(ledger, record, context).await?;
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
    context: &ApproveContext<'_>,
) -> Result<Vec<String>, Failure> {
    let mut authors = record.change.authors.clone();
    let Some(commit) = record.change.commit.as_deref().filter(|_| record.change.pull_request.is_none())
    else {
        return Ok(authors);
    };
    let Some(repository) = context.repository else {
        return Err(Diagnostic::new(
            "the authors of the change are read from the repository, and there is none here",
        )
        .help("run this command in a clone of the repository that the version was published from")
        .into());
    };
    let before = match record.compared_with {
        Some(version) => resolve::record(ledger, &record.name, version).await?.change.commit,
        None => None,
    };
    let commits =
        ChangeOptions { repository, commit, since: before.as_deref(), paths: context.paths }.commits()?;
    if context.identity.host == Host::GitHub {
        authors.extend(authors::of_change(&github(context)?, &commits).await.map_err(unread)?.authors);
    } else {
        authors.extend(authors::of_commits(&commits));
    }
    Ok(authors)
}

/// The name under which the actor is an approver, else the login.
async fn approver(
    record: &Record,
    login: &str,
    aliases: impl Iterator<Item = &String>,
    context: &ApproveContext<'_>,
) -> Result<(String, ApproverMatch), Failure> {
    let approvers = &record.policy.approvers;
    let listed = |name: &str| approvers.iter().any(|approver| approver.eq_ignore_ascii_case(name));
    let login = if listed(login) {
        login
    } else {
        aliases.map(String::as_str).find(|name| listed(name)).unwrap_or(login)
    };
    let has_teams = !listed(login) && approvers.iter().any(|approver| approver.starts_with('@'));
    let github = match context.identity.host == Host::GitHub && has_teams {
        true => Some(github(context)?),
        false => None,
    };
    let found = match_approver(github.as_ref(), login, approvers).await.map_err(unread)?;
    Ok((login.to_owned(), found))
}

async fn append(
    ledger: &dyn LedgerStore,
    options: &ApproveOptions,
    identity: &Identity,
    approval: &Approval,
) -> Result<ApproveResult, Failure> {
    let ApproveOptions { name, version, .. } = options;
    for attempt in 1..=MAX_ATTEMPTS {
        let (_, (state, tip)) = read(ledger, options).await?;
        // A claim does not replace an identity that is known.
        let is_same = |other: &Approval| {
            other.login.eq_ignore_ascii_case(&approval.login)
                && other.digest == approval.digest
                && (other.source != ApprovalSource::Unverified
                    || approval.source == ApprovalSource::Unverified)
        };
        if state.versions.get(version).is_some_and(|version| version.approvals.iter().any(is_same)) {
            return Ok(ApproveResult::AlreadyApproved);
        }
        if options.dry_run {
            return Ok(ApproveResult::Approved);
        }
        let kind = EventKind::Approved { version: *version, approval: approval.clone() };
        let event = Event { at: Timestamp::now(), actor: identity.actor.clone(), kind };
        let addition = Addition { records: Vec::new(), events: vec![event] };
        match ledger.append(name, &addition, tip.as_ref()).await {
            Ok(_) => return Ok(ApproveResult::Approved),
            Err(PortError::Conflict(_)) if attempt < MAX_ATTEMPTS => {
                tokio::time::sleep(pause(attempt)).await;
                ledger.refresh().await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(PortError::Conflict("ledger").into())
}

/// Whether a text is a digest, or enough of its first digits; `sha256:` may be left out.
fn is_digest(text: &str, digest: &Digest) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    digits.len() >= MIN_DIGITS
        && digest.as_str().strip_prefix("sha256:").is_some_and(|all| all.starts_with(&digits))
}

fn github(context: &ApproveContext<'_>) -> Result<GitHub, Diagnostic> {
    GitHub::of(context.environment, "authors and members of teams are read with it")
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
