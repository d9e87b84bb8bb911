//! The repository, its remote and its CI system.

use std::path::{Path, PathBuf};

use crate::app::sources::repository_root;
use promptgate_adapters::git::Repository;
use promptgate_adapters::ledger::DEFAULT_REMOTE;

/// A CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CiSystem {
    GitHub,
    GitLab,
    CircleCi,
    Buildkite,
    Jenkins,
}

impl CiSystem {
    /// All, in the order in which they are looked for.
    pub(crate) const ALL: [Self; 5] =
        [Self::GitHub, Self::GitLab, Self::CircleCi, Self::Buildkite, Self::Jenkins];

    /// The value of `--ci`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::CircleCi => "circleci",
            Self::Buildkite => "buildkite",
            Self::Jenkins => "jenkins",
        }
    }

    /// The file or folder by which a repository uses it.
    const fn trace(self) -> &'static str {
        match self {
            Self::GitHub => ".github",
            Self::GitLab => ".gitlab-ci.yml",
            Self::CircleCi => ".circleci",
            Self::Buildkite => ".buildkite",
            Self::Jenkins => "Jenkinsfile",
        }
    }
}

/// The repository around a folder, and its CI systems.
#[derive(Debug, Default)]
pub(crate) struct RepositoryFacts {
    /// Root of the repository.
    pub(crate) root: Option<PathBuf>,
    /// Address of the remote `origin`, without password, and without a user other than `git`.
    pub(crate) remote: Option<String>,
    /// CI systems, with what they were found by.
    pub(crate) ci: Vec<(CiSystem, String)>,
    /// The branch that changes are merged into, where it has none of the usual names.
    pub(crate) branch: Option<String>,
    /// The branch that changes are merged into, as far as it is known, else `main`.
    pub(crate) merged_into: String,
}

/// Looks at the repository around a folder, which need not exist yet.
pub(super) fn look(folder: &Path) -> RepositoryFacts {
    let outside = || RepositoryFacts { merged_into: "main".to_owned(), ..RepositoryFacts::default() };
    let Ok(absolute) = std::path::absolute(folder) else { return outside() };
    let Some(root) = repository_root(&absolute).map(Path::to_owned) else { return outside() };
    let repository = Repository::discover(&root).ok();
    let remote = repository.as_ref().and_then(|repository| repository.remote_url(DEFAULT_REMOTE));
    let remote = remote.map(|address| without_user(&address));
    let mut ci: Vec<(CiSystem, String)> = CiSystem::ALL
        .into_iter()
        .filter(|system| root.join(system.trace()).exists())
        .map(|system| (system, system.trace().to_owned()))
        .collect();
    if let Some(address) = remote.as_deref().filter(|_| ci.is_empty()) {
        ci.extend(by_host(address).map(|system| (system, format!("the remote {address}"))));
    }
    let branch = repository.as_ref().and_then(|repository| unusual_branch(&root, repository));
    let has = |name: &str| repository.as_ref().is_some_and(|repository| repository.resolve(name).is_ok());
    let usual = if !has("main") && has("master") { "master" } else { "main" };
    // It is written into files of a CI system, and there into commands of a shell.
    let merged_into = branch.clone().filter(|name| is_plain(name)).unwrap_or_else(|| usual.to_owned());
    RepositoryFacts { root: Some(root), remote, ci, branch, merged_into }
}

fn by_host(address: &str) -> Option<CiSystem> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.strip_prefix("git@").unwrap_or(rest);
    let host = rest.split(['/', ':']).next().unwrap_or_default().to_lowercase();
    if host == "github.com" {
        Some(CiSystem::GitHub)
    } else {
        host.split('.').any(|part| part == "gitlab").then_some(CiSystem::GitLab)
    }
}

/// An address without user, password and query, which may be a token; `git@` of SSH stays.
fn without_user(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = address.split_once("://").map_or(("", address), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_git =
        authority.starts_with("git@") && authority.matches('@').count() == 1 && !scheme.starts_with("http");
    let host = match authority.rsplit_once('@') {
        Some((_, host)) if !is_git => host,
        _ => authority,
    };
    if scheme.is_empty() { format!("{host}{path}") } else { format!("{scheme}://{host}{path}") }
}

/// Whether the name of a branch means itself in a shell and in quotes of YAML.
fn is_plain(branch: &str) -> bool {
    !branch.starts_with('-')
        && branch.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter))
}

/// The current branch of a repository in which `git:merge-base` would find no branch to compare with.
fn unusual_branch(root: &Path, repository: &Repository) -> Option<String> {
    repository.resolve("HEAD").ok()?;
    let usual = ["origin/HEAD", "origin/main", "main", "origin/master", "master"];
    if usual.iter().any(|name| repository.resolve(name).is_ok()) {
        return None;
    }
    let head = root.join(".git/HEAD");
    // A pipe would never end.
    let head = std::fs::read_to_string(head.is_file().then_some(head)?).ok()?;
    head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_names_the_ci_system_and_loses_its_user() {
        for (address, shown, system) in [
            ("https://github.com/acme/shop.git", "https://github.com/acme/shop.git", Some(CiSystem::GitHub)),
            ("git@github.com:acme/shop.git", "git@github.com:acme/shop.git", Some(CiSystem::GitHub)),
            (
                "https://oauth2:glpat-x@gitlab.acme.org/a/b.git",
                "https://gitlab.acme.org/a/b.git",
                Some(CiSystem::GitLab),
            ),
            ("ssh://git@github.com/acme/shop", "ssh://git@github.com/acme/shop", Some(CiSystem::GitHub)),
            ("ghp_x@github.com:acme/shop.git", "github.com:acme/shop.git", Some(CiSystem::GitHub)),
            ("https://evil.org/github.com", "https://evil.org/github.com", None),
            ("/srv/git/shop.git", "/srv/git/shop.git", None),
        ] {
            assert_eq!((without_user(address).as_str(), by_host(&without_user(address))), (shown, system));
        }
    }
}
