//! `promptgate mock-server`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::values::{duration, share};
use promptgate_simulated::mock_server::FaultSpec;

/// `promptgate mock-server`.
#[derive(Debug, Args)]
pub(crate) struct MockServerArguments {
    /// Address to listen on; port 0 takes a free one. The base URL is printed on standard output.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Seed of noise and faults.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Noise of answers and verdicts, in 0..=1.
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = share)]
    pub(crate) noise: f64,
    /// Time before an answer: 100ms.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = duration)]
    pub(crate) latency: Duration,
    /// Additional time, drawn uniformly from 0 to this.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = duration)]
    pub(crate) jitter: Duration,
    /// Refuse calls without this key with 401.
    #[arg(long, value_name = "KEY", env = "PROMPTGATE_MOCK_KEY", hide_env_values = true)]
    pub(crate) require_key: Option<String>,
    /// Inject a fault: 429=0.2, cut=0.02, prose=1, 401-after=10, …; may be repeated. All kinds: docs/offline.md.
    #[arg(long, value_name = "KIND=VALUE")]
    pub(crate) fault: Vec<FaultSpec>,
}
