//! A ledger in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::ready;
use promptgate_release::ports::{Addition, History, LedgerStore, PortResult, Tip};
use promptgate_release::{Event, Name, PortError, Record, State, Version};

/// A ledger in memory; its position is the number of events.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    prompts: Mutex<BTreeMap<Name, Prompt>>,
}

#[derive(Debug, Default)]
struct Prompt {
    events: Vec<Event>,
    records: BTreeMap<Version, Record>,
}

impl MemoryLedger {
    /// Changes a record, which no ledger allows.
    pub fn mutate(&self, name: &Name, version: Version, edit: impl FnOnce(&mut Record)) {
        if let Some(record) = self.lock().get_mut(name).and_then(|prompt| prompt.records.get_mut(&version)) {
            edit(record);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Prompt>> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn events(&self, name: &Name) -> History {
        let events = self.lock().get(name).map(|prompt| prompt.events.clone()).unwrap_or_default();
        let tip = if events.is_empty() { None } else { Some(events.len().to_string()) };
        History { events, tip }
    }

    fn fold(&self, name: &Name) -> Result<Option<State>, PortError> {
        let History { events, tip } = self.events(name);
        let state = State::fold(&events).map_err(|error| PortError::Damaged(error.to_string()))?;
        Ok(tip.map(|_| state))
    }
}

impl LedgerStore for MemoryLedger {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn is_local(&self) -> bool {
        true
    }

    fn refresh(&self) -> PortResult<'_, ()> {
        ready(Ok(())).boxed()
    }

    fn names(&self) -> PortResult<'_, Vec<Name>> {
        ready(Ok(self.lock().keys().cloned().collect())).boxed()
    }

    fn history<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        ready(Ok(self.events(name))).boxed()
    }

    fn state<'a>(&'a self, name: &'a Name) -> PortResult<'a, Option<State>> {
        ready(self.fold(name)).boxed()
    }

    fn record<'a>(&'a self, name: &'a Name, version: Version) -> PortResult<'a, Option<Record>> {
        let record = self.lock().get(name).and_then(|prompt| prompt.records.get(&version).cloned());
        let is_unchanged = record.as_ref().is_none_or(|record| record.content.digest() == record.digest);
        let changed = || PortError::Mutated(format!("the record of {name}@{version} was changed"));
        ready(if is_unchanged { Ok(record) } else { Err(changed()) }).boxed()
    }

    fn append<'a>(
        &'a self,
        name: &'a Name,
        addition: &'a Addition,
        expected: Option<&'a Tip>,
    ) -> PortResult<'a, Tip> {
        let mut prompts = self.lock();
        let prompt = prompts.entry(name.clone()).or_default();
        let position = prompt.events.len();
        if expected.map_or("0", String::as_str) != position.to_string() {
            return ready(Err(PortError::Conflict("ledger"))).boxed();
        }
        prompt.events.extend(addition.events.iter().cloned());
        prompt.records.extend(addition.records.iter().map(|record| (record.version, record.clone())));
        ready(Ok(prompt.events.len().to_string())).boxed()
    }

    fn verify<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        ready(self.fold(name).map(|_| self.events(name))).boxed()
    }
}
