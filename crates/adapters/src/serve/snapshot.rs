//! The state of a ledger as it is served: immutable, and replaced as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use promptgate_release::ports::LedgerStore;
use promptgate_release::{Label, Name, PortError, Record, State, Variant, Version};
use serde_json::json;

use super::refresh::{Problem, Subject};
use super::response::Representation;
use super::variant::Assigned;
use super::{langfuse, prompt};

/// All prompts of a ledger.
#[derive(Default)]
pub(super) struct Snapshot {
    prompts: BTreeMap<Name, Result<Arc<Prompt>, String>>,
    /// The assignments of all prompts, with their `seq`.
    releases: Option<(u64, Representation)>,
}

impl Snapshot {
    /// Reads the ledger. What cannot be read is taken from `previous`, and is a problem.
    ///
    /// # Errors
    /// The names cannot be read.
    pub(super) async fn read(
        ledger: &dyn LedgerStore,
        previous: Option<&Self>,
    ) -> Result<(Self, Vec<Problem>), PortError> {
        let mut snapshot = Self::default();
        let mut problems = Vec::new();
        for name in ledger.names().await? {
            let before = previous.and_then(|previous| previous.prompt(&name)?.ok());
            let prompt = match Prompt::read(ledger, &name, before, &mut problems).await {
                Ok(prompt) => Ok(prompt),
                Err(reason) => {
                    problems.push(Problem { subject: Subject::Prompt(name.clone()), reason: reason.clone() });
                    before.cloned().ok_or(reason)
                }
            };
            snapshot.prompts.insert(name, prompt);
        }
        // Nothing is ever removed from a ledger: a name that is gone means that files are.
        for (name, prompt) in previous.iter().flat_map(|previous| &previous.prompts) {
            if !snapshot.prompts.contains_key(name) {
                let reason = "it is no longer in the ledger".to_owned();
                problems.push(Problem { subject: Subject::Prompt(name.clone()), reason });
                snapshot.prompts.insert(name.clone(), prompt.clone());
            }
        }
        let before = previous.and_then(|previous| previous.releases.clone());
        let read = match ledger.releases().await {
            // As every reader of them does.
            Ok(read) if before.as_ref().is_some_and(|(seq, _)| read.seq < *seq) => {
                Err(format!("the assignments went back to seq {}", read.seq))
            }
            Ok(read) => Ok((read.seq, Representation::new(&json!(read)))),
            Err(error) => Err(error.to_string()),
        };
        snapshot.releases = match read {
            Ok(read) => Some(read),
            Err(reason) => {
                problems.push(Problem { subject: Subject::Releases, reason });
                before
            }
        };
        Ok((snapshot, problems))
    }

    /// The assignments of all prompts; `None` while they could never be read.
    pub(super) fn releases(&self) -> Option<&Representation> {
        self.releases.as_ref().map(|(_, releases)| releases)
    }

    /// The names, also of prompts that cannot be served.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.prompts.keys()
    }

    /// The number of prompts.
    pub(super) fn len(&self) -> usize {
        self.prompts.len()
    }

    /// A prompt, or why it cannot be served; `None` for an unknown name.
    pub(super) fn prompt(&self, name: &Name) -> Option<Result<&Arc<Prompt>, &str>> {
        self.prompts.get(name).map(|prompt| prompt.as_ref().map_err(String::as_str))
    }

    /// The prompts that can be served, by name.
    pub(super) fn prompts(&self) -> impl Iterator<Item = &Arc<Prompt>> {
        self.prompts.values().filter_map(|prompt| prompt.as_ref().ok())
    }
}

/// A prompt with its versions and labels.
pub(super) struct Prompt {
    /// Its name.
    pub(super) name: Name,
    /// Its state.
    pub(super) state: State,
    /// Its newest version, which is asked for with the labels of every version.
    latest: Option<Version>,
    versions: BTreeMap<Version, Served>,
    /// The responses of the own route to an assigned unit; what they show is part of the state.
    variants: [OnceLock<Representation>; 2],
}

/// A version with the response of Langfuse's route, which shows its labels.
struct Served {
    content: Result<Arc<Verified>, String>,
    langfuse: OnceLock<Representation>,
}

/// A version whose content matches its digest, with its responses that do not depend on labels. Each response is made
/// when it is first asked for.
pub(super) struct Verified {
    /// The record.
    pub(super) record: Record,
    pinned: OnceLock<Representation>,
}

