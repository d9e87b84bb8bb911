//! Address, token and repository of the GitHub API, from the variables of a job.

use super::Environment;
use promptgate_adapters::github::api::{Client, Settings};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::Secret;

/// The base URL of the API, unless GITHUB_API_URL names another.
const API_URL: &str = "https://api.github.com";

/// The repository of the job, through the API.
pub(super) struct GitHub {
    /// The API.
    pub(super) client: Client,
    /// `OWNER/REPO`.
    pub(super) repository: String,
}

impl GitHub {
    /// The repository of the job; nothing is sent yet.
    ///
    /// # Errors
    /// Missing or invalid variables.
    pub(super) fn of(environment: &Environment, purpose: &str) -> Result<Self, Diagnostic> {
        let repository = repository(environment)?;
        let client = Client::new(&settings(environment, purpose)?).map_err(|error| Diagnostic {
            place: None,
            message: error.message,
            help: error.help,
        })?;
        Ok(Self { client, repository })
    }
}

/// Address and token; `purpose` says what the token is for.
pub(super) fn settings(environment: &Environment, purpose: &str) -> Result<Settings, Diagnostic> {
    let api_url = environment.variable("GITHUB_API_URL").unwrap_or_else(|| API_URL.to_owned());
    Ok(Settings { api_url, token: token(environment, purpose)? })
}

fn token(environment: &Environment, purpose: &str) -> Result<Secret, Diagnostic> {
    let token = environment.variable("PROMPTGATE_GITHUB_TOKEN");
    token.or_else(|| environment.variable("GITHUB_TOKEN")).map(Secret::new).ok_or_else(|| {
        Diagnostic::new(format!("no token is set: {purpose}"))
            .at(Place::file("GITHUB_TOKEN"))
            .help("set it in the step: GITHUB_TOKEN: ${{ github.token }}")
    })
}

/// `OWNER/REPO`, of characters that have no meaning in a URL.
pub(super) fn repository(environment: &Environment) -> Result<String, Diagnostic> {
    const NAME: &str = "GITHUB_REPOSITORY";
    let name = environment.variable(NAME).unwrap_or_default();
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !part.is_empty() && part.bytes().all(plain) && part.bytes().any(|byte| byte != b'.')
    };
    match name.split_once('/') {
        Some((owner, repository)) if part(owner) && part(repository) => Ok(name),
        _ => Err(Diagnostic::new("not a valid repository name")
            .at(Place::file(NAME))
            .help("expected OWNER/REPO; GitHub Actions sets it")),
    }
}

/// Whether a text is a login: letters, digits, `-`, `_`, `.`, and the brackets of an app's name.
pub(super) fn is_login(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte);
    !text.is_empty() && text.bytes().all(plain) && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}
