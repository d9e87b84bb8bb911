//! The files of a ledger, and the content that an append gives them.
//!
//! ```text
//! events/NAME.jsonl            the events, each line with the digest of the line before it
//! versions/NAME/VERSION.json   the records
//! state/NAME.json              the state after the last event, with the digest of its line
//! releases.json                the assignments of all names, for applications
//! ```

use std::collections::BTreeMap;

use promptgate_release::chain::{self, Chain};
use promptgate_release::ports::{Addition, History, Tip};
use promptgate_release::{
    Digest, Event, EventKind, Name, PortError, RECORD_SCHEMA, RELEASES_PROMPT, Record, ReleaseEntry, State,
    Version, VersionState,
};
use serde::{Deserialize, Serialize};

/// Folder of the events.
pub(super) const EVENTS: &str = "events";
/// Folder of the records.
pub(super) const VERSIONS: &str = "versions";
/// Folder of the states.
pub(super) const STATE: &str = "state";

const STATE_SCHEMA: &str = "promptgate.state/v1";

/// Path of the events of a name, with `/`.
pub(super) fn events_path(name: &Name) -> String {
    format!("{EVENTS}/{name}.jsonl")
}

/// Path of the record of a version, with `/`.
pub(super) fn record_path(name: &Name, version: Version) -> String {
    format!("{VERSIONS}/{name}/{version}.json")
}

/// Path of the state of a name, with `/`.
pub(super) fn state_path(name: &Name) -> String {
    format!("{STATE}/{name}.json")
}

/// The name whose events are in a file; `None` for any other file.
pub(super) fn name_of_events(path: &str) -> Option<Name> {
    path.strip_prefix(EVENTS)?.strip_prefix('/')?.strip_suffix(".jsonl")?.parse().ok()
}

/// Checks that no path of a name is that of another name or of a file that git treats specially.
fn check_name(name: &Name) -> Result<(), PortError> {
    let text = name.to_string();
    let is_reserved =
        |part: &&str| part.ends_with(".json") || part.ends_with(".jsonl") || part.starts_with(".git");
    if text == RELEASES_PROMPT {
        return Err(PortError::Invalid(format!(
            "the name `{RELEASES_PROMPT}` is that of the assignments in a registry (help: choose another `release.name`)"
        )));
    }
    match text.split('/').find(is_reserved) {
        None => Ok(()),
        Some(part) => Err(PortError::Invalid(format!(
            "the name `{name}` cannot be kept in a ledger: no part may end in .json or .jsonl, or start with .git, \
             found `{part}` (help: choose another `release.name`)"
        ))),
    }
}

/// A stored state.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StateFile {
    schema: String,
    /// The digest of the line of the last event that is part of the state.
    pub(super) tip: Digest,
    pub(super) state: State,
}

impl StateFile {
    /// Parses a stored state; `path` is for the message.
    pub(super) fn parse(text: &str, path: &str) -> Result<Self, PortError> {
        check_schema(text, STATE_SCHEMA, path)?;
        serde_json::from_str(text).map_err(|error| damaged(path, &format!("not a state: {error}")))
    }
}

/// Parses the record of a version and verifies that its content is the one that was published.
///
/// # Errors
/// [`PortError::Mutated`] if the content has another digest; [`PortError::Damaged`] if it is not the record of this
/// version.
pub(super) fn parse_record(
    text: &str,
    name: &Name,
    version: Version,
    published: &VersionState,
) -> Result<Record, PortError> {
    let path = record_path(name, version);
    check_schema(text, RECORD_SCHEMA, &path)?;
    let record: Record =
        serde_json::from_str(text).map_err(|error| damaged(&path, &format!("not a record: {error}")))?;
    if record.name != *name || record.version != version {
        let found = format!("the record of {}@{}, expected {name}@{version}", record.name, record.version);
        return Err(damaged(&path, &found));
    }
    let digest = record.content.digest();
    if record.digest != published.digest || digest != published.digest {
        return Err(PortError::Mutated(format!(
            "{path}: {name}@{version} was changed after it was published: its content has {}, expected {} \
             (help: restore the file from the ledger's history, or publish the content as a new version)",
            digest.short(),
            published.digest.short()
        )));
    }
    // The rest of the record decides as well: its policy and its authors.
    let found = Digest::of(text);
    match &published.record {
        Some(expected) if *expected != found => Err(PortError::Mutated(format!(
            "{path}: the record of {name}@{version} was changed after it was published: it has {}, expected {} (help: \
             restore the file from the ledger's history)",
            found.short(),
            expected.short()
        ))),
        _ => Ok(record),
    }
}

fn check_schema(text: &str, expected: &str, path: &str) -> Result<(), PortError> {
    #[derive(Deserialize)]
    struct Schema {
        schema: String,
    }
    let Schema { schema: found } = serde_json::from_str(text)
        .map_err(|error| damaged(path, &format!("expected {expected}: {error}")))?;
    if found == expected {
        return Ok(());
    }
    let found: String = found.chars().filter(|character| !character.is_control()).take(60).collect();
    Err(damaged(
        path,
        &format!("unknown schema `{found}`, expected {expected} (help: use a newer promptgate)"),
    ))
}

