//! The ledger of a command that reads.

use std::path::PathBuf;
use std::sync::Arc;

use super::open::{Opened, Target};
use crate::app::Failure;
use promptgate_release::Name;
use promptgate_release::ports::LedgerStore;

/// Which ledger is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct LedgerOptions {
    /// A configuration, or its folder.
    pub(crate) config: Option<PathBuf>,
    /// The prompt that the command is about; `None` if it is about all of them.
    pub(crate) name: Option<Name>,
    /// Whether the ledger is fetched first.
    pub(crate) refresh: bool,
}

/// Opens the ledger of the configuration that is named, else of the one that releases the prompt, else of the nearest one:
/// a ledger has the prompts of many configurations, and whoever reads it need not have them all.
///
/// # Errors
/// No configuration with a release; with `refresh`, a ledger that cannot be fetched.
pub(crate) async fn open_ledger_for_reading(
    options: &LedgerOptions,
) -> Result<Arc<dyn LedgerStore>, Failure> {
    let target = |name: Option<&Name>| Target { config: options.config.clone(), name: name.cloned() };
    // A named configuration has one ledger, whichever prompt it releases.
    let named = options.name.as_ref().filter(|_| options.config.is_none());
    let opened = match named {
        None => Opened::open(&target(None))?,
        Some(name) => match Opened::open(&target(Some(name))) {
            Ok(opened) => opened,
            Err(failure) => Opened::open(&target(None)).map_err(|_| failure)?,
        },
    };
    let ledger = opened.ledger;
    if options.refresh {
        ledger.refresh().await?;
    }
    Ok(ledger)
}
