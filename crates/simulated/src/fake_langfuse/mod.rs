//! A server with Langfuse's API for prompts, for tests of what reads and writes prompts.
//!
//! It behaves as the server does, also where that surprises: labels are added and moved, never removed; a label has one
//! holder by convention only; `DELETE` with a label deletes versions; `PATCH` does not check a label's characters.
//! Responses are chunked, and absent values are explicit nulls. Faults are injected for the next matching request.

mod faults;
mod respond;
mod store;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub use faults::{Fault, FaultAction};
pub use store::{Prompts, StoredPrompt};

/// The public key of the project.
pub const PUBLIC_KEY: &str = "pk-lf-fake-0123456789";
/// The secret key with full access.
pub const SECRET_KEY: &str = "sk-lf-fake-0123456789";
/// The secret key of a viewer, which may not write.
pub const VIEWER_SECRET_KEY: &str = "sk-lf-viewer-0123456789";

/// A request that was received.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedRequest {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body; null if there is none or if it is not JSON.
    pub body: Value,
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct FakeLangfuse {
    address: SocketAddr,
    state: Arc<Mutex<ServerState>>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct ServerState {
    prompts: Prompts,
    requests: Vec<ReceivedRequest>,
    faults: Vec<Fault>,
}

impl FakeLangfuse {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    /// That no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(ServerState::default()));
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, state, accepting })
    }

    /// The value of `LANGFUSE_BASE_URL`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        lock(&self.state).requests.clone()
    }

    /// Injects a fault into the next request that it matches.
    pub fn inject(&self, fault: Fault) {
        lock(&self.state).faults.push(fault);
    }

    /// Changes what is stored, past the API.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut Prompts) -> T) -> T {
        edit(&mut lock(&self.state).prompts)
    }
}

impl Drop for FakeLangfuse {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<ServerState>>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| respond::respond(request, Arc::clone(&state)));
    // An error of the service closes the connection without a response, as an injected fault wants it.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error of a body that cannot fail.
fn never(never: Infallible) -> io::Error {
    match never {}
}
