//! The git process: settings that every command has, and its output.

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use promptgate_core::model::Diagnostic;

use super::GitError;

/// Output of a git command.
pub(crate) struct GitOutput {
    pub(crate) success: bool,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl GitOutput {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches(['\n', '\r']).to_owned()
    }

    /// First line of stderr, truncated.
    pub(crate) fn error(&self) -> String {
        let line = self.stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or("no message");
        line.trim().chars().filter(|character| !character.is_control()).take(300).collect()
    }
}

/// Runs git in a folder, without network access.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> Result<GitOutput, GitError> {
    let mut command = command(folder);
    command.args(arguments).env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    output(&mut command, &[]).map_err(|error| spawn_error(folder, &error))
}

/// Runs a command with `input` as its standard input.
pub(crate) fn output(command: &mut Command, input: &[u8]) -> io::Result<GitOutput> {
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pipe = child.stdin.take();
    let output = std::thread::scope(|scope| {
        if let Some(mut pipe) = pipe {
            // A command that fails does not read its input; its message says why.
            scope.spawn(move || drop(pipe.write_all(input)));
        }
        child.wait_with_output()
    })?;
    Ok(GitOutput {
        success: output.status.success(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// A git command in a folder. No hook, file system monitor, pager or prompt runs.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .arg("--no-replace-objects")
        .arg("--no-optional-locks")
        .arg("--literal-pathspecs")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
        // A commit can contain files that form a bare repository, whose author would control all results.
        .args(["-c", "safe.bareRepository=explicit"])
        .current_dir(folder)
        // No prompts, untranslated messages.
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .env("LANGUAGE", "C")
        .stdin(Stdio::null());
    // Git hooks set these variables for their own repository.
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_SHALLOW_FILE",
        "GIT_GRAFT_FILE",
        "GIT_GLOB_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
        "GIT_TRACE",
        "GIT_EXTERNAL_DIFF",
    ] {
        command.env_remove(name);
    }
    command
}

/// An error of starting git.
pub(crate) fn spawn_error(folder: &Path, error: &io::Error) -> GitError {
    let diagnostic = if error.kind() != ErrorKind::NotFound {
        Diagnostic::new(format!("could not run git: {error}"))
    } else if folder.is_dir() {
        return GitError::Absent(Diagnostic::new("git is not installed or not on PATH").help(
            "install git, or compare with a file or a saved report: `baseline: file:PATH`, `report:PATH`, `none`",
        ));
    } else {
        Diagnostic::new(format!("folder {} does not exist", folder.display()))
    };
    diagnostic.into()
}
