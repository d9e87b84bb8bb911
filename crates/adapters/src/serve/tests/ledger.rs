//! A ledger in memory, which tests can damage and disconnect.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use jiff::Timestamp;
use promptgate_release::ports::{Addition, History, LedgerStore, PortResult, Tip, Verification};
use promptgate_release::rollout::Stratum;
use promptgate_release::{
    Actor, ActorSource, Change, Content, Event, EventKind, Label, MoveCause, Name, PortError, Record,
    Releases, State, Version,
};
use promptgate_testing::registry::record;
use promptgate_testing::{MemoryLedger, rollout_start};

/// One ledger for each prompt, in memory, and the faults of their reads.
#[derive(Default)]
pub(super) struct FaultyLedger {
    inner: Mutex<Inner>,
    is_shared: bool,
}

#[derive(Default)]
struct Inner {
    prompts: BTreeMap<Name, Arc<MemoryLedger>>,
    damaged: BTreeMap<Name, PortError>,
    unreachable: Option<PortError>,
    unreadable: Option<PortError>,
    damaged_releases: Option<PortError>,
    records_read: usize,
}

impl FaultyLedger {
    /// An empty ledger that others write as well.
    pub(super) fn shared() -> Self {
        Self { is_shared: true, ..Self::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prompt(&self, name: &Name) -> Arc<MemoryLedger> {
        Arc::clone(self.inner().prompts.entry(name.clone()).or_default())
    }

    fn events(&self, name: &Name) -> History {
        self.prompt(name).history(name).now_or_never().expect("a ready future").expect("a history")
    }

    fn push(&self, name: &Name, at: i64, kind: EventKind, records: Vec<Record>) {
        let at = Timestamp::from_second(at).expect("a time");
        let actor = Actor { login: "alice".to_owned(), source: ActorSource::DefaultBranch, run: None };
        let addition = Addition { records, events: vec![Event { at, actor, kind }] };
        let tip = self.events(name).tip;
        let prompt = self.prompt(name);
        let appended = prompt.append(name, &addition, tip.as_ref()).now_or_never();
        appended.expect("a ready future").expect("an event that can follow");
    }

    /// Publishes a version with the next number.
    pub(super) fn publish(&self, name: &str, version: &str, content: Content) {
        let name: Name = name.parse().expect("a name");
        let version: Version = version.parse().expect("a version");
        let state = State::fold(&self.events(&name).events).expect("a state");
        let number = state.versions.len() as u64 + 1;
        let at = 1_796_000_000 + number as i64;
        let record = Record {
            version,
            number,
            reason: format!("Reason of {version}"),
            change: Change::default(),
            published_at: Timestamp::from_second(at).expect("a time"),
            ..record(&name.to_string(), 1, content)
        };
        let digest = record.digest.clone();
        let level = record.level;
        let published = EventKind::Published { version, number, digest, level, record: None, adopted: false };
        self.push(&name, at, published, vec![record]);
    }

    /// Moves a label.
    pub(super) fn set_label(&self, name: &str, label: &str, version: &str) {
        let name: Name = name.parse().expect("a name");
        let label: Label = label.parse().expect("a label");
        let state = State::fold(&self.events(&name).events).expect("a state");
        let from = state.labels.get(&label).copied();
        let version = version.parse().expect("a version");
        let moved = EventKind::Moved { label, from, version, cause: MoveCause::Promotion, reason: None };
        self.push(&name, 1_796_001_000, moved, Vec::new());
    }

    /// Appends an event that needs no record.
    pub(super) fn add(&self, name: &str, kind: EventKind) {
        self.push(&name.parse().expect("a name"), 1_796_002_000, kind, Vec::new());
    }

    /// Begins the first rollout of `support/reply`: 2.4.0 against 2.3.1, at 5 % and then 25 %.
    pub(super) fn begin_rollout(&self, salt: &str) {
        self.set_label("support/reply", "canary", "2.4.0");
        let (control, treatment) = ("2.3.1".parse().expect("a version"), "2.4.0".parse().expect("a version"));
        let start = Box::new(rollout_start(1, control, treatment, salt, &[500, 2_500]));
        self.add("support/reply", EventKind::RolloutStarted { start });
    }

    /// Begins the second step of the rollout.
    pub(super) fn step_rollout(&self) {
        let ended = Stratum::default();
        let stepped = EventKind::RolloutStepped { rollout: 1, step: 1, basis_points: 2_500, ended };
        self.add("support/reply", stepped);
    }

    /// Changes the record of a version, as nobody should.
    pub(super) fn mutate(&self, name: &str, version: &str, change: impl FnOnce(&mut Record)) {
        let (name, version) = (name.parse().expect("a name"), version.parse().expect("a version"));
        let prompt = self.prompt(&name);
        let record = prompt.record(&name, version).now_or_never().expect("a ready future");
        let mut record = record.expect("not yet mutated").expect("a record");
        change(&mut record);
        prompt.replace_record(record);
    }

    /// Makes the state of a prompt unreadable.
    pub(super) fn damage(&self, name: &str, damage: PortError) {
        self.inner().damaged.insert(name.parse().expect("a name"), damage);
    }

    /// Makes the assignments unreadable, or readable again.
    pub(super) fn damage_releases(&self, damage: Option<PortError>) {
        self.inner().damaged_releases = damage;
    }

    /// Makes `refresh` fail, or succeed again.
    pub(super) fn disconnect(&self, error: Option<PortError>) {
        self.inner().unreachable = error;
    }

    /// Makes every read fail.
    pub(super) fn block(&self, error: PortError) {
        self.inner().unreadable = Some(error);
    }

    /// Removes a prompt, as somebody does who deletes files.
    pub(super) fn remove(&self, name: &str) {
        self.inner().prompts.retain(|other, _| other.to_string() != name);
    }

    /// The number of records read so far.
    pub(super) fn records_read(&self) -> usize {
        self.inner().records_read
    }

    fn readable(&self) -> Result<(), PortError> {
        self.inner().unreadable.clone().map_or(Ok(()), Err)
    }
}

impl LedgerStore for FaultyLedger {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn is_local(&self) -> bool {
        !self.is_shared
    }

    fn refresh(&self) -> PortResult<'_, ()> {
        async { self.inner().unreachable.clone().map_or(Ok(()), Err) }.boxed()
    }

    fn names(&self) -> PortResult<'_, Vec<Name>> {
        async { self.readable().map(|()| self.inner().prompts.keys().cloned().collect()) }.boxed()
    }

