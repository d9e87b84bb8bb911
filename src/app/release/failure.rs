//! Failures of ports, as the failures of a use case.

use crate::app::Failure;
use promptgate_core::model::Diagnostic;
use promptgate_release::PortError;

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let (message, own) = split(&error.to_string());
        let help = own.or_else(|| general_help(&error).map(str::to_owned));
        let diagnostic = Diagnostic { help, ..Diagnostic::new(message) };
        match error {
            PortError::Invalid(_) => Self::Diagnostics(diagnostic.into()),
            _ => Self::Incomplete(diagnostic.into()),
        }
    }
}

/// Separates the next step that an adapter named, ` (help: …)` at the end, from the message.
pub(in crate::app) fn split(text: &str) -> (String, Option<String>) {
    let parts = text.strip_suffix(')').and_then(|text| text.split_once(" (help: "));
    match parts {
        Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
        None => (text.to_owned(), None),
    }
}

/// The next step after an error whose adapter names none.
fn general_help(error: &PortError) -> Option<&'static str> {
    match error {
        PortError::Conflict(_) => Some("other writers were faster ten times in a row; run the command again"),
        PortError::Mutated(_) => {
            Some("publish a new version, or restore the content; nothing was moved to it")
        }
        PortError::Damaged(_) => {
            Some("`promptgate log --verify` shows what is damaged; restore the ledger from a copy")
        }
        PortError::Invalid(_) | PortError::Unavailable(_) | PortError::Refused(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_of_the_adapter_comes_before_the_general_one() {
        let diagnostic = |error: PortError| match Failure::from(error) {
            Failure::Incomplete(diagnostics) => diagnostics.0[0].clone(),
            failure => panic!("{failure:?}"),
        };
        let own = diagnostic(PortError::Mutated("1.0.0 was changed (help: restore `x (y)`)".to_owned()));
        assert!(own.message.ends_with("1.0.0 was changed"), "{}", own.message);
        assert_eq!(own.help.as_deref(), Some("restore `x (y)`"));
        let general = diagnostic(PortError::Damaged("line 3 (of 5)".to_owned()));
        assert!(general.message.ends_with("line 3 (of 5)") && general.help.unwrap().contains("log --verify"));
    }
}
