//! The files of an application: the work tree, or a checkout of the baseline's commit, set up once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ApplicationContext;
use crate::app::sources::ApplicationSource;
use crate::app::{CacheMode, Failure};
use crate::config::TargetKind;
use promptgate_adapters::files::{Tree, digest_of_bytes};
use promptgate_adapters::git::Checkout;
use promptgate_adapters::worker::{WorkerCommand, WorkerLog, run_to_end};
use promptgate_core::model::{Diagnostic, Role};
use promptgate_core::port::Event;

/// Maximum time of a setup.
const SETUP_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Files that are ready to run.
pub(super) struct Prepared {
    /// The folder of the configuration in them.
    pub(super) folder: PathBuf,
    /// Kept from other processes until the run ends.
    _checkout: Option<Arc<Checkout>>,
}

/// Checks out the application of a commit, and runs its setup unless that checkout has it.
///
/// # Errors
/// The commit cannot be checked out, or the setup fails; the run is then incomplete.
pub(super) async fn prepare(
    source: &ApplicationSource,
    role: Role,
    variables: &[(String, String)],
    log: &Arc<WorkerLog>,
    context: &ApplicationContext<'_>,
) -> Result<Prepared, Failure> {
    let needs_files =
        !matches!(source.target.kind, TargetKind::Answers(_)) && context.cache_mode != CacheMode::CachedOnly;
    let started = Instant::now();
    let (folder, checkout) = match &source.tree {
        Tree::Commit { repository, commit, reference } if needs_files => {
            let purpose = format!("the {}'s application", role.as_str());
            let (sink, commit) = (&*context.sink, (commit.as_str(), reference.as_str()));
            let checkout = context.checkouts.take(repository, commit, &purpose, sink).await?;
            (checkout.folder(repository.prefix()), Some(checkout))
        }
        tree => (tree.folder().to_owned(), None),
    };
    if needs_files && !source.target.setup.is_empty() {
        let fingerprint = fingerprint(&source.target.setup);
        if checkout.as_ref().is_none_or(|checkout| !checkout.is_set_up(&fingerprint)) {
            set_up(source, role, &folder, variables, log, context).await?;
            if let Some(checkout) = &checkout {
                checkout.set_up(&fingerprint)?;
            }
        }
    }
    if checkout.is_some() {
        note(
            context,
            format!(
                "the {}'s application is ready after {:.1} s",
                role.as_str(),
                started.elapsed().as_secs_f64()
            ),
        );
    }
    Ok(Prepared { folder, _checkout: checkout })
}

async fn set_up(
    source: &ApplicationSource,
    role: Role,
    folder: &Path,
    variables: &[(String, String)],
    log: &Arc<WorkerLog>,
    context: &ApplicationContext<'_>,
) -> Result<(), Failure> {
    let shown = source.target.setup.join(" ");
    note(context, format!("setting up the {}'s application: {shown}", role.as_str()));
    let command = WorkerCommand {
        command: source.target.setup.clone(),
        folder: folder.to_owned(),
        env: variables.to_vec(),
    };
    let label = format!("the setup of the {}'s application", role.as_str());
    run_to_end(command, SETUP_TIMEOUT, &label, log).await.map_err(|fault| {
        let place = source.target.place.clone();
        let help = match role {
            Role::Baseline => {
                "repair it on the base branch first; or compare with a saved report: `--baseline report:PATH`"
            }
            Role::Candidate => {
                "run it by hand in this folder; variables that it needs are listed in `target.env`"
            }
        };
        Failure::Incomplete(Diagnostic::new(fault.message).at(place).help(help).into())
    })
}

fn note(context: &ApplicationContext<'_>, message: String) {
    context.sink.emit(Event::Note { message });
}

/// The commit decides all files, lock files included, so that the command is the rest.
fn fingerprint(setup: &[String]) -> String {
    digest_of_bytes(setup.join("\0").as_bytes())
}
