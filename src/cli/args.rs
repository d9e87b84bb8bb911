//! Flags and arguments, as written.

mod ci;
mod comment;
mod parse;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::shard::ShardArgument;
use crate::config::parse_duration;
use promptgate_report::Format;
use promptgate_report::shard::MAX_SHARDS;
use promptgate_simulated::mock_server::FaultSpec;

pub(super) use ci::KnownBase;
pub(super) use ci::{CiArguments, Mode, OnMissingCredentials};
pub(super) use comment::{CommentArguments, CommentWhen};
pub(super) use parse::parse;

/// The folder of the reports where none is named.
pub(super) const REPORTS: &str = "promptgate-report";

/// The gate that a prompt change has to pass before it is merged.
///
/// Exit codes: 0 pass, 1 internal error, 2 usage, 3 nothing to evaluate, 10 fail, 11 inconclusive,
/// 12 incomplete, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "promptgate", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// Whether to colour the output.
    #[arg(long, global = true, value_enum, default_value_t, env = "PROMPTGATE_COLOR", hide_env = true)]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Evaluate the candidate against thresholds and baseline: the gate.
    Run(Box<RunArguments>),
    /// The gate of a pull request: finds out what to compare with, and leaves all that a CI system shows.
    Ci(Box<CiArguments>),
    /// Validate configuration, dataset, prompts and schemas; no call, no cost.
    Check(CheckArguments),
    /// Say what a run takes, and the smallest drop that it can see; no call.
    Plan(PlanArguments),
    /// Decide from two saved reports; no call.
    Compare(CompareArguments),
    /// Join the shards of a run on several machines, decide and report; no call.
    Merge(MergeArguments),
    /// Measure the judge against human labels.
    Calibrate(CalibrateArguments),
    /// Render a saved report.
    Report(ReportArguments),
    /// Print the JSON Schema of a format.
    Schema(SchemaArguments),
    /// Write a starter suite: configuration, dataset and prompt.
    Init(InitArguments),
    /// See what the cache of answers holds, or make it smaller.
    Cache(CacheArguments),
    /// Serve a simulated model over HTTP, with faults on request.
    MockServer(MockServerArguments),
    /// Keep the gate's one comment on a GitHub pull request up to date.
    Comment(CommentArguments),
}

/// What a suite is selected by.
#[derive(Debug, Clone, Args)]
pub struct SuiteArguments {
    /// The configuration, or its folder [default: the nearest promptgate.yaml here or above].
    pub config: Option<PathBuf>,
    /// The candidate: a path, file:PATH or git:REF[:PATH] [default: `prompt` of the configuration].
    #[arg(long, value_name = "SPEC", env = "PROMPTGATE_CANDIDATE", hide_env = true)]
    pub candidate: Option<String>,
    /// The baseline: a path, file:PATH, git:REF[:PATH], git:merge-base, report:PATH or none.
    #[arg(long, value_name = "SPEC", env = "PROMPTGATE_BASELINE", hide_env = true)]
    pub baseline: Option<String>,
    /// Take everything but prompt, user message, model, parameters and dataset from another configuration, which the
    /// change under test cannot write to: git:merge-base, git:REF[:PATH] or file:PATH.
    #[arg(long, value_name = "SPEC", env = "PROMPTGATE_POLICY_FROM", hide_env = true)]
    pub policy_from: Option<String>,
    /// Require a mean of at least X for a metric, over the configuration's; may be repeated.
    #[arg(long, value_name = "METRIC=X", env = "PROMPTGATE_MIN", hide_env = true, value_delimiter = ',')]
    pub min: Vec<String>,
    /// Only cases whose id matches this glob pattern.
    #[arg(long, value_name = "PATTERN", env = "PROMPTGATE_FILTER", hide_env = true)]
    pub filter: Option<String>,
    /// Only cases with this tag; may be repeated: any of them.
    #[arg(long, value_name = "TAG", env = "PROMPTGATE_TAG", hide_env = true, value_delimiter = ',')]
    pub tag: Vec<String>,
    /// Deterministic checks only: no judge is asked, and its metrics gate nothing.
    #[arg(long, env = "PROMPTGATE_NO_JUDGE", hide_env = true)]
    pub no_judge: bool,
    /// Completions of every case by each variant; alone, decided in one look.
    #[arg(long, value_name = "N", env = "PROMPTGATE_REPEATS", hide_env = true,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeats: Option<u32>,
    /// Double the repeats up to this many while criteria are undecided.
    #[arg(long, value_name = "N", env = "PROMPTGATE_MAX_REPEATS", hide_env = true,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub max_repeats: Option<u32>,
    /// What `git:merge-base` stands for, where the event of a CI system says it.
    #[arg(skip)]
    pub(super) merge_base: Option<KnownBase>,
}

