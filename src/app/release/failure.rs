//! Failures of ports, as the failures of a use case.

use crate::app::Failure;
use promptgate_core::model::Diagnostic;
use promptgate_release::PortError;

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let diagnostic = Diagnostic::new(error.to_string());
        match error {
            PortError::Invalid(_) => Self::Diagnostics(diagnostic.into()),
            PortError::Conflict(_) => {
                let help = "other writers were faster ten times in a row; run the command again";
                Self::Incomplete(diagnostic.help(help).into())
            }
            PortError::Mutated(_) => {
                let help = "publish a new version, or restore the content; nothing was moved to it";
                Self::Incomplete(diagnostic.help(help).into())
            }
            PortError::Damaged(_) => {
                let help = "`promptgate log --verify` shows what is damaged; restore the ledger from a copy";
                Self::Incomplete(diagnostic.help(help).into())
            }
            PortError::Unavailable(_) | PortError::Refused(_) => Self::Incomplete(diagnostic.into()),
        }
    }
}
