//! Comparison of everything that is stored for a name with its events.

use promptgate_release::chain::{self, Chain};
use promptgate_release::{Name, PortError, State, Version};

use super::layout::{StateFile, damaged, fold, parse_record, read_events, record_path, state_path};
use super::releases;

/// Whether a stored state may be that of an earlier event, as after an append that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateAge {
    /// It is written together with the events.
    Newest,
    /// It is written after the events.
    AnyEvent,
}

/// The derived files of a ledger: their texts, or `None` for a missing one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Derived<'t> {
    /// The state of the name.
    pub(super) state: Option<&'t str>,
    /// The assignments of all names.
    pub(super) releases: Option<&'t str>,
    /// How old they may be.
    pub(super) age: StateAge,
}

/// Verifies the events, the state, the assignment and the records of a name. `record` returns the text of a record; `None`
/// for a missing one.
pub(super) fn verify(
    name: &Name,
    events: &str,
    derived: Derived<'_>,
    mut record: impl FnMut(Version) -> Result<Option<String>, PortError>,
) -> Result<Chain, PortError> {
    let chain = read_events(events, name)?;
    let folded = fold(&chain, name)?;
    let Derived { state, releases, age } = derived;
    verify_state(name, events, &chain, &folded, state, age)?;
    releases::verify(name, &chain, &folded, releases, age)?;
    for (version, published) in &folded.versions {
        let text = record(*version)?.ok_or_else(|| {
            damaged(&record_path(name, *version), "the record of a published version is missing")
        })?;
        parse_record(&text, name, *version, published)?;
    }
    Ok(chain)
}

fn verify_state(
    name: &Name,
    events: &str,
    chain: &Chain,
    folded: &State,
    state: Option<&str>,
    age: StateAge,
) -> Result<(), PortError> {
    let path = state_path(name);
    let Some(text) = state else {
        if chain.events.is_empty() || age == StateAge::AnyEvent {
            return Ok(());
        }
        return Err(damaged(&path, "the state is missing"));
    };
    let stored = StateFile::parse(text, &path)?;
    let matches = if Some(&stored.tip) == chain.tip.as_ref() {
        stored.state == *folded
    } else if age == StateAge::AnyEvent {
        let length = events.lines().position(|line| chain::digest(line) == stored.tip).map(|index| index + 1);
        let earlier = length.and_then(|length| State::fold(chain.events.iter().take(length)).ok());
        earlier.is_some_and(|earlier| earlier == stored.state)
    } else {
        false
    };
    if matches { Ok(()) } else { Err(damaged(&path, "the state is not that of the events")) }
}
