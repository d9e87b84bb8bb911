//! A ledger in memory, which tests can damage and disconnect.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use jiff::Timestamp;
use promptgate_release::ports::{Addition, History, LedgerStore, PortResult, Tip};
use promptgate_release::{
    Actor, ActorSource, Change, Content, Event, EventKind, Label, Level, MoveCause, Name, PortError,
    RECORD_SCHEMA, Record, ReleasePolicy, State, Version,
};

/// A ledger in memory.
#[derive(Default)]
pub struct MemoryLedger(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    prompts: BTreeMap<Name, Stored>,
    is_shared: bool,
    unreachable: Option<PortError>,
    unreadable: Option<PortError>,
    records_read: usize,
}

#[derive(Default)]
struct Stored {
    events: Vec<Event>,
    state: State,
    records: BTreeMap<Version, Record>,
    damage: Option<PortError>,
}

impl MemoryLedger {
    /// An empty ledger that others write as well.
    pub fn shared() -> Self {
        Self(Mutex::new(Inner { is_shared: true, ..Inner::default() }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a version with the next number.
    ///
    /// # Panics
    /// If the version was published before.
    pub fn publish(&self, name: &str, version: &str, content: Content) -> Record {
        let name: Name = name.parse().expect("a name");
        let version: Version = version.parse().expect("a version");
        let number = self.inner().prompts.get(&name).map_or(1, |stored| stored.events_published() + 1);
        let at = Timestamp::from_second(1_796_000_000 + number as i64).expect("a time");
        let record = Record {
            schema: RECORD_SCHEMA.to_owned(),
            name: name.clone(),
            version,
            number,
            digest: content.digest(),
            content,
            level: Level::Minor,
            least_level: None,
            level_reasons: Vec::new(),
            compared_with: None,
            reason: format!("Reason of {version}"),
            change: Change::default(),
            published_at: at,
            policy: ReleasePolicy::default(),
        };
        let published = EventKind::Published {
            version,
            number,
            digest: record.digest.clone(),
            level: record.level,
            adopted: false,
        };
        self.push(&name, at, published, vec![record.clone()]);
        record
    }

    /// Moves a label.
    ///
    /// # Panics
    /// If the version was not published.
    pub fn set_label(&self, name: &str, label: &str, version: &str) {
        let name: Name = name.parse().expect("a name");
        let label: Label = label.parse().expect("a label");
        let from =
            self.inner().prompts.get(&name).and_then(|stored| stored.state.labels.get(&label).copied());
        let version = version.parse().expect("a version");
        let moved = EventKind::Moved { label, from, version, cause: MoveCause::Promotion, reason: None };
        self.push(&name, Timestamp::from_second(1_796_001_000).expect("a time"), moved, Vec::new());
    }

    fn push(&self, name: &Name, at: Timestamp, kind: EventKind, records: Vec<Record>) {
        let actor = Actor { login: "alice".to_owned(), source: ActorSource::DefaultBranch, run: None };
        let addition = Addition { records, events: vec![Event { at, actor, kind }] };
        self.inner().add(name, &addition).expect("an event that can follow");
    }

    /// Changes the content of a version behind the back of its digest.
    ///
    /// # Panics
    /// If the version was not published.
    pub fn mutate(&self, name: &str, version: &str, change: impl FnOnce(&mut Record)) {
        let mut inner = self.inner();
        let stored = inner.prompts.get_mut(&name.parse::<Name>().expect("a name")).expect("a prompt");
        change(stored.records.get_mut(&version.parse().expect("a version")).expect("a record"));
    }

    /// Makes the state of a prompt unreadable, or readable again.
    ///
    /// # Panics
    /// If nothing was published under this name.
    pub fn damage(&self, name: &str, damage: Option<PortError>) {
        let mut inner = self.inner();
        inner.prompts.get_mut(&name.parse::<Name>().expect("a name")).expect("a prompt").damage = damage;
    }

    /// Makes `refresh` fail, or succeed again.
    pub fn disconnect(&self, error: Option<PortError>) {
        self.inner().unreachable = error;
    }

    /// Makes every read fail, or succeed again.
    pub fn block(&self, error: Option<PortError>) {
        self.inner().unreadable = error;
    }

    /// Removes a prompt, as somebody does who deletes files.
    pub fn remove(&self, name: &str) {
        self.inner().prompts.retain(|other, _| other.to_string() != name);
    }

    /// The number of records read so far.
    pub fn records_read(&self) -> usize {
        self.inner().records_read
    }
}

impl Stored {
    fn events_published(&self) -> u64 {
        self.state.versions.len() as u64
    }

    fn tip(&self) -> Option<Tip> {
        if self.events.is_empty() { None } else { Some(self.events.len().to_string()) }
    }
}

impl Inner {
    fn readable(&self) -> Result<(), PortError> {
        self.unreadable.clone().map_or(Ok(()), Err)
    }

    fn add(&mut self, name: &Name, addition: &Addition) -> Result<Tip, PortError> {
        let stored = self.prompts.entry(name.clone()).or_default();
        let mut state = stored.state.clone();
        for event in &addition.events {
            state.apply(event).map_err(PortError::Damaged)?;
        }
        stored.state = state;
        stored.events.extend(addition.events.iter().cloned());
        let records = addition.records.iter().map(|record| (record.version, record.clone()));
        stored.records.extend(records);
        Ok(stored.tip().unwrap_or_default())
    }
}

/// A future that is ready.
fn ready<'a, T: Send + 'a>(result: Result<T, PortError>) -> PortResult<'a, T> {
    std::future::ready(result).boxed()
}

impl LedgerStore for MemoryLedger {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn is_local(&self) -> bool {
        !self.inner().is_shared
    }

    fn refresh(&self) -> PortResult<'_, ()> {
        ready(self.inner().unreachable.clone().map_or(Ok(()), Err))
    }

    fn names(&self) -> PortResult<'_, Vec<Name>> {
        let inner = self.inner();
        ready(inner.readable().map(|()| inner.prompts.keys().cloned().collect()))
    }

