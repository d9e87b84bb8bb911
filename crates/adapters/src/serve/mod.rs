//! The embedded registry: serves the versions and labels of a ledger to applications, over HTTP/1.1. It only reads.
//!
//! - `GET /api/public/v2/prompts/{name}` and the list, as Langfuse answers them, for its SDKs (the `langfuse` module);
//! - `GET /v1/prompts/NAME?ref=…&unit=…` with an ETag, for everybody else (the `prompt` module);
//! - `POST /ofrep/v1/evaluate/flags/NAME`, OpenFeature's remote evaluation (the `ofrep` module);
//! - `GET /v1/releases`, the assignments of all prompts: the ledger's `releases.json`;
//! - `GET /healthz`.
//!
//! Prompts are served unrendered. A background task reads the ledger at an interval. While that fails, the last good
//! state is served and `/healthz` says why and since when. Content is served only after its digest was verified.
//!
//! Traces and scores that Langfuse's SDKs post to the same host are read, discarded and counted: with an error, the SDKs
//! would retry and log on each batch. The answer says so in the form that OTLP has for it, and `/healthz` shows the count.

mod auth;
mod body;
mod connection;
mod discard;
mod health;
mod langfuse;
mod ofrep;
mod prompt;
mod query;
mod refresh;
mod response;
mod routes;
mod snapshot;
#[cfg(test)]
mod tests;
mod variant;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use promptgate_core::text::Secret;
use promptgate_release::PortError;
use promptgate_release::ports::LedgerStore;

pub use connection::serve;
pub use refresh::{Problem, Subject};

use auth::Token;
use discard::Discarded;
use refresh::View;

/// The default time between two reads of a ledger in a folder: a few small files.
const LOCAL_REFRESH: Duration = Duration::from_secs(1);
/// The default time between two reads of a shared ledger: each fetches a branch.
const SHARED_REFRESH: Duration = Duration::from_secs(10);

/// Returns the default time between two reads of a ledger.
pub(crate) fn default_refresh(is_local: bool) -> Duration {
    if is_local { LOCAL_REFRESH } else { SHARED_REFRESH }
}

/// Options of the server.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The only token accepted, as a bearer token or as the password of Basic authentication; `None`: no
    /// authentication.
    pub token: Option<Secret>,
    /// Time between two reads of the ledger; `None`: 1 second for a folder, 10 seconds for a shared ledger.
    pub refresh: Option<Duration>,
    /// Limits of connections.
    pub limits: Limits,
}

/// Limits that keep slow and broken clients from occupying the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open connections; more wait until one is closed. While few are left, responses close their connection.
    pub connections: usize,
    /// Time for the head of a request, and the time that a connection may be idle.
    pub head: Duration,
    /// Time for the body of a request.
    pub body: Duration,
    /// Size of the body of a request that is read, in bytes.
    pub body_size: usize,
    /// Age at which a connection is closed after its current request; 30 seconds later it is dropped.
    pub age: Duration,
    /// Time that requests in flight have to complete when the server ends.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1000,
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            body_size: 16 << 20,
            age: Duration::from_secs(600),
            grace: Duration::from_secs(5),
        }
    }
}

/// An event that an operator should know of. Each is reported once, when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The ledger, a prompt or a version could not be read, or is damaged.
    Degraded(Problem),
    /// All of the ledger could be read again.
    Recovered,
    /// Traces or scores of an SDK were discarded for the first time; the path that they were posted to.
    Discarded(&'static str),
}

/// Receives notices; must not block.
pub type OnNotice = Box<dyn Fn(Notice) + Send + Sync>;

/// The embedded registry over a ledger.
pub struct PromptServer {
    ledger: Arc<dyn LedgerStore>,
    refresh: Duration,
    limits: Limits,
    token: Option<Token>,
    view: RwLock<Arc<View>>,
    discarded: Discarded,
    on_notice: OnNotice,
}

impl PromptServer {
    /// Reads the ledger for the first time. What can be read of a ledger that is unreachable or damaged is served.
    ///
    /// # Errors
    /// Not even the names can be read.
    pub async fn open(
        ledger: Arc<dyn LedgerStore>,
        options: Options,
        on_notice: OnNotice,
    ) -> Result<Arc<Self>, PortError> {
        let default = default_refresh(ledger.is_local());
        let view = refresh::first(Arc::clone(&ledger)).await?;
        for problem in &view.problems {
            on_notice(Notice::Degraded(problem.clone()));
        }
        Ok(Arc::new(Self {
            ledger,
            refresh: options.refresh.unwrap_or(default),
            limits: options.limits,
            token: options.token.as_ref().map(Token::new),
            view: RwLock::new(Arc::new(view)),
            discarded: Discarded::default(),
            on_notice,
        }))
    }

    /// The number of prompts.
    pub fn prompts(&self) -> usize {
        self.view().snapshot.len()
    }

    /// Time between two reads of the ledger.
    pub fn refresh_interval(&self) -> Duration {
        self.refresh
    }

    fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the view, and reports what began or ended.
    fn replace(&self, view: View) {
        let before = self.view();
        for problem in view.problems.iter().filter(|problem| !before.has_problem(&problem.subject)) {
            (self.on_notice)(Notice::Degraded(problem.clone()));
        }
        if view.problems.is_empty() && !before.problems.is_empty() {
            (self.on_notice)(Notice::Recovered);
        }
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }
}
