//! `releases.json`: the assignments of all names, rebuilt from their states with each append.

use std::collections::BTreeMap;

use promptgate_release::chain::Chain;
use promptgate_release::{Name, PortError, RELEASES_FILE, ReleaseEntry, Releases, State};

use super::layout::{damaged, events_path};
use super::verification::StateAge;

/// A ledger at one moment: a commit, or a folder that is locked.
pub(super) trait Source {
    /// The names that have events.
    fn names(&mut self) -> Result<Vec<Name>, PortError>;
    /// The state of a name after its last event.
    fn state(&mut self, name: &Name) -> Result<Option<State>, PortError>;
    /// The text of a file.
    fn file(&mut self, path: &str) -> Result<Option<String>, PortError>;
}

/// The stored assignments, and what they are once `changed` is appended.
#[derive(Debug)]
pub(super) struct Rebuilt {
    /// The assignments.
    pub(super) releases: Releases,
    /// Whether they differ from the file.
    pub(super) is_new: bool,
}

impl Rebuilt {
    /// The text to write; `None` if the file has it.
    pub(super) fn text(&self) -> Result<Option<String>, PortError> {
        if !self.is_new {
            return Ok(None);
        }
        let text = self.releases.text();
        text.map(Some).map_err(|error| PortError::Invalid(format!("cannot be written as JSON: {error}")))
    }
}

/// Rebuilds the assignments of all names. `changed` is a name with the entry of its new state, which is not stored yet.
///
/// A file that is missing or damaged is replaced. Its `seq` is then the number of all events, which no earlier one
/// exceeds: each append has an event, and raises it by one at most. The state of another name that cannot be read, which
/// `verify` reports, keeps its entry: a rollback of this name must not wait for it.
///
/// # Errors
/// Names or files that cannot be read.
pub(super) fn rebuild(
    source: &mut dyn Source,
    changed: Option<(&Name, Option<ReleaseEntry>)>,
) -> Result<Rebuilt, PortError> {
    let names = source.names()?;
    let stored = match source.file(RELEASES_FILE) {
        Ok(text) => text.map(|text| Releases::parse(&text)),
        Err(PortError::Damaged(problem)) => Some(Err(problem)),
        Err(error) => return Err(error),
    };
    let known = stored.as_ref().and_then(|stored| stored.as_ref().ok());
    let mut prompts: BTreeMap<Name, ReleaseEntry> = BTreeMap::new();
    for name in &names {
        let entry = match source.state(name) {
            Ok(state) => state.as_ref().and_then(ReleaseEntry::of),
            Err(_) => known.and_then(|known| known.prompts.get(name).cloned()),
        };
        prompts.extend(entry.map(|entry| (name.clone(), entry)));
    }
    let before = match stored {
        Some(Ok(releases)) => releases,
        None if prompts.is_empty() => Releases::default(),
        None | Some(Err(_)) => Releases { seq: count_events(source, &names)?, ..Releases::default() },
    };
    if let Some((name, entry)) = changed {
        prompts.remove(name);
        prompts.extend(entry.map(|entry| (name.clone(), entry)));
    }
    let releases = before.followed_by(prompts);
    Ok(Rebuilt { is_new: releases != before, releases })
}

/// The assignments after the first append to a ledger.
pub(super) fn first(name: &Name, entry: Option<ReleaseEntry>) -> Rebuilt {
    let prompts = entry.into_iter().map(|entry| (name.clone(), entry)).collect();
    let releases = Releases::default().followed_by(prompts);
    Rebuilt { is_new: releases.seq > 0, releases }
}

fn count_events(source: &mut dyn Source, names: &[Name]) -> Result<u64, PortError> {
    let mut count = 0;
    for name in names {
        let events = source.file(&events_path(name))?.unwrap_or_default();
        count += events.lines().count() as u64;
    }
    Ok(count)
}

/// Reads the file; that of a ledger without one is rebuilt.
///
/// # Errors
/// [`PortError::Damaged`] if it cannot be read.
pub(super) fn read(source: &mut dyn Source, age: StateAge) -> Result<Releases, PortError> {
    let stored = source.file(RELEASES_FILE)?.map(|text| parse(&text)).transpose()?;
    match stored {
        // It is written together with the events.
        Some(stored) if age == StateAge::Newest => Ok(stored),
        // An append may have been interrupted before it was written.
        _ => rebuild(source, None).map(|rebuilt| rebuilt.releases),
    }
}

/// Parses the text of the file.
pub(super) fn parse(text: &str) -> Result<Releases, PortError> {
    let help = "(help: the next append writes it again)";
    Releases::parse(text).map_err(|problem| damaged(RELEASES_FILE, &format!("{problem} {help}")))
}

/// Compares the entry of a name with its state. `text` is that of the file; `None` if there is none.
///
/// # Errors
/// [`PortError::Damaged`] if it is not that of the events.
pub(super) fn verify(
    name: &Name,
    chain: &Chain,
    folded: &State,
    text: Option<&str>,
    age: StateAge,
) -> Result<(), PortError> {
    let stored = text.map(parse).transpose()?.and_then(|mut releases| releases.prompts.remove(name));
    let is_earlier = || {
        let mut state = State::default();
        let mut events = chain.events.iter();
        loop {
            if ReleaseEntry::of(&state) == stored {
                return true;
            }
            match events.next() {
                Some(event) if state.apply(event).is_ok() => {}
                _ => return false,
            }
        }
    };
    if stored == ReleaseEntry::of(folded) || (age == StateAge::AnyEvent && is_earlier()) {
        return Ok(());
    }
    Err(damaged(
        RELEASES_FILE,
        &format!(
            "the assignment of {name} is not that of its events (help: the next append writes it again)"
        ),
    ))
}
