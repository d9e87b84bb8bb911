//! Reads the ledger in the background.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use promptgate_release::ports::LedgerStore;
use promptgate_release::{Name, PortError, RELEASES_FILE, Version};
use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio::time::Instant;

use super::PromptServer;
use super::snapshot::Snapshot;

/// Time after which a read of the ledger that has not ended is a problem.
pub(super) const REFRESH_TIMEOUT: Duration = Duration::from_secs(60);

/// The part of a ledger that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The ledger: nothing new is seen.
    Ledger,
    /// The assignments of all prompts: the last good ones are served as a file. Units are assigned by the prompts' states.
    Releases,
    /// A prompt: its last good state is served.
    Prompt(Name),
    /// A version: it is served only if it was verified before.
    Version(Name, Version),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger => f.write_str("ledger"),
            Self::Releases => f.write_str(RELEASES_FILE),
            Self::Prompt(name) => write!(f, "{name}"),
            Self::Version(name, version) => write!(f, "{name}@{version}"),
        }
    }
}

/// A part of the ledger that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The part.
    pub subject: Subject,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.reason)
    }
}

/// The served state, and how well it could be read.
#[derive(Clone)]
pub(super) struct View {
    /// The served state.
    pub(super) snapshot: Arc<Snapshot>,
    /// The parts that could not be read the last time.
    pub(super) problems: Vec<Problem>,
    /// The start of the last read without a problem of the whole ledger.
    pub(super) current_at: Instant,
    /// When the first of the problems began.
    pub(super) degraded_at: Option<Instant>,
}

impl View {
    /// Whether a part of the ledger could not be read the last time.
    pub(super) fn has_problem(&self, subject: &Subject) -> bool {
        self.problems.iter().any(|problem| problem.subject == *subject)
    }

    /// This view with what a later read found.
    fn after(&self, read: Read, began: Instant) -> Self {
        let is_current = !read.problems.iter().any(|problem| problem.subject == Subject::Ledger);
        Self {
            snapshot: read.snapshot.unwrap_or_else(|| Arc::clone(&self.snapshot)),
            degraded_at: if read.problems.is_empty() {
                None
            } else {
                Some(self.degraded_at.unwrap_or_else(Instant::now))
            },
            problems: read.problems,
            current_at: if is_current { began } else { self.current_at },
        }
    }
}

/// The result of reading the ledger once.
struct Read {
    /// `None` if nothing could be read.
    snapshot: Option<Arc<Snapshot>>,
    problems: Vec<Problem>,
}

impl Read {
    fn failed(reason: String) -> Self {
        Self { snapshot: None, problems: vec![Problem { subject: Subject::Ledger, reason }] }
    }
}

/// Reads the ledger for the first time. If it cannot be fetched, what was fetched last is read.
pub(super) async fn first(ledger: Arc<dyn LedgerStore>) -> Result<View, PortError> {
    let began = Instant::now();
    let reading = blocking(move |handle| handle.block_on(fetch_and_read(&*ledger, None)));
    let (snapshot, problems) = match reading.await {
        Ok(read) => read?,
        Err(error) => return Err(PortError::Unavailable(error.to_string())),
    };
    let degraded_at = if problems.is_empty() { None } else { Some(began) };
    Ok(View { snapshot: Arc::new(snapshot), problems, current_at: began, degraded_at })
}

/// Reads the ledger at the interval, until it is dropped.
pub(super) async fn run(server: Arc<PromptServer>) {
    loop {
        tokio::time::sleep(server.refresh).await;
        refresh(&server).await;
    }
}

/// Reads the ledger once, and replaces the view.
pub(super) async fn refresh(server: &Arc<PromptServer>) {
    let began = Instant::now();
    let (ledger, previous) = (Arc::clone(&server.ledger), server.view().snapshot.clone());
    let mut reading = blocking(move |handle| handle.block_on(fetch_and_read(&*ledger, Some(&previous))));
    let ended = match tokio::time::timeout(REFRESH_TIMEOUT, &mut reading).await {
        Ok(ended) => ended,
        Err(_) => {
            let reason = format!("reading it takes longer than {} seconds", REFRESH_TIMEOUT.as_secs());
            server.replace(server.view().after(Read::failed(reason), began));
            // A second read would wait as well.
            reading.await
        }
    };
    let read = match ended {
        Ok(Ok((snapshot, problems))) => Read { snapshot: Some(Arc::new(snapshot)), problems },
        Ok(Err(error)) => Read::failed(error.to_string()),
        Err(error) => Read::failed(describe(&error)),
    };
    server.replace(server.view().after(read, began));
}

/// Runs on a thread of its own: a ledger is files and processes, and requests must not wait for them.
fn blocking<T: Send + 'static>(
    read: impl FnOnce(Handle) -> T + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || read(handle))
}

async fn fetch_and_read(
    ledger: &dyn LedgerStore,
    previous: Option<&Snapshot>,
) -> Result<(Snapshot, Vec<Problem>), PortError> {
    let fetched = ledger.refresh().await;
    let (snapshot, mut problems) = Snapshot::read(ledger, previous).await?;
    if let Err(error) = fetched {
        problems.insert(0, Problem { subject: Subject::Ledger, reason: error.to_string() });
    }
    Ok((snapshot, problems))
}

fn describe(error: &JoinError) -> String {
    format!("reading it ended unexpectedly: {error}")
}
