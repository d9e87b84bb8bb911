//! `promptgate pull`: brings a version that somebody wrote in the registry into the repository.

use crate::app::release::{PullOutcome, Pulled, pull as pulling};
use crate::app::{Environment, Failure, pretty_json};
use crate::cli::args::{LedgerFormat, PullArguments};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_core::text::neutral;
use promptgate_report::release::pull::{Pull, PullResult, SCHEMA};

/// Pulls the newest version.
pub(super) async fn pull(
    arguments: &PullArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let pulled = pulling(&arguments.options(), environment).await?;
    match arguments.write.format {
        LedgerFormat::Json => output::print(&pretty_json(&json(&pulled), "the pulled version")?)?,
        LedgerFormat::Terminal => output::print_lines(&text(&pulled))?,
    }
    Ok(ExitStatus::Pass)
}

fn text(pulled: &Pulled) -> String {
    let Pulled { name, id, dry_run, .. } = pulled;
    let would = if *dry_run { "would be " } else { "" };
    let mut text = match &pulled.outcome {
        PullOutcome::Published(version) => {
            return format!(
                "{name}: registry version {id} is {version}, which was published from git; nothing to pull\n"
            );
        }
        PullOutcome::Unchanged(file) => {
            return format!("{name}: {file} has the content of registry version {id} already\n");
        }
        PullOutcome::File(file) => format!("{name}: registry version {id} {would}written to {file}\n"),
        PullOutcome::Branch { branch, commit: Some(commit) } => {
            let commit = commit.get(..12).unwrap_or(commit);
            format!("{name}: registry version {id} committed to {branch} as {commit}\n")
        }
        PullOutcome::Branch { branch, commit: None } => {
            format!("{name}: registry version {id} would be committed to {branch}\n")
        }
    };
    for (label, value) in [("author", &pulled.author), ("reason", &pulled.reason)] {
        if let Some(value) = value {
            text.push_str(&format!("  {label}: {}\n", neutral::clip(&neutral::terminal(value), 200)));
        }
    }
    text
}

fn json(pulled: &Pulled) -> Pull {
    let (result, version, file, branch, commit) = match &pulled.outcome {
        PullOutcome::Published(version) => (PullResult::Published, Some(version.clone()), None, None, None),
        PullOutcome::Unchanged(file) => (PullResult::Unchanged, None, Some(file.clone()), None, None),
        PullOutcome::File(file) => (PullResult::File, None, Some(file.clone()), None, None),
        PullOutcome::Branch { branch, commit } => {
            (PullResult::Branch, None, None, Some(branch.clone()), commit.clone())
        }
    };
    Pull {
        schema: SCHEMA.to_owned(),
        name: pulled.name.to_string(),
        id: pulled.id.clone(),
        author: pulled.author.clone(),
        reason: pulled.reason.clone(),
        result,
        version,
        file,
        branch,
        commit,
        dry_run: pulled.dry_run,
    }
}
