//! The command line: parses, wires, prints, and maps what happened to an exit code.

mod announce;
mod answers;
mod args;
mod calibration;
mod commands;
mod environment;
mod error;
mod exit;
mod facts;
mod files;
mod interrupt;
mod mismatch;
mod models;
mod output;
mod policy;
mod progress;
mod redacting;
mod runtime;
mod saved;
mod shard;
mod suite;

use std::process::ExitCode;

pub use args::Arguments;
pub use exit::ExitStatus;

use error::Failure;

/// Runs promptgate with the process's arguments.
pub fn main() -> ExitCode {
    let arguments = match args::parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, everything else is the user's mistake; clap knows which.
            let status = if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Pass };
            return match output::explain(&error) {
                Ok(()) => status.into(),
                Err(_) => ExitStatus::Internal.into(),
            };
        }
    };
    output::choose_color(arguments.color);
    // A bug has said what it is by now; it ends with the code of one.
    let Ok(result) = std::panic::catch_unwind(|| commands::dispatch(&arguments.command)) else {
        return ExitStatus::Internal.into();
    };
    match result {
        Ok(status) => status.into(),
        Err(failure) => {
            if !matches!(failure, Failure::BrokenPipe) {
                output::report(&failure);
            }
            failure.status().into()
        }
    }
}
