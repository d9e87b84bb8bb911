//! `promptgate man`: manual pages.

use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use crate::app::{Failure, write_text};
use crate::cli::args::{ManArguments, program};
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Prints the page of the program, or writes those of all commands.
pub(super) fn man(arguments: &ManArguments) -> Result<ExitStatus, Failure> {
    let mut program = program().disable_help_subcommand(true);
    program.build();
    match &arguments.out {
        None => output::print(&page(program)?)?,
        Some(folder) => {
            let written = write(&program, "promptgate", folder)?;
            output::info(&format!("{written} pages written to {}", folder.display()));
        }
    }
    Ok(ExitStatus::Pass)
}

/// Writes the page of a command and those of its sub-commands; returns how many.
fn write(command: &Command, name: &str, folder: &Path) -> Result<usize, Failure> {
    let named = command.clone().display_name(name);
    write_text(&folder.join(format!("{name}.1")), &page(named)?)?;
    let mut count = 1;
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        count += write(command, &format!("{name}-{}", command.get_name()), folder)?;
    }
    Ok(count)
}

fn page(command: Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    let rendered = Man::new(command).render(&mut page);
    rendered.map_err(|error| Failure::Internal(format!("could not write the manual page: {error}")))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
