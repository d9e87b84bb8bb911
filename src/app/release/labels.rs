//! Moves labels in the registry so that it agrees with the ledger, whatever came between.
//!
//! Every writer ends with [`settle`]: it re-reads the ledger after its registry write and moves the label to where the
//! ledger has it, until both agree. So two writers, or a writer that was killed, leave the registry where the last event
//! of the ledger says.

use promptgate_release::ports::{LedgerStore, Registry, RegistryId};
use promptgate_release::rollout::RolloutOutcome;
use promptgate_release::{EventKind, Label, MoveCause, Name, PortError, State, Version};

use super::resolve;
use super::rollout;
use super::write::{self, Stamp};

/// How often ledger and registry are compared before the writer gives up.
const MAX_ROUNDS: u32 = 20;

/// The ledger and the registry of a prompt.
pub(super) struct Places<'a> {
    /// The name.
    pub(super) name: &'a Name,
    /// The ledger.
    pub(super) ledger: &'a dyn LedgerStore,
    /// The registry.
    pub(super) registry: &'a dyn Registry,
    /// Signs events.
    pub(super) stamp: &'a Stamp,
}

/// Whether a label that is found on a version was moved back to it: to one that held it before, or from a rollout's
/// version to what production serves.
pub(super) fn may_return(state: &State, version: Version, label: &Label) -> bool {
    let is_production = state.labels.get(&Label::Production) == Some(&version);
    state.has_held(version, label) || (*label == Label::Canary && is_production)
}

