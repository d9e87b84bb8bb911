//! Brings the newest version of the registry, which somebody wrote there, into the repository as a change to review.

mod file;

use jiff::Timestamp;

use super::identity::identity;
use super::open::{Opened, Target};
use crate::app::files::write_whole;
use crate::app::sources::configured;
use crate::app::{Environment, Failure};
use promptgate_adapters::git::{BranchCommit, Repository};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::Name;
use promptgate_release::ports::StoredVersion;

/// The request.
#[derive(Debug, Clone)]
pub(crate) struct PullOptions {
    /// The prompt.
    pub(crate) target: Target,
    /// The branch to create; `None` to write the prompt's file.
    pub(crate) branch: Option<String>,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pulled {
    /// The prompt.
    pub(crate) name: Name,
    /// The registry's identifier of its newest version.
    pub(crate) id: String,
    /// The author, where the registry knows one.
    pub(crate) author: Option<String>,
    /// Why it was written, where the registry has a message.
    pub(crate) reason: Option<String>,
    /// Where it went.
    pub(crate) outcome: PullOutcome,
    /// Whether nothing was written.
    pub(crate) dry_run: bool,
}

/// Where a version went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PullOutcome {
    /// Promptgate published it: the repository has it.
    Published(String),
    /// The prompt's file has this content already.
    Unchanged(String),
    /// Into the prompt's file.
    File(String),
    /// Onto a new branch.
    Branch {
        /// The branch.
        branch: String,
        /// Its commit; `None` where nothing was written.
        commit: Option<String>,
    },
}

/// Pulls the newest version. What an event or a caller says of it is not trusted: it is fetched here.
///
/// # Errors
/// The embedded registry, a version that the prompt's file cannot hold, and a registry that fails.
pub(crate) async fn pull(options: &PullOptions, environment: &Environment) -> Result<Pulled, Failure> {
    let opened = Opened::open(&options.target)?;
    let name = opened.name().clone();
    let actor = identity(environment, &opened.folder)?.actor;
    let registry = opened.registry(environment, &actor)?;
    if registry.capabilities().in_ledger {
        return Err(Diagnostic::new("the embedded registry holds only what was published from here")
            .at(Place::file(&opened.shown))
            .help("edit the prompt's file; `pull` is for registries in which people write prompts")
            .into());
    }
    let versions = registry.versions(&name).await?;
    let newest = versions.into_iter().next().ok_or_else(|| {
        Diagnostic::new(format!("{} has no version of {name}", registry.location()))
            .help("`promptgate publish` puts the first one there")
    })?;
    opened.ledger.refresh().await?;
    let current = opened.ledger.state(&name).await?.unwrap_or_default();
    let pulled = |outcome| Pulled {
        name: name.clone(),
        id: newest.id.clone(),
        author: newest.author.clone(),
        reason: newest.message.clone(),
        outcome,
        dry_run: options.dry_run,
    };
    if let Some(version) = current.with_digest(&newest.content.digest()) {
        return Ok(pulled(PullOutcome::Published(version.to_string())));
    }
    let settings = configured(Some(&opened.folder.join(file_name(&opened.shown))))?.settings;
    let path = opened.folder.join(settings.prompt.path());
    let shown = path.display().to_string();
    let before = std::fs::read_to_string(&path).map_err(|error| {
        Diagnostic::new(format!("cannot read the prompt: {error}")).at(Place::file(&shown))
    })?;
    let after = file::rewritten(settings.prompt.path(), &before, &newest)?;
    if after == before {
        return Ok(pulled(PullOutcome::Unchanged(shown)));
    }
    let Some(branch) = &options.branch else {
        if options.dry_run {
            return Ok(pulled(PullOutcome::File(shown)));
        }
        write_whole(&path, |file| file.write_all(after.as_bytes()))?;
        return Ok(pulled(PullOutcome::File(shown)));
    };
    let commit = match options.dry_run {
        true => None,
        false => Some(commit(&opened, branch, settings.prompt.path(), &after, &newest)?),
    };
    Ok(pulled(PullOutcome::Branch { branch: branch.clone(), commit }))
}

fn file_name(shown: &str) -> &str {
    shown.rsplit(['/', '\\']).next().unwrap_or(shown)
}

fn commit(
    opened: &Opened,
    branch: &str,
    prompt: &str,
    content: &str,
    version: &StoredVersion,
) -> Result<String, Diagnostic> {
    let repository = Repository::discover(&opened.folder).map_err(Diagnostic::from)?;
    let path = repository.path_from_root(prompt)?;
    let author = version.author.as_deref().map_or("registry <>".to_owned(), |author| {
        if author.contains('<') { author.to_owned() } else { format!("{author} <>") }
    });
    let reason = version.message.as_deref().unwrap_or("Change the prompt");
    let pulled = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let message = format!(
        "{reason}\n\nVersion {} of {} in the registry, pulled on {pulled}.",
        version.id,
        opened.name()
    );
    repository.commit_to_branch(&BranchCommit {
        branch,
        path: &path,
        content: content.as_bytes(),
        author: &author,
        message: &message,
    })
}
