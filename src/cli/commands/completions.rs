//! `promptgate completions`: the completion script of a shell.

use clap_complete::{Shell, generate};

use crate::app::Failure;
use crate::cli::args::{CompletionsArguments, program};
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Prints the script.
pub(super) fn completions(arguments: &CompletionsArguments) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    generate(Shell::from(arguments.shell), &mut program(), "promptgate", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Pass)
}
