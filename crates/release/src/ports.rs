//! The ports of the lifecycle: where events are recorded, and where applications read.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::rollout::Sample;
use crate::{Content, Digest, Event, Label, Name, PortError, Record, Releases, State, Version};

/// The result of an operation of a port.
pub type PortResult<'a, T> = BoxFuture<'a, Result<T, PortError>>;

/// The position of a name in its ledger: the digest of its last line.
pub type Tip = Digest;

/// The events of a prompt, and the position they were read at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The position after the last event; `None` for an empty ledger.
    pub tip: Option<Tip>,
}

/// A verified history, and how much of the branch it was compared with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verification {
    /// The events.
    pub history: History,
    /// The commits of the branch; `None` for a folder.
    pub commits: Option<VerifiedCommits>,
}

/// The commits of a branch that were verified to only append to their parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedCommits {
    /// Their number.
    pub count: usize,
    /// Whether they reach back to the first commit; false in a shallow clone whose history could not be fetched.
    pub complete: bool,
}

/// An addition to a ledger in one step: all of it, or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Addition {
    /// Records of the versions that `events` publish.
    pub records: Vec<Record>,
    /// Events.
    pub events: Vec<Event>,
}

/// The append-only, hash-chained events of every prompt, with the records of their versions.
///
/// Reading uses what was last fetched; [`LedgerStore::refresh`] fetches.
pub trait LedgerStore: Send + Sync {
    /// Where the ledger is, for messages.
    fn location(&self) -> String;

    /// Whether everybody who can read the ledger can also write it, so that an identity in it is a claim.
    fn is_local(&self) -> bool;

    /// Fetches what other writers appended.
    fn refresh(&self) -> PortResult<'_, ()>;

    /// The names that have events, sorted.
    fn names(&self) -> PortResult<'_, Vec<Name>>;

    /// The events of a name; none for an unknown name.
    ///
    /// # Errors
    /// [`PortError::Damaged`] if the chain is broken.
    fn history<'a>(&'a self, name: &'a Name) -> PortResult<'a, History>;

    /// The state of a name as it was stored with the last event, without reading the events; `None` for an unknown name.
    fn state<'a>(&'a self, name: &'a Name) -> PortResult<'a, Option<State>>;

    /// The record of a version, whose content matches its digest; `None` for an unknown version.
    ///
    /// # Errors
    /// [`PortError::Mutated`] if the content does not match.
    fn record<'a>(&'a self, name: &'a Name, version: Version) -> PortResult<'a, Option<Record>>;

    /// The assignments of all names, as the last append of any name left them; those of an empty ledger have `seq` 0.
    ///
    /// # Errors
    /// [`PortError::Damaged`] if they cannot be read; the next append writes them again.
    fn releases(&self) -> PortResult<'_, Releases>;

    /// Appends if the events of the name still end at `expected`, and returns their new end. The assignments of all names
    /// are rebuilt and written in the same step.
    ///
    /// # Errors
    /// [`PortError::Conflict`] if another writer appended since; [`PortError::Refused`] if the server rejects the write;
    /// [`PortError::Invalid`] for events that cannot follow, or a published version without its record.
    fn append<'a>(
        &'a self,
        name: &'a Name,
        addition: &'a Addition,
        expected: Option<&'a Tip>,
    ) -> PortResult<'a, Tip>;

    /// Verifies everything that was stored for a name: the chain, the state, the records, its assignment, and for a branch
    /// that each commit only appended.
    ///
    /// # Errors
    /// [`PortError::Damaged`] or [`PortError::Mutated`], with the place.
    fn verify<'a>(&'a self, name: &'a Name) -> PortResult<'a, Verification>;
}

/// The identifier that a registry gave to a version.
pub type RegistryId = String;

/// Capabilities of a registry; the lifecycle adapts to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// A label can be removed from a version without moving it to another.
    pub unset_label: bool,
    /// One call returns all labels of a prompt.
    pub label_map: bool,
    /// A text prompt is stored as text, not as a chat of one message.
    pub text_prompts: bool,
    /// A published version cannot be changed.
    pub immutable: bool,
    /// The labels are those of the ledger: its event is the move.
    pub in_ledger: bool,
}

/// How long applications may read the old version after a label was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staleness {
    /// How long the registry's server and its own SDK cache a prompt by default.
    pub cache_ttl: Duration,
    /// Whether the SDK returns the old version once more after that, while it fetches the new one.
    pub stale_read: bool,
}

/// A version as a registry returns it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVersion {
    /// The registry's identifier.
    pub id: RegistryId,
    /// The version and digest in the metadata that promptgate wrote; `None` for a version that it did not publish.
    pub published: Option<(Version, Digest)>,
    /// The content as it was read; the model is empty where the registry has none, and the messages are where one of
    /// them cannot be expressed, such as a placeholder for other messages.
    pub content: Content,
    /// The author, where the registry knows one.
    pub author: Option<String>,
    /// The commit message, where the registry has one.
    pub message: Option<String>,
}

