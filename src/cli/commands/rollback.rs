//! `promptgate rollback`: moves a label back to a version that held it.

use crate::app::release::{RolledBack, rollback as moving, wait};
use crate::app::telemetry::{RolloutCall, Telemetry};
use crate::app::{Environment, Failure, pretty_json};
use crate::cli::args::{LedgerFormat, RollbackArguments};
use crate::cli::exit::ExitStatus;
use crate::cli::release::staleness;
use crate::cli::{output, summary, telemetry};
use promptgate_report::release::rollback::{Rollback, SCHEMA};

/// Rolls a label back.
pub(super) async fn rollback(
    arguments: &RollbackArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let options = arguments.telemetry.options();
    let receiver = options.map(|options| Telemetry::new(&options, environment)).transpose()?;
    let begun = environment.now()?;
    let mut rolled_back = moving(&arguments.options(), environment).await?;
    let ended = environment.now().unwrap_or(begun);
    let mut followed = Ok(());
    if let Some(polled) = arguments.wait().filter(|_| !rolled_back.dry_run) {
        followed = wait(&polled, rolled_back.to, rolled_back.staleness)
            .await
            .map(|note| rolled_back.notes.push(note));
    }
    // The label was moved and verified, whatever the application does.
    let printed = match arguments.write.format {
        LedgerFormat::Json => {
            pretty_json(&json(&rolled_back), "the rollback").and_then(|text| output::print(&text))
        }
        LedgerFormat::Terminal => output::print_lines(&text(&rolled_back)),
    };
    summary::write_lines("rollback", ExitStatus::Pass, &text(&rolled_back), environment);
    match receiver {
        Some(_) if rolled_back.dry_run => output::info("no telemetry is sent: a dry run changes nothing"),
        Some(receiver) => {
            let call = RolloutCall { command: "rollback", begun, ended };
            telemetry::send_rollback(&receiver, &rolled_back, call, environment).await;
        }
        None => {}
    }
    printed?;
    followed?;
    Ok(ExitStatus::Pass)
}

fn text(rolled_back: &RolledBack) -> String {
    let RolledBack { name, label, from, to, .. } = rolled_back;
    let mut text = if rolled_back.dry_run {
        format!("{name}: {label} would move back from {from} to {to}\n")
    } else {
        let registry = staleness(&rolled_back.registry, rolled_back.staleness);
        format!("{name}: {label} moved back from {from} to {to}\n{registry}")
    };
    for note in &rolled_back.notes {
        text.push_str(&format!("  {note}\n"));
    }
    if let Some(line) = &rolled_back.pending {
        text.push_str(&format!("  pending event: {line}\n"));
    }
    text
}

fn json(rolled_back: &RolledBack) -> Rollback {
    Rollback {
        schema: SCHEMA.to_owned(),
        name: rolled_back.name.to_string(),
        label: rolled_back.label.to_string(),
        from: rolled_back.from.to_string(),
        to: rolled_back.to.to_string(),
        notes: rolled_back.notes.clone(),
        registry: rolled_back.registry.clone(),
        cache_seconds: rolled_back.staleness.cache_ttl.as_secs(),
        stale_read: rolled_back.staleness.stale_read,
        pending: rolled_back.pending.clone(),
        dry_run: rolled_back.dry_run,
    }
}
