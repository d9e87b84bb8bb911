//! Authors of the change that a version brings, none of whom may approve it.
//!
//! The change is every commit on the version's files since the version that production served: publishing may have been
//! skipped in between, and the last commit alone would leave the others free to approve their own work.

use std::collections::BTreeSet;

use crate::app::github::{self, GitHub};
use promptgate_adapters::git::{ChangeCommit, ChangeHistory, Person, Repository};
use promptgate_adapters::github::api::{
    ApiError, GitPerson, MergedPullRequest, merged_pull_requests, people_of_commit, pull_request_people,
};
use promptgate_core::model::Diagnostic;

/// The change of a version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChangeOptions<'a> {
    /// The clone.
    pub(crate) repository: &'a Repository,
    /// The commit that is published, a full object name.
    pub(crate) commit: &'a str,
    /// The commit of the version that production serves; `None` for a first version.
    pub(crate) since: Option<&'a str>,
    /// The files that make the content, relative to the root of the repository.
    pub(crate) paths: &'a [String],
}

/// Authors and pull requests of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ChangeAuthors {
    /// Logins, and `Name <address>` for people without a known one, sorted.
    pub(super) authors: Vec<String>,
    /// Merged pull requests, that of the newest commit first.
    pub(super) pull_requests: Vec<MergedPullRequest>,
}

impl ChangeOptions<'_> {
    /// The commits of the change.
    ///
    /// # Errors
    /// A shallow clone, and whatever git cannot read.
    pub(super) fn commits(&self) -> Result<Vec<ChangeCommit>, Diagnostic> {
        match self.repository.change(self.since, self.commit, self.paths)? {
            ChangeHistory::Complete(commits) => Ok(commits),
            ChangeHistory::Shallow => {
                Err(Diagnostic::new("the clone is shallow, so that not every author of the change is known")
                    .help("check out all history, with `fetch-depth: 0`"))
            }
        }
    }
}

/// Returns the people that commits name, committers among them. Logins are known where the address is GitHub's.
pub(super) fn of_commits(commits: &[ChangeCommit]) -> Vec<String> {
    let people = commits.iter().flat_map(|commit| commit.authors.iter().chain([&commit.committer]));
    let names = people.filter(|person| person.email != "noreply@github.com").flat_map(|person| {
        let Person { name, email } = person;
        [login_of(email).map(str::to_owned), Some(format!("{name} <{email}>"))]
    });
    unique(names.flatten())
}

/// Returns authors and pull requests from GitHub: for a pull request authors, co-authors and committers of all of its
/// commits, and who opened it; for a commit that was pushed, the same of the commit. Who only merged is no author.
///
/// A commit can be written in anybody's name, and who pushed it is not recorded: the branch's rule "require approval of
/// the most recent reviewable push" closes that.
///
/// # Errors
/// Failed calls.
pub(super) async fn of_change(github: &GitHub, commits: &[ChangeCommit]) -> Result<ChangeAuthors, ApiError> {
    let GitHub { client, repository } = github;
    let (mut names, mut pull_requests) = (Vec::new(), Vec::<MergedPullRequest>::new());
    let mut seen = BTreeSet::new();
    for commit in commits {
        if seen.contains(&commit.commit) {
            continue;
        }
        let people = people_of_commit(client, repository, &commit.commit).await?;
        names.extend(people.authors.iter().map(name_of));
        let brought = merged_pull_requests(client, repository, &commit.commit).await?;
        if brought.is_empty() {
            names.extend(people.committer.iter().map(name_of));
        }
        for pull_request in brought {
            if pull_requests.contains(&pull_request) {
                continue;
            }
            names.extend(pull_request.opened_by.clone());
            for people in pull_request_people(client, repository, pull_request.number).await? {
                names.extend(people.authors.iter().chain(&people.committer).map(name_of));
                seen.insert(people.commit);
            }
            pull_requests.push(pull_request);
        }
    }
    Ok(ChangeAuthors { authors: unique(names), pull_requests })
}

/// The login, else the name and address.
fn name_of(person: &GitPerson) -> String {
    let known = person.login.as_deref().or_else(|| login_of(&person.email));
    known.map_or_else(|| format!("{} <{}>", person.name, person.email), str::to_owned)
}

/// The login in an address that GitHub gave out: `ID+LOGIN@users.noreply.github.com`, also on a server of its own.
fn login_of(email: &str) -> Option<&str> {
    let (local, host) = email.split_once('@')?;
    let login = local.split_once('+').map_or(local, |(_, login)| login);
    (host.starts_with("users.noreply.") && github::is_login(login)).then_some(login)
}

fn unique(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_unstable_by_key(|name| (name.to_ascii_lowercase(), name.clone()));
    names.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, email: &str) -> Person {
        Person { name: name.to_owned(), email: email.to_owned() }
    }

    #[test]
    fn commits_name_authors_co_authors_and_committers() {
        let commit = ChangeCommit {
            commit: "1".repeat(40),
            authors: vec![person("Ann", "12+Ann@users.noreply.github.com"), person("Bob", "bob@example.com")],
            committer: person("GitHub", "noreply@github.com"),
        };
        let other = ChangeCommit {
            committer: person("Cy", "cy@users.noreply.ghe.example"),
            authors: vec![person("bob", "BOB@example.com")],
            ..commit.clone()
        };
        assert_eq!(
            of_commits(&[commit, other]),
            [
                "Ann",
                "Ann <12+Ann@users.noreply.github.com>",
                "Bob <bob@example.com>",
                "cy",
                "Cy <cy@users.noreply.ghe.example>"
            ]
        );
    }

    #[test]
    fn only_addresses_of_github_hold_a_login() {
        assert_eq!(login_of("12+ann-b@users.noreply.github.com"), Some("ann-b"));
        assert_eq!(login_of("ann@users.noreply.github.com"), Some("ann"));
        assert_eq!(login_of("49699333+dependabot[bot]@users.noreply.github.com"), Some("dependabot[bot]"));
        for other in
            ["ann@example.com", "ann", "+@users.noreply.github.com", "ann@x.users.noreply.github.com"]
        {
            assert_eq!(login_of(other), None, "{other}");
        }
    }
}
