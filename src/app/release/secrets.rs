//! Secrets of the environment, which no ledger may hold: it is read by many, and never forgets.

use crate::app::Environment;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::{Redactor, Secret};

/// Refuses a text for the ledger that holds a secret; `what` names it.
///
/// # Errors
/// Such a text, which is not shown.
pub(super) fn refuse(text: &str, what: &str, place: &Place, redactor: &Redactor) -> Result<(), Diagnostic> {
    if redactor.redact(text) == text {
        return Ok(());
    }
    Err(Diagnostic::new(format!("{what} holds a secret of this environment")).at(place.clone()).help(
        "take it out, and replace the secret: it may be in the history of the repository or of the shell",
    ))
}

/// Refuses the reason of a command that holds a secret.
///
/// # Errors
/// Such a reason, which is not shown.
pub(super) fn refuse_in_reason(reason: &str, environment: &Environment) -> Result<(), Diagnostic> {
    refuse(reason, "the reason", &Place::file("--reason"), &environment.redactor())
}

/// Returns the secret of a variable that something needs: `user` names it, and `shown` is the configuration.
///
/// # Errors
/// A variable that is not set.
pub(super) fn required(
    name: &str,
    environment: &Environment,
    user: &str,
    shown: &str,
) -> Result<Secret, Diagnostic> {
    environment.variable(name).map(Secret::new).ok_or_else(|| {
        Diagnostic::new(format!("{name} is not set, and {user} needs it"))
            .at(Place::file(shown))
            .help("set it in the environment of this command, never in a file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_are_named_as_secrets_are_refused() {
        let pairs = [("MY_KEY", "k-0123456789ab"), ("GH_TOKEN", "short"), ("LANG", "en_US.UTF-8.long")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let redactor = Environment::of(pairs).redactor();
        let place = Place::file("prompt.md");
        for text in ["a short text", "en_US.UTF-8.long", ""] {
            assert_eq!(refuse(text, "the reason", &place, &redactor), Ok(()));
        }
        let refused = refuse("uses k-0123456789ab.", "the reason", &place, &redactor).unwrap_err();
        assert_eq!(refused.message, "the reason holds a secret of this environment");
    }
}
