//! Approvals of a published version, collected from GitHub.
//!
//! An approval is for the bytes that were reviewed. A review counts where the files that make the content had the same
//! bytes at the pull request's last head as at the published commit; their object names are compared, so that no clone
//! has to hold a head that a squash merge left behind. Whatever cannot be read counts as no approval.

#[cfg(test)]
mod tests;

use crate::app::github::GitHub;
use crate::app::{Environment, Failure};
use promptgate_adapters::git::short;
use promptgate_adapters::github::api::{
    self, ApiError, MergedPullRequest, Review, ReviewState, deployment_reviews, reviews,
};
use promptgate_release::{Approval, ApprovalSource, Digest};

use super::approvers::{ApproverMatch, match_approver};
use super::authors::{self, ChangeAuthors, ChangeOptions};
use super::identity::{Host, Identity};

/// The deployment environment that holds the key of the ledger; reviewers of others decide about something else.
const ENVIRONMENT: &str = "prompt-production";

/// The version whose approvals are collected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CollectOptions<'a> {
    /// Where it is from.
    pub(crate) change: ChangeOptions<'a>,
    /// The digest of its content.
    pub(crate) digest: &'a Digest,
    /// The policy's approvers.
    pub(crate) approvers: &'a [String],
}

/// Approvals of a version, and the authors who may not give any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CollectedApprovals {
    /// The pull request that brought the newest commit of the change. `None` also where GitHub did not name all authors.
    pub(crate) pull_request: Option<u64>,
    /// Logins, and names with addresses, of the authors of the change.
    pub(crate) authors: Vec<String>,
    /// Approvals that count.
    pub(crate) approvals: Vec<Approval>,
    /// Reviews that do not count.
    pub(crate) rejected: Vec<RejectedApproval>,
    /// Why something could not be read.
    pub(crate) warnings: Vec<String>,
}

/// A review that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedApproval {
    /// The reviewer.
    pub(crate) login: String,
    /// Where the review was given.
    pub(crate) source: ApprovalSource,
    /// Why it does not count.
    pub(crate) reason: String,
}

/// Collects authors and approvals. Outside GitHub, authors are those that git names, and there are no approvals; the same
/// holds, with a warning, where GitHub or a part of the history cannot be read.
///
/// # Errors
/// A commit that git cannot read.
pub(crate) async fn collect(
    options: &CollectOptions<'_>,
    identity: &Identity,
    environment: &Environment,
) -> Result<CollectedApprovals, Failure> {
    let change = options.change;
    let mut warnings = Vec::new();
    let commits = match change.commits() {
        Ok(commits) => commits,
        Err(error) => {
            let commit = change.repository.people_of(change.commit)?;
            let authors = authors::of_commits(commit.as_slice());
            let warnings = vec![no_approvals(&error.message, error.help.as_deref())];
            return Ok(CollectedApprovals { authors, warnings, ..CollectedApprovals::default() });
        }
    };
    if identity.host == Host::GitHub {
        match GitHub::of(environment, "approvals are read with it") {
            Ok(github) => match from_github(options, &github, &commits, identity, environment).await {
                Ok(collected) => return Ok(collected),
                Err(error) => warnings.push(no_approvals(&error.message, error.help.as_deref())),
            },
            Err(error) => warnings.push(no_approvals(&error.message, error.help.as_deref())),
        }
    }
    let authors = authors::of_commits(&commits);
    Ok(CollectedApprovals { authors, warnings, ..CollectedApprovals::default() })
}

fn no_approvals(reason: &str, help: Option<&str>) -> String {
    let help = help.map(|help| format!("; {help}")).unwrap_or_default();
    format!("no approvals were collected: {reason}{help}")
}

async fn from_github(
    options: &CollectOptions<'_>,
    github: &GitHub,
    commits: &[promptgate_adapters::git::ChangeCommit],
    identity: &Identity,
    environment: &Environment,
) -> Result<CollectedApprovals, ApiError> {
    let ChangeAuthors { authors, pull_requests } = authors::of_change(github, commits).await?;
    let mut collector = Collector {
        options,
        github,
        collected: CollectedApprovals {
            pull_request: pull_requests.first().map(|pull_request| pull_request.number),
            authors,
            ..CollectedApprovals::default()
        },
    };
    for pull_request in &pull_requests {
        collector.add_reviews(pull_request).await?;
    }
    collector.add_deployment_reviews(identity, environment).await?;
    Ok(collector.collected)
}

struct Collector<'a> {
    options: &'a CollectOptions<'a>,
    github: &'a GitHub,
    collected: CollectedApprovals,
}

