//! `promptgate publish`: publishes the prompt as an immutable version.

use crate::app::release::{PublishOutcome, Published, obstacles, publish as publishing};
use crate::app::{Environment, Failure, pretty_json};
use crate::cli::args::{LedgerFormat, PublishArguments};
use crate::cli::exit::ExitStatus;
use crate::cli::release::obstacle_lines;
use crate::cli::{output, summary};
use promptgate_report::release::publication::{Publication, PublicationResult, SCHEMA};

/// Publishes the prompt.
pub(super) async fn publish(
    arguments: &PublishArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let published = publishing(&arguments.options(), environment).await?;
    match arguments.format {
        LedgerFormat::Json => output::print(&pretty_json(&json(&published), "the publication")?)?,
        LedgerFormat::Terminal => output::print_lines(&text(&published))?,
    }
    let status = match published.outcome {
        PublishOutcome::Refused(_) => ExitStatus::Fail,
        _ => ExitStatus::Pass,
    };
    summary::write_lines("publish", status, &text(&published), environment);
    Ok(status)
}

fn text(published: &Published) -> String {
    let Published { name, digest, dry_run, .. } = published;
    let would = if *dry_run { "would be " } else { "" };
    let mut text = match &published.outcome {
        PublishOutcome::New { version, level, level_reasons } => {
            let mut text =
                format!("{name}: {would}published {version}, a {level} change ({})\n", digest.short());
            for reason in level_reasons {
                text.push_str(&format!("  {reason}\n"));
            }
            text
        }
        PublishOutcome::Evaluated(version) => {
            let was = if *dry_run { "would be" } else { "was" };
            format!("{name}: {version} already has this content; the new evaluation {was} recorded\n")
        }
        PublishOutcome::Outdated(version) => format!(
            "{name}: {version} already has this content and a newer evaluation; this report is older and was not recorded\n"
        ),
        PublishOutcome::Approved(version) => {
            let were = if *dry_run { "would be" } else { "were" };
            format!(
                "{name}: {version} already has this content and this evaluation; new approvals {were} recorded\n"
            )
        }
        PublishOutcome::Unchanged(version) => {
            format!("{name}: {version} already has this content and this evaluation; nothing to record\n")
        }
        PublishOutcome::Refused(found) => {
            format!("{name}: not published\n{}", obstacle_lines(found, name, None))
        }
    };
    for note in &published.notes {
        text.push_str(&format!("  {note}\n"));
    }
    if let Some(id) = &published.registry_id {
        text.push_str(&format!("  registry version {id}\n"));
    }
    text
}

fn json(published: &Published) -> Publication {
    let (result, level, level_reasons, found) = match &published.outcome {
        PublishOutcome::New { level, level_reasons, .. } => {
            (PublicationResult::Published, Some(level.to_string()), level_reasons.clone(), &[][..])
        }
        PublishOutcome::Evaluated(_) => (PublicationResult::Evaluated, None, Vec::new(), &[][..]),
        PublishOutcome::Outdated(_) => (PublicationResult::Outdated, None, Vec::new(), &[][..]),
        PublishOutcome::Approved(_) => (PublicationResult::Approved, None, Vec::new(), &[][..]),
        PublishOutcome::Unchanged(_) => (PublicationResult::Unchanged, None, Vec::new(), &[][..]),
        PublishOutcome::Refused(found) => (PublicationResult::Refused, None, Vec::new(), found.as_slice()),
    };
    Publication {
        schema: SCHEMA.to_owned(),
        name: published.name.to_string(),
        version: published.outcome.version().map(|version| version.to_string()),
        digest: published.digest.to_string(),
        level,
        level_reasons,
        result,
        obstacles: obstacles(found, &published.name, None),
        registry_id: published.registry_id.clone(),
        notes: published.notes.clone(),
        dry_run: published.dry_run,
    }
}
