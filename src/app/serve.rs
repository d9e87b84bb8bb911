//! Serves the versions and labels of a ledger to applications.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::release::{Opened, Target};
use super::{Environment, Failure};
use promptgate_adapters::serve::{self, PromptServer};
use promptgate_core::model::{Diagnostic, Diagnostics};
use promptgate_core::text::Secret;

pub(crate) use promptgate_adapters::serve::{Notice, OnNotice};

/// Options of the server.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The configuration whose `release:` names the ledger; `None` for the nearest one.
    pub(crate) config: Option<PathBuf>,
    /// The address to listen on.
    pub(crate) listen: SocketAddr,
    /// The variable that holds the token; `None`: no authentication.
    pub(crate) token_env: Option<String>,
    /// Time between two reads of the ledger; `None` for the default.
    pub(crate) refresh: Option<Duration>,
}

/// A server that listens.
pub(crate) struct Server {
    server: Arc<PromptServer>,
    listener: TcpListener,
    location: String,
    /// Its address.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Opens the ledger that the configuration names, reads it and listens; port 0 takes a free one. All prompts of the
    /// ledger are served.
    ///
    /// # Errors
    /// Invalid options, no configuration that releases a prompt, an address that is not free, or a ledger that cannot be
    /// read.
    pub(crate) async fn listen(
        options: &Options,
        environment: &Environment,
        on_notice: OnNotice,
    ) -> Result<Self, Failure> {
        let token = token(options, environment)?;
        let refresh = options.refresh;
        if refresh.is_some_and(|refresh| refresh.is_zero()) {
            let diagnostic = Diagnostic::new("`--refresh` must be more than 0");
            return Err(diagnostic
                .help("`--refresh 10s` is usual for git, `--refresh 1s` for a folder")
                .into());
        }
        let ledger = Opened::open(&Target { config: options.config.clone(), name: None })?.ledger;
        let address = options.listen;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Diagnostic::new(format!("cannot listen on {address}: {error}"))
                .help("`--listen 127.0.0.1:0` takes a free port")
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::Internal(format!("the listener has no address: {error}")))?;
        let location = ledger.location();
        let options = serve::Options { token, refresh, ..serve::Options::default() };
        let server = PromptServer::open(ledger, options, on_notice).await.map_err(|error| {
            let diagnostic = Diagnostic::new(format!("could not read the ledger {location}: {error}"));
            Failure::Incomplete(Diagnostics::from(diagnostic))
        })?;
        Ok(Self { server, listener, location, address })
    }

    /// A sentence for the operator: the number of prompts, the ledger and the interval.
    pub(crate) fn describe(&self) -> String {
        let prompts = self.server.prompts();
        format!(
            "serves {prompts} prompt{} of {}, read every {:?}; Ctrl-C ends it",
            if prompts == 1 { "" } else { "s" },
            self.location,
            self.server.refresh_interval()
        )
    }

    /// Serves until `shutdown` is ready.
    pub(crate) async fn serve(self, shutdown: impl Future<Output = ()> + Send) {
        serve::serve(self.server, self.listener, shutdown).await;
    }
}

/// The token that clients have to send.
fn token(options: &Options, environment: &Environment) -> Result<Option<Secret>, Diagnostic> {
    let Some(name) = &options.token_env else {
        if options.listen.ip().to_canonical().is_loopback() {
            return Ok(None);
        }
        let message = format!(
            "{} is not a loopback address: everybody who reaches it could read the prompts",
            options.listen
        );
        return Err(Diagnostic::new(message).help("name the variable that holds a token: `--token-env NAME`"));
    };
    let Some(token) = environment.variable(name) else {
        let diagnostic = Diagnostic::new(format!("the environment variable {name} is not set or empty"));
        return Err(diagnostic.help("set it to the token that clients have to send"));
    };
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("the token in {name} must have visible ASCII characters only, no spaces");
        return Err(Diagnostic::new(message).help("`openssl rand -hex 32` prints a token"));
    }
    Ok(Some(Secret::new(token)))
}
