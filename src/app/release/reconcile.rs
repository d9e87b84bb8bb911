//! Compares the registry with the ledger, and repairs it.

use std::sync::Arc;

use super::identity;
use super::labels::{Places, may_return};
use super::open::{Opened, Target};
use super::releases::{self, ReleasesState};
use super::resolve;
use super::write::{self, Current, Stamp};
use super::{adopt, pending};
use crate::app::{Environment, Failure};
use promptgate_release::ports::{LedgerStore, Registry, StoredVersion};
use promptgate_release::{Label, Name, PortError, RELEASES_PROMPT, ReleasePolicy, State, Version};

/// The request.
#[derive(Debug, Clone)]
pub(crate) struct ReconcileOptions {
    /// The prompt.
    pub(crate) target: Target,
    /// Whether differences are only listed.
    pub(crate) check: bool,
    /// Whether versions that serve without promptgate having published them are recorded.
    pub(crate) adopt: bool,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reconciled {
    /// The prompt.
    pub(crate) name: Name,
    /// Where the registry is.
    pub(crate) registry: String,
    /// The differences, in the order of the versions, then of the labels.
    pub(crate) differences: Vec<Difference>,
}

/// A difference between ledger and registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The difference.
    pub(crate) text: String,
    /// The repair that was made, or would be; `None` for a difference that has to be repaired by hand.
    pub(crate) repair: Option<String>,
    /// Whether it was done.
    pub(crate) done: bool,
}

impl Reconciled {
    /// Whether ledger and registry agree now.
    pub(crate) fn agree(&self) -> bool {
        self.differences.iter().all(|difference| difference.done)
    }
}

/// Compares the registry with the ledger.
///
/// # Errors
/// Ledger or registry failing.
pub(crate) async fn reconcile(
    options: &ReconcileOptions,
    environment: &Environment,
) -> Result<Reconciled, Failure> {
    let opened = Opened::open(&options.target)?;
    let stamp =
        Stamp { at: environment.now()?, actor: identity::identity(environment, &opened.folder)?.actor };
    let registry = opened.registry(environment, &stamp.actor)?;
    let (name, policy) = (opened.name(), &opened.settings.policy);
    let mut kept = None;
    if !options.check {
        kept = pending::append(&opened.folder, name, opened.ledger.as_ref()).await?;
    }
    let mut reconciled = reconcile_in(options, name, policy, &opened.ledger, &registry, &stamp).await?;
    let recorded = |repair| Difference {
        text: "the ledger lacked rollbacks that it could not take before".to_owned(),
        repair: Some(repair),
        done: true,
    };
    reconciled.differences.splice(0..0, kept.map(recorded));
    reconciled.differences.extend(reconcile_releases(&opened, options, environment, &stamp).await?);
    Ok(reconciled)
}

/// Compares the assignments in the registry with those of the ledger.
async fn reconcile_releases(
    opened: &Opened,
    options: &ReconcileOptions,
    environment: &Environment,
    stamp: &Stamp,
) -> Result<Option<Difference>, Failure> {
    let Some(registry) = opened.releases_registry(environment)? else { return Ok(None) };
    let assignments = opened.ledger.releases().await?;
    let state = releases::compare(&assignments, registry.as_ref(), &releases::name()?).await?;
    let (found, seq) = match state {
        ReleasesState::NotNeeded | ReleasesState::Current(_) => return Ok(None),
        ReleasesState::Stale { found, seq } => (found, seq),
        ReleasesState::Ahead { found, seq } => {
            return Ok(Some(Difference { text: releases::ahead(found, seq), repair: None, done: false }));
        }
    };
    if !options.check {
        releases::publish_releases_in(opened.ledger.as_ref(), registry.as_ref(), stamp).await?;
    }
    let found =
        found.map_or_else(|| "no assignments".to_owned(), |found| format!("assignments with seq {found}"));
    Ok(Some(Difference {
        text: format!("the registry has {found}, expected seq {seq}"),
        repair: Some(format!("publish them as {RELEASES_PROMPT}")),
        done: !options.check,
    }))
}

/// Compares an open registry with an open ledger.
pub(super) async fn reconcile_in(
    options: &ReconcileOptions,
    name: &Name,
    policy: &ReleasePolicy,
    ledger: &Arc<dyn LedgerStore>,
    registry: &Arc<dyn Registry>,
    stamp: &Stamp,
) -> Result<Reconciled, Failure> {
    let places = Places { name, ledger: ledger.as_ref(), registry: registry.as_ref(), stamp };
    let mut reconciliation = Reconciliation { options, places, policy, differences: Vec::new() };
    if !registry.capabilities().in_ledger {
        reconciliation.versions().await?;
        // Canary comes first: where it was moved back, an open move of production is undone and not finished.
        for label in [Label::Canary, Label::Staging, Label::Production] {
            reconciliation.label(&label).await?;
        }
    }
    Ok(Reconciled {
        name: name.clone(),
        registry: registry.location(),
        differences: reconciliation.differences,
    })
}

struct Reconciliation<'a> {
    options: &'a ReconcileOptions,
    places: Places<'a>,
    policy: &'a ReleasePolicy,
    differences: Vec<Difference>,
}