/// `promptgate run`.
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// Which suite.
    #[command(flatten)]
    pub suite: SuiteArguments,
    /// Let the simulated model answer: no key, no network, no cost; its scores measure no model.
    #[arg(long, env = "PROMPTGATE_OFFLINE", hide_env = true)]
    pub offline: bool,
    /// Where report.json, report.md, report.html and junit.xml go.
    #[arg(
        long,
        value_name = "DIR",
        default_value = REPORTS,
        env = "PROMPTGATE_OUT",
        hide_env = true
    )]
    pub out: PathBuf,
    /// What to print on standard output.
    #[arg(long, value_parser = report_format(), default_value_t, env = "PROMPTGATE_FORMAT", hide_env = true)]
    pub format: Format,
    /// Calls in flight at once, at most.
    #[arg(long, value_name = "N", env = "PROMPTGATE_CONCURRENCY", hide_env = true,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: Option<u32>,
    /// Where answers are looked for before they are asked for.
    #[command(flatten)]
    pub cache: CacheFlags,
    /// Stop spending once the verdict can only be fail.
    #[arg(long, env = "PROMPTGATE_FAIL_FAST", hide_env = true)]
    pub fail_fast: bool,
    /// Carry out one shard of the run, k/n, for `promptgate merge`; auto reads k and n from the CI system's variables.
    #[arg(long, value_name = "K/N|auto", env = "PROMPTGATE_SHARD", hide_env = true)]
    pub shard: Option<ShardArgument>,
    /// Make no call that could bring the cost above this many US dollars.
    #[arg(long, value_name = "USD", env = "PROMPTGATE_BUDGET_USD", hide_env = true, value_parser = dollars)]
    pub budget_usd: Option<f64>,
    /// Make at most this many calls.
    #[arg(long, value_name = "N", env = "PROMPTGATE_BUDGET_CALLS", hide_env = true)]
    pub budget_calls: Option<u64>,
    /// Make no call after this time: 90s, 20m.
    #[arg(long, value_name = "TIME", env = "PROMPTGATE_DEADLINE", hide_env = true,
          value_parser = duration)]
    pub deadline: Option<Duration>,
    /// What an inconclusive verdict does [default: `gate.inconclusive`, else fail].
    #[arg(long, value_enum, env = "PROMPTGATE_INCONCLUSIVE", hide_env = true)]
    pub inconclusive: Option<Inconclusive>,
    /// Report as ever, but exit 0 on fail, inconclusive and incomplete.
    #[arg(long, env = "PROMPTGATE_ADVISORY", hide_env = true)]
    pub advisory: bool,
    /// No progress on standard error.
    #[arg(long, short, env = "PROMPTGATE_QUIET", hide_env = true)]
    pub quiet: bool,
}

/// How the cache of answers is used.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct CacheFlags {
    /// Ask for everything anew, and keep it in the place of what is in the cache.
    #[arg(long, env = "PROMPTGATE_REFRESH", hide_env = true, conflicts_with = "no_cache")]
    pub refresh: bool,
    /// Neither look into the cache nor keep anything in it.
    #[arg(long, env = "PROMPTGATE_NO_CACHE", hide_env = true)]
    pub no_cache: bool,
    /// Ask for nothing: what is not in the cache is missing, and the run incomplete.
    #[arg(long, env = "PROMPTGATE_CACHED_ONLY", hide_env = true, conflicts_with_all = ["refresh", "no_cache"])]
    pub cached_only: bool,
}

