//! Flags that select a suite.

use std::path::PathBuf;

use clap::Args;

use crate::app::suite::SuiteOptions;

/// Flags that select a suite.
#[derive(Debug, Clone, Args)]
pub(crate) struct SuiteFlags {
    /// Configuration, or its folder [default: the nearest promptgate.yaml in this folder or above].
    config: Option<PathBuf>,
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
    pub(crate) fn options(&self) -> SuiteOptions {
        SuiteOptions {
            config: self.config.clone(),
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
}
