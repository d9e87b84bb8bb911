//! The embedded registry: the ledger itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use promptgate_release::ports::{
    Addition, Capabilities, History, LedgerStore, PortResult, Registry, RegistryId, Staleness, StoredVersion,
};
use promptgate_release::{
    Actor, Digest, Event, EventKind, Label, MoveCause, Name, PortError, Record, State, Version,
};

use super::read_back::{check_record, no_such_version};
use super::{MANAGED, version_label};
use crate::serve::default_refresh;

/// Attempts to append while other writers append.
const MAX_ATTEMPTS: u32 = 10;

/// The registry without a server: versions and labels of the ledger, identified by their semantic version.
///
/// Applications read it through `promptgate serve`, a bundle or the ledger's files. Its labels are those of the ledger
/// ([`Capabilities::in_ledger`]), so promotion and rollback append their own event and do not call
/// [`Registry::set_label`]. `reconcile` does; the event that it appends is an adoption: a label that was set without the
/// controls of a promotion.
pub struct Embedded {
    ledger: Arc<dyn LedgerStore>,
    actor: Actor,
}

impl Embedded {
    /// Creates the registry of a ledger; `actor` appends its events.
    pub fn new(ledger: Arc<dyn LedgerStore>, actor: Actor) -> Self {
        Self { ledger, actor }
    }

    fn event(&self, kind: EventKind) -> Event {
        Event { at: Timestamp::now(), actor: self.actor.clone(), kind }
    }

    async fn state(&self, name: &Name) -> Result<State, PortError> {
        Ok(self.ledger.state(name).await?.unwrap_or_default())
    }

    async fn stored(&self, name: &Name, version: Version) -> Result<Option<StoredVersion>, PortError> {
        let record = self.ledger.record(name, version).await?;
        record.map(stored).transpose()
    }

    /// Appends what `decide` returns for the current state; again if another writer was faster.
    async fn append(
        &self,
        name: &Name,
        decide: impl Fn(&State) -> Result<Option<Addition>, PortError> + Send + Sync,
    ) -> Result<(), PortError> {
        for _ in 1..MAX_ATTEMPTS {
            match self.append_once(name, &decide).await {
                Err(PortError::Conflict(_)) => self.ledger.refresh().await?,
                result => return result,
            }
        }
        self.append_once(name, &decide).await
    }

    async fn append_once(
        &self,
        name: &Name,
        decide: &(impl Fn(&State) -> Result<Option<Addition>, PortError> + Send + Sync),
    ) -> Result<(), PortError> {
        let History { events, tip } = self.ledger.history(name).await?;
        let state = fold(name, &events)?;
        if let Some(addition) = decide(&state)? {
            fold(name, events.iter().chain(&addition.events))?;
            self.ledger.append(name, &addition, tip.as_ref()).await?;
        }
        Ok(())
    }
}

fn fold<'e>(name: &Name, events: impl IntoIterator<Item = &'e Event>) -> Result<State, PortError> {
    State::fold(events).map_err(|error| PortError::Damaged(format!("ledger of {name}: {error}")))
}

fn stored(record: Record) -> Result<StoredVersion, PortError> {
    check_record(&record)?;
    Ok(StoredVersion {
        id: record.version.to_string(),
        published: Some((record.version, record.digest)),
        content: record.content,
        author: record.change.authors.into_iter().next(),
        message: Some(record.reason),
    })
}