    fn history<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        let inner = self.inner();
        let history = inner
            .prompts
            .get(name)
            .map(|stored| History { events: stored.events.clone(), tip: stored.tip() });
        ready(inner.readable().map(|()| history.unwrap_or_default()))
    }

    fn state<'a>(&'a self, name: &'a Name) -> PortResult<'a, Option<State>> {
        let inner = self.inner();
        let stored = inner.prompts.get(name);
        let damage = stored.and_then(|stored| stored.damage.clone());
        let state = damage.map_or_else(|| Ok(stored.map(|stored| stored.state.clone())), Err);
        ready(inner.readable().and(state))
    }

    fn record<'a>(&'a self, name: &'a Name, version: Version) -> PortResult<'a, Option<Record>> {
        let mut inner = self.inner();
        inner.records_read += 1;
        let record = inner.prompts.get(name).and_then(|stored| stored.records.get(&version)).cloned();
        ready(inner.readable().map(|()| record))
    }

    fn append<'a>(
        &'a self,
        name: &'a Name,
        addition: &'a Addition,
        expected: Option<&'a Tip>,
    ) -> PortResult<'a, Tip> {
        let mut inner = self.inner();
        let tip = inner.prompts.get(name).and_then(Stored::tip);
        if tip.as_ref() != expected {
            return ready(Err(PortError::Conflict("ledger")));
        }
        ready(inner.add(name, addition))
    }

    fn verify<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        let changed = self.inner().prompts.get(name).and_then(|stored| {
            stored.records.values().find(|record| record.content.digest() != record.digest).cloned()
        });
        match changed {
            Some(record) => ready(Err(PortError::Mutated(format!("{} was changed", record.version)))),
            None => self.history(name),
        }
    }
}
