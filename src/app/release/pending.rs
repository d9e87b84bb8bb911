//! Events that a ledger did not take, kept beside the configuration until it does.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::app::Failure;
use promptgate_release::ports::LedgerStore;
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

/// Appends the pending events of a name to its ledger, and removes them from the file. Returns one line for people.
///
/// # Errors
/// The file cannot be read, or the ledger fails: then the events stay.
pub(super) async fn append(
    folder: &Path,
    name: &Name,
    ledger: &dyn LedgerStore,
) -> Result<Option<String>, Failure> {
    let path = file(folder, name);
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::Internal(format!("cannot read {shown}: {error}"))),
    };
    let events: Result<Vec<Event>, _> = text.lines().map(serde_json::from_str).collect();
    let events = events.map_err(|error| PortError::Damaged(format!("{shown} holds no events: {error}")))?;
    let count = events.len();
    write::append(ledger, name, async |current: &write::Current| {
        let mut state = current.state.clone();
        let mut addition = promptgate_release::ports::Addition::default();
        for event in &events {
            let event = rebased(event, &state);
            // An event that was appended by hand meanwhile cannot follow a second time.
            if let Some(event) = event.filter(|event| state.apply(event).is_ok()) {
                addition.events.push(event);
            }
        }
        Ok::<_, PortError>((addition, ()))
    })
    .await?;
    std::fs::remove_file(&path).map_err(|error| Failure::writing(&shown, &error))?;
    Ok(Some(format!("appended {count} pending event{} from {shown}", if count == 1 { "" } else { "s" })))
}

/// The event as it follows the state: other events may have been appended since it was kept.
fn rebased(event: &Event, state: &State) -> Option<Event> {
    let mut event = event.clone();
    if let EventKind::Moved { label, from, version, .. } = &mut event.kind {
        let now = state.labels.get(label).copied();
        if now == Some(*version) {
            return None;
        }
        *from = now;
    }
    Some(event)
}