impl Registry for Embedded {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    fn location(&self) -> String {
        self.ledger.location()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            unset_label: false,
            label_map: true,
            text_prompts: true,
            immutable: true,
            in_ledger: true,
        }
    }

    /// That of Langfuse's SDKs, through which applications read `promptgate serve`, after it has read the ledger again.
    fn staleness(&self) -> Staleness {
        let refresh = default_refresh(self.ledger.is_local());
        Staleness { cache_ttl: Duration::from_secs(60) + refresh, stale_read: true }
    }

    fn name(&self, name: &Name) -> Result<String, PortError> {
        Ok(name.to_string())
    }

    fn label(&self, label: &str) -> Result<String, PortError> {
        if let Some(version) = version_label(label) {
            return Ok(format!("v{version}"));
        }
        match label.parse::<Label>() {
            Ok(Label::Latest) => {
                Err(PortError::Invalid("the label `latest` is the newest version; it cannot be moved".into()))
            }
            Ok(label) => Ok(label.to_string()),
            Err(error) => Err(PortError::Invalid(error.to_string())),
        }
    }

    fn create_version<'a>(&'a self, record: &'a Record) -> PortResult<'a, RegistryId> {
        async move {
            check_record(record)?;
            self.append(&record.name, |state| {
                match state.versions.get(&record.version) {
                    Some(known) if known.digest == record.digest => return Ok(None),
                    Some(_) => {
                        return Err(PortError::Refused(format!(
                            "version {} of {} was already published with different content",
                            record.version, record.name
                        )));
                    }
                    None => {}
                }
                let published = EventKind::Published {
                    version: record.version,
                    number: record.number,
                    digest: record.digest.clone(),
                    level: record.level,
                    record: None,
                    adopted: false,
                };
                Ok(Some(Addition { records: vec![record.clone()], events: vec![self.event(published)] }))
            })
            .await?;
            let id = record.version.to_string();
            let stored = self.stored(&record.name, record.version).await?;
            super::read_back::check_created(record, &id, stored)?;
            Ok(id)
        }
        .boxed()
    }

    fn find_by_digest<'a>(
        &'a self,
        name: &'a Name,
        digest: &'a Digest,
    ) -> PortResult<'a, Option<StoredVersion>> {
        async move {
            match self.state(name).await?.with_digest(digest) {
                Some(version) => self.stored(name, version).await,
                None => Ok(None),
            }
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a Name, id: &'a RegistryId) -> PortResult<'a, Option<StoredVersion>> {
        async move {
            let Ok(version) = id.parse() else { return Ok(None) };
            let state = self.state(name).await?;
            let Some(known) = state.versions.get(&version) else { return Ok(None) };
            let Some(stored) = self.stored(name, version).await? else {
                return Err(PortError::Damaged(format!(
                    "{}: version {version} of {name} was published, but has no record",
                    self.ledger.location()
                )));
            };
            stored.verify(&known.digest)?;
            Ok(Some(stored))
        }
        .boxed()
    }

    fn versions<'a>(&'a self, name: &'a Name) -> PortResult<'a, Vec<StoredVersion>> {
        async move {
            let state = self.state(name).await?;
            let mut known: Vec<_> = state.versions.iter().collect();
            known.sort_by_key(|(_, version)| std::cmp::Reverse(version.number));
            let mut versions = Vec::with_capacity(known.len());
            for (version, _) in known {
                versions.extend(self.stored(name, *version).await?);
            }
            Ok(versions)
        }
        .boxed()
    }

    fn labels<'a>(&'a self, name: &'a Name) -> PortResult<'a, BTreeMap<Label, Vec<RegistryId>>> {
        async move {
            let state = self.state(name).await?;
            let held = state.labels.into_iter().filter(|(label, _)| MANAGED.contains(label));
            Ok(held.map(|(label, version)| (label, vec![version.to_string()])).collect())
        }
        .boxed()
    }

    fn set_label<'a>(&'a self, name: &'a Name, label: &'a Label, id: &'a RegistryId) -> PortResult<'a, ()> {
        async move {
            self.label(&label.to_string())?;
            let Some((to, _)) = self.get(name, id).await?.and_then(|stored| stored.published) else {
                return Err(no_such_version(&name.to_string(), id, label));
            };
            self.append(name, |state| {
                let from = state.at_label(label);
                if from == Some(to) && !state.intents.contains_key(label) {
                    return Ok(None);
                }
                let reason = Some("set through the registry".to_owned());
                let (label, cause) = (label.clone(), MoveCause::Adoption);
                let moved = EventKind::Moved { label, from, version: to, cause, reason };
                Ok(Some(Addition { records: Vec::new(), events: vec![self.event(moved)] }))
            })
            .await
        }
        .boxed()
    }
}
