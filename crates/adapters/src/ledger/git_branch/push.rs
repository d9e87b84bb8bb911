//! Pushes a commit as compare-and-swap.

use std::thread::sleep;

use promptgate_release::PortError;

use super::super::observer::Observer;
use super::super::retry::short_pause;
use super::fetch::{Depth, is_locked};
use super::process::{Git, is_permission};

/// Pushes of one commit whose result was unclear, before the remote counts as unavailable.
const MAX_UNCLEAR: u32 = 4;

/// The result of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// The branch contains the commit.
    Stored,
    /// Another writer was faster; its commit is fetched.
    Moved,
}

impl Git {
    /// Pushes `commit` if the branch is still at `base`; `None` for a branch that does not exist.
    ///
    /// # Errors
    /// [`PortError::Refused`] if the server declines; [`PortError::Unavailable`] if the remote does not answer.
    pub(super) fn push(
        &self,
        base: Option<&str>,
        commit: &str,
        observer: &Observer,
    ) -> Result<Pushed, PortError> {
        let reference = self.remote_reference();
        let lease = format!("--force-with-lease={reference}:{}", base.unwrap_or_default());
        let refspec = format!("{commit}:{reference}");
        let arguments = [
            "push",
            "--porcelain",
            "--no-verify",
            "--recurse-submodules=no",
            &lease,
            "--end-of-options",
            &self.remote,
            &refspec,
        ];
        for attempt in 1.. {
            let mut command = self.command(&arguments);
            self.authenticate(&mut command)?;
            let output = self.output(&mut command, &[])?;
            observer.reached("pushed");
            if output.success {
                return Ok(Pushed::Stored);
            }
            // The server may have stored the commit all the same, if the connection was lost.
            let unreachable = |_| self.remote_error(&output.stderr);
            let tip = match self.fetch(Depth::Clone) {
                Ok(tip) => tip,
                Err(error @ PortError::Damaged(_)) => return Err(error),
                Err(error) => return Err(unreachable(error)),
            };
            observer.reached("fetched");
            if let Some(tip) = &tip
                && self.contains(tip, commit)?
            {
                return Ok(Pushed::Stored);
            }
            if tip.as_deref() != base {
                return Ok(Pushed::Moved);
            }
            let rejection = output.text().lines().find_map(rejection);
            let is_final = match &rejection {
                Some(reason) => !is_locked(reason) && !is_locked(&output.stderr),
                None => is_permission(&output.stderr),
            };
            if is_final {
                return Err(self.refused(rejection.as_deref(), &output.stderr));
            }
            if attempt >= MAX_UNCLEAR {
                return Err(self.remote_error(&output.stderr));
            }
            sleep(short_pause(attempt));
        }
        Ok(Pushed::Moved)
    }

    /// Records a pushed commit as the last fetched one. Another process may have fetched a newer one meanwhile, and git
    /// itself records the push for remotes that the repository knows; a tip that is not recorded is fetched by the next
    /// refresh.
    pub(super) fn record_push(&self, base: Option<&str>, commit: &str) -> Result<(), PortError> {
        let tracking = self.tracking();
        let arguments =
            ["update-ref", "-m", "promptgate: append", &tracking, commit, base.unwrap_or_default()];
        self.output(&mut self.command(&arguments), &[]).map(drop)
    }

    fn refused(&self, rejection: Option<&str>, stderr: &str) -> PortError {
        let reason = rejection.map_or_else(String::new, |reason| format!("{reason}: "));
        PortError::Refused(format!(
            "the server refused the push to {}: {reason}{} (help: allow this key in the branch's rules)",
            self.shown(),
            self.words(stderr)
        ))
    }
}

/// The reason in a line of `git push --porcelain`, whose fields are `!`, `FROM:TO` and `[remote rejected] (REASON)`.
fn rejection(line: &str) -> Option<String> {
    let summary = line.strip_prefix("!\t")?.split('\t').nth(1)?;
    let reason = summary.split_once('(').map_or(summary, |(_, reason)| reason.trim_end_matches(')'));
    Some(reason.chars().filter(|character| !character.is_control()).take(200).collect())
}
