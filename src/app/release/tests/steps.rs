//! Ports that let a scheduler, or a kill, come in between any two effects.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use promptgate_release::ports::{
    Addition, Capabilities, History, LedgerStore, PortResult, Registry, RegistryId, Staleness, StoredVersion,
    Tip, Verification,
};
use promptgate_release::{Digest, Label, Name, PortError, Record, Releases, State, Version};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A hook before each operation of a port.
#[derive(Clone)]
pub(super) struct Stepped(Arc<Mutex<Plan>>);

struct Plan {
    random: ChaCha8Rng,
    /// Whether operations yield at random.
    interleaved: bool,
    /// The number of operations after which the process is dead; `None` for never.
    left: Option<usize>,
    /// Whether the world is set up, so that its operations count.
    started: bool,
    /// Operations since the start.
    count: usize,
}

impl Stepped {
    fn with(seed: u64, interleaved: bool, left: Option<usize>) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self(Arc::new(Mutex::new(Plan { random, interleaved, left, started: false, count: 0 })))
    }

    /// Operations follow each other.
    pub(super) fn none() -> Self {
        Self::with(0, false, None)
    }

    /// Operations of several tasks interleave as the seed says.
    pub(super) fn interleaved(seed: u64) -> Self {
        Self::with(seed, true, None)
    }

    /// The process is killed after so many operations: the next one never returns.
    pub(super) fn killed_after(operations: usize) -> Self {
        Self::with(0, false, Some(operations))
    }

    /// Counts operations from now on.
    pub(super) fn start(&self) {
        self.0.lock().unwrap().started = true;
    }

    /// Another process: nothing is killed any more.
    pub(super) fn revive(&self) {
        self.0.lock().unwrap().left = None;
    }

    /// Waits for a random part of the time that a promotion takes.
    pub(super) async fn delay(&self) {
        let yields = self.0.lock().unwrap().random.random_range(0..200);
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn ledger<L>(&self, inner: Arc<L>) -> SteppedPort<L> {
        SteppedPort { inner, steps: self.clone() }
    }

    pub(super) fn registry<R>(&self, inner: Arc<R>) -> SteppedPort<R> {
        SteppedPort { inner, steps: self.clone() }
    }

    async fn step(&self) {
        let (yields, dead) = {
            let mut plan = self.0.lock().unwrap();
            if !plan.started {
                return;
            }
            plan.count += 1;
            let dead = plan.left.is_some_and(|left| plan.count > left);
            let yields = if plan.interleaved { plan.random.random_range(0..12) } else { 0 };
            (yields, dead)
        };
        if dead {
            pending::<()>().await;
        }
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
    }
}

/// A port behind steps.
pub(super) struct SteppedPort<P> {
    inner: Arc<P>,
    steps: Stepped,
}

macro_rules! stepped {
    ($self:ident, $call:expr) => {
        async move {
            $self.steps.step().await;
            $call.await
        }
        .boxed()
    };
}

impl<L: LedgerStore> LedgerStore for SteppedPort<L> {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn is_local(&self) -> bool {
        self.inner.is_local()
    }

    fn refresh(&self) -> PortResult<'_, ()> {
        stepped!(self, self.inner.refresh())
    }

    fn names(&self) -> PortResult<'_, Vec<Name>> {
        stepped!(self, self.inner.names())
    }

    fn history<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        stepped!(self, self.inner.history(name))
    }

    fn state<'a>(&'a self, name: &'a Name) -> PortResult<'a, Option<State>> {
        stepped!(self, self.inner.state(name))
    }

    fn record<'a>(&'a self, name: &'a Name, version: Version) -> PortResult<'a, Option<Record>> {
        stepped!(self, self.inner.record(name, version))
    }

    fn releases(&self) -> PortResult<'_, Releases> {
        stepped!(self, self.inner.releases())
    }

    fn append<'a>(
        &'a self,
        name: &'a Name,
        addition: &'a Addition,
        expected: Option<&'a Tip>,
    ) -> PortResult<'a, Tip> {
        stepped!(self, self.inner.append(name, addition, expected))
    }

    fn verify<'a>(&'a self, name: &'a Name) -> PortResult<'a, Verification> {
        stepped!(self, self.inner.verify(name))
    }
}

impl<R: Registry> Registry for SteppedPort<R> {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn staleness(&self) -> Staleness {
        self.inner.staleness()
    }

    fn name(&self, name: &Name) -> Result<String, PortError> {
        self.inner.name(name)
    }

    fn label(&self, label: &str) -> Result<String, PortError> {
        self.inner.label(label)
    }

    fn create_version<'a>(&'a self, record: &'a Record) -> PortResult<'a, RegistryId> {
        stepped!(self, self.inner.create_version(record))
    }

    fn find_by_digest<'a>(
        &'a self,
        name: &'a Name,
        digest: &'a Digest,
    ) -> PortResult<'a, Option<StoredVersion>> {
        stepped!(self, self.inner.find_by_digest(name, digest))
    }

    fn get<'a>(&'a self, name: &'a Name, id: &'a RegistryId) -> PortResult<'a, Option<StoredVersion>> {
        stepped!(self, self.inner.get(name, id))
    }

    fn versions<'a>(&'a self, name: &'a Name) -> PortResult<'a, Vec<StoredVersion>> {
        stepped!(self, self.inner.versions(name))
    }

    fn labels<'a>(&'a self, name: &'a Name) -> PortResult<'a, BTreeMap<Label, Vec<RegistryId>>> {
        stepped!(self, self.inner.labels(name))
    }

    fn set_label<'a>(&'a self, name: &'a Name, label: &'a Label, id: &'a RegistryId) -> PortResult<'a, ()> {
        stepped!(self, self.inner.set_label(name, label, id))
    }
}
