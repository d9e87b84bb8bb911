//! Serves a simulated model over HTTP.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::Failure;
use promptgate_core::model::Diagnostic;
use promptgate_simulated::mock_server::{self, ServerStats};

pub(crate) use promptgate_simulated::SimulatedOptions;
pub(crate) use promptgate_simulated::mock_server::Options;

/// A mock server that listens.
pub(crate) struct MockServer {
    listener: TcpListener,
    /// Its address.
    pub(crate) address: SocketAddr,
}

impl MockServer {
    /// Listens on an address; port 0 takes a free one.
    ///
    /// # Errors
    /// An address that is not free.
    pub(crate) async fn listen(address: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Diagnostic::new(format!("cannot listen on {address}: {error}"))
                .help("`--listen 127.0.0.1:0` takes a free port")
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::Internal(format!("the listener has no address: {error}")))?;
        Ok(Self { listener, address })
    }

    /// Serves until `shutdown` is ready.
    pub(crate) async fn serve(
        self,
        options: Options,
        shutdown: impl Future<Output = ()> + Send,
    ) -> ServerStats {
        mock_server::serve(self.listener, options, shutdown).await
    }
}