/// What an inconclusive verdict does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Inconclusive {
    /// Exit 11.
    Fail,
    /// Exit 0.
    Pass,
}

/// `promptgate check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Which suite.
    #[command(flatten)]
    pub suite: SuiteArguments,
}

/// `promptgate plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Which suite.
    #[command(flatten)]
    pub suite: SuiteArguments,
    /// Take noise, tokens and prices from this report.json of an earlier run of the suite.
    #[arg(long, value_name = "REPORT")]
    pub after: Option<PathBuf>,
    /// Also say what each of so many shards takes; with --format github-matrix, name them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SHARDS)))]
    pub shards: Option<u32>,
    /// What to print on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
}

/// Forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PlanFormat {
    /// Tables for people.
    #[default]
    Terminal,
    /// JSON, by `promptgate schema plan`.
    Json,
    /// One line of JSON, {"shard":["1/8",…]}, for `strategy.matrix` of GitHub Actions.
    GithubMatrix,
}

/// Forms of a calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TableFormat {
    /// Tables for people.
    #[default]
    Terminal,
    /// JSON, by `promptgate schema`.
    Json,
}

/// `promptgate compare`.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// report.json of the baseline: its candidate becomes the baseline.
    pub old: PathBuf,
    /// report.json of the candidate, whose policy decides.
    pub new: PathBuf,
    /// What to print on standard output.
    #[arg(long, value_parser = report_format(), default_value_t)]
    pub format: Format,
    /// Also write report.json, report.md, report.html and junit.xml here.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What an inconclusive verdict does.
    #[arg(long, value_enum, default_value = "fail")]
    pub inconclusive: Inconclusive,
    /// Report as ever, but exit 0 on fail, inconclusive and incomplete.
    #[arg(long)]
    pub advisory: bool,
}

/// `promptgate merge`.
#[derive(Debug, Args)]
pub struct MergeArguments {
    /// Folders with the files of all shards, shard-k-of-n.json, each also in folders of its own below.
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Where report.json, report.md, report.html and junit.xml go.
    #[arg(
        long,
        value_name = "DIR",
        default_value = REPORTS,
        env = "PROMPTGATE_OUT",
        hide_env = true
    )]
    pub out: PathBuf,
    /// What to print on standard output.
    #[arg(long, value_parser = report_format(), default_value_t, env = "PROMPTGATE_FORMAT", hide_env = true)]
    pub format: Format,
    /// What an inconclusive verdict does [default: `gate.inconclusive` of the shards' configuration].
    #[arg(long, value_enum, env = "PROMPTGATE_INCONCLUSIVE", hide_env = true)]
    pub inconclusive: Option<Inconclusive>,
    /// Report as ever, but exit 0 on fail, inconclusive and incomplete.
    #[arg(long, env = "PROMPTGATE_ADVISORY", hide_env = true)]
    pub advisory: bool,
}

