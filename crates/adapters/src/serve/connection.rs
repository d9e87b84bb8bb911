//! Accepts connections, within limits, until the server ends.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{PromptServer, refresh, routes};

/// The size of the buffer for the head of a request, in bytes; hyper responds with 431 to more.
const MAX_HEAD: usize = 16 << 10;
/// Time after which a connection that was to be closed is dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Serves until `shutdown` is ready; requests in flight then have the time of [`super::Limits::grace`] to complete.
pub async fn serve(
    server: Arc<PromptServer>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) {
    let limits = server.limits;
    let free = Arc::new(Semaphore::new(limits.connections));
    let ending = CancellationToken::new();
    let mut connections = JoinSet::new();
    let refreshing = tokio::spawn(refresh::run(Arc::clone(&server)));
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = accept(&listener, &free) => match accepted {
                Ok((stream, permit)) => {
                    let connection = Connection {
                        server: Arc::clone(&server),
                        free: Arc::clone(&free),
                        ending: ending.clone(),
                    };
                    connections.spawn(async move {
                        connection.serve(stream).await;
                        drop(permit);
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    ending.cancel();
    refreshing.abort();
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(limits.grace, ended).await;
    connections.shutdown().await;
}

/// Accepts a connection once one more is allowed.
async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

struct Connection {
    server: Arc<PromptServer>,
    free: Arc<Semaphore>,
    ending: CancellationToken,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        let limits = self.server.limits;
        // A response is one small write; with Nagle's algorithm it would wait 40 ms for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let ending = self.ending.clone();
        let service = service_fn(move |request| {
            let (server, free) = (Arc::clone(&self.server), Arc::clone(&self.free));
            async move {
                let mut reply = routes::respond(&server, request).await;
                // Idle connections would keep others waiting.
                let is_crowded = free.available_permits() < server.limits.connections.div_ceil(8);
                if is_crowded {
                    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(reply)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let is_over = tokio::select! {
            _ = connection.as_mut() => true,
            () = ending.cancelled() => false,
            () = tokio::time::sleep(limits.age) => false,
        };
        if !is_over {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection).await;
        }
    }
}
