//! Events that a ledger did not take, kept beside the configuration until it does.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::app::Failure;
use promptgate_release::ports::{Addition, LedgerStore};
use promptgate_release::{Event, EventKind, Name, PortError, State};

use super::write;

/// The event as a line of JSON, without a line feed.
///
/// # Errors
/// An event that cannot be written as JSON.
pub(super) fn line(event: &Event) -> Result<String, Failure> {
    serde_json::to_string(event).map_err(|error| Failure::Internal(error.to_string()))
}

fn file(folder: &Path, name: &Name) -> PathBuf {
    folder.join(".promptgate").join("pending").join(format!("{}.jsonl", name.to_string().replace('/', "+")))
}

/// Appends an event to the file of pending ones, and returns its path.
///
/// # Errors
/// The file cannot be written.
pub(super) fn keep(folder: &Path, name: &Name, line: &str) -> Result<String, Failure> {
    let path = file(folder, name);
    let shown = path.display().to_string();
    let write = || {
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        let mut file = std::fs::File::options().create(true).append(true).open(&path)?;
        writeln!(file, "{line}")?;
        file.sync_all()
    };
    write().map_err(|error| Failure::writing(&shown, &error))?;
    Ok(shown)
}

/// The pending events of a name, oldest first.
///
/// # Errors
/// The file cannot be read, or holds something else.
pub(super) fn read(folder: &Path, name: &Name) -> Result<Vec<Event>, Failure> {
    let path = file(folder, name);
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::Internal(format!("cannot read {shown}: {error}"))),
    };
    let events: Result<Vec<Event>, _> = text.lines().map(serde_json::from_str).collect();
    Ok(events.map_err(|error| PortError::Damaged(format!("{shown} holds no events: {error}")))?)
}

/// Appends the pending events of a name to its ledger, and removes them from the file. Returns one line for people.
///
/// # Errors
/// The file cannot be read, or the ledger fails: then the events stay.
pub(super) async fn append(
    folder: &Path,
    name: &Name,
    ledger: &dyn LedgerStore,
) -> Result<Option<String>, Failure> {
    let events = read(folder, name)?;
    let path = file(folder, name);
    if !path.exists() {
        return Ok(None);
    }
    let appended = write::append(ledger, name, async |current: &write::Current| {
        let (_, events) = following(&current.state, &events);
        let count = events.len();
        Ok::<_, PortError>((Addition { records: Vec::new(), events }, count))
    })
    .await?;
    let shown = path.display().to_string();
    std::fs::remove_file(&path).map_err(|error| Failure::writing(&shown, &error))?;
    let plural = if events.len() == 1 { "" } else { "s" };
    Ok(Some(match events.len() - appended {
        0 => format!("appended {appended} pending event{plural} from {shown}"),
        overtaken => format!(
            "appended {appended} of {} pending event{plural} from {shown}: {overtaken} came too late: the ledger has newer moves",
            events.len()
        ),
    }))
}

/// The state after those events that can follow it, and these events.
pub(super) fn following(state: &State, events: &[Event]) -> (State, Vec<Event>) {
    let mut state = state.clone();
    let mut followed = Vec::new();
    for event in events {
        if !is_overtaken(event, &state) && state.apply(event).is_ok() {
            followed.push(event.clone());
        }
    }
    (state, followed)
}

/// Whether the label was moved in the ledger since the event was kept: then its version is not what the event knew, or
/// was moved away and back later.
fn is_overtaken(event: &Event, state: &State) -> bool {
    let EventKind::Moved { label, from, .. } = &event.kind else { return false };
    let is_newer = state.moves.iter().any(|moved| moved.label == *label && moved.at > event.at);
    is_newer || state.labels.get(label) != from.as_ref()
}
