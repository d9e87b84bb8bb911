//! Events that a ledger did not take, kept beside the configuration until it does.
//!
//! Only a rollback is ever kept. The file is on the disk of whoever rolled back: one that came with the repository, or
//! holds anything else, could put evidence, approvals and promotions into the ledger with the key of whoever runs next.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::app::Failure;
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::ports::{Addition, LedgerStore};
use promptgate_release::rollout::RolloutOutcome;
use promptgate_release::{Event, EventKind, MoveCause, Name, PortError, State};

use super::write;

/// The event as a line of JSON, without a line feed.
///
/// # Errors
/// An event that cannot be written as JSON.
pub(super) fn line(event: &Event) -> Result<String, Failure> {
    serde_json::to_string(event).map_err(|error| Failure::Internal(error.to_string()))
}

/// The folder of pending events, relative to that of the configuration.
const FOLDERS: [&str; 2] = [".promptgate", "pending"];

fn file_name(name: &Name) -> String {
    format!("{}.jsonl", name.to_string().replace('/', "+"))
}

fn file(folder: &Path, name: &Name) -> PathBuf {
    folder.join(FOLDERS[0]).join(FOLDERS[1]).join(file_name(name))
}

/// Refuses a file that came with the repository: committed, staged, in a submodule, or behind a symbolic link.
fn refuse_committed(folder: &Path, name: &Name) -> Result<(), Diagnostic> {
    let path = file(folder, name);
    let refuse = |what: &str| {
        Diagnostic::new(format!("{what}, so whoever commits could write to the ledger with it"))
            .at(Place::file(path.display().to_string()))
            .help("pending events are of this machine alone: `git rm --cached` takes the file out of the repository")
    };
    let mut part = folder.to_owned();
    for below in FOLDERS.iter().copied().chain([file_name(name).as_str()]) {
        part.push(below);
        if part.is_symlink() {
            return Err(refuse("this file of pending events is behind a symbolic link"));
        }
    }
    let Some(repository) = Repository::find(folder)? else { return Ok(()) };
    let inner = path.parent().map(Repository::discover);
    let is_of_another = inner.is_some_and(|inner| inner.is_ok_and(|inner| inner.top() != repository.top()));
    if is_of_another || repository.tracks(&[FOLDERS[0], FOLDERS[1], &file_name(name)].join("/"))? {
        return Err(refuse("this file of pending events is part of the repository"));
    }
    Ok(())
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
/// The file cannot be read, holds anything but rollbacks, or came with the repository.
pub(super) fn read(folder: &Path, name: &Name) -> Result<Vec<Event>, Failure> {
    let path = file(folder, name);
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::Internal(format!("cannot read {shown}: {error}"))),
    };
    refuse_committed(folder, name)?;
    let events: Result<Vec<Event>, _> = text.lines().map(serde_json::from_str).collect();
    let events = events.map_err(|error| PortError::Damaged(format!("{shown} holds no events: {error}")))?;
    // Events that a rollback keeps, also that of a running rollout.
    let is_rollback = |event: &Event| {
        matches!(
            event.kind,
            EventKind::Moved { cause: MoveCause::Rollback, .. }
                | EventKind::RolloutEnded { outcome: RolloutOutcome::RolledBack, .. }
                | EventKind::Abandoned { .. }
        )
    };
    match events.iter().position(|event| !is_rollback(event)) {
        None => Ok(events),
        Some(index) => {
            Err(Diagnostic::new("this pending event is not a rollback, and no other is ever kept")
                .at(Place::line(&shown, index + 1))
                .help("remove the line: promptgate did not write it")
                .into())
        }
    }
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