/// Damage of a file, which may not be repaired by guessing.
pub(super) fn damaged(path: &str, problem: &str) -> PortError {
    PortError::Damaged(format!("{path}: {problem}"))
}

/// Reads the events of a name and verifies their chain.
pub(super) fn read_events(text: &str, name: &Name) -> Result<Chain, PortError> {
    chain::read(text)
        .map_err(|broken| damaged(&format!("{}:{}", events_path(name), broken.line), &broken.problem))
}

/// The state after all events of a name.
pub(super) fn fold(chain: &Chain, name: &Name) -> Result<State, PortError> {
    // Each event is one line.
    State::fold(&chain.events).map_err(|invalid| {
        damaged(
            &format!("{}:{}", events_path(name), invalid.position),
            &format!("the event cannot follow the ones before it: {}", invalid.problem),
        )
    })
}

/// The events of a name as callers read them.
pub(super) fn history(chain: Chain) -> History {
    History { events: chain.events, tip: chain.tip }
}

/// The files that an append writes, but for the assignments of all names.
#[derive(Debug)]
pub(super) struct Writes {
    /// Paths and texts of the records.
    pub(super) records: Vec<(String, String)>,
    /// The lines that follow the existing ones.
    pub(super) lines: String,
    /// The text of the state file.
    pub(super) state: String,
    /// The assignment of the name after it.
    pub(super) entry: Option<ReleaseEntry>,
    /// The digest of the last line.
    pub(super) tip: Tip,
    /// The number of events, with the existing ones.
    pub(super) count: usize,
}

/// Determines what an append writes. `events` is the current text of the events of `name`.
///
/// # Errors
/// [`PortError::Conflict`] if the events do not end at `expected`; [`PortError::Invalid`] for an addition that the
/// ledger could not be read with; [`PortError::Damaged`] if the ledger already cannot be read.
pub(super) fn prepare(
    name: &Name,
    events: &str,
    addition: &Addition,
    expected: Option<&Tip>,
) -> Result<Writes, PortError> {
    check_name(name)?;
    let chain = read_events(events, name)?;
    if chain.tip.as_ref() != expected {
        return Err(PortError::Conflict("ledger"));
    }
    let mut state = fold(&chain, name)?;
    let (records, events) = records(name, addition)?;
    for event in &events {
        state.apply(event).map_err(|problem| {
            PortError::Invalid(format!("the event cannot be appended to the ledger of {name}: {problem}"))
        })?;
    }
    let invalid =
        |error: serde_json::Error| PortError::Invalid(format!("cannot be written as JSON: {error}"));
    let (lines, tip) = chain::lines(chain.tip.as_ref(), &events).map_err(invalid)?;
    let tip = tip.filter(|_| !events.is_empty());
    let tip = tip.ok_or_else(|| PortError::Invalid("an append needs at least one event".to_owned()))?;
    let entry = ReleaseEntry::of(&state);
    let file = StateFile { schema: STATE_SCHEMA.to_owned(), tip: tip.clone(), state };
    let state = pretty(&file)?;
    Ok(Writes { records, lines, state, entry, tip, count: chain.events.len() + events.len() })
}

/// Paths and texts of files.
type Files = Vec<(String, String)>;

/// The files of the records of an addition, one for each version that it publishes and no other, and its events with the
/// digests of these files.
fn records(name: &Name, addition: &Addition) -> Result<(Files, Vec<Event>), PortError> {
    let mut records: BTreeMap<Version, &Record> =
        addition.records.iter().map(|record| (record.version, record)).collect();
    if records.len() != addition.records.len() {
        return Err(PortError::Invalid(format!("two records for one version of {name}")));
    }
    let mut files = Vec::new();
    let mut events = addition.events.clone();
    for Event { kind, .. } in &mut events {
        let EventKind::Published { version, number, digest, record: of_file, .. } = kind else { continue };
        let of_event = |record: &&Record| {
            record.schema == RECORD_SCHEMA
                && record.name == *name
                && record.number == *number
                && record.digest == *digest
                && record.content.digest() == *digest
        };
        let record = records.remove(version).filter(of_event).ok_or_else(|| {
            PortError::Invalid(format!("{name}@{version} is published without a record of the same content"))
        })?;
        let text = pretty(record)?;
        check_readable(&text, record)?;
        *of_file = Some(Digest::of(&text));
        files.push((record_path(name, *version), text));
    }
    match records.keys().next() {
        None => Ok((files, events)),
        Some(version) => Err(PortError::Invalid(format!("the record of {name}@{version} is not published"))),
    }
}

/// Refuses a record that cannot be read again, such as one that is nested too deeply: no command could go past it.
fn check_readable(text: &str, record: &Record) -> Result<(), PortError> {
    let problem = match serde_json::from_str::<Record>(text) {
        Ok(read) if read.content.digest() == record.digest => return Ok(()),
        Ok(_) => "its content changes when it is written as JSON".to_owned(),
        Err(error) => error.to_string(),
    };
    let Record { name, version, .. } = record;
    Err(PortError::Invalid(format!("the record of {name}@{version} cannot be stored: {problem}")))
}

fn pretty(value: &impl Serialize) -> Result<String, PortError> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n")
        .map_err(|error| PortError::Invalid(format!("cannot be written as JSON: {error}")))
}