    fn history<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        async { self.readable().map(|()| self.events(name)) }.boxed()
    }

    fn state<'a>(&'a self, name: &'a Name) -> PortResult<'a, Option<State>> {
        async {
            self.readable()?;
            let damage = self.inner().damaged.get(name).cloned();
            match damage {
                Some(damage) => Err(damage),
                None => self.prompt(name).state(name).await,
            }
        }
        .boxed()
    }

    fn record<'a>(&'a self, name: &'a Name, version: Version) -> PortResult<'a, Option<Record>> {
        async move {
            self.readable()?;
            self.inner().records_read += 1;
            self.prompt(name).record(name, version).await
        }
        .boxed()
    }

    fn releases(&self) -> PortResult<'_, Releases> {
        async {
            self.readable()?;
            if let Some(damage) = self.inner().damaged_releases.clone() {
                return Err(damage);
            }
            let prompts: Vec<_> = self.inner().prompts.clone().into_iter().collect();
            let mut all = Releases::default();
            for (_, prompt) in prompts {
                let releases = prompt.releases().await?;
                all.seq += releases.seq;
                all.prompts.extend(releases.prompts);
            }
            Ok(all)
        }
        .boxed()
    }

    fn append<'a>(&'a self, _: &'a Name, _: &'a Addition, _: Option<&'a Tip>) -> PortResult<'a, Tip> {
        async { Err(PortError::Refused("the server only reads".to_owned())) }.boxed()
    }

    fn verify<'a>(&'a self, name: &'a Name) -> PortResult<'a, Verification> {
        async { self.prompt(name).verify(name).await }.boxed()
    }
}
