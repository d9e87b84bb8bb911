//! The simulated model as a local OpenAI-compatible server, with faults on demand.
//!
//! `POST …/chat/completions`, `GET …/models` and `GET …/stats` under any base path, HTTP/1.1 with keep-alive.
//! Faults are drawn by seed and arrival number, so a sequential client meets the same faults in every run. The table of faults is
//! in `docs/offline.md`. Parsing flags and printing is left to the command line.

mod cache;
mod faults;
mod misbehave;
mod rate;
mod respond;
mod wire;

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub use faults::{FaultForm, FaultSpec, FaultSpecError, Faults};

use crate::SimulatedOptions;
use respond::Server;

/// How the server behaves.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Seed, noise, latency and jitter of the model; the seed also draws the faults.
    pub simulated: SimulatedOptions,
    /// The faults to play.
    pub faults: Faults,
    /// The only key accepted, as a bearer token or in `api-key`; `None`: any, or none.
    pub require_key: Option<String>,
}

/// What a server did until it was shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// Requests for a completion.
    pub requests: u64,
    /// Those of them that were judgements and got an answer.
    pub judgements: u64,
    /// Those of them that met a fault or were not allowed.
    pub faults: u64,
    /// Those of them that were answered by 429.
    pub refused: u64,
}

/// Serves until `shutdown` is ready, then drops every connection.
///
/// # Errors
/// When the listener has no address any more. A failure to accept one connection ends nothing.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<Served> {
    listener.local_addr()?;
    let server = Arc::new(Server::new(options));
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, Arc::clone(&server)));
                }
                // Out of file descriptors, most likely: wait for connections to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
    connections.shutdown().await;
    Ok(server.served())
}

async fn serve_connection(stream: TcpStream, server: Arc<Server>) {
    // A reply is one small write; waiting for more of it costs 40 ms.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let marks = Arc::clone(&reset);
    let service = service_fn(move |request| {
        let (server, marks) = (Arc::clone(&server), Arc::clone(&marks));
        Box::pin(async move {
            let response = server.respond(request).await;
            marks.store(response.is_err(), Ordering::Relaxed);
            response
        })
    });
    let mut connection =
        http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service);
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    if reset.load(Ordering::Relaxed) {
        // With nothing to linger for, closing sends RST in place of FIN.
        let _ = stream.set_zero_linger();
    }
}
