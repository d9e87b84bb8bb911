//! `promptgate serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::duration;

/// `promptgate serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Configuration whose `release:` names the ledger, or its folder [default: the nearest promptgate.yaml].
    #[arg(long, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one. The base URL is printed on standard output.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8790")]
    pub(crate) listen: SocketAddr,
    /// Environment variable with the token that clients have to send, as a bearer token or as the password of Basic
    /// authentication; required for an address that is not a loopback address.
    #[arg(long, value_name = "NAME")]
    pub(crate) token_env: Option<String>,
    /// Time between two reads of the ledger [default: 1s for a folder, 10s for git].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) refresh: Option<Duration>,
}
