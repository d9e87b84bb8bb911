//! One file per command.

mod cache;
mod calibrate;
mod check;
mod ci;
mod comment;
mod compare;
mod init;
mod merge;
mod mock_server;
mod plan;
mod report;
mod run;
mod schema;

use super::args::Command;
use super::error::Failure;
use super::exit::ExitStatus;

/// Carries out a command.
pub(super) fn dispatch(command: &Command) -> Result<ExitStatus, Failure> {
    match command {
        Command::Run(arguments) => run::run(arguments),
        Command::Ci(arguments) => ci::ci(arguments),
        Command::Check(arguments) => check::check(arguments),
        Command::Plan(arguments) => plan::plan(arguments),
        Command::Compare(arguments) => compare::compare(arguments),
        Command::Merge(arguments) => merge::merge(arguments),
        Command::Calibrate(arguments) => calibrate::calibrate(arguments),
        Command::Report(arguments) => report::report(arguments),
        Command::Schema(arguments) => schema::schema(arguments),
        Command::Cache(arguments) => cache::cache(arguments),
        Command::Init(arguments) => init::init(arguments),
        Command::MockServer(arguments) => mock_server::mock_server(arguments),
        Command::Comment(arguments) => comment::comment(arguments),
    }
}
