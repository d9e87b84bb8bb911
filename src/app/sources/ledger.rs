//! Reads the published versions that a suite refers to from its ledger: what production serves, and `registry:` references.
//!
//! The ledger alone is read, never the registry, so that no key of a registry is needed where a change is evaluated.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::policy::PolicySources;
use crate::app::Failure;
use crate::app::release::{failure, open_ledger, resolve};
use crate::app::suite::SuiteOptions;
use crate::config::{LedgerSettings, ReleaseSettings};
use promptgate_adapters::files::Tree;
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_release::ports::LedgerStore;
use promptgate_release::{Label, Name, PortError, PromptReference, Record, Selector, State};

/// How the release of a suite is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ReleaseMode {
    /// It is reported; a ledger that cannot be read is a warning unless a reference needs it.
    #[default]
    Inform,
    /// Its claims must hold, and the ledger must be readable.
    Verify,
    /// As `Verify`, and the run examines what the level requires, no more.
    ByLevel,
}

/// The repository of a pull request's base, which has the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseRepository {
    /// The address of the server: `https://github.com`.
    pub(crate) server: String,
    /// `OWNER/REPO`.
    pub(crate) name: String,
}

/// The prompt of a suite, by its ledger.
#[derive(Debug, Clone)]
pub(in crate::app) struct ReleaseSources {
    /// The state.
    pub(in crate::app) state: State,
    /// The version that production serves; `None` before the first.
    pub(in crate::app) production: Option<Record>,
    /// The commit that holds configuration and prompt as they are evaluated; `None` if there is none.
    pub(in crate::app) commit: Option<String>,
}

/// An open ledger.
struct Reader {
    ledger: Arc<dyn LedgerStore>,
    runtime: Handle,
}

impl Reader {
    /// Opens the ledger and fetches it. Must run on a thread that may wait.
    fn open(
        release: &ReleaseSettings,
        folder: &Path,
        base: Option<&BaseRepository>,
    ) -> Result<Self, Failure> {
        let ledger = match (&release.ledger, base) {
            (LedgerSettings::Git { branch, remote }, Some(base)) => {
                let remote = remote_of_base(folder, remote, base);
                open_ledger(&LedgerSettings::Git { branch: branch.clone(), remote }, folder)
            }
            (settings, _) => open_ledger(settings, folder),
        };
        let reader = Self { ledger, runtime: Handle::current() };
        reader.runtime.block_on(reader.ledger.refresh()).map_err(|error| reader.failure(error))?;
        Ok(reader)
    }

    /// A failure of the ledger, with the next step.
    fn failure(&self, error: PortError) -> Failure {
        if matches!(error, PortError::Unavailable(_) | PortError::Refused(_)) {
            let (message, own) = failure::split(&error.to_string());
            let help = "to compare with something else meanwhile, name it: `--baseline git:REF`";
            let help = own.map_or_else(|| help.to_owned(), |own| format!("{own}; {help}"));
            return Failure::Incomplete(
                Diagnostic::new(format!("the ledger cannot be read: {message}")).help(help).into(),
            );
        }
        error.into()
    }

    /// The state of a name from its events; empty for an unknown one.
    fn state(&self, name: &Name) -> Result<State, Failure> {
        let history =
            self.runtime.block_on(self.ledger.history(name)).map_err(|error| self.failure(error))?;
        resolve::fold(&*self.ledger, name, &history.events).map_err(|error| self.failure(error))
    }

    /// The version that a reference means.
    fn record(
        &self,
        reference: &PromptReference,
        state: &State,
    ) -> Result<Result<Record, Diagnostics>, Failure> {
        let name = &reference.name;
        if state.versions.is_empty() {
            let unknown = self.runtime.block_on(resolve::unknown_name(&*self.ledger, name));
            return Ok(Err(unknown.map_err(|error| self.failure(error))?.into()));
        }
        let resolved = match resolve::resolve_in(state, reference) {
            Ok(resolved) => resolved,
            Err(diagnostic) => return Ok(Err(diagnostic.into())),
        };
        let record = resolve::record(&*self.ledger, name, resolved.version, &resolved.digest);
        self.runtime.block_on(record).map(Ok).map_err(|error| self.failure(error))
    }
}

/// The published versions that a suite refers to.
#[derive(Default)]
pub(super) struct LedgerSources {
    /// The suite's own prompt; `None` without `release:`.
    pub(super) own: Option<ReleaseSources>,
    /// References with what they mean; `None` for the production version of the suite's own prompt before there is one.
    records: Vec<(PromptReference, Result<Option<Record>, Diagnostics>)>,
}

