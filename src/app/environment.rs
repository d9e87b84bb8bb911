//! Environment variables, read once; tests bring their own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use jiff::Timestamp;
use promptgate_core::model::Diagnostic;
use promptgate_core::text::{Redactor, Secret};

/// Endings of the names of variables that hold secrets.
const SECRET_ENDINGS: [&str; 4] = ["KEY", "TOKEN", "SECRET", "PASSWORD"];
/// Shorter values are words that any text may contain.
const MIN_SECRET_BYTES: usize = 12;

/// The variables that are not blank, without white space around their values.
#[derive(Clone, Default)]
pub(crate) struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    /// Reads the variables of this process. A value that is not UTF-8 counts as not set.
    pub(crate) fn of_process() -> Self {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self::of(std::env::vars_os().filter_map(text))
    }

    /// An environment of these variables alone.
    pub(crate) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let trimmed = variables.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
        Self(Arc::new(trimmed.filter(|(_, value)| !value.is_empty()).collect()))
    }

    /// This environment with more variables; those that are set keep their value.
    pub(crate) fn with(&self, more: impl IntoIterator<Item = (String, String)>) -> Self {
        let set = self.variables().map(|(name, value)| (name.to_owned(), value.to_owned()));
        // The last one of a name counts.
        Self::of(more.into_iter().chain(set))
    }

    /// All variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values of variables whose names say that they hold secrets, whatever they are for.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = Secret> {
        let long = self.variables().filter(|(_, value)| value.len() >= MIN_SECRET_BYTES);
        long.filter(|(name, _)| Self::names_secret(name)).map(|(_, value)| Secret::new(value))
    }

    /// Whether the name of a variable says that it holds a secret.
    pub(crate) fn names_secret(name: &str) -> bool {
        SECRET_ENDINGS.iter().any(|ending| name.to_ascii_uppercase().ends_with(ending))
    }

    /// A redactor of those secrets.
    pub(crate) fn redactor(&self) -> Redactor {
        Redactor::new(&self.secrets().collect::<Vec<_>>())
    }

    /// The time. Tests let days pass by PROMPTGATE_TIME; released executables refuse it, since whoever sets the variables of
    /// a job would skip every hold.
    ///
    /// # Errors
    /// The variable is set in an optimized build, or is not a time.
    pub(crate) fn now(&self) -> Result<Timestamp, Diagnostic> {
        let Some(text) = self.variable("PROMPTGATE_TIME") else { return Ok(Timestamp::now()) };
        if !cfg!(debug_assertions) {
            return Err(Diagnostic::new("PROMPTGATE_TIME is set, which only builds for tests take")
                .help("unset it: holds are counted by the time of the machine"));
        }
        text.parse().map_err(|_| {
            Diagnostic::new(format!("PROMPTGATE_TIME is not a time: `{text}`"))
                .help("expected a time like 2026-11-30T12:00:00Z")
        })
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}
