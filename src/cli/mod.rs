//! The command line: parses arguments, calls the use cases of `app`, prints, and returns an exit code.

mod args;
mod commands;
mod error;
mod exit;
mod interrupt;
mod output;
mod progress;
mod release;
mod runtime;
mod summary;
mod telemetry;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

pub use exit::ExitStatus;

use crate::app::Failure;
use args::Arguments;

/// Runs promptgate with the process's arguments.
pub fn main() -> ExitCode {
    let arguments = match args::parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            output::choose_color(args::color());
            // Help and version are no errors; clap knows which is which.
            let status = if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Pass };
            return match output::explain(&error) {
                Ok(()) => status.into(),
                Err(_) => ExitStatus::Internal.into(),
            };
        }
    };
    output::choose_color(arguments.color);
    // The panic hook has printed its message.
    let Ok(result) = catch_unwind(AssertUnwindSafe(|| run(&arguments))) else {
        return ExitStatus::Internal.into();
    };
    match result {
        Ok(status) => status.into(),
        Err(failure) => {
            output::report(&failure);
            ExitStatus::from(&failure).into()
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let runtime = runtime::start()?;
    let result = runtime.block_on(commands::dispatch(arguments));
    // A thread may still wait for the cache.
    runtime.shutdown_background();
    result
}
