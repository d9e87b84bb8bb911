//! Flags that select a suite.

use std::path::PathBuf;

use clap::Args;

use crate::app::suite::SuiteOptions;
use crate::app::suites::SuiteChoice;

/// One suite.
#[derive(Debug, Clone, Args)]
pub(crate) struct OneSuite {
    /// Configuration, or its folder [default: the nearest promptgate.yaml in this folder or above].
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: SuiteFlags,
}

impl OneSuite {
    /// The options of the suite.
    pub(crate) fn options(&self) -> SuiteOptions {
        self.flags.options(self.config.clone())
    }
}

/// One suite or several.
#[derive(Debug, Clone, Args)]
pub(crate) struct SuiteNames {
    /// Configurations, or their folders [default: the nearest promptgate.yaml in this folder or above]. All named suites
    /// are evaluated, and the worst verdict decides. A configuration with `suites` selects the suites that it lists.
    config: Vec<PathBuf>,
    /// All suites in this folder and below it.
    #[arg(long, env = "PROMPTGATE_ALL", hide_env = true, conflicts_with = "config", help_heading = "Suite")]
    all: bool,
}

impl SuiteNames {
    /// The suites that are named.
    pub(crate) fn choice(&self) -> SuiteChoice {
        SuiteChoice { named: self.config.clone(), all: self.all }
    }
}

/// Flags that select a suite.
#[derive(Debug, Clone, Args)]
pub(crate) struct SuiteFlags {
    /// Candidate: a path, file:PATH or git:REF[:PATH] [default: `prompt` of the configuration].
    #[arg(long, value_name = "SPEC", env = "PROMPTGATE_CANDIDATE", hide_env = true, help_heading = "Suite")]
    candidate: Option<String>,
    /// Baseline: a path, file:PATH, git:REF[:PATH], git:merge-base, report:PATH or none.
    #[arg(long, value_name = "SPEC", env = "PROMPTGATE_BASELINE", hide_env = true, help_heading = "Suite")]
    baseline: Option<String>,
    /// Take everything except prompt, user message, model, parameters and dataset from a configuration that the change
    /// under test cannot write: git:merge-base, git:REF[:PATH] or file:PATH.
    #[arg(
        long,
        value_name = "SPEC",
        env = "PROMPTGATE_POLICY_FROM",
        hide_env = true,
        help_heading = "Suite"
    )]
    policy_from: Option<String>,
    /// Minimum mean score (0–1) of a metric; overrides the configuration, may be repeated.
    #[arg(
        long,
        value_name = "METRIC=X",
        env = "PROMPTGATE_MIN",
        hide_env = true,
        value_delimiter = ',',
        help_heading = "Suite"
    )]
    min: Vec<String>,
    /// Only cases whose id matches this glob pattern.
    #[arg(long, value_name = "PATTERN", env = "PROMPTGATE_FILTER", hide_env = true, help_heading = "Suite")]
    filter: Option<String>,
    /// Only cases with this tag; may be repeated, any of them selects a case.
    #[arg(
        long,
        value_name = "TAG",
        env = "PROMPTGATE_TAG",
        hide_env = true,
        value_delimiter = ',',
        help_heading = "Suite"
    )]
    tag: Vec<String>,
    /// Deterministic checks only: no judge is called, and its metrics have no criteria.
    #[arg(long, env = "PROMPTGATE_NO_JUDGE", hide_env = true, help_heading = "Suite")]
    no_judge: bool,
    /// Answers to every case by each variant; a single look unless --max-repeats is given.
    #[arg(long, value_name = "N", env = "PROMPTGATE_REPEATS", hide_env = true,
          value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Suite")]
    repeats: Option<u32>,
    /// Add repeats up to this many while criteria are undecided.
    #[arg(long, value_name = "N", env = "PROMPTGATE_MAX_REPEATS", hide_env = true,
          value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Suite")]
    max_repeats: Option<u32>,
}

impl SuiteFlags {
    /// The options of the suite with this configuration; `None` for the nearest one.
    pub(crate) fn options(&self, config: Option<PathBuf>) -> SuiteOptions {
        SuiteOptions {
            config,
            candidate: self.candidate.clone(),
            baseline: self.baseline.clone(),
            policy_from: self.policy_from.clone(),
            minimums: self.min.clone(),
            filter: self.filter.clone(),
            tags: self.tag.clone(),
            no_judge: self.no_judge,
            repeats: self.repeats,
            max_repeats: self.max_repeats,
            ..SuiteOptions::default()
        }
    }

    /// Whether flags select some of the cases.
    pub(super) fn selects_cases(&self) -> bool {
        self.filter.is_some() || !self.tag.is_empty()
    }

    /// A flag that is about one suite alone.
    pub(super) fn flag_of_one_suite(&self) -> Option<&'static str> {
        match self {
            Self { candidate: Some(_), .. } => Some("--candidate"),
            Self { baseline: Some(spec), .. } if names_a_file(spec) => Some("--baseline"),
            Self { policy_from: Some(spec), .. } if names_a_file(spec) => Some("--policy-from"),
            _ => None,
        }
    }
}

/// Whether a specification names one file, which several suites cannot share.
fn names_a_file(spec: &str) -> bool {
    let path_in_commit = spec.strip_prefix("git:").is_some_and(|rest| rest.contains(':'));
    !matches!(spec, "none" | "head") && (path_in_commit || !spec.starts_with("git:"))
}
