//! A registry in memory whose labels are kept apart from the ledger, as those of a server are.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt as _;
use promptgate_release::ports::{Capabilities, PortResult, Registry, RegistryId, Staleness, StoredVersion};
use promptgate_release::{Digest, Label, Name, PortError, Record};

#[derive(Default)]
pub(super) struct MemoryRegistry(Mutex<Contents>);

#[derive(Default)]
struct Contents {
    versions: Vec<StoredVersion>,
    labels: BTreeMap<Label, RegistryId>,
}

impl MemoryRegistry {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap()
    }

    pub(super) fn create(&self, record: &Record) -> RegistryId {
        let mut stored = self.lock();
        let id = (stored.versions.len() + 1).to_string();
        stored.versions.push(StoredVersion {
            id: id.clone(),
            published: Some((record.version, record.digest.clone())),
            content: record.content.clone(),
            author: None,
            message: Some(record.reason.clone()),
        });
        id
    }

    pub(super) fn holders(&self, label: &Label) -> Vec<RegistryId> {
        self.lock().labels.get(label).cloned().into_iter().collect()
    }

    /// The number of versions.
    pub(super) fn count(&self) -> usize {
        self.lock().versions.len()
    }

    /// The first message of a version.
    pub(super) fn text(&self, id: &str) -> String {
        let stored = self.lock();
        let version = stored.versions.iter().find(|version| version.id == id).unwrap();
        version.content.messages[0].content.clone()
    }

    /// Removes a label.
    pub(super) fn unset(&self, label: &Label) {
        self.lock().labels.remove(label);
    }

    /// Moves a label, as somebody does at the server.
    pub(super) fn point(&self, label: &Label, id: &str) {
        self.lock().labels.insert(label.clone(), id.to_owned());
    }

    /// Changes the text of a version, as somebody does at a server that lets versions change.
    pub(super) fn mutate(&self, id: &str) {
        let mut stored = self.lock();
        let version = stored.versions.iter_mut().find(|version| version.id == id).unwrap();
        version.content.messages[0].content.push('!');
    }
}

impl Registry for MemoryRegistry {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            unset_label: false,
            label_map: true,
            text_prompts: true,
            immutable: false,
            in_ledger: false,
        }
    }

    fn staleness(&self) -> Staleness {
        Staleness { cache_ttl: Duration::from_secs(60), stale_read: true }
    }

    fn name(&self, name: &Name) -> Result<String, PortError> {
        Ok(name.to_string())
    }

    fn label(&self, label: &str) -> Result<String, PortError> {
        Ok(label.to_owned())
    }

    fn create_version<'a>(&'a self, record: &'a Record) -> PortResult<'a, RegistryId> {
        async { Ok(self.create(record)) }.boxed()
    }

    fn find_by_digest<'a>(
        &'a self,
        _: &'a Name,
        digest: &'a Digest,
    ) -> PortResult<'a, Option<StoredVersion>> {
        async move {
            let is_it =
                |stored: &&StoredVersion| stored.published.as_ref().is_some_and(|(_, found)| found == digest);
            Ok(self.lock().versions.iter().find(is_it).cloned())
        }
        .boxed()
    }

    fn get<'a>(&'a self, _: &'a Name, id: &'a RegistryId) -> PortResult<'a, Option<StoredVersion>> {
        async move { Ok(self.lock().versions.iter().find(|version| version.id == *id).cloned()) }.boxed()
    }

    fn versions<'a>(&'a self, _: &'a Name) -> PortResult<'a, Vec<StoredVersion>> {
        async { Ok(self.lock().versions.iter().rev().cloned().collect()) }.boxed()
    }

    fn labels<'a>(&'a self, _: &'a Name) -> PortResult<'a, BTreeMap<Label, Vec<RegistryId>>> {
        async { Ok(self.lock().labels.iter().map(|(label, id)| (label.clone(), vec![id.clone()])).collect()) }
            .boxed()
    }

    fn set_label<'a>(&'a self, _: &'a Name, label: &'a Label, id: &'a RegistryId) -> PortResult<'a, ()> {
        async move {
            self.point(label, id);
            Ok(())
        }
        .boxed()
    }
}
