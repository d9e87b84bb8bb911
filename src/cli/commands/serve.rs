//! `promptgate serve`: the embedded registry.

use crate::app::serve::{Notice, Options, Server};
use crate::app::{Environment, Failure};
use crate::cli::args::ServeArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::{interrupt, output};

/// Serves until Ctrl-C or SIGTERM; prints the base URL first.
pub(super) async fn serve(
    arguments: &ServeArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let options = Options {
        config: arguments.config.clone(),
        listen: arguments.listen,
        token_env: arguments.token_env.clone(),
        refresh: arguments.refresh,
    };
    let server = Server::listen(&options, environment, Box::new(report)).await?;
    // Whoever reads the address may send a signal at once.
    let interrupted = interrupt::signal();
    output::print(&format!("http://{}\n", server.address))?;
    output::info(&server.describe());
    server.serve(interrupted).await;
    Ok(ExitStatus::Pass)
}

/// Tells an operator what began or ended.
fn report(notice: Notice) {
    match notice {
        Notice::Degraded(problem) => {
            output::warn(&[format!("{problem}; the last good state is served where there is one")]);
        }
        Notice::Recovered => output::info("the ledger is readable again"),
        Notice::Discarded(path) => output::warn(&[format!(
            "{path}: traces and scores of Langfuse's SDKs are discarded; send them to an OpenTelemetry collector"
        )]),
    }
}
