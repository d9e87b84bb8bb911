//! `promptgate promote`: moves a label to a version that passed its controls.

use crate::app::release::{PromoteOutcome, Promoted, obstacles, promote as moving};
use crate::app::{Environment, Failure, pretty_json};
use crate::cli::args::{LedgerFormat, PromoteArguments};
use crate::cli::exit::ExitStatus;
use crate::cli::release::{obstacle_lines, staleness};
use crate::cli::{output, summary};
use promptgate_report::release::promotion::{Promotion, PromotionResult, SCHEMA};

/// Promotes a version.
pub(super) async fn promote(
    arguments: &PromoteArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let promoted = moving(&arguments.options(), environment).await?;
    match arguments.write.format {
        LedgerFormat::Json => output::print(&pretty_json(&json(&promoted), "the promotion")?)?,
        LedgerFormat::Terminal => output::print_lines(&text(&promoted))?,
    }
    let status = match &promoted.outcome {
        PromoteOutcome::Done { .. } | PromoteOutcome::Unchanged => ExitStatus::Pass,
        PromoteOutcome::Refused(_) | PromoteOutcome::RolledBack { .. } => ExitStatus::Fail,
        PromoteOutcome::Waiting(_) => ExitStatus::Inconclusive,
    };
    summary::write_lines("promote", status, &text(&promoted), environment);
    Ok(status)
}

fn text(promoted: &Promoted) -> String {
    let Promoted { name, version, label, dry_run, .. } = promoted;
    let mut text: String = promoted.notes.iter().map(|note| format!("{note}\n")).collect();
    let from = promoted.from.map_or("for the first time".to_owned(), |from| format!("from {from}"));
    text.push_str(&match &promoted.outcome {
        PromoteOutcome::Done { level } if *dry_run => {
            format!(
                "{name}: {label} would move {from} to {version}; the controls of a {level} change passed\n"
            )
        }
        PromoteOutcome::Done { level } => format!(
            "{name}: {label} moved {from} to {version}; the controls of a {level} change passed\n{}",
            staleness(&promoted.registry, promoted.staleness)
        ),
        PromoteOutcome::Unchanged => format!("{name}: {label} already points at {version}\n"),
        PromoteOutcome::Refused(found) => {
            format!(
                "{name}: {label} was not moved to {version}: refused\n{}",
                obstacle_lines(found, name, Some(*version))
            )
        }
        PromoteOutcome::Waiting(found) => {
            format!(
                "{name}: {label} was not moved to {version} yet\n{}",
                obstacle_lines(found, name, Some(*version))
            )
        }
        PromoteOutcome::RolledBack { to } => {
            format!("{name}: {label} stays at {to}, where another command moved it in the meantime\n")
        }
    });
    text
}

fn json(promoted: &Promoted) -> Promotion {
    let (result, level, found) = match &promoted.outcome {
        PromoteOutcome::Done { level } => (PromotionResult::Promoted, Some(level.to_string()), &[][..]),
        PromoteOutcome::Unchanged => (PromotionResult::Unchanged, None, &[][..]),
        PromoteOutcome::Refused(found) => (PromotionResult::Refused, None, found.as_slice()),
        PromoteOutcome::Waiting(found) => (PromotionResult::Waiting, None, found.as_slice()),
        PromoteOutcome::RolledBack { .. } => (PromotionResult::RolledBack, None, &[][..]),
    };
    Promotion {
        schema: SCHEMA.to_owned(),
        name: promoted.name.to_string(),
        version: promoted.version.to_string(),
        label: promoted.label.to_string(),
        from: promoted.from.map(|from| from.to_string()),
        result,
        level,
        obstacles: obstacles(found, &promoted.name, Some(promoted.version)),
        notes: promoted.notes.clone(),
        registry: promoted.registry.clone(),
        cache_seconds: promoted.staleness.cache_ttl.as_secs(),
        dry_run: promoted.dry_run,
    }
}
