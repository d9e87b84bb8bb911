//! `promptgate comment`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `promptgate comment`.
#[derive(Debug, Args)]
pub struct CommentArguments {
    /// The folder that `promptgate ci` wrote.
    #[arg(default_value = super::REPORTS)]
    pub folder: PathBuf,
    /// When a first comment is written; one that is there is always brought up to date, but for `never`.
    #[arg(long, value_enum, default_value_t, env = "PROMPTGATE_COMMENT", hide_env = true)]
    pub when: CommentWhen,
    /// Tells the comments of several gates apart: letters, digits, _ and -.
    #[arg(
        long,
        value_name = "KEY",
        default_value = "default",
        env = "PROMPTGATE_COMMENT_KEY",
        hide_env = true
    )]
    pub key: String,
}

/// When a first comment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CommentWhen {
    /// For every run.
    Always,
    /// Unless the gate found nothing changed.
    #[default]
    Changes,
    /// For every verdict that is neither pass nor unchanged.
    Failures,
    /// Not at all: nothing is asked of GitHub.
    Never,
}
