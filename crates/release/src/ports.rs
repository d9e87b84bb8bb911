//! The ports of the lifecycle: where versions are stored, where events are recorded, where metrics come from.

use std::time::Duration;

use futures::future::BoxFuture;

use crate::{Label, Name, PortError, Selector, Version};

/// SHA-256 over the canonical JSON of a version's content, as lowercase hexadecimal.
pub type Digest = String;

/// The identifier that a registry gave to a version.
pub type RegistryId = String;

/// Capabilities of a registry; the lifecycle adapts to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// A label can be removed from a version without moving it to another.
    pub unset_label: bool,
    /// A text prompt is stored as text, not as a chat of one message.
    pub text_prompts: bool,
    /// A published version cannot be changed.
    pub immutable: bool,
}

/// A version as a registry returns it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVersion {
    /// The registry's identifier.
    pub id: RegistryId,
    /// The semantic version; `None` for a version that promptgate did not publish.
    pub version: Option<Version>,
    /// The digest of the content as it was read, not as it was claimed.
    pub digest: Digest,
    /// The content: messages, model, parameters, answer schema.
    pub content: serde_json::Value,
}

/// Stores versions and the labels that applications read.
pub trait Registry: Send + Sync {
    /// The capabilities of this registry.
    fn capabilities(&self) -> Capabilities;

    /// Stores a version and returns its identifier; an equal digest returns the existing one.
    fn create_version<'a>(
        &'a self,
        name: &'a Name,
        version: &'a Version,
        content: &'a serde_json::Value,
    ) -> BoxFuture<'a, Result<RegistryId, PortError>>;

    /// The version with this digest, if any.
    fn find_by_digest<'a>(
        &'a self,
        name: &'a Name,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Option<StoredVersion>, PortError>>;

    /// The version that is published under a number or that a label points at, if any.
    fn get<'a>(
        &'a self,
        name: &'a Name,
        selector: &'a Selector,
    ) -> BoxFuture<'a, Result<Option<StoredVersion>, PortError>>;

    /// Moves a label to a version and returns after the registry confirmed it.
    fn set_label<'a>(
        &'a self,
        name: &'a Name,
        label: &'a Label,
        id: &'a RegistryId,
    ) -> BoxFuture<'a, Result<(), PortError>>;
}

/// The position of a ledger: the commit of a branch, or the hash of the last line of a folder's file.
pub type Tip = String;

/// The events of a prompt name, and the position they were read at.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The events in order, one JSON object each.
    pub events: Vec<serde_json::Value>,
    /// The position after the last event; `None` for a name without events.
    pub tip: Option<Tip>,
}

/// An append-only, hash-chained list of events per prompt name.
pub trait LedgerStore: Send + Sync {
    /// The events of a name.
    fn read<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<History, PortError>>;

    /// Appends events if the ledger is still at `expected`.
    ///
    /// # Errors
    /// [`PortError::Conflict`] if another writer appended since.
    fn append<'a>(
        &'a self,
        name: &'a Name,
        events: &'a [serde_json::Value],
        expected: Option<&'a Tip>,
    ) -> BoxFuture<'a, Result<Tip, PortError>>;
}

/// Counts or moments of one metric of one version in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observation {
    /// Successes among all units.
    Share {
        /// Successes.
        good: u64,
        /// All units.
        all: u64,
    },
    /// Mean and variance over units.
    Mean {
        /// Units.
        n: u64,
        /// Mean.
        mean: f64,
        /// Sample variance.
        variance: f64,
    },
}

/// Reads the metrics of a version from where an application reports them.
pub trait MetricSource: Send + Sync {
    /// The observation of `metric` for `version` over the last `window`; `None` if the source has no data.
    fn observe<'a>(
        &'a self,
        name: &'a Name,
        version: &'a Version,
        metric: &'a str,
        window: Duration,
    ) -> BoxFuture<'a, Result<Option<Observation>, PortError>>;
}