impl LedgerSources {
    /// Reads the ledger of a suite. `references` are those of candidate and baseline.
    ///
    /// # Errors
    /// A ledger that cannot be read or is damaged, and one that the change under test has written.
    pub(super) fn read(
        references: Vec<PromptReference>,
        options: &SuiteOptions,
        policy: &PolicySources,
        folder: &Path,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Failure> {
        let Some(release) = &policy.settings.release else {
            let unknown = |reference: PromptReference| {
                let message = format!("there is no ledger to read `{reference}` from");
                let help = "add `release: {ledger: git}` to the configuration, or name a file or a commit";
                (reference, Err(Diagnostic::new(message).help(help).into()))
            };
            return Ok(Self { own: None, records: references.into_iter().map(unknown).collect() });
        };
        refuse_written_by_change(release, policy)?;
        let reader = match Reader::open(release, folder, options.base_repository.as_ref()) {
            Err(failure) if references.is_empty() && options.release == ReleaseMode::Inform => {
                let messages = failure.diagnostics().into_iter().map(|diagnostic| diagnostic.message);
                warnings.extend(
                    messages.map(|message| format!("the level of the change is not known: {message}")),
                );
                return Ok(Self::default());
            }
            opened => opened?,
        };
        let state = reader.state(&release.name)?;
        let in_production =
            PromptReference { name: release.name.clone(), selector: Selector::Label(Label::Production) };
        let production = match state.at_label(&Label::Production) {
            Some(_) => Some(reader.record(&in_production, &state)??),
            None => None,
        };
        let mut records = Vec::new();
        for reference in references {
            let record = if reference == in_production {
                Ok(production.clone())
            } else if reference.name == release.name {
                reader.record(&reference, &state)?.map(Some)
            } else {
                let state = reader.state(&reference.name)?;
                reader.record(&reference, &state)?.map(Some)
            };
            records.push((reference, record));
        }
        let commit = evaluated_commit(policy, folder);
        Ok(Self { own: Some(ReleaseSources { state, production, commit }), records })
    }

    /// The version that a reference means; `None` before the first.
    pub(super) fn record(&self, reference: &PromptReference) -> Result<Option<Record>, Diagnostics> {
        match self.records.iter().find(|(known, _)| known == reference) {
            Some((_, record)) => record.clone(),
            None => Err(Diagnostic::new(format!("`{reference}` was not read from the ledger")).into()),
        }
    }
}

/// The remote that has the ledger of a pull request: `remote`, unless that is another repository than the base's, as the
/// origin of a fork is.
fn remote_of_base(folder: &Path, remote: &str, base: &BaseRepository) -> String {
    let address = Repository::discover(folder).ok().and_then(|repository| repository.remote_url(remote));
    match address.as_deref().and_then(repository_of) {
        Some(name) if !name.eq_ignore_ascii_case(&base.name) => {
            format!("{}/{}", base.server.trim_end_matches('/'), base.name)
        }
        _ => remote.to_owned(),
    }
}

/// `OWNER/REPO` of an address on a server; `None` for a path of this machine.
fn repository_of(address: &str) -> Option<String> {
    let path = match address.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?.1,
        // git@github.com:owner/repo.git
        None => address.split_once(':').filter(|(host, _)| host.len() > 1 && !host.contains(['/', '\\']))?.1,
    };
    let path = path.trim_matches('/');
    Some(path.strip_suffix(".git").unwrap_or(path).to_owned())
}

/// Refuses a ledger in a folder that the change under test has written: it would choose its own baseline.
fn refuse_written_by_change(release: &ReleaseSettings, policy: &PolicySources) -> Result<(), Failure> {
    let LedgerSettings::Folder(path) = &release.ledger else { return Ok(()) };
    let (ours, theirs) = (&policy.trees.candidate, &policy.trees.policy);
    if policy.base.is_none() || theirs.is_writable_by_change() {
        return Ok(());
    }
    let refuse = || {
        let message = "this folder is the ledger, and the change under test has written to it";
        let help = "only `promptgate publish`, `promote` and the like write to a ledger, after the merge";
        Failure::from(Diagnostic::new(message).at(Place::file(path)).help(help))
    };
    let pattern = format!("{}/**/*", path.trim_end_matches('/'));
    let committed = theirs.glob(&pattern).map_err(Failure::from)?;
    if committed.is_empty() {
        // A folder that a job put there is not part of the change.
        let tracked = Repository::discover(ours.folder()).map_err(Diagnostic::from)?.tracks(path)?;
        return if tracked { Err(refuse()) } else { Ok(()) };
    }
    let files: std::collections::BTreeSet<String> =
        ours.glob(&pattern)?.into_iter().chain(committed).collect();
    for file in files {
        let limit = promptgate_adapters::files::FILE_LIMIT;
        if ours.find(&file, limit)? != theirs.find(&file, limit)? {
            return Err(refuse());
        }
    }
    Ok(())
}

/// The commit that holds the configuration and the prompt of the candidate as they are.
fn evaluated_commit(policy: &PolicySources, folder: &Path) -> Option<String> {
    let head = Repository::discover(folder).ok()?.resolve("HEAD").ok()?.commit;
    let tree = Tree::work_tree(folder).checked_against(&head).ok()?;
    // A policy from a commit is named `git:REF:PATH`.
    let configuration = policy.settings.file.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let paths = match policy.settings.prompt.inline() {
        Some(_) => vec![configuration],
        None => vec![configuration, policy.settings.prompt.path()],
    };
    paths.into_iter().all(|path| is_committed(&tree, path)).then_some(head)
}

fn is_committed(tree: &Tree, path: &str) -> bool {
    let same = tree.find(path, promptgate_adapters::files::FILE_LIMIT).is_ok_and(|bytes| bytes.is_some());
    same && tree.is_in_evaluated_commit(path) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_is_read_from_every_form_of_address() {
        for (address, name) in [
            ("https://github.com/org/repo", Some("org/repo")),
            ("https://token@github.com/org/repo.git", Some("org/repo")),
            ("ssh://git@github.com:22/org/repo.git", Some("org/repo")),
            ("git@github.com:org/repo.git", Some("org/repo")),
            ("file:///srv/git/repo.git", None),
            ("/srv/git/repo.git", None),
            ("C:\\git\\repo", None),
            ("../repo:odd", None),
        ] {
            assert_eq!(repository_of(address).as_deref(), name, "{address}");
        }
    }
}
