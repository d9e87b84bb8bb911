//! Creates the commit of an append from objects alone: no work tree, no index of the user.

use std::fmt::Write as _;
use std::fs;

use promptgate_release::ports::Addition;
use promptgate_release::{EventKind, Name, PortError, RELEASES_FILE};
use rand::RngExt as _;

use super::super::layout::{Writes, events_path, state_path};
use super::process::Git;

/// Name and address in commits; the actor is part of the event.
const IDENTITY: [&str; 2] = ["promptgate", "promptgate@localhost"];
/// Trailer with a random number, without which two writers could create the same commit and both believe that they won.
const NONCE: &str = "Promptgate-Nonce";
/// Trailer with the number of events of the prompt.
pub(super) const COUNT: &str = "Promptgate-Events";
/// Trailer with the digest of the last line of the events of the prompt.
pub(super) const TIP: &str = "Promptgate-Tip";
/// Events that the subject of a commit names.
const MAX_NAMED: usize = 4;

/// An append.
pub(super) struct Append<'a> {
    /// The name.
    pub(super) name: &'a Name,
    /// The text of its events before.
    pub(super) events: &'a str,
    /// The files.
    pub(super) writes: &'a Writes,
    /// The assignments of all names; `None` if they are the same as before.
    pub(super) releases: Option<String>,
    /// The addition.
    pub(super) addition: &'a Addition,
}

impl Git {
    /// Creates a commit on `base` with the files of an append, and returns it.
    pub(super) fn create_commit(&self, base: Option<&str>, append: &Append<'_>) -> Result<String, PortError> {
        let Append { name, events, writes, releases, addition } = append;
        let failed = |error: std::io::Error| {
            PortError::Unavailable(format!(
                "{}: a temporary file could not be written: {error}",
                self.shown()
            ))
        };
        let folder = tempfile::tempdir().map_err(failed)?;
        let mut files = vec![
            (events_path(name), format!("{events}{}", writes.lines)),
            (state_path(name), writes.state.clone()),
        ];
        files.extend(writes.records.iter().cloned());
        files.extend(releases.iter().map(|text| (RELEASES_FILE.to_owned(), text.clone())));
        let mut paths = String::new();
        for (index, (_, text)) in files.iter().enumerate() {
            let path = folder.path().join(index.to_string());
            fs::write(&path, text).map_err(failed)?;
            let _ = writeln!(paths, "{}", path.display());
        }
        let arguments = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
        let objects = self.text(&mut self.command(&arguments), paths.as_bytes())?;
        let mut entries = String::new();
        for (object, (path, _)) in objects.lines().zip(&files) {
            let _ = writeln!(entries, "100644 {object} 0\t{path}");
        }

        let index = folder.path().join("index");
        if let Some(base) = base {
            self.text(self.command(&["read-tree", base]).env("GIT_INDEX_FILE", &index), &[])?;
        }
        let arguments = ["update-index", "--add", "--index-info"];
        self.text(self.command(&arguments).env("GIT_INDEX_FILE", &index), entries.as_bytes())?;
        let arguments = ["write-tree", "--missing-ok"];
        let tree = self.text(self.command(&arguments).env("GIT_INDEX_FILE", &index), &[])?;

        let mut arguments = vec!["commit-tree", &tree, "-F", "-"];
        arguments.extend(base.iter().flat_map(|base| ["-p", base]));
        let mut command = self.command(&arguments);
        let variables =
            [["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"], ["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"]];
        for (variable, value) in variables.into_iter().flat_map(|pair| pair.into_iter().zip(IDENTITY)) {
            if std::env::var_os(variable).is_none() {
                command.env(variable, value);
            }
        }
        self.text(&mut command, message(name, addition, writes).as_bytes())
    }
}

/// The message of a commit. It starts no CI job.
fn message(name: &Name, addition: &Addition, writes: &Writes) -> String {
    let mut named: Vec<String> =
        addition.events.iter().take(MAX_NAMED).map(|event| describe(&event.kind)).collect();
    if addition.events.len() > MAX_NAMED {
        named.push(format!("{} more", addition.events.len() - MAX_NAMED));
    }
    let nonce: u128 = rand::rng().random();
    let mut text = format!("{name}: {} [skip ci]\n\n", named.join(", "));
    let _ = writeln!(text, "{NONCE}: {nonce:032x}");
    let _ = writeln!(text, "{COUNT}: {}", writes.count);
    let _ = writeln!(text, "{TIP}: {}", writes.tip);
    text
}

fn describe(kind: &EventKind) -> String {
    match kind {
        EventKind::Published { version, .. } => format!("publish {version}"),
        EventKind::Registered { version, .. } => format!("register {version}"),
        EventKind::Evaluated { version, .. } => format!("evaluate {version}"),
        EventKind::Approved { version, .. } => format!("approve {version}"),
        EventKind::Intended { label, version, .. } => format!("begin to move {label} to {version}"),
        EventKind::Abandoned { label, version } => format!("abandon moving {label} to {version}"),
        EventKind::Moved { label, version, .. } => format!("move {label} to {version}"),
        EventKind::StagingPassed { version, .. } => format!("{version} passes staging"),
        EventKind::RolloutStarted { start } => format!("start rollout {}", start.number),
        EventKind::RolloutLooked { rollout, .. } => format!("test rollout {rollout}"),
        EventKind::RolloutStepped { rollout, step, .. } => format!("rollout {rollout} to step {}", step + 1),
        EventKind::RolloutPaused { rollout, .. } => format!("pause rollout {rollout}"),
        EventKind::RolloutResumed { rollout, .. } => format!("resume rollout {rollout}"),
        EventKind::RolloutEnded { rollout, .. } => format!("end rollout {rollout}"),
    }
}
