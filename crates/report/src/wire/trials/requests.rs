//! The messages that were sent for each case: in memory, or read when they are needed from the spool of the run or from
//! trials.jsonl. In JSON a case has their digests, and each message is written once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Error as _, Serialize, SerializeMap as _, Serializer};
use sha2::{Digest as _, Sha256};

use super::super::digest;
use super::FileSpool;
use promptgate_core::model::{CaseRequests, Message, MessageTexts, RequestLocation, SpoolPlace};

/// The digests of the messages that the variants sent for a case.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, JsonSchema)]
#[schemars(rename = "Requests")]
pub struct RequestDigests {
    /// The candidate's messages, in order: keys of `messages`.
    pub candidate: Vec<String>,
    /// The baseline's messages; absent without a baseline, and where it sent the same ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline: Vec<String>,
}

/// Messages of a case on a line of the spool or of trials.jsonl, without those that many cases share.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct RequestFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) requests: Option<RequestDigests>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) messages: BTreeMap<String, Arc<Message>>,
}

/// `sha256:…` of a message: of `{"role":…,"content":…}` before redaction.
fn digest_of(message: &Message) -> String {
    let mut hasher = Sha256::new();
    // A role and a text always have JSON.
    hasher.update(serde_json::to_string(message).unwrap_or_default());
    digest(hasher)
}

impl RequestFields {
    /// The fields of a case; messages that `shared` holds are left out.
    pub(super) fn of(requests: &CaseRequests, shared: &BTreeMap<String, Arc<Message>>) -> Self {
        let mut messages = BTreeMap::new();
        let mut digests = |list: &[Arc<Message>]| -> Vec<String> {
            let mut add = |message: &Arc<Message>| {
                let digest = digest_of(message);
                if !shared.contains_key(&digest) {
                    messages.insert(digest.clone(), Arc::clone(message));
                }
                digest
            };
            list.iter().map(&mut add).collect()
        };
        let requests =
            RequestDigests { candidate: digests(&requests.candidate), baseline: digests(&requests.baseline) };
        Self { requests: Some(requests), messages }
    }
}

/// Collects the messages of a run in its spool, case by case.
pub struct RequestWriter<'a> {
    spool: &'a FileSpool,
    shared: BTreeMap<String, Arc<Message>>,
}

impl<'a> RequestWriter<'a> {
    /// A writer to the spool of a run.
    pub fn new(spool: &'a FileSpool) -> Self {
        Self { spool, shared: BTreeMap::new() }
    }

    /// Keeps a message that is the same in many cases in memory, so that it is written once.
    pub fn share(&mut self, message: &Arc<Message>) {
        self.shared.entry(digest_of(message)).or_insert_with(|| Arc::clone(message));
    }

    /// Writes the messages of a case.
    ///
    /// # Errors
    /// They are too long for a line.
    pub fn put(&self, requests: &CaseRequests) -> io::Result<RequestLocation> {
        let line = serde_json::to_string(&RequestFields::of(requests, &self.shared))? + "\n";
        self.spool.put_line(&line).map(RequestLocation::Spilled)
    }

    /// The shared messages.
    pub fn finish(self) -> MessageTexts {
        Arc::new(self.shared)
    }
}

/// The messages of a case; in JSON a [`RequestDigests`].
#[derive(Clone, Default)]
pub struct Requests(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    Unknown,
    /// Read from JSON; the messages are elsewhere in the document.
    Digests(Box<RequestDigests>),
    InMemory(Arc<CaseRequests>),
    Spilled {
        place: SpoolPlace,
        spool: Arc<FileSpool>,
        shared: MessageTexts,
    },
}

impl Requests {
    /// The messages of a case of a run.
    pub(in super::super) fn of(
        location: &RequestLocation,
        spool: Option<&Arc<FileSpool>>,
        shared: &MessageTexts,
    ) -> Self {
        Self(match (location, spool) {
            (RequestLocation::InMemory(requests), _) => Source::InMemory(Arc::clone(requests)),
            (RequestLocation::Spilled(place), Some(spool)) => {
                Source::Spilled { place: *place, spool: Arc::clone(spool), shared: Arc::clone(shared) }
            }
            (RequestLocation::Unknown | RequestLocation::Spilled(_), _) => Source::Unknown,
        })
    }

    /// Messages on a line of trials.jsonl.
    pub(super) fn placed(place: SpoolPlace, spool: &Arc<FileSpool>, shared: &MessageTexts) -> Self {
        Self(Source::Spilled { place, spool: Arc::clone(spool), shared: Arc::clone(shared) })
    }

    /// Whether they are not known, as in reports of earlier versions.
    pub fn is_unknown(&self) -> bool {
        matches!(self.0, Source::Unknown)
    }