impl Reconciliation<'_> {
    /// Adds a difference. `repair` says what is done about it.
    fn found(&mut self, text: String, repair: Option<String>) {
        let done = repair.is_some() && !self.options.check;
        self.differences.push(Difference { text, repair, done });
    }

    async fn state(&self) -> Result<State, PortError> {
        Ok(write::current(self.places.ledger, self.places.name).await?.state)
    }

    /// Creates versions that the registry lacks.
    async fn versions(&mut self) -> Result<(), PortError> {
        let kind = self.places.registry.kind();
        let state = self.state().await?;
        let stored = self.places.registry.versions(self.places.name).await?;
        for (version, known) in &state.versions {
            let id = known.registered.get(kind);
            let of_version = |stored: &&StoredVersion| match (id, &stored.published) {
                (Some(id), _) => stored.id == *id,
                (None, Some((_, digest))) => *digest == known.digest,
                (None, None) => false,
            };
            match stored.iter().find(of_version) {
                Some(stored) if stored.verify(&known.digest).is_err() => {
                    let text = format!(
                        "version {version} (registry {}) was changed after it was published",
                        stored.id
                    );
                    self.found(text, None);
                }
                Some(_) if id.is_some() || known.adopted => {}
                Some(stored) => {
                    let repair = format!("recorded as registry version {}", stored.id);
                    let (version, id) = (*version, stored.id.clone());
                    self.found(format!("version {version} is not recorded as registered"), Some(repair));
                    self.register(version, id).await?;
                }
                None => {
                    self.found(
                        format!("version {version} is not in the registry"),
                        Some("created".to_owned()),
                    );
                    self.create(*version, &state).await?;
                }
            }
        }
        Ok(())
    }

    async fn create(&self, version: Version, state: &State) -> Result<(), PortError> {
        if self.options.check {
            return Ok(());
        }
        let record = resolve::record_in(self.places.ledger, self.places.name, state, version).await?;
        let id = self.places.registry.create_version(&record).await?;
        self.register(version, id).await
    }

    async fn register(&self, version: Version, id: String) -> Result<(), PortError> {
        if self.options.check {
            return Ok(());
        }
        self.places.register(version, id).await
    }

    /// Finishes an open move, moves a label to where the ledger has it, or records where the registry has it.
    async fn label(&mut self, label: &Label) -> Result<(), Failure> {
        let state = self.state().await?;
        if let Some(intent) = state.intents.get(label) {
            let text = format!("a move of {label} to {} was started and not finished", intent.version);
            self.found(text, Some("finished".to_owned()));
            if !self.options.check {
                self.places.settle(label).await?;
            }
            return Ok(());
        }
        let expected = state.labels.get(label).copied();
        let labels = self.places.registry.labels(self.places.name).await?;
        let ids = labels.get(label).cloned().unwrap_or_default();
        let holders = self.holders(&state, &ids).await?;
        match (expected, holders.as_slice()) {
            (None, []) => Ok(()),
            (Some(expected), [Holder { version: Some(found), .. }]) if expected == *found => Ok(()),
            (_, [Holder { version: None, stored }]) if self.options.adopt => {
                let stored = stored.clone();
                self.adopt(label, &stored).await
            }
            (None, [Holder { version: None, stored }]) => {
                let text =
                    format!("{label} is on registry version {}, which promptgate did not publish", stored.id);
                self.differences.push(Difference {
                    text,
                    repair: Some("`promptgate reconcile --adopt` records it".to_owned()),
                    done: false,
                });
                Ok(())
            }
            (Some(_), [Holder { version: Some(found), .. }]) if may_return(&state, *found, label) => {
                let text = format!("{label} was moved back to {found} at the registry");
                self.found(text, Some("recorded as a rollback".to_owned()));
                if !self.options.check {
                    self.places.catch_up(label).await?;
                }
                Ok(())
            }
            (Some(expected), found) => self.restore(label, expected, found, &state).await,
            (None, found) => {
                let text = format!("{label} is on {}, but the ledger has it on no version", shown(found));
                self.found(text, None);
                Ok(())
            }
        }
    }

    async fn restore(
        &mut self,
        label: &Label,
        expected: Version,
        found: &[Holder],
        state: &State,
    ) -> Result<(), Failure> {
        let text = format!("{label} is on {}, expected {expected}", shown(found));
        self.found(text, Some(format!("moved to {expected}")));
        if !self.options.check {
            self.places.set(label, expected, state).await?;
            self.places.settle(label).await?;
        }
        Ok(())
    }

    async fn adopt(&mut self, label: &Label, stored: &StoredVersion) -> Result<(), Failure> {
        let text = format!("{label} is on registry version {}, which promptgate did not publish", stored.id);
        let repair = "recorded without evidence".to_owned();
        self.found(text, Some(repair));
        if self.options.check {
            return Ok(());
        }
        let places = &self.places;
        write::append(places.ledger, places.name, async |current: &Current| {
            adopt::addition(places, current, label, stored, self.policy).map(|addition| (addition, ()))
        })
        .await
    }

    /// The holders of a label, as the ledger knows them.
    async fn holders(&self, state: &State, ids: &[String]) -> Result<Vec<Holder>, PortError> {
        let mut holders = Vec::new();
        for id in ids {
            let Some(stored) = self.places.registry.get(self.places.name, id).await? else { continue };
            let published = stored.published.as_ref().and_then(|(_, digest)| state.with_digest(digest));
            let version = self.places.registered_as(id, state).or(published);
            holders.push(Holder { version, stored });
        }
        Ok(holders)
    }
}

/// A version of the registry that holds a label.
struct Holder {
    /// The version; `None` if promptgate did not publish it.
    version: Option<Version>,
    stored: StoredVersion,
}

fn shown(holders: &[Holder]) -> String {
    let one = |holder: &Holder| match holder.version {
        Some(version) => version.to_string(),
        None => format!("registry version {}", holder.stored.id),
    };
    if holders.is_empty() {
        "no version".to_owned()
    } else {
        holders.iter().map(one).collect::<Vec<_>>().join(" and ")
    }
}
