//! Fetches the branch, and sees whether it moved as a ledger moves: forward.

use std::thread::sleep;

use promptgate_release::PortError;

use super::super::retry::{MAX_ATTEMPTS, short_pause};
use super::process::Git;
use crate::git::{is_object_name, short};

/// How much history a fetch gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The newest commit in a shallow clone that has none; else all that is missing.
    Clone,
    /// All.
    Full,
}

impl Git {
    /// Fetches the branch, and returns its tip; `None` if the remote has no such branch and never had.
    ///
    /// # Errors
    /// [`PortError::Damaged`] if the branch was deleted or rewritten since the last fetch; [`PortError::Unavailable`] or
    /// [`PortError::Refused`] if the remote does not answer.
    pub(super) fn fetch(&self, depth: Depth) -> Result<Option<String>, PortError> {
        self.check()?;
        let known = self.known_tip()?;
        let tracking = self.tracking();
        // Without `+`, so that git refuses a branch that was rewritten.
        let refspec = format!("{}:{tracking}", self.remote_reference());
        let mut arguments = vec![
            "fetch",
            "--no-tags",
            "--no-prune",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            "--no-auto-gc",
            "--no-filter",
            "--refmap=",
        ];
        match depth {
            Depth::Full => arguments.push("--depth=1000000000"), // a larger number would unshallow every branch
            Depth::Clone if known.is_none() && self.is_shallow()? => arguments.push("--depth=1"),
            Depth::Clone => {}
        }
        arguments.extend(["--end-of-options", &self.remote, &refspec]);
        for attempt in 1.. {
            let mut command = self.command(&arguments);
            self.authenticate(&mut command)?;
            let output = self.output(&mut command, &[])?;
            if output.success {
                return self.known_tip();
            }
            let stderr = &output.stderr;
            // Another process fetches into the same clone.
            if is_locked(stderr) && attempt < MAX_ATTEMPTS {
                sleep(short_pause(attempt));
                continue;
            }
            if stderr.contains("couldn't find remote ref") {
                return known.map_or(Ok(None), |known| Err(self.deleted(&known)));
            }
            if stderr.contains("non-fast-forward") {
                return Err(self.rewritten(known.as_deref().unwrap_or_default()));
            }
            return Err(self.remote_error(stderr));
        }
        Ok(known)
    }

    /// The last fetched tip.
    pub(super) fn known_tip(&self) -> Result<Option<String>, PortError> {
        let tracking = self.tracking();
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &tracking];
        let output = self.output(&mut self.command(&arguments), &[])?;
        let tip = output.text();
        if output.success && is_object_name(&tip) {
            Ok(Some(tip))
        } else if output.stderr.trim().is_empty() {
            Ok(None)
        } else {
            Err(self.local_error(&output.stderr))
        }
    }

    fn is_shallow(&self) -> Result<bool, PortError> {
        Ok(self.text(&mut self.command(&["rev-parse", "--is-shallow-repository"]), &[])? == "true")
    }

    /// Whether a commit is part of the branch at `tip`.
    pub(super) fn contains(&self, tip: &str, commit: &str) -> Result<bool, PortError> {
        let arguments = ["merge-base", "--is-ancestor", commit, tip];
        Ok(tip == commit || self.output(&mut self.command(&arguments), &[])?.success)
    }

    fn deleted(&self, known: &str) -> PortError {
        let reference = self.remote_reference();
        PortError::Damaged(format!(
            "{} was deleted since it was last fetched (help: restore it: `git push {} {known}:{reference}`; to start \
             again without its history: `git update-ref -d {}`)",
            self.shown(),
            self.remote_shown(),
            self.tracking()
        ))
    }

    fn rewritten(&self, known: &str) -> PortError {
        PortError::Damaged(format!(
            "{} was rewritten: it no longer contains the commit {} that was last fetched (help: restore it from that \
             commit; to accept the new history: `git update-ref -d {}`)",
            self.shown(),
            short(known),
            self.tracking()
        ))
    }
}

/// Whether a command failed because another process holds a lock, or moved a reference first.
pub(super) fn is_locked(message: &str) -> bool {
    ["cannot lock ref", ".lock", "failed to update ref", "incorrect old value", "unable to update local ref"]
        .iter()
        .any(|part| message.contains(part))
        || message.contains("shallow file has changed")
}