impl StoredVersion {
    /// Verifies that the content is the one that was published.
    ///
    /// # Errors
    /// [`PortError::Mutated`] if it is not.
    pub fn verify(&self, digest: &Digest) -> Result<(), PortError> {
        let found = self.content.digest();
        if found == *digest {
            Ok(())
        } else {
            Err(PortError::Mutated(format!(
                "version {} in the registry was changed after it was published: its content has {}, expected {}",
                self.id,
                found.short(),
                digest.short()
            )))
        }
    }
}

/// Stores versions and the labels that applications read.
pub trait Registry: Send + Sync {
    /// The kind, as in configuration: `embedded`, `langfuse`, `mlflow`.
    fn kind(&self) -> &'static str;

    /// Where the registry is, for messages.
    fn location(&self) -> String;

    /// The capabilities.
    fn capabilities(&self) -> Capabilities;

    /// How long applications may read an old version.
    fn staleness(&self) -> Staleness;

    /// Checks that the registry takes a name, and returns it as written there.
    ///
    /// # Errors
    /// [`PortError::Invalid`] with a suggestion for the `name` of the registry's configuration.
    fn name(&self, name: &Name) -> Result<String, PortError>;

    /// A label as written in this registry; semantic versions are labels as well.
    ///
    /// # Errors
    /// [`PortError::Invalid`] for a label that the registry does not take.
    fn label(&self, label: &str) -> Result<String, PortError>;

    /// Stores the version of a record without a serving label, and returns its identifier after reading it back. The
    /// caller looks first with [`Registry::find_by_digest`].
    fn create_version<'a>(&'a self, record: &'a Record) -> PortResult<'a, RegistryId>;

    /// The version that was published with this digest, if any; its content is not verified.
    fn find_by_digest<'a>(
        &'a self,
        name: &'a Name,
        digest: &'a Digest,
    ) -> PortResult<'a, Option<StoredVersion>>;

    /// The version with an identifier, if any.
    ///
    /// # Errors
    /// [`PortError::Mutated`] if promptgate published it and the content has another digest now; [`PortError::Invalid`]
    /// if its messages cannot be expressed.
    fn get<'a>(&'a self, name: &'a Name, id: &'a RegistryId) -> PortResult<'a, Option<StoredVersion>>;

    /// All versions, the newest first; their contents are not verified.
    fn versions<'a>(&'a self, name: &'a Name) -> PortResult<'a, Vec<StoredVersion>>;

    /// The identifiers that hold each label that the lifecycle manages, counted over all versions, so that a second
    /// holder is found.
    fn labels<'a>(&'a self, name: &'a Name) -> PortResult<'a, BTreeMap<Label, Vec<RegistryId>>>;

    /// Moves a label to a version whose content is verified, and reads both back.
    ///
    /// # Errors
    /// [`PortError::Refused`] for an unknown version; [`PortError::Conflict`] if another writer moved the label meanwhile;
    /// [`PortError::Damaged`] if it has several holders.
    fn set_label<'a>(&'a self, name: &'a Name, label: &'a Label, id: &'a RegistryId) -> PortResult<'a, ()>;
}

/// The time that samples are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub from: Timestamp,
    /// The moment after the last.
    pub to: Timestamp,
}

/// A version as applications tag their traces with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedVersion {
    /// The semantic version.
    pub version: Version,
    /// The registry's identifier.
    pub registry_id: Option<RegistryId>,
}

/// A request for samples of some metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricQuery<'a> {
    /// The prompt.
    pub name: &'a Name,
    /// The versions.
    pub versions: &'a [TaggedVersion],
    /// The names of the metrics.
    pub metrics: &'a [String],
    /// The time.
    pub window: Window,
}

/// The samples that a source has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricReadings {
    /// For each metric, the sample of each version in the order of the query, or why there is none.
    pub samples: BTreeMap<String, Vec<Result<Sample, String>>>,
    /// The units of each version; `None` where the source knows none.
    pub units: Option<Vec<u64>>,
    /// Remarks for people: units seen, scores without a span.
    pub notes: Vec<String>,
}

/// A source of the metrics of versions in production.
pub trait MetricSource: Send + Sync {
    /// Where it is, for messages.
    fn location(&self) -> String;

    /// Reads samples.
    ///
    /// # Errors
    /// [`PortError::Unavailable`], [`PortError::Refused`] or [`PortError::Damaged`] where nothing could be read.
    fn read<'a>(&'a self, query: &'a MetricQuery<'a>) -> PortResult<'a, MetricReadings>;
}
