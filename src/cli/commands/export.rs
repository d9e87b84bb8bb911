//! `promptgate export`: writes prompts as files.

use super::ledger::print;
use crate::app::Failure;
use crate::app::release::{bundle, open_ledger_for_reading};
use crate::cli::args::{BundleArguments, ExportArguments, ExportCommand, LedgerFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_core::text::neutral;

/// Runs the sub-command.
pub(super) async fn export(arguments: &ExportArguments) -> Result<ExitStatus, Failure> {
    match &arguments.command {
        ExportCommand::Bundle(arguments) => export_bundle(arguments).await,
    }
}

async fn export_bundle(arguments: &BundleArguments) -> Result<ExitStatus, Failure> {
    let ledger = open_ledger_for_reading(&arguments.ledger.options(arguments.names.first())).await?;
    let bundled = bundle(&*ledger, &arguments.options()).await?;
    let left_out: Vec<String> = bundled
        .left_out
        .iter()
        .map(|name| format!("{name} is left out: production serves no version of it"))
        .collect();
    output::warn(&left_out);
    match arguments.ledger.format {
        LedgerFormat::Json => print(&bundled.manifest, LedgerFormat::Json, |_, _, _| Ok(()))?,
        LedgerFormat::Terminal => {
            let entries = bundled.manifest.prompts.iter();
            let mut text: String = entries
                .map(|entry| format!("{}@{}  {}\n", entry.name, entry.version, entry.digest))
                .collect();
            text.push_str(&format!("manifest: {}\n", neutral::terminal(&bundled.path.display().to_string())));
            output::print(&text)?;
        }
    }
    Ok(ExitStatus::Pass)
}
