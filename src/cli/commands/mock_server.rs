//! `promptgate mock-server`: the simulated model over HTTP.

use tokio::net::TcpListener;

use crate::cli::args::MockServerArguments;
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::{interrupt, output, runtime};
use promptgate_core::model::Diagnostic;
use promptgate_simulated::SimulatedOptions;
use promptgate_simulated::mock_server::{self, Options};

/// Serves until Ctrl-C or SIGTERM; prints the base URL first.
pub(crate) fn mock_server(arguments: &MockServerArguments) -> Result<ExitStatus, Failure> {
    let options = Options {
        simulated: SimulatedOptions {
            seed: arguments.seed,
            noise: arguments.noise,
            latency: arguments.latency,
            jitter: arguments.jitter,
        },
        faults: arguments.fault.iter().cloned().collect(),
        require_key: arguments.require_key.clone(),
    };
    let runtime = runtime::start()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
            Failure::from(
                Diagnostic::new(format!("cannot listen on {}: {error}", arguments.listen))
                    .help("`--listen 127.0.0.1:0` takes a free port"),
            )
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::Internal(format!("the listener has no address: {error}")))?;
        output::print(&format!("http://{address}/v1\n"))?;
        output::say("a simulated model; Ctrl-C ends it");
        let served = mock_server::serve(listener, options, interrupt::signal())
            .await
            .map_err(|error| Failure::Internal(format!("the server ended: {error}")))?;
        output::say(&format!(
            "served {} requests, {} of them judgements, {} met a fault, {} were refused with 429",
            served.requests, served.judgements, served.faults, served.refused
        ));
        Ok(ExitStatus::Pass)
    })
}