/// `promptgate calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArguments {
    /// Labelled answers: rows with query, context, response, human (true, false or 0 to 1) and, if several rated, rater.
    pub labels: PathBuf,
    /// The configuration with the judge, or its folder [default: the nearest promptgate.yaml here or above].
    #[arg(long, value_name = "CONFIG")]
    pub config: Option<PathBuf>,
    /// The judged metric that the labels are about [default: faithfulness, or the only one].
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    /// Let the simulated judge answer: no key, no network, no cost.
    #[arg(long)]
    pub offline: bool,
    /// Times each answer is judged: the first counts, further ones tell how the judge agrees with itself.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub repeats: u32,
    /// The rating from which on people count as having passed an answer; for ratings between 0 and 1.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = share)]
    pub pass_at: f64,
    /// The column whose values make the slices [default: tags, else model].
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,
    /// A report.json by the same judge, whose candidate's answers are corrected for the judge's errors.
    #[arg(long, value_name = "REPORT")]
    pub report: Option<PathBuf>,
    /// Where calibration.json, judged.jsonl and disagreements.jsonl go.
    #[arg(long, value_name = "DIR", default_value = "promptgate-calibration")]
    pub out: PathBuf,
    /// What to print on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: TableFormat,
    /// Where judgements are looked for before they are asked for.
    #[command(flatten)]
    pub cache: CacheFlags,
    /// Calls in flight at once, at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: Option<u32>,
    /// Make no call that could bring the cost above this many US dollars.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub budget_usd: Option<f64>,
    /// Make at most this many calls.
    #[arg(long, value_name = "N")]
    pub budget_calls: Option<u64>,
    /// No progress on standard error.
    #[arg(long, short)]
    pub quiet: bool,
}

/// `promptgate report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// A report.json.
    pub report: PathBuf,
    /// The form to print.
    #[arg(long, value_parser = report_format(), default_value_t)]
    pub format: Format,
}

/// Accepts the names in the table of report formats.
fn report_format() -> impl TypedValueParser<Value = Format> {
    let names = Format::ALL.map(|format| PossibleValue::new(format.as_str()).help(format.help()));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Format>())
}

/// `promptgate schema`.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Of what.
    #[arg(value_enum)]
    pub name: SchemaName,
}

/// Formats with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaName {
    /// promptgate.yaml.
    Config,
    /// A row of the dataset.
    Case,
    /// report.json.
    Report,
    /// shard-k-of-n.json.
    Shard,
    /// What `plan --format json` prints.
    Plan,
    /// calibration.json.
    Calibration,
}

/// `promptgate cache`.
#[derive(Debug, Args)]
pub struct CacheArguments {
    /// What to do with it.
    #[command(subcommand)]
    pub command: CacheCommand,
}

/// What to do with the cache.
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Say what it holds: answers and judgements by model, their age and size.
    Stats(CachePlace),
    /// Remove what is older than an age, and give the room back.
    Prune {
        /// Which cache.
        #[command(flatten)]
        place: CachePlace,
        /// The age: 12h, 30d [default: `cache.max_age` of the configuration].
        #[arg(long, value_name = "AGE", value_parser = duration)]
        older_than: Option<Duration>,
    },
    /// Remove everything.
    Clear(CachePlace),
}

/// Which cache.
#[derive(Debug, Args)]
pub struct CachePlace {
    /// The configuration that names it, or its folder [default: the nearest promptgate.yaml here or above].
    pub config: Option<PathBuf>,
}

/// `promptgate init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// The folder to write to; created if absent. No file is ever overwritten.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
}

/// `promptgate mock-server`.
#[derive(Debug, Args)]
pub struct MockServerArguments {
    /// Where to listen; port 0 takes a free one. The base URL is printed on standard output.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: std::net::SocketAddr,
    /// Seed of noise and faults.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How noisy answers and verdicts are, in 0..=1.
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = share)]
    pub noise: f64,
    /// Time before an answer: 100ms.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = duration)]
    pub latency: Duration,
    /// Further time, drawn evenly from 0 to this.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = duration)]
    pub jitter: Duration,
    /// Refuse calls without this key with 401.
    #[arg(long, value_name = "KEY", env = "PROMPTGATE_MOCK_KEY", hide_env_values = true)]
    pub require_key: Option<String>,
    /// A fault to play: 429=0.2, cut=0.02, prose=1, 401-after=10, …; may be repeated. All kinds: docs/offline.md.
    #[arg(long, value_name = "KIND=VALUE")]
    pub fault: Vec<FaultSpec>,
}

/// A number in 0..=1.
fn share(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// A sum above 0.
fn dollars(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "expected US dollars, a number above 0".to_owned())
}

/// A time such as `90s`.
fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a time such as 500ms, 90s, 20m".to_owned())
}
