//! The assignments of all prompts as a prompt of the registry, for applications that read nothing else.

use promptgate_core::model::{Message, MessageRole};
use promptgate_release::ports::{LedgerStore, Registry, RegistryId};
use promptgate_release::{
    Change, Content, Label, Level, Name, PortError, PromptKind, RECORD_SCHEMA, RELEASES_PROMPT, Record,
    ReleasePolicy, Releases, Version,
};

use super::open::Opened;
use super::write::Stamp;
use crate::app::{Environment, Failure};

/// How often ledger and registry are compared before the writer gives up.
const MAX_ROUNDS: u32 = 20;

/// Whether the registry has the assignments of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReleasesState {
    /// No prompt ever had a rollout: nothing to read.
    NotNeeded,
    /// Its label `production` is on the assignments of the ledger.
    Current(u64),
    /// It is not.
    Stale {
        /// Of the registry; `None` if it has none that can be read.
        found: Option<u64>,
        /// Of the ledger.
        seq: u64,
    },
    /// It is on later ones.
    Ahead {
        /// Of the registry.
        found: u64,
        /// Of the ledger.
        seq: u64,
    },
}

/// Publishes the assignments as a version with the label `production`, where the registry of a release is a server; returns
/// their `seq` if it did not have them. Also does what a writer that was killed left undone.
///
/// Every command that changes a rollout, or the label production of a prompt that had one, calls it last.
///
/// # Errors
/// Credentials that are not set; ledger or registry failing.
pub(super) async fn publish_releases(
    opened: &Opened,
    environment: &Environment,
    stamp: &Stamp,
) -> Result<Option<u64>, Failure> {
    let ledger = opened.ledger.as_ref();
    // Most teams have no rollouts: they need no registry for this.
    if !ledger.releases().await?.has_rollouts() {
        return Ok(None);
    }
    match opened.releases_registry(environment)? {
        Some(registry) => Ok(publish_releases_in(ledger, registry.as_ref(), stamp).await?),
        None => Ok(None),
    }
}

/// Publishes the assignments, and says so in one line for people. A failure is a line as well: labels, which are what most
/// applications read, have been moved.
pub(super) async fn note(opened: &Opened, environment: &Environment, stamp: &Stamp) -> Option<String> {
    match publish_releases(opened, environment, stamp).await {
        Ok(seq) => seq.map(|seq| format!("the assignments were published as {RELEASES_PROMPT}, seq {seq}")),
        Err(failure) => {
            let problems: Vec<String> =
                failure.diagnostics().iter().map(|found| found.message.clone()).collect();
            Some(format!(
                "the assignments were not published as {RELEASES_PROMPT}: {}; `promptgate reconcile` publishes them",
                problems.join("; ")
            ))
        }
    }
}

/// Publishes the assignments in an open registry, until it has those of the ledger: another writer may append meanwhile.
///
/// # Errors
/// [`PortError::Refused`] if the registry has later ones than the ledger; ledger or registry failing.
pub(super) async fn publish_releases_in(
    ledger: &dyn LedgerStore,
    registry: &dyn Registry,
    stamp: &Stamp,
) -> Result<Option<u64>, PortError> {
    let name = name()?;
    let mut published = None;
    let mut ahead_of = None;
    for _ in 0..MAX_ROUNDS {
        ledger.refresh().await?;
        let releases = ledger.releases().await?;
        match compare(&releases, registry, &name).await? {
            ReleasesState::NotNeeded | ReleasesState::Current(_) => return Ok(published),
            ReleasesState::Stale { .. } => {}
            // Another writer may have appended and published since the ledger was read.
            ReleasesState::Ahead { seq, .. } if ahead_of != Some(seq) => {
                ahead_of = Some(seq);
                continue;
            }
            ReleasesState::Ahead { found, seq } => return Err(PortError::Refused(ahead(found, seq))),
        }
        let record = record(&releases, &name, stamp)?;
        let id = match registry.find_by_digest(&name, &record.digest).await? {
            Some(stored) => {
                stored.verify(&record.digest)?;
                stored.id
            }
            None => match registry.create_version(&record).await {
                Ok(id) => id,
                Err(PortError::Conflict(_)) => continue,
                Err(error) => return Err(error),
            },
        };
        match registry.set_label(&name, &Label::Production, &id).await {
            Ok(()) => published = Some(releases.seq),
            Err(PortError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(PortError::Conflict("label"))
}

/// The words for a registry with later assignments.
pub(super) fn ahead(found: u64, seq: u64) -> String {
    format!(
        "{RELEASES_PROMPT} in the registry has seq {found}, above {seq} of the ledger: another ledger publishes there, or \
         this one went back (help: give each ledger a project of its own in the registry)"
    )
}

/// Compares the assignments of the registry with those of the ledger.
///
/// # Errors
/// The registry failing.
pub(super) async fn compare(
    releases: &Releases,
    registry: &dyn Registry,
    name: &Name,
) -> Result<ReleasesState, PortError> {
    if !releases.has_rollouts() || registry.capabilities().in_ledger {
        return Ok(ReleasesState::NotNeeded);
    }
    let seq = releases.seq;
    let found = stored(registry, name).await?;
    match &found {
        Some(found) if found == releases => Ok(ReleasesState::Current(seq)),
        Some(found) if found.seq > seq => Ok(ReleasesState::Ahead { found: found.seq, seq }),
        _ => Ok(ReleasesState::Stale { found: found.map(|found| found.seq), seq }),
    }
}

/// The assignments at the label `production`; `None` if there are none that can be read.
async fn stored(registry: &dyn Registry, name: &Name) -> Result<Option<Releases>, PortError> {
    let labels = registry.labels(name).await?;
    let ids: &[RegistryId] = labels.get(&Label::Production).map_or(&[], Vec::as_slice);
    // Of several holders, nobody knows which one an application reads; moving the label leaves one.
    let [id] = ids else { return Ok(None) };
    let stored = match registry.get(name, id).await {
        Ok(stored) => stored,
        Err(PortError::Mutated(_) | PortError::Invalid(_)) => None,
        Err(error) => return Err(error),
    };
    let text = stored.and_then(|stored| stored.content.messages.into_iter().next());
    Ok(text.and_then(|message| Releases::parse(&message.content).ok()))
}

/// The name of the prompt.
pub(super) fn name() -> Result<Name, PortError> {
    RELEASES_PROMPT.parse().map_err(|error| PortError::Invalid(format!("{error}")))
}

/// The assignments as a version of a text prompt.
fn record(releases: &Releases, name: &Name, stamp: &Stamp) -> Result<Record, PortError> {
    let invalid =
        |problem: String| PortError::Invalid(format!("the assignments cannot be published: {problem}"));
    let text = releases.text().map_err(|error| invalid(error.to_string()))?;
    let minor =
        u32::try_from(releases.seq).map_err(|_| invalid(format!("seq {} is too large", releases.seq)))?;
    let content = Content {
        kind: PromptKind::Text,
        messages: vec![Message::new(MessageRole::System, text)],
        model: String::new(),
        parameters: serde_json::Map::new(),
        answer_schema: None,
    };
    Ok(Record {
        schema: RECORD_SCHEMA.to_owned(),
        name: name.clone(),
        version: Version { major: 1, minor, patch: 0 },
        number: releases.seq,
        digest: content.digest(),
        content,
        level: Level::Minor,
        least_level: None,
        level_reasons: Vec::new(),
        compared_with: None,
        reason: format!("The assignments of all prompts, seq {}.", releases.seq),
        change: Change::default(),
        published_at: stamp.at,
        policy: ReleasePolicy::default(),
    })
}
