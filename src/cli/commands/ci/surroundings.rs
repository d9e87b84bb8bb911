//! What the CI system says, and where it wants to be told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cli::files::{Links, read_text};
use promptgate_adapters::github::Event;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::neutral;

/// The largest event that is read, in bytes; GitHub's own bound of a payload is 25 MB.
const EVENT_LIMIT: u64 = 32 << 20;

/// The variables of the process that hold something.
pub(super) struct Surroundings {
    variables: BTreeMap<String, String>,
}

impl Surroundings {
    /// Those of this process. A value that is no text is taken for one that is not set.
    pub(super) fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let variables =
            std::env::vars_os().filter_map(text).filter(|(_, value)| !value.trim().is_empty()).collect();
        Self { variables }
    }

    /// A variable.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    /// Whether a runner of GitHub Actions reads what is printed.
    pub(super) fn is_github(&self) -> bool {
        self.variables.get("GITHUB_ACTIONS").is_some_and(|value| value == "true")
    }

    /// The file that a variable names.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).map(PathBuf::from)
    }

    /// Where the run of the workflow can be looked at; `None` outside GitHub.
    pub(super) fn address(&self) -> Option<String> {
        let [server, repository, run] =
            ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(|name| self.variables.get(name));
        Some(format!("{}/{}/actions/runs/{}", server?.trim_end_matches('/'), repository?, run?))
    }

    /// The event that started the job; `None` outside GitHub.
    ///
    /// # Errors
    /// An event without a file, or with one that cannot be read.
    pub(super) fn event(&self) -> Result<Option<Event>, Diagnostic> {
        let Some(name) = self.variables.get("GITHUB_EVENT_NAME") else { return Ok(None) };
        let help = "leave the variables that GitHub sets as they are; without GITHUB_EVENT_NAME this is no event at all";
        let Some(path) = self.path("GITHUB_EVENT_PATH") else {
            return Err(Diagnostic::new(format!(
                "GITHUB_EVENT_NAME is {}, but no file holds the event",
                neutral::terminal(name)
            ))
            .at(Place::file("GITHUB_EVENT_PATH"))
            .help(help));
        };
        let place = || Place::file(path.display().to_string());
        let payload = read_text(&path, "event", EVENT_LIMIT, Links::Follow).map_err(|why| {
            Diagnostic::new(format!("the event cannot be read: {why}")).at(place()).help(help)
        })?;
        Event::read(name, &payload).map(Some).map_err(|diagnostic| diagnostic.at(place()))
    }
}
