//! `promptgate mock-server`: the simulated model over HTTP.

use crate::app::Failure;
use crate::app::mock_server::{MockServer, Options, SimulatedOptions};
use crate::cli::args::MockServerArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::{interrupt, output};

/// Serves until Ctrl-C or SIGTERM; prints the base URL first.
pub(super) async fn mock_server(arguments: &MockServerArguments) -> Result<ExitStatus, Failure> {
    let options = Options {
        simulated: SimulatedOptions {
            seed: arguments.seed,
            noise: arguments.noise,
            latency: arguments.latency,
            jitter: arguments.jitter,
        },
        faults: arguments.fault.clone(),
        require_key: arguments.require_key.clone(),
    };
    let server = MockServer::listen(arguments.listen).await?;
    // Whoever reads the address may send a signal at once.
    let interrupted = interrupt::signal();
    output::print(&format!("http://{}/v1\n", server.address))?;
    output::info("a simulated model; Ctrl-C ends it");
    let served = server.serve(options, interrupted).await;
    output::info(&format!(
        "served {} requests, {} of them judgements, {} met a fault, {} were refused with 429",
        served.requests, served.judgements, served.faults, served.refused
    ));
    Ok(ExitStatus::Pass)
}
