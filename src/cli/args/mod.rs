//! Command-line arguments, one file per command; each converts once into the options of `app`.

mod approve;
mod assign;
mod cache;
mod calibrate;
mod case;
mod check;
mod ci;
mod comment;
mod compare;
mod completions;
mod dataset;
mod diff;
mod doctor;
mod explain;
mod export;
mod get;
mod help;
mod history;
mod init;
mod ledger;
mod log;
mod man;
mod merge;
mod mock_server;
mod output;
mod parse;
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
mod suite;
mod telemetry;
mod tips;
mod values;

use clap::{Parser, Subcommand, ValueEnum};

pub(super) use approve::ApproveArguments;
pub(super) use assign::AssignArguments;
pub(super) use cache::{CacheArguments, CacheCommand};
pub(super) use calibrate::{CalibrateArguments, CalibrationFormat};
pub(super) use case::{CaseArguments, CaseFormat};
pub(super) use check::CheckArguments;
pub(super) use ci::CiArguments;
pub(super) use comment::CommentArguments;
pub(super) use compare::CompareArguments;
pub(super) use completions::CompletionsArguments;
pub(super) use dataset::{DatasetArguments, DatasetCheckArguments, DatasetCheckFormat, DatasetCommand};
pub(super) use diff::DiffArguments;
pub(super) use doctor::{DoctorArguments, DoctorFormat};
pub(super) use explain::ExplainArguments;
pub(super) use export::{BundleArguments, ExportArguments, ExportCommand};
pub(super) use get::GetArguments;
pub(super) use history::{HistoryArguments, HistoryFormat};
pub(super) use init::InitArguments;
pub(super) use ledger::{LedgerFormat, WriteFlags};
pub(super) use log::LogArguments;
pub(super) use man::ManArguments;
pub(super) use merge::MergeArguments;
pub(super) use mock_server::MockServerArguments;
pub(super) use output::OutputFlags;
pub(super) use plan::{PlanArguments, PlanFormat};
pub(super) use prices::{PricesArguments, PricesCommand, PricesFormat};
pub(super) use report::ReportArguments;
pub(super) use run::{RunArguments, RunCommandArguments};
pub(super) use schema::SchemaArguments;
pub(super) use serve::ServeArguments;
pub(super) use show::ShowArguments;
pub(super) use status::StatusArguments;
pub(super) use telemetry::RolloutTelemetryFlags;

pub(super) use promote::PromoteArguments;
pub(super) use publish::PublishArguments;
pub(super) use pull::PullArguments;
pub(super) use reconcile::ReconcileArguments;
pub(super) use rollback::RollbackArguments;
pub(super) use rollout::{RolloutArguments, RolloutCommand};

pub(super) use parse::{color, is_flag_variable, parse, program};

/// A gate for prompt changes, and a registry for the versions that passed it.
///
/// Exit codes of the gate: 0 pass, 1 internal error, 2 usage, 3 nothing to evaluate, 10 fail, 11 inconclusive,
/// 12 incomplete, 130 interrupted.
///
/// Exit codes of the registry: 0 done, 2 usage, 10 refused, 11 waiting for evidence, approvals or time, 12 ledger or
/// registry failed.
#[derive(Debug, Parser)]
#[command(name = "promptgate", version, propagate_version = true, max_term_width = help::MAX_WIDTH)]
pub(crate) struct Arguments {
    /// Color the output.
    #[arg(long, global = true, value_enum, default_value_t, env = "PROMPTGATE_COLOR", hide_env = true)]
    pub(crate) color: Color,
    /// Read variables, such as keys, from this file of NAME=VALUE lines; those that are set keep their value. May be repeated.
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) env_file: Vec<std::path::PathBuf>,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When output is colored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Also in files and pipes.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Evaluate the candidate against thresholds and baseline: the gate.
    Run(Box<RunCommandArguments>),
    /// Run the gate of a pull request: find the base, and write what a CI system shows.
    Ci(Box<CiArguments>),
    /// Validate configuration, dataset, prompts and schemas; no calls, no cost.
    Check(CheckArguments),
    /// Review the golden set: duplicates, leaks, cases that never discriminate, tags and balance; no calls.
    Dataset(DatasetArguments),
    /// Estimate calls, cost and the smallest drop that a run can detect; no calls.
    Plan(PlanArguments),
    /// Decide from two saved reports; no calls.
    Compare(CompareArguments),
    /// Join the shards of a run on several machines, decide and report; no calls.
    Merge(MergeArguments),
    /// Measure the judge against human labels.
    Calibrate(CalibrateArguments),
    /// Render a saved report.
    Report(ReportArguments),
    /// Show one case of a saved report: both answers, their difference, and why it fails.
    Case(CaseArguments),
    /// Show verdicts and means of the runs of a suite over time, and what drifted.
    History(HistoryArguments),
    /// Check key, endpoint, model, cache, git and CI job, with a few tiny calls.
    Doctor(DoctorArguments),
    /// Explain a code of a report, a message or an exit code.
    Explain(ExplainArguments),
    /// List the prices of the suite's models, or update them from a file.
    Prices(PricesArguments),
    /// Print the JSON Schema of a format.
    Schema(SchemaArguments),
    /// Print the completion script of a shell.
    Completions(CompletionsArguments),
    /// Print the manual page, or write those of all commands.
    Man(ManArguments),
    /// Write a suite for the prompts it finds, or import one; with --release also the workflows of a release.
    Init(InitArguments),
    /// Show the cache of answers, or remove entries.
    Cache(CacheArguments),
    /// Publish the prompt as an immutable version, with the gate's report as evidence.
    Publish(PublishArguments),
    /// Approve a version, as somebody who did not write it.
    Approve(ApproveArguments),
    /// Move staging or production to a version that passed its controls.
    Promote(PromoteArguments),
    /// Move production back to a version that served before: at once, and verified.
    Rollback(RollbackArguments),
    /// Give a version a growing share of the units, step by step, by evidence.
    Rollout(RolloutArguments),
    /// Bring a version that somebody wrote in the registry into the repository, for review.
    Pull(PullArguments),
    /// Compare the registry with the ledger, and repair it.
    Reconcile(ReconcileArguments),
    /// Serve prompts to applications: the embedded registry.
    Serve(ServeArguments),
    /// Serve a simulated model over HTTP, with faults on request.
    MockServer(MockServerArguments),
    /// Create or update the gate's comment on a GitHub pull request.
    Comment(CommentArguments),
    /// Show what production and staging point at, and what the next promotions wait for.
    Status(StatusArguments),
    /// List the events of a ledger, or verify it.
    Log(LogArguments),
    /// Show everything known about a version.
    Show(ShowArguments),
    /// Compare two versions word by word, with the level of the change.
    Diff(DiffArguments),
    /// Print a prompt with its variables inserted.
    Get(GetArguments),
    /// Show which version a user, session or conversation is assigned.
    Assign(AssignArguments),
    /// Write prompts as files, to ship in a container image.
    Export(ExportArguments),
}