impl Places<'_> {
    /// Adopts what happened at the registry without the ledger, and finishes what an earlier call began: returns one line
    /// for each.
    ///
    /// # Errors
    /// A label on a version that promptgate did not publish, or that never held it.
    pub(super) async fn catch_up(&self, label: &Label) -> Result<Vec<String>, PortError> {
        if self.registry.capabilities().in_ledger {
            return Ok(Vec::new());
        }
        let current = write::current(self.ledger, self.name).await?;
        let mut done = Vec::new();
        if let Some(intent) = current.state.intents.get(label) {
            let version = intent.version;
            self.settle(label).await?;
            done.push(format!("finished an earlier move of {label} to {version}"));
        } else if let Some(version) = self.moved_back(&current.state, label).await? {
            if *label == Label::Canary && current.state.rollout.is_some() {
                let (outcome, reason) = (RolloutOutcome::RolledBack, "found at the registry");
                rollout::end(self, &current.state, outcome, reason).await?;
            } else {
                self.adopt_rollback(label, version).await?;
            }
            done.push(format!("{label} was moved back to {version} at the registry: recorded as a rollback"));
        }
        Ok(done)
    }

    /// The version that the registry has the label on, if it is an earlier holder than the ledger's.
    async fn moved_back(&self, state: &State, label: &Label) -> Result<Option<Version>, PortError> {
        let Some(expected) = state.labels.get(label).copied() else { return Ok(None) };
        let Some(found) = self.holder(label, state).await? else {
            return Err(PortError::Refused(format!(
                "{label} of {} points at no published version in the registry, expected {expected}; \
                 `promptgate reconcile` shows the difference and repairs it",
                self.name
            )));
        };
        if found == expected {
            return Ok(None);
        }
        if may_return(state, found, label) {
            return Ok(Some(found));
        }
        Err(PortError::Refused(format!(
            "{label} of {} points at {found} in the registry, which never held it; expected {expected}; \
             `promptgate reconcile` moves it back",
            self.name
        )))
    }

    async fn adopt_rollback(&self, label: &Label, version: Version) -> Result<(), PortError> {
        write::append(self.ledger, self.name, async |current: &write::Current| {
            let from = current.state.labels.get(label).copied();
            let moved = EventKind::Moved {
                label: label.clone(),
                from,
                version,
                cause: MoveCause::Rollback,
                reason: Some("found at the registry".to_owned()),
            };
            Ok::<_, PortError>((self.stamp.events((from != Some(version)).then_some(moved)), ()))
        })
        .await
    }

    /// Moves the label in the registry to where the ledger has it, ends an open intent, and repeats until both agree.
    /// Returns the version.
    ///
    /// # Errors
    /// The registry or the ledger fails, or both keep changing.
    pub(super) async fn settle(&self, label: &Label) -> Result<Version, PortError> {
        for _ in 0..MAX_ROUNDS {
            let current = write::current(self.ledger, self.name).await?;
            let intent = current.state.intents.get(label);
            let held = current.state.labels.get(label).copied();
            let Some(wanted) = intent.map(|intent| intent.version).or(held) else {
                return Err(PortError::Conflict("label"));
            };
            if self.registry.capabilities().in_ledger {
                return Ok(wanted);
            }
            if self.holder(label, &current.state).await? != Some(wanted) {
                self.set(label, wanted, &current.state).await?;
                continue;
            }
            let Some(intent) = intent else { return Ok(wanted) };
            let moved = EventKind::Moved {
                label: label.clone(),
                from: held,
                version: wanted,
                cause: intent.cause,
                reason: intent.reason.clone(),
            };
            let addition = self.stamp.events([moved]);
            match self.ledger.append(self.name, &addition, current.history.tip.as_ref()).await {
                // Another writer may have moved the registry's label since it was read.
                Ok(_) | Err(PortError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(PortError::Conflict("label"))
    }

    /// Moves a label in the registry to a published version whose content is unchanged there.
    ///
    /// # Errors
    /// [`PortError::Mutated`] if it was changed.
    pub(super) async fn set(&self, label: &Label, version: Version, state: &State) -> Result<(), PortError> {
        let id = self.registered(version, state).await?;
        self.registry.set_label(self.name, label, &id).await
    }

    /// The registry's identifier of a version, whose content was read and is the published one. A version that a killed
    /// `publish` left out of the registry is created.
    ///
    /// # Errors
    /// [`PortError::Mutated`] if it was changed.
    pub(super) async fn registered(&self, version: Version, state: &State) -> Result<RegistryId, PortError> {
        let known = state.versions.get(&version);
        let known = known.ok_or_else(|| resolve::no_record(self.ledger, self.name, version))?;
        let stored = match known.registered.get(self.registry.kind()) {
            Some(id) => self.registry.get(self.name, id).await?,
            None => self.registry.find_by_digest(self.name, &known.digest).await?,
        };
        if let Some(stored) = stored {
            stored.verify(&known.digest)?;
            return Ok(stored.id);
        }
        let record = resolve::record(self.ledger, self.name, version, &known.digest).await?;
        self.registry.create_version(&record).await
    }

    /// The version whose identifier in the registry is recorded as `id`.
    pub(super) fn registered_as(&self, id: &RegistryId, state: &State) -> Option<Version> {
        let kind = self.registry.kind();
        let registered = state.versions.iter().find(|(_, known)| known.registered.get(kind) == Some(id));
        registered.map(|(version, _)| *version)
    }

    /// The published version that holds a label in the registry; `None` if none does.
    ///
    /// # Errors
    /// Several holders, or one that promptgate did not publish.
    pub(super) async fn holder(&self, label: &Label, state: &State) -> Result<Option<Version>, PortError> {
        let labels = self.registry.labels(self.name).await?;
        let ids = labels.get(label).map_or(&[][..], Vec::as_slice);
        let id = match ids {
            [] => return Ok(None),
            [id] => id,
            several => {
                return Err(PortError::Refused(format!(
                    "{label} of {} is on several versions in the registry: {}; `promptgate reconcile` repairs it",
                    self.name,
                    several.join(", ")
                )));
            }
        };
        if let Some(version) = self.registered_as(id, state) {
            return Ok(Some(version));
        }
        let stored = self.registry.get(self.name, id).await?;
        let digest = stored.and_then(|stored| stored.published).map(|(_, digest)| digest);
        match digest.and_then(|digest| state.with_digest(&digest)) {
            Some(version) => Ok(Some(version)),
            None => Err(PortError::Refused(format!(
                "{label} of {} is on version {id} in the registry, which promptgate did not publish; \
                 `promptgate reconcile --adopt` records it",
                self.name
            ))),
        }
    }

    /// Reads a label back after it was moved.
    ///
    /// # Errors
    /// [`PortError::Conflict`] if it points elsewhere.
    pub(super) async fn confirm(
        &self,
        label: &Label,
        version: Version,
        state: &State,
    ) -> Result<(), PortError> {
        match self.holder(label, state).await? {
            Some(holder) if holder == version => Ok(()),
            _ => Err(PortError::Conflict("label")),
        }
    }

    /// Verifies that the registry has the published content of a version; one that it lacks is created, unless this is
    /// a `dry_run`.
    ///
    /// # Errors
    /// [`PortError::Mutated`] if it was changed.
    pub(super) async fn verify(
        &self,
        version: Version,
        state: &State,
        dry_run: bool,
    ) -> Result<(), PortError> {
        let is_registered = state
            .versions
            .get(&version)
            .is_some_and(|known| known.registered.contains_key(self.registry.kind()));
        if self.registry.capabilities().in_ledger || (dry_run && !is_registered) {
            return Ok(());
        }
        self.registered(version, state).await.map(|_| ())
    }

    /// The event that records the registry's identifier of a version.
    pub(super) fn registered_event(&self, version: Version, id: RegistryId) -> EventKind {
        EventKind::Registered { version, registry: self.registry.kind().to_owned(), id }
    }

    /// Records the registry's identifier of a version.
    ///
    /// # Errors
    /// The ledger fails.
    pub(super) async fn register(&self, version: Version, id: RegistryId) -> Result<(), PortError> {
        write::append(self.ledger, self.name, async |current: &write::Current| {
            let known = current.state.versions.get(&version);
            let known = known.and_then(|known| known.registered.get(self.registry.kind()));
            let registered = (known != Some(&id)).then(|| self.registered_event(version, id.clone()));
            Ok::<_, PortError>((self.stamp.events(registered), ()))
        })
        .await
    }

    /// Makes sure that the registry has a version and that the ledger has its identifier, which it returns; `None` where
    /// the ledger is the registry.
    ///
    /// # Errors
    /// Ledger or registry failing.
    pub(super) async fn store(&self, version: Version) -> Result<Option<RegistryId>, PortError> {
        if self.registry.capabilities().in_ledger {
            return Ok(None);
        }
        let state = write::known(self.ledger, self.name).await?.state;
        let id = self.registered(version, &state).await?;
        self.register(version, id.clone()).await?;
        Ok(Some(id))
    }
}
