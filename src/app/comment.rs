//! Posts the comment that `promptgate ci` wrote on the pull request, or updates it.
//!
//! Its result is about the comment alone and never about the gate.

use std::path::{Path, PathBuf};

use super::ci::facts::{self, CiFacts, Verdict};
use super::files::{Links, append, read_text, refuse_special};
use super::{Environment, Failure, github};
use promptgate_adapters::github::Outputs;
use promptgate_adapters::github::api::{
    self, ApiError, ApiErrorKind, Client, CommentOutcome, Settings, StickyComment,
};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

/// The base URL of the pages, unless GITHUB_SERVER_URL names another.
const SERVER_URL: &str = "https://github.com";
/// The variable of the file with the outputs of the step.
const OUTPUT: &str = "GITHUB_OUTPUT";
/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Which comment is written, and when.
#[derive(Debug, Clone)]
pub(crate) struct CommentOptions {
    /// The folder that `promptgate ci` wrote.
    pub(crate) folder: PathBuf,
    /// When a first comment is created.
    pub(crate) when: CommentWhen,
    /// Distinguishes the comments of several gates.
    pub(crate) key: String,
    /// The address of the uploaded report.
    pub(crate) report_url: Option<String>,
}

/// When a first comment is created; an existing one is always updated, except with `Never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CommentWhen {
    /// For every run.
    Always,
    /// Unless the gate found nothing changed.
    #[default]
    Changes,
    /// For every verdict except pass and unchanged.
    Failures,
    /// Never; GitHub is not called.
    Never,
}

/// The result of posting the comment.
pub(crate) enum Commented {
    /// It is up to date, or none is needed.
    Done {
        /// One line that says which.
        line: String,
        /// Warnings for standard error.
        warnings: Vec<String>,
    },
    /// The token may only read. The job summary has the text of the comment.
    Forbidden {
        /// Warnings for standard error.
        warnings: Vec<String>,
        /// Whether the warning is shown as an annotation of GitHub Actions.
        annotate: bool,
    },
}

/// Creates or updates the comment.
///
/// # Errors
/// Invalid settings or files, and GitHub being unavailable.
pub(crate) async fn comment(
    options: &CommentOptions,
    environment: &Environment,
) -> Result<Commented, Failure> {
    let done = |text: &str| Ok(Commented::Done { line: text.to_owned(), warnings: Vec::new() });
    let when = options.when;
    let key = key(&options.key)?;
    if when == CommentWhen::Never {
        return done("no comment: --when is never");
    }
    if let Some(path) = environment.variable(OUTPUT) {
        refuse_special(Path::new(&path), OUTPUT)?;
    }
    let ci = read_facts(&options.folder)?;
    let Some(pull_request) = ci.pull_request.filter(|number| *number > 0) else {
        return done(&format!("no comment: the event {} has no pull request", ci.event));
    };
    let Some(file) = &ci.comment else { return done("no comment: a shard decides nothing") };
    let body = read_comment(&options.folder, file)?;
    let repository = github::repository(environment)?;
    let (body, warning) = linked(body, options.report_url.as_deref(), environment, &repository);
    let settings = github::settings(environment, "the comment is written with it")?;
    let create = creates(when, ci.verdict);
    let comment = StickyComment { repository: &repository, pull_request, key, body: &body, create };
    let (id, action) = match post(&settings, &comment).await {
        Ok(CommentOutcome::Created(id)) => (id, "the comment was written"),
        Ok(CommentOutcome::Updated(id)) => (id, "the comment was updated"),
        Ok(CommentOutcome::Unchanged(id)) => (id, "the comment is up to date"),
        Ok(CommentOutcome::Skipped) => {
            return done("no comment: there is none yet, and this verdict needs none");
        }
        Err(failure) if failure.kind == ApiErrorKind::Forbidden => {
            let help = failure.help.unwrap_or_default();
            return Ok(Commented::Forbidden {
                warnings: [
                    warning,
                    Some(format!("the comment was not written: {}", failure.message)),
                    Some(help),
                ]
                .into_iter()
                .flatten()
                .collect(),
                annotate: environment.variable("GITHUB_ACTIONS").as_deref() == Some("true"),
            });
        }
        Err(failure) => return Err(failed(failure)),
    };
    write_url(environment, &repository, pull_request, id)?;
    let line = format!("{action}: pull request {pull_request} of {repository}");
    Ok(Commented::Done { line, warnings: Vec::from_iter(warning) })
}

