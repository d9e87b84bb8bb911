//! The environment of a CI job: variables, the event, and files that a job writes.

use std::path::PathBuf;

use crate::app::Environment;
use crate::app::files::{Links, read_text};
use crate::app::sources::BaseRepository;
use promptgate_adapters::github::Event;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::neutral;

/// Largest event that is read, in bytes; GitHub limits a payload to 25 MB.
const EVENT_LIMIT: u64 = 32 << 20;

impl Environment {
    /// Whether GitHub Actions reads the log.
    pub(in crate::app) fn is_github(&self) -> bool {
        self.variable("GITHUB_ACTIONS").is_some_and(|value| value == "true")
    }

    /// The file that a variable names.
    pub(in crate::app) fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from)
    }

    /// The URL of the workflow run; `None` outside GitHub.
    pub(in crate::app) fn run_url(&self) -> Option<String> {
        let [server, repository, run] =
            ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(|name| self.variable(name));
        Some(format!("{}/{}/actions/runs/{}", server?.trim_end_matches('/'), repository?, run?))
    }

    /// The repository of the event, which for a pull request is that of its base; `None` outside GitHub.
    pub(super) fn base_repository(&self) -> Option<BaseRepository> {
        let server = self.variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
        Some(BaseRepository { server, name: self.variable("GITHUB_REPOSITORY")? })
    }

    /// The event that started the job; `None` outside GitHub.
    ///
    /// # Errors
    /// An event without a file, or with an unreadable one.
    pub(in crate::app) fn event(&self) -> Result<Option<Event>, Diagnostic> {
        let Some(name) = self.variable("GITHUB_EVENT_NAME") else { return Ok(None) };
        let help =
            "leave the variables that GitHub sets as they are; without GITHUB_EVENT_NAME no event is read";
        let Some(path) = self.path("GITHUB_EVENT_PATH") else {
            return Err(Diagnostic::new(format!(
                "GITHUB_EVENT_NAME is {}, but no file holds the event",
                neutral::terminal(&name)
            ))
            .at(Place::file("GITHUB_EVENT_PATH"))
            .help(help));
        };
        let place = || Place::file(path.display().to_string());
        let payload = read_text(&path, "event", EVENT_LIMIT, Links::Follow).map_err(|why| {
            Diagnostic::new(format!("the event cannot be read: {why}")).at(place()).help(help)
        })?;
        Event::read(&name, &payload).map(Some).map_err(|diagnostic| diagnostic.at(place()))
    }
}
