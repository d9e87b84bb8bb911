//! Appends to a ledger: read, decide, append if nobody else did.

use jiff::Timestamp;

use super::resolve::fold;
use promptgate_adapters::ledger::{MAX_ATTEMPTS, pause};
use promptgate_release::ports::{Addition, History, LedgerStore};
use promptgate_release::{Actor, Event, EventKind, Name, PortError, State};

/// Signs events.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    /// The time.
    pub(super) at: Timestamp,
    /// Who.
    pub(super) actor: Actor,
}

impl Stamp {
    /// An event of now.
    pub(super) fn event(&self, kind: EventKind) -> Event {
        Event { at: self.at, actor: self.actor.clone(), kind }
    }

    /// An addition of events alone.
    pub(super) fn events(&self, kinds: impl IntoIterator<Item = EventKind>) -> Addition {
        Addition { records: Vec::new(), events: kinds.into_iter().map(|kind| self.event(kind)).collect() }
    }
}

/// The newest state of a prompt, and the history that it is the fold of.
pub(super) struct Current {
    /// The state.
    pub(super) state: State,
    /// The events, and their position.
    pub(super) history: History,
}

/// Fetches and reads the newest state.
pub(super) async fn current(ledger: &dyn LedgerStore, name: &Name) -> Result<Current, PortError> {
    ledger.refresh().await?;
    known(ledger, name).await
}

/// Reads the state that was last fetched.
pub(super) async fn known(ledger: &dyn LedgerStore, name: &Name) -> Result<Current, PortError> {
    let history = ledger.history(name).await?;
    let state = fold(ledger, name, &history.events)?;
    Ok(Current { state, history })
}

/// Decides on the newest state and appends the result, until no other writer came between.
///
/// # Errors
/// The error of `decide`, or of the ledger; [`PortError::Conflict`] after ten attempts.
pub(super) async fn append<T, E: From<PortError>>(
    ledger: &dyn LedgerStore,
    name: &Name,
    mut decide: impl AsyncFnMut(&Current) -> Result<(Addition, T), E>,
) -> Result<T, E> {
    let mut attempt = 0;
    loop {
        let current = current(ledger, name).await?;
        let (addition, result) = decide(&current).await?;
        if addition.events.is_empty() {
            return Ok(result);
        }
        match ledger.append(name, &addition, current.history.tip.as_ref()).await {
            Ok(_) => return Ok(result),
            Err(PortError::Conflict(_)) if attempt + 1 < MAX_ATTEMPTS => {
                attempt += 1;
                tokio::time::sleep(pause(attempt)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
