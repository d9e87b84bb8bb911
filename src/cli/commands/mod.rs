//! One file per command: arguments, options, use case, output.

mod approve;
mod assign;
mod cache;
mod calibrate;
mod case;
mod check;
mod ci;
mod ci_suites;
mod comment;
mod compare;
mod completions;
mod dataset;
mod diff;
mod doctor;
mod explain;
mod export;
mod get;
mod history;
mod init;
mod ledger;
mod log;
mod man;
mod merge;
mod mock_server;
mod plan;
mod prices;
mod promote;
mod publish;
mod pull;
mod reconcile;
mod report;
mod rollback;
mod rollout;
mod run;
mod schema;
mod serve;
mod show;
mod status;
mod suites;
mod watched;

use super::args::{Arguments, Command, is_flag_variable};
use super::exit::ExitStatus;
use crate::app::{Environment, Failure, env_file};

/// Runs a command.
pub(super) async fn dispatch(arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let (command, files) = (&arguments.command, &arguments.env_file);
    if matches!(command, Command::Ci(_)) {
        env_file::refuse_from_change(files)?;
    }
    let environment = env_file::add(Environment::of_process(), files, is_flag_variable)?;
    match command {
        Command::Run(arguments) => run::run(arguments, environment).await,
        Command::Ci(arguments) => ci::ci(arguments, environment).await,
        Command::Check(arguments) => check::check(arguments, environment).await,
        Command::Dataset(arguments) => dataset::dataset(arguments, &environment).await,
        Command::Plan(arguments) => plan::plan(arguments, &environment).await,
        Command::Compare(arguments) => compare::compare(arguments),
        Command::Merge(arguments) => merge::merge(arguments),
        Command::Calibrate(arguments) => calibrate::calibrate(arguments, environment).await,
        Command::Report(arguments) => report::report(arguments),
        Command::Case(arguments) => case::case(arguments),
        Command::History(arguments) => history::history(arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments, environment).await,
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Prices(arguments) => prices::prices(arguments, &environment).await,
        Command::Schema(arguments) => schema::schema(arguments),
        Command::Completions(arguments) => completions::completions(arguments),
        Command::Man(arguments) => man::man(arguments),
        Command::Cache(arguments) => cache::cache(arguments),
        Command::Init(arguments) => init::init(arguments),
        Command::Publish(arguments) => publish::publish(arguments, &environment).await,
        Command::Approve(arguments) => approve::approve(arguments, &environment).await,
        Command::Promote(arguments) => promote::promote(arguments, &environment).await,
        Command::Rollback(arguments) => rollback::rollback(arguments, &environment).await,
        Command::Rollout(arguments) => rollout::rollout(arguments, &environment).await,
        Command::Pull(arguments) => pull::pull(arguments, &environment).await,
        Command::Reconcile(arguments) => reconcile::reconcile(arguments, &environment).await,
        Command::Serve(arguments) => serve::serve(arguments, &environment).await,
        Command::MockServer(arguments) => mock_server::mock_server(arguments).await,
        Command::Comment(arguments) => comment::comment(arguments, &environment).await,
        Command::Status(arguments) => status::status(arguments).await,
        Command::Log(arguments) => log::log(arguments).await,
        Command::Show(arguments) => show::show(arguments).await,
        Command::Diff(arguments) => diff::diff(arguments).await,
        Command::Get(arguments) => get::get(arguments).await,
        Command::Assign(arguments) => assign::assign(arguments).await,
        Command::Export(arguments) => export::export(arguments).await,
    }
}