impl Collector<'_> {
    async fn add_reviews(&mut self, pull_request: &MergedPullRequest) -> Result<(), ApiError> {
        let GitHub { client, repository } = self.github;
        let reviews = reviews(client, repository, pull_request.number).await?;
        let is_approved = |review: &Review| review.state == ReviewState::Approved;
        let difference = match reviews.iter().any(is_approved) {
            true => self.difference(pull_request).await?,
            false => None,
        };
        for review in reviews {
            let reason = match review.state {
                ReviewState::ChangesRequested => Some("the last review requests changes".to_owned()),
                ReviewState::Dismissed => Some("the review was dismissed".to_owned()),
                ReviewState::Unknown => Some("the review has an unknown state".to_owned()),
                ReviewState::Approved if review.commit.as_deref() != Some(&*pull_request.head) => {
                    let reviewed = review.commit.as_deref().map_or("a commit that is gone", short);
                    Some(format!(
                        "the review is of {reviewed}, not of the last head {}",
                        short(&pull_request.head)
                    ))
                }
                ReviewState::Approved => difference.clone(),
            };
            self.add(review.login, ApprovalSource::Review, reason).await?;
        }
        Ok(())
    }

    /// The first file whose bytes at the last head are not the published ones.
    async fn difference(&self, pull_request: &MergedPullRequest) -> Result<Option<String>, ApiError> {
        let ChangeOptions { repository, commit, paths, .. } = self.options.change;
        let published = repository.blob_names(commit, paths)?;
        let GitHub { client, repository } = self.github;
        let reviewed = api::blob_names(client, repository, &pull_request.head, paths).await?;
        let different =
            published.iter().zip(&reviewed).position(|(one, other)| one.is_none() || one != other);
        Ok(match different.and_then(|index| paths.get(index)) {
            Some(path) => Some(format!("{path} differs between the reviewed head and the published commit")),
            None if paths.is_empty() => Some("no file of the content is in the repository".to_owned()),
            None => None,
        })
    }

    /// Adds the decisions of the required reviewers of this run's environment. They saw the commit of the run, so they
    /// count where it is the published one.
    async fn add_deployment_reviews(
        &mut self,
        identity: &Identity,
        environment: &Environment,
    ) -> Result<(), ApiError> {
        let run = environment.variable("GITHUB_RUN_ID").and_then(|id| id.parse().ok());
        let is_of_commit = environment.variable("GITHUB_SHA").as_deref() == Some(self.options.change.commit);
        let Some(run) = run.filter(|_| is_of_commit && identity.actor.source.is_trusted()) else {
            return Ok(());
        };
        let GitHub { client, repository } = self.github;
        let mut decisions = deployment_reviews(client, repository, run).await?;
        decisions.retain(|decision| decision.environments.iter().any(|name| name == ENVIRONMENT));
        let is_rejected = |login: &str| {
            decisions.iter().any(|other| !other.is_approved && other.login.eq_ignore_ascii_case(login))
        };
        for decision in &decisions {
            let reason = is_rejected(&decision.login).then(|| "the deployment was rejected".to_owned());
            self.add(decision.login.clone(), ApprovalSource::Environment, reason).await?;
        }
        Ok(())
    }

    /// Adds a review, which does not count for `reason`, for an author, or for somebody who is not an approver.
    async fn add(
        &mut self,
        login: String,
        source: ApprovalSource,
        reason: Option<String>,
    ) -> Result<(), ApiError> {
        let is_author = self.collected.authors.iter().any(|author| author.eq_ignore_ascii_case(&login));
        let (reason, teams) = match reason {
            Some(reason) => (Some(reason), Vec::new()),
            None if is_author => (Some("an author of the change".to_owned()), Vec::new()),
            None => match match_approver(Some(self.github), &login, self.options.approvers).await? {
                ApproverMatch::Approver { teams } => (None, teams),
                ApproverMatch::None { notes } => {
                    let reasons = [vec!["not in `approvers`".to_owned()], notes].concat();
                    (Some(reasons.join("; ")), Vec::new())
                }
            },
        };
        let is_known = |other: &Approval| other.login.eq_ignore_ascii_case(&login);
        match reason {
            Some(reason) => {
                let rejected = RejectedApproval { login, source, reason };
                if !self.collected.rejected.contains(&rejected) {
                    self.collected.rejected.push(rejected);
                }
            }
            None if self.collected.approvals.iter().any(is_known) => {}
            None => {
                let digest = self.options.digest.clone();
                self.collected.approvals.push(Approval { login, teams, source, digest });
            }
        }
        Ok(())
    }
}
