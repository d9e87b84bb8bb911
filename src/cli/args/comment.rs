//! `promptgate comment`.

use std::path::PathBuf;

use clap::Args;

use super::values::{Named, named};
use crate::app::comment::{CommentOptions, CommentWhen};
use crate::app::report_files::DEFAULT_FOLDER;

const WHEN: [Named<CommentWhen>; 4] = [
    ("always", CommentWhen::Always, "For every run"),
    ("changes", CommentWhen::Changes, "Unless the gate found nothing changed"),
    ("failures", CommentWhen::Failures, "For every verdict except pass and unchanged"),
    ("never", CommentWhen::Never, "Never; GitHub is not called"),
];

/// `promptgate comment`.
#[derive(Debug, Args)]
pub(crate) struct CommentArguments {
    /// Folder that `promptgate ci` wrote.
    #[arg(default_value = DEFAULT_FOLDER)]
    folder: PathBuf,
    /// When a first comment is created; an existing one is always updated, except with `never`.
    #[arg(long, default_value = "changes", env = "PROMPTGATE_COMMENT", hide_env = true,
          value_parser = named(&WHEN))]
    when: CommentWhen,
    /// Distinguishes the comments of several gates: letters, digits, _ and -.
    #[arg(
        long,
        value_name = "KEY",
        default_value = "default",
        env = "PROMPTGATE_COMMENT_KEY",
        hide_env = true
    )]
    key: String,
    /// Address of the uploaded report, an artifact of this run, which the comment links to.
    #[arg(long, value_name = "URL", env = "PROMPTGATE_REPORT_URL", hide_env = true)]
    report_url: Option<String>,
}

impl CommentArguments {
    pub(crate) fn options(&self) -> CommentOptions {
        CommentOptions {
            folder: self.folder.clone(),
            when: self.when,
            key: self.key.clone(),
            report_url: self.report_url.clone(),
        }
    }
}
