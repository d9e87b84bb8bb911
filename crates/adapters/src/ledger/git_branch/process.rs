//! Git commands of a ledger: network access, credentials, and errors in git's words.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use promptgate_core::text::{Redactor, Secret};
use promptgate_release::PortError;
use sha2::{Digest as _, Sha256};

use crate::git::process::{GitOutput, command, output, spawn_error};
use crate::git::validate_reference;

/// Lines of git's messages that are shown.
const MAX_LINES: usize = 8;
/// Characters of git's messages that are shown.
const MAX_CHARACTERS: usize = 800;

/// The next step without git, or with one that lacks an option; `rev-parse --end-of-options` is the newest.
const INSTALL_GIT: &str = "install git 2.30 or later";

/// Parts of messages about credentials and permissions, in lower case.
const PERMISSION: [&str; 9] = [
    "permission",
    "denied",
    "authentication failed",
    "could not read username",
    "could not read password",
    "not allowed",
    "read only",
    "error: 401",
    "error: 403",
];

/// Settings that keep git from touching anything but objects and the ledger's own references.
const SETTINGS: [&str; 8] = [
    "gc.auto=0",
    "maintenance.auto=false",
    "index.sparse=false",
    "core.splitIndex=false",
    "core.sparseCheckout=false",
    "push.followTags=false",
    "push.gpgSign=false",
    "advice.fetchShowForcedUpdates=false",
];

/// A branch of a remote, used from a folder in a repository.
#[derive(Debug, Clone)]
pub(super) struct Git {
    folder: PathBuf,
    pub(super) remote: String,
    pub(super) branch: String,
    token: Option<Secret>,
    redactor: Redactor,
}

impl Git {
    pub(super) fn new(folder: PathBuf, remote: String, branch: String) -> Self {
        Self { folder, remote, branch, token: None, redactor: Redactor::default() }
    }

    pub(super) fn set_token(&mut self, token: Secret) {
        let header = Secret::new(authorization(&token));
        self.redactor = Redactor::new(&[token.clone(), header]);
        self.token = Some(token);
    }

    /// Whether the remote is an address or a path, not a name in the repository's configuration.
    fn is_address(&self) -> bool {
        self.remote.contains([':', '/', '\\'])
    }