/// The body with a link to the uploaded report below its heading. Another address than that of an artifact of this
/// repository is a warning, and no link.
fn linked(
    body: String,
    url: Option<&str>,
    environment: &Environment,
    repository: &str,
) -> (String, Option<String>) {
    let Some(url) = url else { return (body, None) };
    let runs = format!("{}/{repository}/actions/runs/", server_url(environment));
    let ids = url.strip_prefix(&runs).and_then(|rest| rest.split_once("/artifacts/"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !ids.is_some_and(|(run, artifact)| is_number(run) && is_number(artifact)) {
        let warning =
            "no link to the report: --report-url is not the address of an artifact of this repository";
        return (body, Some(warning.to_owned()));
    }
    let (heading, rest) = body.split_once('\n').unwrap_or((&body, ""));
    (format!("{heading}\n\n[Open the report]({url})\n{rest}"), None)
}

/// The base URL of GitHub's pages.
fn server_url(environment: &Environment) -> String {
    let server = environment.variable("GITHUB_SERVER_URL").unwrap_or_else(|| SERVER_URL.to_owned());
    server.trim_end_matches('/').to_owned()
}

async fn post(settings: &Settings, comment: &StickyComment<'_>) -> Result<CommentOutcome, ApiError> {
    api::upsert_comment(&Client::new(settings)?, comment).await
}

/// Whether a first comment is created for a verdict.
fn creates(when: CommentWhen, verdict: Verdict) -> bool {
    match when {
        CommentWhen::Always => true,
        CommentWhen::Changes => verdict != Verdict::Unchanged,
        CommentWhen::Failures => !matches!(verdict, Verdict::Pass | Verdict::Unchanged),
        CommentWhen::Never => false,
    }
}

fn failed(failure: ApiError) -> Failure {
    let message = format!("the comment was not written: {}", failure.message);
    let diagnostic = Diagnostic { place: None, message, help: failure.help };
    match failure.kind {
        ApiErrorKind::Usage | ApiErrorKind::Forbidden => diagnostic.into(),
        ApiErrorKind::Unavailable => Failure::Incomplete(Diagnostics(vec![diagnostic])),
    }
}

/// The key, if it is valid in a marker.
fn key(key: &str) -> Result<&str, Diagnostic> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=40).contains(&key.len()) && key.bytes().all(plain) {
        return Ok(key);
    }
    Err(Diagnostic::new("not a valid key")
        .at(Place::file("--key"))
        .help("use 1 to 40 letters, digits, `_` and `-`"))
}

fn read_facts(folder: &Path) -> Result<CiFacts, Diagnostic> {
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
    // A link could lead to a file that must not be posted.
    read_text(&path, "file", MAX_BYTES, Links::Refuse).map_err(|why| refused(&path, why))
}

fn refused(path: &Path, why: String) -> Diagnostic {
    Diagnostic::new(why).at(Place::file(path.display().to_string())).help(
        "name the folder that `promptgate ci` of this version wrote; if there is none, see the job log for why the gate \
         wrote no report",
    )
}

/// Adds `comment-url` to the outputs of the step. Only the number in it comes from the server.
fn write_url(environment: &Environment, repository: &str, pull_request: u64, id: u64) -> Result<(), Failure> {
    let Some(outputs) = environment.variable(OUTPUT).filter(|_| id > 0) else { return Ok(()) };
    let server = server_url(environment);
    let mut added = Outputs::default();
    if server.starts_with("http") {
        added.add("comment-url", format!("{server}/{repository}/pull/{pull_request}#issuecomment-{id}"));
    }
    append(Path::new(&outputs), &added.text())
        .map_err(|error| Failure::writing("the file of GITHUB_OUTPUT", &error))
}
