//! What the CI system says, and where it wants to be told.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::github::Event;
use crate::model::{Mistake, Place};
use crate::text::neutral;

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
    pub(super) fn event(&self) -> Result<Option<Event>, Mistake> {
        let Some(name) = self.variables.get("GITHUB_EVENT_NAME") else { return Ok(None) };
        let help = "leave the variables that GitHub sets as they are; without GITHUB_EVENT_NAME this is no event at all";
        let Some(path) = self.path("GITHUB_EVENT_PATH") else {
            return Err(Mistake::new(format!(
                "GITHUB_EVENT_NAME is {}, but no file holds the event",
                neutral::terminal(name)
            ))
            .at(Place::file("GITHUB_EVENT_PATH"))
            .help(help));
        };
        let place = || Place::file(path.display().to_string());
        let payload = read(&path)
            .map_err(|why| Mistake::new(format!("the event cannot be read: {why}")).at(place()).help(help))?;
        Event::read(name, &payload).map(Some).map_err(|mistake| mistake.at(place()))
    }
}

fn read(path: &Path) -> Result<String, String> {
    let facts = std::fs::metadata(path).map_err(|error| error.to_string())?;
    // Only a regular file ends: a pipe or a device may not.
    if !facts.is_file() {
        return Err("this is not a file".to_owned());
    }
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(EVENT_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > EVENT_LIMIT {
        return Err("it is larger than 32 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}