    /// The reference of the branch at the remote.
    pub(super) fn remote_reference(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// The reference that holds the last fetched tip.
    pub(super) fn tracking(&self) -> String {
        if self.is_address() {
            let digest = Sha256::digest(self.remote.as_bytes());
            let digits: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            format!("refs/promptgate/remotes/{digits}/{}", self.branch)
        } else {
            format!("refs/remotes/{}/{}", self.remote, self.branch)
        }
    }

    /// Rejects names that git would take for something else.
    pub(super) fn check(&self) -> Result<(), PortError> {
        let branch = validate_reference(&self.branch);
        branch.map_err(|diagnostic| {
            PortError::Invalid(format!("the ledger's branch: {}", diagnostic.message))
        })?;
        if self.remote.is_empty() || self.remote.starts_with('-') || self.remote.contains(char::is_control) {
            return Err(PortError::Invalid(
                "the ledger's remote must be the name of a remote or its address (help: `remote: origin`)"
                    .into(),
            ));
        }
        Ok(())
    }

    /// The branch, for messages.
    pub(super) fn shown(&self) -> String {
        format!("branch `{}` at `{}`", self.branch, self.remote_shown())
    }

    /// The remote, without credentials.
    pub(super) fn remote_shown(&self) -> String {
        without_credentials(&self.remote)
    }

    /// A command on objects and references of the repository.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.folder);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(arguments);
        // The editor's or desktop's dialog for passwords; scripts that print a token are set in this variable.
        if std::env::var_os("GIT_ASKPASS").is_none() {
            command.env("GIT_ASKPASS", "");
        }
        for (name, value) in [("GIT_HTTP_LOW_SPEED_LIMIT", "1"), ("GIT_HTTP_LOW_SPEED_TIME", "60")] {
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs a command, whose exit code the caller judges.
    pub(super) fn output(&self, command: &mut Command, input: &[u8]) -> Result<GitOutput, PortError> {
        output(command, input).map_err(|error| self.not_started(&error))
    }

    pub(super) fn not_started(&self, error: &std::io::Error) -> PortError {
        let diagnostic: promptgate_core::model::Diagnostic = spawn_error(&self.folder, error).into();
        let help = if error.kind() == std::io::ErrorKind::NotFound && self.folder.is_dir() {
            format!(" (help: {INSTALL_GIT})")
        } else {
            String::new()
        };
        PortError::Unavailable(format!("{}: {}{help}", self.shown(), diagnostic.message))
    }

    /// Runs a command that must succeed, and returns its output without the last line feed.
    pub(super) fn text(&self, command: &mut Command, input: &[u8]) -> Result<String, PortError> {
        let output = self.output(command, input)?;
        if output.success { Ok(output.text()) } else { Err(self.local_error(&output.stderr)) }
    }

    /// Adds the token to a command that contacts the remote.
    pub(super) fn authenticate(&self, command: &mut Command) -> Result<(), PortError> {
        let Some(token) = &self.token else { return Ok(()) };
        let address = if self.is_address() {
            self.remote.clone()
        } else {
            let output =
                self.output(&mut self.command(&["remote", "get-url", "--push", &self.remote]), &[])?;
            if !output.success {
                return Err(self.unknown_remote());
            }
            output.text()
        };
        let Ok(address) = reqwest::Url::parse(&address) else { return Ok(()) }; // a path, or ssh
        let is_loopback = matches!(address.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match address.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            "http" => {
                return Err(PortError::Invalid(format!(
                    "{}: a token is not sent unencrypted (help: use an https address)",
                    self.shown()
                )));
            }
            _ => return Ok(()),
        }
        let scope = format!("http.{}/", address.origin().ascii_serialization());
        let settings = [
            (format!("{scope}.extraHeader"), String::new()), // drops the header of a CI checkout
            (format!("{scope}.extraHeader"), authorization(token)),
            ("http.followRedirects".to_owned(), "false".to_owned()), // another host must not get the token
            ("credential.helper".to_owned(), String::new()),
        ];
        // Arguments are visible to every user of the machine, the environment is not.
        let count = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse::<usize>().ok());
        let first = count.unwrap_or(0);
        for (index, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{}", first + index), key);
            command.env(format!("GIT_CONFIG_VALUE_{}", first + index), OsString::from(value));
        }
        command.env("GIT_CONFIG_COUNT", (first + settings.len()).to_string());
        Ok(())
    }

    /// The error of a command that contacts nobody.
    pub(super) fn local_error(&self, stderr: &str) -> PortError {
        if stderr.contains("not a git repository") {
            return PortError::Invalid(format!(
                "{}: the configuration is not in a git repository (help: run in a clone, or keep the ledger in a \
                 folder: `ledger: {{path: .promptgate/ledger}}`)",
                self.shown()
            ));
        }
        let help = if is_too_old(stderr) { format!(" (help: {INSTALL_GIT})") } else { String::new() };
        PortError::Unavailable(format!("{}: git failed: {}{help}", self.shown(), self.words(stderr)))
    }

    /// The error of a command that could not reach the remote, or was not let in.
    pub(super) fn remote_error(&self, stderr: &str) -> PortError {
        if stderr.contains("not a git repository") && !stderr.contains("does not appear") {
            return self.local_error(stderr);
        }
        let is_unknown = !self.is_address() && stderr.contains("does not appear to be a git repository");
        if is_unknown
            && self
                .output(&mut self.command(&["remote", "get-url", &self.remote]), &[])
                .is_ok_and(|it| !it.success)
        {
            return self.unknown_remote();
        }
        if is_permission(stderr) {
            return PortError::Refused(format!(
                "{}: {} (help: use a key or token that may read and write this branch)",
                self.shown(),
                self.words(stderr)
            ));
        }
        if is_too_old(stderr) {
            return self.local_error(stderr);
        }
        PortError::Unavailable(format!(
            "{} could not be reached: {} (help: `git ls-remote {}` shows whether the remote responds; run the command \
             again once it does)",
            self.shown(),
            self.words(stderr),
            self.remote_shown()
        ))
    }

    fn unknown_remote(&self) -> PortError {
        PortError::Invalid(format!(
            "the repository has no remote `{}` (help: `git remote add {} ADDRESS`, or set `ledger: {{git: {{remote: \
             NAME}}}}`)",
            self.remote, self.remote
        ))
    }

    /// Git's message, and what the server said before it, without secrets and control characters.
    pub(super) fn words(&self, stderr: &str) -> String {
        let lines = stderr.lines().map(|line| {
            let line = line.trim();
            line.strip_prefix("remote:").unwrap_or(line).trim()
        });
        let is_shown = |line: &&str| {
            !line.is_empty()
                && !line.starts_with("To ")
                && !line.starts_with("error: failed to push some refs")
                && !line.starts_with("hint:")
                && !line.starts_with("Please make sure you have")
                && *line != "and the repository exists."
        };
        let text = lines.filter(is_shown).take(MAX_LINES).collect::<Vec<_>>().join("; ");
        let text: String = text.chars().filter(|character| !character.is_control()).collect();
        let text = without_credentials(&self.redactor.redact(&text));
        if text.is_empty() { "no message".to_owned() } else { text.chars().take(MAX_CHARACTERS).collect() }
    }
}

pub(super) fn is_permission(stderr: &str) -> bool {
    let text = stderr.to_lowercase();
    PERMISSION.iter().any(|part| text.contains(part))
}

/// Whether git does not know an option that the ledger needs.
fn is_too_old(stderr: &str) -> bool {
    ["error: unknown option", "fatal: unrecognized argument", "unknown switch"]
        .iter()
        .any(|part| stderr.contains(part))
}

fn authorization(token: &Secret) -> String {
    let pair = format!("x-access-token:{}", token.expose());
    format!("Authorization: Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// Removes user and password from every address in a text.
fn without_credentials(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        result.push_str(before);
        let end =
            after.find(|c: char| c == '/' || c.is_whitespace() || "'\"`".contains(c)).unwrap_or(after.len());
        let host = after[..end].rfind('@').map_or(0, |at| at + 1);
        result.push_str(&after[host..end]);
        rest = &after[end..];
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_no_credentials() {
        let mut git = Git::new(".".into(), "https://bob:hunter22secret@git.example.org/a".into(), "p".into());
        git.set_token(Secret::new("ghs_0123456789abcdef"));
        assert_eq!(git.shown(), "branch `p` at `https://git.example.org/a`");
        let header = authorization(&Secret::new("ghs_0123456789abcdef"));
        let stderr = format!(
            "remote: go away\u{1b}[31m\nfatal: unable to access 'https://bob:p%40ss@git.example.org/a/': {header} \
             and ghs_0123456789abcdef\n"
        );
        let words = git.words(&stderr);
        assert!(
            words.starts_with("go away[31m; fatal: unable to access 'https://git.example.org/a/'"),
            "{words}"
        );
        for secret in ["p%40ss", "bob", "ghs_", header.as_str()] {
            assert!(!words.contains(secret), "{secret}: {words}");
        }
    }

    #[test]
    fn tracking_reference_of_an_address_is_our_own() {
        let of = |remote: &str| Git::new(".".into(), remote.into(), "promptgate".into()).tracking();
        assert_eq!(of("upstream"), "refs/remotes/upstream/promptgate");
        let address = of("https://git.example.org/a");
        assert!(address.starts_with("refs/promptgate/remotes/"), "{address}");
        assert_ne!(address, of("https://git.example.org/b"));
    }

    #[test]
    fn names_that_git_would_misread_are_invalid() {
        for (remote, branch) in
            [("--upload-pack=x", "p"), ("", "p"), ("origin", "-d"), ("origin", "a:b"), ("origin", "")]
        {
            let error = Git::new(".".into(), remote.into(), branch.into()).check().unwrap_err();
            assert!(matches!(error, PortError::Invalid(_)), "{error:?}");
        }
    }
}
