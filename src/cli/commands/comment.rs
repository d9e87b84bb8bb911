//! `promptgate comment`: the comment on the pull request.
//!
//! The exit code is about the comment alone: 0 where it is up to date, not needed, or the token may only read; 2 for
//! invalid settings; 12 where GitHub is unavailable.

use crate::app::comment::{self as commenting, Commented};
use crate::app::{Environment, Failure};
use crate::cli::args::CommentArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Creates or updates the comment.
pub(super) async fn comment(
    arguments: &CommentArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    match commenting::comment(&arguments.options(), environment).await? {
        Commented::Done { line, warnings } => {
            output::warn(&warnings);
            output::info(&line);
        }
        Commented::Forbidden { warnings, annotate } => {
            output::warn(&warnings);
            if annotate {
                // A workflow command: it holds no text from outside.
                output::print(
                    "::warning title=promptgate::the comment was not written, since the token may not write to this \
                     pull request; the job summary has its text\n",
                )?;
            }
        }
    }
    Ok(ExitStatus::Pass)
}
