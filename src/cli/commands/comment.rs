//! `promptgate comment`: what `promptgate ci` left, as the one comment on the pull request.
//!
//! Its exit code speaks of the comment alone and never of the gate: 0 also where there is no pull request, where none is
//! wanted, and where the token may only read; 2 where something is set wrong; 12 where GitHub is not well.

use std::path::Path;

use crate::cli::args::{CommentArguments, CommentWhen};
use crate::cli::environment::variable;
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::facts::{self, Facts, Verdict};
use crate::cli::files::{Links, append, read_text};
use crate::cli::{output, runtime};
use promptgate_adapters::github::Outputs;
use promptgate_adapters::github::api::{self, ApiErrorKind, Client, CommentOutcome, Settings, StickyComment};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_core::text::Secret;

/// Where the API is, unless GITHUB_API_URL says otherwise.
const API_URL: &str = "https://api.github.com";
/// Where the pages are, unless GITHUB_SERVER_URL says otherwise.
const SERVER_URL: &str = "https://github.com";
/// Bytes of a file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// Writes the comment, or brings it up to date.
pub(crate) fn comment(arguments: &CommentArguments) -> Result<ExitStatus, Failure> {
    let when = arguments.when;
    let key = key(&arguments.key)?;
    if when == CommentWhen::Never {
        output::say("no comment: none is wanted");
        return Ok(ExitStatus::Pass);
    }
    let ci = read_facts(&arguments.folder)?;
    let Some(pull_request) = ci.pull_request.filter(|number| *number > 0) else {
        output::say(&format!("no comment: the event {} has no pull request", ci.event));
        return Ok(ExitStatus::Pass);
    };
    let Some(file) = &ci.comment else {
        output::say("no comment: a shard decides nothing");
        return Ok(ExitStatus::Pass);
    };
    let body = read_comment(&arguments.folder, file)?;
    let repository = repository()?;
    let settings = Settings {
        api_url: variable("GITHUB_API_URL").unwrap_or_else(|| API_URL.to_owned()),
        token: token()?,
    };
    let create = match when {
        CommentWhen::Always => true,
        CommentWhen::Changes => ci.verdict != Verdict::Unchanged,
        CommentWhen::Failures => !matches!(ci.verdict, Verdict::Pass | Verdict::Unchanged),
        CommentWhen::Never => false,
    };
    let sticky = StickyComment { repository: &repository, pull_request, key, body: &body, create };
    let runtime = runtime::start()?;
    let kept = runtime.block_on(async { api::upsert_comment(&Client::new(&settings)?, &sticky).await });
    let (id, words) = match kept {
        Ok(CommentOutcome::Created(id)) => (id, "the comment was written"),
        Ok(CommentOutcome::Updated(id)) => (id, "the comment was brought up to date"),
        Ok(CommentOutcome::Unchanged(id)) => (id, "the comment says the same already"),
        Ok(CommentOutcome::Skipped) => {
            output::say("no comment: there is none yet, and this verdict needs none");
            return Ok(ExitStatus::Pass);
        }
        Err(failure) if failure.kind == ApiErrorKind::Forbidden => return forbidden(&failure),
        Err(failure) => return Err(failed(failure)),
    };
    output::say(&format!("{words}: pull request {pull_request} of {repository}"));
    write_url(&repository, pull_request, id)?;
    Ok(ExitStatus::Pass)
}

/// A token that may only read stands in nobody's way: the summary of the job says what the comment would have.
fn forbidden(failure: &api::ApiError) -> Result<ExitStatus, Failure> {
    let help = failure.help.as_deref().unwrap_or_default();
    output::warn(&[format!("the comment was not written: {}", failure.message), help.to_owned()]);
    if variable("GITHUB_ACTIONS").as_deref() == Some("true") {
        // Nothing in it is from outside: it is a command.
        output::print(
            "::warning title=promptgate::the comment was not written, since the token may not write to this pull \
             request; the summary of the job says what it would have said\n",
        )?;
    }
    Ok(ExitStatus::Pass)
}

fn failed(failure: api::ApiError) -> Failure {
    let mut diagnostic = Diagnostic::new(format!("the comment was not written: {}", failure.message));
    if let Some(help) = failure.help {
        diagnostic = diagnostic.help(help);
    }
    match failure.kind {
        ApiErrorKind::Usage | ApiErrorKind::Forbidden => diagnostic.into(),
        ApiErrorKind::Unavailable => Failure::Incomplete(Diagnostics(vec![diagnostic])),
    }
}

/// A key that a marker can hold.
fn key(key: &str) -> Result<&str, Diagnostic> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=40).contains(&key.len()) && key.bytes().all(plain) {
        return Ok(key);
    }
    Err(Diagnostic::new("this is no key")
        .at(Place::file("--key"))
        .help("use 1 to 40 letters, digits, `_` and `-`"))
}

fn token() -> Result<Secret, Diagnostic> {
    let found = variable("PROMPTGATE_GITHUB_TOKEN").or_else(|| variable("GITHUB_TOKEN"));
    found.map(Secret::new).ok_or_else(|| {
        Diagnostic::new("there is no token to write the comment with")
            .at(Place::file("GITHUB_TOKEN"))
            .help("set it in the step: GITHUB_TOKEN: ${{ github.token }}")
    })
}

/// `owner/name`, of characters that mean nothing in an address.
fn repository() -> Result<String, Diagnostic> {
    const NAME: &str = "GITHUB_REPOSITORY";
    let name = variable(NAME).unwrap_or_default();
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !part.is_empty() && part.bytes().all(plain) && part.bytes().any(|byte| byte != b'.')
    };
    match name.split_once('/') {
        Some((owner, repository)) if part(owner) && part(repository) => Ok(name),
        _ => Err(Diagnostic::new("this is not the name of a repository")
            .at(Place::file(NAME))
            .help("it is like owner/name; GitHub Actions sets it")),
    }
}

fn read_facts(folder: &Path) -> Result<Facts, Diagnostic> {
    let path = folder.join(facts::NAME);
    facts::read(&path).map_err(|why| refused(&path, why))
}

fn read_comment(folder: &Path, name: &str) -> Result<String, Diagnostic> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !plain || name.starts_with('.') {
        let at = Place::file(folder.join(facts::NAME).display().to_string());
        return Err(Diagnostic::new("`comment` is not the name of a file in this folder").at(at));
    }
    let path = folder.join(name);
    // What is posted must not be another file that a link leads to.
    read_text(&path, "file", MAX_BYTES, Links::Refuse).map_err(|why| refused(&path, why))
}

fn refused(path: &Path, why: String) -> Diagnostic {
    Diagnostic::new(why).at(Place::file(path.display().to_string())).help(
        "name the folder that `promptgate ci` of this version wrote; where there is none, see why the gate ended before \
         it reported",
    )
}

/// Adds `comment-url` to the outputs of the step. It is put together here: nothing of the server's is in it but a
/// number.
fn write_url(repository: &str, pull_request: u64, id: u64) -> Result<(), Failure> {
    let Some(outputs) = variable("GITHUB_OUTPUT").filter(|_| id > 0) else { return Ok(()) };
    let server = variable("GITHUB_SERVER_URL").unwrap_or_else(|| SERVER_URL.to_owned());
    let server = server.trim_end_matches('/');
    let mut added = Outputs::default();
    if server.starts_with("http") {
        added.add("comment-url", format!("{server}/{repository}/pull/{pull_request}#issuecomment-{id}"));
    }
    append(Path::new(&outputs), &added.text()).map_err(|error| Failure::writing("GITHUB_OUTPUT", &error))
}
