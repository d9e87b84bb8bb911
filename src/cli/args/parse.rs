//! Reads the process's arguments.

use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};

use super::help::{grouped, with_examples};
use super::output::out_help;
use super::tips::corrected;
use super::{Arguments, Color};

/// The arguments of this process.
///
/// # Errors
/// Invalid arguments; also help and version.
pub(crate) fn parse() -> Result<Arguments, clap::Error> {
    let mut matches = program().try_get_matches().map_err(|error| {
        let arguments: Vec<String> =
            std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
        corrected(error, &program(), &arguments)
    })?;
    Arguments::from_arg_matches_mut(&mut matches)
}

/// The `--color` of arguments that are otherwise invalid, so that the error has it as well.
pub(crate) fn color() -> Color {
    let matches = program().ignore_errors(true).try_get_matches().ok();
    matches
        .and_then(|matches| matches.try_get_one::<Color>("color").ok().flatten().copied())
        .unwrap_or_default()
}

/// The program with everything that derived arguments cannot express.
pub(crate) fn program() -> Command {
    grouped(Arguments::command().mut_subcommands(|command| with_examples(adjusted(command))))
}

/// A command with the differences between commands that share flags.
fn adjusted(command: Command) -> Command {
    match command.get_name() {
        // A workflow passes all its inputs as variables: an empty one is not set.
        "ci" | "comment" => command.mut_args(|argument| {
            without_empty(match argument.get_id().as_str() {
                "config" => argument.env("PROMPTGATE_CONFIG").hide_env(true),
                // Refused with a reason, so not offered.
                "format" => argument.hide(true),
                _ => argument,
            })
        }),
        // Two files decide alone: no variable, and no folder unless one is named.
        "compare" => command.mut_args(|argument| {
            let argument = argument.env(None::<&'static str>);
            match argument.get_id().as_str() {
                "out" => argument.help(out_help()),
                "inconclusive" => argument.help("Exit code of an inconclusive verdict [default: fail]"),
                _ => argument,
            }
        }),
        _ => command,
    }
}

fn without_empty(argument: Arg) -> Arg {
    let empty = argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if empty { argument.env(None::<&'static str>) } else { argument }
}

/// Whether a variable of the environment sets a flag of some command.
pub(crate) fn is_flag_variable(name: &str) -> bool {
    fn sets(command: &Command, name: &str) -> bool {
        command.get_arguments().any(|argument| argument.get_env().is_some_and(|variable| variable == name))
            || command.get_subcommands().any(|command| sets(command, name))
    }
    name.starts_with("PROMPTGATE_") && sets(&program(), name)
}