impl Prompt {
    async fn read(
        ledger: &dyn LedgerStore,
        name: &Name,
        before: Option<&Arc<Self>>,
        problems: &mut Vec<Problem>,
    ) -> Result<Arc<Self>, String> {
        let state = match ledger.state(name).await {
            Ok(Some(state)) => state,
            Ok(None) => return Err("its state is missing in the ledger".to_owned()),
            Err(error) => return Err(error.to_string()),
        };
        if let Some(before) = before
            && (state.moves.len() < before.state.moves.len()
                || state.exposures.len() < before.state.exposures.len()
                || state.versions.len() < before.state.versions.len())
        {
            return Err(format!(
                "the ledger went back: it has {} versions and {} moves of labels, and had {} and {}",
                state.versions.len(),
                state.moves.len(),
                before.state.versions.len(),
                before.state.moves.len()
            ));
        }
        let labelled: BTreeSet<Version> = state.labels.values().copied().collect();
        let mut versions = BTreeMap::new();
        for version in state.versions.keys() {
            let good = before.and_then(|before| before.verified(*version)?.ok());
            let good = good.filter(|good| state.versions[version].digest == good.record.digest);
            // A verified version is read again only while a label points at it, to notice that it was changed.
            if let Some(good) = good.filter(|_| !labelled.contains(version)) {
                versions.insert(*version, Served::new(Ok(Arc::clone(good))));
                continue;
            }
            let content = match Verified::read(ledger, name, *version, &state).await {
                // The record has not changed, so neither have the responses that were made of it.
                Ok(read) => Ok(good.filter(|good| good.record == read.record).map_or(read, Arc::clone)),
                Err(reason) => {
                    let subject = Subject::Version(name.clone(), *version);
                    problems.push(Problem { subject, reason: reason.clone() });
                    good.cloned().ok_or(reason)
                }
            };
            versions.insert(*version, Served::new(content));
        }
        let variants = Default::default();
        let prompt = Self { name: name.clone(), latest: state.latest(), state, versions, variants };
        Ok(before.filter(|before| before.is_same(&prompt)).cloned().unwrap_or_else(|| Arc::new(prompt)))
    }

    /// Whether all responses are the same, so that those that were made can be kept.
    fn is_same(&self, other: &Self) -> bool {
        let same = |(one, other): (&Served, &Served)| match (&one.content, &other.content) {
            (Ok(one), Ok(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.as_ref().err() == other.as_ref().err(),
        };
        self.state == other.state && self.versions.values().zip(other.versions.values()).all(same)
    }

    /// A version, or why it cannot be served; `None` for an unknown version.
    pub(super) fn verified(&self, version: Version) -> Option<Result<&Arc<Verified>, &str>> {
        self.versions.get(&version).map(|served| served.content.as_ref().map_err(String::as_str))
    }

    /// The version with a number.
    pub(super) fn numbered(&self, number: u64) -> Option<Version> {
        self.state.versions.iter().find(|(_, state)| state.number == number).map(|(version, _)| *version)
    }

    /// The labels of a version, sorted by text.
    pub(super) fn labels(&self, version: Version) -> Vec<String> {
        let mut labels: BTreeSet<String> = BTreeSet::new();
        labels.extend(
            self.state.labels.iter().filter(|(_, at)| **at == version).map(|(label, _)| label.to_string()),
        );
        // `latest` is the newest version, whatever the ledger may have under this label.
        labels.remove("latest");
        if self.latest == Some(version) {
            labels.insert(Label::Latest.to_string());
        }
        labels.insert(format!("v{version}"));
        labels.into_iter().collect()
    }

    /// The response of the own route to a unit that is assigned to a version.
    pub(super) fn assigned(&self, verified: &Verified, assigned: Assigned) -> &Representation {
        let [control, treatment] = &self.variants;
        let response = if assigned.variant == Variant::Treatment { treatment } else { control };
        response.get_or_init(|| Representation::new(&prompt::body(&verified.record, Some(assigned))))
    }

    /// The response of Langfuse's route.
    pub(super) fn langfuse(&self, verified: &Verified) -> Representation {
        let new = || Representation::new(&langfuse::body(self, &verified.record));
        // The version is one of this prompt's; a stranger's response is not kept.
        let served = self.versions.get(&verified.record.version);
        served.map_or_else(new, |served| served.langfuse.get_or_init(new).clone())
    }
}

impl Served {
    fn new(content: Result<Arc<Verified>, String>) -> Self {
        Self { content, langfuse: OnceLock::new() }
    }
}

impl Verified {
    /// Reads a version, and verifies that its content has the digest that was published.
    async fn read(
        ledger: &dyn LedgerStore,
        name: &Name,
        version: Version,
        state: &State,
    ) -> Result<Arc<Self>, String> {
        let record = match ledger.record(name, version).await {
            Ok(Some(record)) => record,
            Ok(None) => return Err("its record is missing in the ledger".to_owned()),
            Err(error) => return Err(error.to_string()),
        };
        let published = &state.versions[&version];
        let found = record.content.digest();
        if found != published.digest {
            return Err(format!(
                "it was changed after it was published: its content has {}, expected {}",
                found.short(),
                published.digest.short()
            ));
        }
        let is_same = record.name == *name && record.version == version && record.number == published.number;
        if !is_same || record.digest != published.digest {
            return Err("its record is that of another version".to_owned());
        }
        Ok(Arc::new(Self { record, pinned: OnceLock::new() }))
    }

    /// The response of the own route to a request for exactly this version.
    pub(super) fn pinned(&self) -> &Representation {
        self.pinned.get_or_init(|| Representation::new(&prompt::body(&self.record, None)))
    }
}
