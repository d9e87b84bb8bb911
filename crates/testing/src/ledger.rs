//! A ledger in memory, with the rules of the real ones.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use promptgate_release::ports::{Addition, History, LedgerStore, PortResult, Tip, Verification};
use promptgate_release::{Event, Name, PortError, Record, Releases, State, Version, chain};

/// A ledger in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    content: Mutex<Contents>,
    local: bool,
}

#[derive(Debug, Default)]
struct Contents {
    events: BTreeMap<Name, Vec<Event>>,
    records: BTreeMap<(Name, Version), Record>,
    releases: Releases,
    unavailable: Option<String>,
}

impl MemoryLedger {
    /// An empty ledger in which claimed identities count, as in a folder.
    pub fn local() -> Self {
        Self { local: true, ..Self::default() }
    }

    /// From now on every operation but reading fails as if the remote could not be reached; `None` ends that.
    pub fn set_unavailable(&self, reason: Option<&str>) {
        self.lock().unavailable = reason.map(str::to_owned);
    }

    /// Replaces the record of a version, as nobody should.
    pub fn replace_record(&self, record: Record) {
        self.lock().records.insert((record.name.clone(), record.version), record);
    }

    /// Replaces the assignments, as nobody should.
    pub fn replace_releases(&self, releases: Releases) {
        self.lock().releases = releases;
    }

    /// Changes the record of a version, as nobody should.
    pub fn mutate(&self, name: &Name, version: Version, edit: impl FnOnce(&mut Record)) {
        if let Some(record) = self.lock().records.get_mut(&(name.clone(), version)) {
            edit(record);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reachable(&self) -> Result<(), PortError> {
        match &self.lock().unavailable {
            Some(reason) => Err(PortError::Unavailable(reason.clone())),
            None => Ok(()),
        }
    }

    fn read(&self, name: &Name) -> History {
        let events = self.lock().events.get(name).cloned().unwrap_or_default();
        let tip = tip(&events);
        History { events, tip }
    }

    fn fold(&self, name: &Name) -> Result<State, PortError> {
        State::fold(&self.read(name).events).map_err(|error| PortError::Damaged(error.to_string()))
    }

    fn add(&self, name: &Name, addition: &Addition, expected: Option<&Tip>) -> Result<Tip, PortError> {
        self.reachable()?;
        let mut state = self.fold(name)?;
        let mut stored = self.lock();
        let events = stored.events.entry(name.clone()).or_default();
        if tip(events).as_ref() != expected {
            return Err(PortError::Conflict("ledger"));
        }
        for event in &addition.events {
            state.apply(event).map_err(PortError::Damaged)?;
        }
        events.extend(addition.events.iter().cloned());
        let tip = tip(events).ok_or_else(|| PortError::Damaged("an addition has no event".to_owned()))?;
        let mut prompts = stored.releases.prompts.clone();
        prompts.remove(name);
        prompts.extend(Releases::entries([(name.clone(), &state)]));
        stored.releases = stored.releases.followed_by(prompts);
        for record in &addition.records {
            stored.records.insert((name.clone(), record.version), record.clone());
        }
        Ok(tip)
    }
}

/// The digest of the last line that the events would have in a file.
fn tip(events: &[Event]) -> Option<Tip> {
    chain::lines(None, events).ok().and_then(|(_, tip)| tip)
}

impl LedgerStore for MemoryLedger {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn is_local(&self) -> bool {
        self.local
    }

    fn refresh(&self) -> PortResult<'_, ()> {
        async { self.reachable() }.boxed()
    }

    fn names(&self) -> PortResult<'_, Vec<Name>> {
        async { Ok(self.lock().events.keys().cloned().collect()) }.boxed()
    }

    fn history<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        async { Ok(self.read(name)) }.boxed()
    }

    fn state<'a>(&'a self, name: &'a Name) -> PortResult<'a, Option<State>> {
        async {
            let known = self.lock().events.contains_key(name);
            if known { self.fold(name).map(Some) } else { Ok(None) }
        }
        .boxed()
    }

    fn record<'a>(&'a self, name: &'a Name, version: Version) -> PortResult<'a, Option<Record>> {
        async move {
            let record = self.lock().records.get(&(name.clone(), version)).cloned();
            match record {
                Some(record) if record.content.digest() != record.digest => {
                    Err(PortError::Mutated(format!("version {version} does not match its digest")))
                }
                record => Ok(record),
            }
        }
        .boxed()
    }

    fn releases(&self) -> PortResult<'_, Releases> {
        async { Ok(self.lock().releases.clone()) }.boxed()
    }

    fn append<'a>(
        &'a self,
        name: &'a Name,
        addition: &'a Addition,
        expected: Option<&'a Tip>,
    ) -> PortResult<'a, Tip> {
        async move { self.add(name, addition, expected) }.boxed()
    }

    fn verify<'a>(&'a self, name: &'a Name) -> PortResult<'a, Verification> {
        async {
            self.fold(name)?;
            Ok(Verification { history: self.read(name), commits: None })
        }
        .boxed()
    }
}
