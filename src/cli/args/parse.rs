//! Reads the process's arguments.

use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};

use super::Arguments;

/// The arguments of this process.
///
/// # Errors
/// What the parser has to say; help and version too.
pub(in crate::cli) fn parse() -> Result<Arguments, clap::Error> {
    let mut matches = Arguments::command().mut_subcommands(for_a_workflow).try_get_matches()?;
    Arguments::from_arg_matches_mut(&mut matches)
}

/// Commands that a workflow starts get all their variables from its inputs: one without a value is not set.
fn for_a_workflow(command: Command) -> Command {
    match command.get_name() {
        "ci" | "comment" => command.mut_args(|argument| {
            without_empty(match argument.get_id().as_str() {
                "config" => argument.env("PROMPTGATE_CONFIG").hide_env(true),
                // Refused with a reason where it is given, so not offered.
                "format" => argument.hide(true),
                _ => argument,
            })
        }),
        _ => command,
    }
}

fn without_empty(argument: Arg) -> Arg {
    let empty = argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if empty { argument.env(None::<&'static str>) } else { argument }
}