    /// The messages; `None` where they are not known.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn read(&self) -> io::Result<Option<Arc<CaseRequests>>> {
        match &self.0 {
            Source::Unknown | Source::Digests(_) => Ok(None),
            Source::InMemory(requests) => Ok(Some(Arc::clone(requests))),
            Source::Spilled { place, spool, shared } => {
                let fields: RequestFields = serde_json::from_str(&spool.line(*place)?)?;
                let Some(digests) = fields.requests else { return Ok(None) };
                let find =
                    |digest: &String| fields.messages.get(digest).or_else(|| shared.get(digest)).cloned();
                let requests = resolved(&digests, find);
                Ok(Some(Arc::new(requests.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?)))
            }
        }
    }

    /// The fields for JSON, with all messages that `shared` lacks.
    pub(super) fn fields(&self, shared: &BTreeMap<String, Arc<Message>>) -> io::Result<RequestFields> {
        match &self.0 {
            Source::Unknown => Ok(RequestFields::default()),
            Source::Digests(digests) => {
                Ok(RequestFields { requests: Some((**digests).clone()), messages: BTreeMap::new() })
            }
            Source::InMemory(requests) => Ok(RequestFields::of(requests, shared)),
            Source::Spilled { place, spool, .. } => Ok(serde_json::from_str(&spool.line(*place)?)?),
        }
    }

    /// Digests that were read and not resolved yet.
    pub(in super::super) fn digests(&self) -> impl Iterator<Item = &str> {
        let digests = match &self.0 {
            Source::Digests(digests) => Some(digests.candidate.iter().chain(&digests.baseline)),
            _ => None,
        };
        digests.into_iter().flatten().map(String::as_str)
    }

    /// Digests of messages in memory.
    pub(in super::super) fn digests_in_memory(&self) -> Vec<String> {
        match &self.0 {
            Source::InMemory(sent) => {
                sent.candidate.iter().chain(&sent.baseline).map(|message| digest_of(message)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Finds the messages of digests that were read.
    ///
    /// # Errors
    /// A digest without a message.
    pub(in super::super) fn resolve(
        &mut self,
        messages: &BTreeMap<String, Arc<Message>>,
    ) -> Result<(), String> {
        if let Source::Digests(digests) = &self.0 {
            let requests = resolved(digests, |digest| messages.get(digest).cloned())?;
            self.0 = Source::InMemory(Arc::new(requests));
        }
        Ok(())
    }
}

/// The messages of digests.
///
/// # Errors
/// A digest without a message.
fn resolved(
    digests: &RequestDigests,
    find: impl Fn(&String) -> Option<Arc<Message>>,
) -> Result<CaseRequests, String> {
    let of = |list: &[String]| -> Result<Vec<Arc<Message>>, String> {
        list.iter().map(|digest| find(digest).ok_or_else(|| digest.clone())).collect()
    };
    Ok(CaseRequests { candidate: of(&digests.candidate)?, baseline: of(&digests.baseline)? })
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

impl PartialEq for Requests {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.read(), other.read()), (Ok(one), Ok(other)) if one == other)
    }
}

impl Serialize for Requests {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields(&BTreeMap::new()).map_err(S::Error::custom)?.requests.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Requests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digests = Option::<RequestDigests>::deserialize(deserializer)?;
        Ok(Self(digests.map_or(Source::Unknown, |digests| Source::Digests(Box::new(digests)))))
    }
}

impl JsonSchema for Requests {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<RequestDigests>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<RequestDigests>::json_schema(generator)
    }
}

/// The messages of a report, each once, by their digest.
#[derive(Clone, Default)]
pub struct Messages {
    /// Those that many cases have.
    shared: MessageTexts,
    /// Cases whose other messages are written as well.
    cases: Vec<Requests>,
}

impl Messages {
    /// The messages of these cases, and the shared ones.
    pub(in super::super) fn new(shared: MessageTexts, cases: impl Iterator<Item = Requests>) -> Self {
        Self { shared, cases: cases.filter(|case| !case.is_unknown()).collect() }
    }

    /// The messages that many cases have.
    pub(in super::super) fn shared(&self) -> &MessageTexts {
        &self.shared
    }

    /// Removes messages from the shared ones.
    pub(in super::super) fn unshare(&mut self, digests: &BTreeSet<String>) {
        if !digests.is_empty() {
            Arc::make_mut(&mut self.shared).retain(|digest, _| !digests.contains(digest));
        }
    }

    /// Leaves all messages to trials.jsonl except the shared ones and those of these cases.
    pub(super) fn keep(&mut self, cases: impl Iterator<Item = Requests>) {
        self.cases = cases.filter(|case| !case.is_unknown()).collect();
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.cases.is_empty()
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shared.iter()).finish()
    }
}

/// Messages are compared with the cases that sent them.
impl PartialEq for Messages {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Serialize for Messages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (digest, message) in &*self.shared {
            map.serialize_entry(digest, message)?;
        }
        let mut written = BTreeSet::new();
        for case in &self.cases {
            let fields = case.fields(&self.shared).map_err(S::Error::custom)?;
            for (digest, message) in fields.messages {
                if !self.shared.contains_key(&digest) && !written.contains(&digest) {
                    map.serialize_entry(&digest, &message)?;
                    written.insert(digest);
                }
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shared = BTreeMap::<String, Arc<Message>>::deserialize(deserializer)?;
        Ok(Self { shared: Arc::new(shared), cases: Vec::new() })
    }
}

impl JsonSchema for Messages {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, Message>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, Message>::json_schema(generator)
    }
}
