//! The simulated model as a local server, with faults on demand.
//!
//! `POST …/chat/completions`, `…/messages` and `…/models/MODEL:generateContent`, the APIs of OpenAI, Anthropic and Gemini,
//! `POST …/embeddings`, `GET …/models` and `GET …/stats` under any base path, HTTP/1.1 with keep-alive.
//! Faults are drawn by seed and arrival number, so a sequential client receives the same faults in every run.
//! `docs/offline.md` lists the faults.

mod anthropic;
mod corrupt;
mod embeddings;
mod faults;
mod gemini;
mod rate_limit;
mod replies;
mod route;
mod server;
mod wire;

#[cfg(test)]
mod protocol_tests;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub use faults::{FaultForm, FaultSpec};

use crate::SimulatedOptions;
use server::Server;

/// Options of the server.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Seed, noise, latency and jitter of the model; the seed also draws the faults.
    pub simulated: SimulatedOptions,
    /// The faults to inject.
    pub faults: Vec<FaultSpec>,
    /// The only key accepted, as a bearer token or in a header for keys; `None`: no authentication.
    pub require_key: Option<String>,
}

/// The counts of requests to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ServerStats {
    /// Requests for a completion.
    pub requests: u64,
    /// Those that were judge requests and were answered.
    pub judgements: u64,
    /// Those that received a fault or were unauthorized.
    pub faults: u64,
    /// Those that received 429.
    pub refused: u64,
}

/// Serves until `shutdown` is ready, then drops every connection.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send,
) -> ServerStats {
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
    *server.stats()
}

async fn serve_connection(stream: TcpStream, server: Arc<Server>) {
    // A reply is one small write; with Nagle's algorithm it would wait 40 ms for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let must_reset = Arc::clone(&reset);
    let service = service_fn(move |request| {
        let (server, must_reset) = (Arc::clone(&server), Arc::clone(&must_reset));
        Box::pin(async move {
            let response = server.respond(request).await;
            must_reset.store(response.is_err(), Ordering::Relaxed);
            response
        })
    });
    let mut connection =
        http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service);
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    if reset.load(Ordering::Relaxed) {
        // With a linger time of zero, closing sends RST in place of FIN.
        let _ = stream.set_zero_linger();
    }
}
