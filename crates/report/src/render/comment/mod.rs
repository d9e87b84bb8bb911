//! Pull request comments and job summaries, of a run or of the reason why there was none.
//!
//! Runs are rendered by the Markdown renderer, with the commits and a link to the full report; other outcomes by the
//! template `comment.md`. The text stays below the size limit of its destination and contains no active markup.
//! Posting comments is left to callers.

mod disclose;
mod reviewer;

use std::fmt::Write as _;

use minijinja::context;
use minijinja::value::Serde;

use super::markdown::{self, Commits, MarkdownOptions};
use crate::v1::Report;
use crate::view::Sanitizer;
pub use disclose::Disclose;
use promptgate_core::text::{Redactor, neutral};
pub use reviewer::ReviewerOptions;
use reviewer::reviewer_steps;

/// Size limit of a comment in bytes. Forges accept 65,536 characters, and callers add a marker line.
pub const COMMENT_BYTES: usize = 60_000;

/// Size limit of a job summary in bytes. GitHub drops summaries above 1 MiB, and earlier steps may have written some.
pub const SUMMARY_BYTES: usize = 900_000;

/// Size of the minimal comment in bytes, written whatever the limit.
const MIN_BYTES: usize = 300;

const TEMPLATE: &str = include_str!("comment.md");

/// Messages listed.
const MAX_MESSAGES: usize = 20;
/// Characters of a text.
const MAX_TEXT: usize = 500;

/// The content of a comment.
#[derive(Debug, Clone)]
pub struct CommentFacts<'a> {
    /// The outcome.
    pub subject: Subject<'a>,
    /// Exit code of the gate; anything but 0 blocks the change.
    pub exit_code: u8,
    /// The amount of model and dataset text.
    pub disclose: Disclose,
    /// Full hash of the base commit.
    pub base: Option<&'a str>,
    /// Full hash of the head commit.
    pub head: Option<&'a str>,
    /// URL of the full report, shown as a link unless it contains unusual characters.
    pub address: Option<&'a str>,
    /// The means of a reviewer; `None` where there is none, as in a file.
    pub reviewer: Option<ReviewerOptions<'a>>,
    /// Removes secrets.
    pub redactor: &'a Redactor,
}

/// The outcome of the gate.
#[derive(Debug, Clone)]
pub enum Subject<'a> {
    /// A decided run.
    Report(&'a Report),
    /// Requests, dataset, scorers and policy equal those of the base, so no calls were made.
    Unchanged {
        /// Name of the suite.
        name: &'a str,
    },
    /// Nothing was called, for lack of credentials or of a policy.
    NotEvaluated {
        /// Whether that is allowed; else the verdict is incomplete.
        skipped: bool,
        /// Name of the suite.
        name: &'a str,
        /// The reason, without a period.
        reason: &'a str,
        /// The next step.
        help: Option<&'a str>,
    },
    /// Shards are missing.
    Incomplete {
        /// Name of the suite, where known.
        name: Option<&'a str>,
        /// The missing parts, one sentence each.
        messages: &'a [String],
    },
    /// Errors in flags, configuration, dataset or prompt, or a fault of the machine.
    Error {
        /// Name of the suite, where known.
        name: Option<&'a str>,
        /// The errors with their locations.
        messages: &'a [String],
    },
}

/// Renders Markdown below `limit` bytes ([`COMMENT_BYTES`], [`SUMMARY_BYTES`]).
pub fn render(facts: &CommentFacts<'_>, limit: usize) -> String {
    let rendered = match &facts.subject {
        Subject::Report(report) => markdown::render(
            report,
            &MarkdownOptions {
                limit,
                disclose: facts.disclose,
                commits: commits(facts),
                address: facts.address,
                reviewer_steps: facts.reviewer.map_or_else(Vec::new, |means| reviewer_steps(report, &means)),
                redactor: facts.redactor,
            },
        ),
        _ => render_without_run(facts, limit),
    };
    match rendered {
        Ok(text) if text.len() < limit.max(MIN_BYTES) => text,
        // A template that fails to render is a bug, but the verdict is still shown.
        _ => minimal(facts),
    }
}

fn render_without_run(facts: &CommentFacts<'_>, limit: usize) -> Result<String, minijinja::Error> {
    let sanitizer = Sanitizer::new(facts.redactor);
    let text = |text: &str| sanitizer.clip(text, MAX_TEXT);
    let (name, messages): (Option<&str>, &[String]) = match facts.subject {
        Subject::Report(_) => (None, &[]),
        Subject::Unchanged { name } | Subject::NotEvaluated { name, .. } => (Some(name), &[]),
        Subject::Incomplete { name, messages } | Subject::Error { name, messages } => (name, messages),
    };
    let (reason, help) = match facts.subject {
        Subject::NotEvaluated { reason, help, .. } => (Some(text(reason)), help.map(text)),
        _ => (None, None),
    };
    // A message may quote a line of the dataset.
    let shown = if facts.disclose == Disclose::Numbers { &[] } else { messages };
    let environment = markdown::environment(facts.redactor.clone())?;
    let mut rendered = String::new();
    for max in [MAX_MESSAGES, 3, 0] {
        let listed: Vec<String> = shown.iter().take(max).map(|message| text(message)).collect();
        let context = context! {
            kind => kind(&facts.subject),
            name => name.map(|name| sanitizer.clip(name, 100)),
            exit_code => facts.exit_code,
            uncalled => reason.is_some(),
            reason => reason.clone(),
            help => help.clone(),
            left_out => shown.len() - listed.len(),
            withheld => messages.len() - shown.len(),
            messages => listed,
            commits => Serde(commits(facts)),
            version => env!("CARGO_PKG_VERSION"),
            address => facts.address.filter(|address| markdown::is_plain_url(address)),
        };
        rendered = environment.render_named_str("comment.md", TEMPLATE, context)?;
        if rendered.len() < limit {
            break;
        }
    }
    Ok(rendered)
}

fn kind(subject: &Subject<'_>) -> &'static str {
    match subject {
        Subject::Report(_) => "report",
        Subject::Unchanged { .. } => "unchanged",
        Subject::NotEvaluated { skipped: true, .. } => "not evaluated",
        Subject::NotEvaluated { skipped: false, .. } => "incomplete",
        Subject::Incomplete { .. } => "incomplete",
        Subject::Error { .. } => "error",
    }
}

/// Abbreviates the commits; anything but hexadecimal digits is omitted.
fn commits(facts: &CommentFacts<'_>) -> Commits {
    let short = |commit: &str| {
        let hexadecimal = commit.len() >= 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        commit.get(..12).filter(|_| hexadecimal).map(str::to_owned)
    };
    Commits { base: facts.base.and_then(short), head: facts.head.and_then(short) }
}

/// The verdict only, whatever the limit.
fn minimal(facts: &CommentFacts<'_>) -> String {
    let word = match &facts.subject {
        Subject::Report(report) => report.verdict.as_str(),
        subject => kind(subject),
    };
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "### promptgate: {}\n\nExit code {}. See the report files for details.",
        neutral::markdown(word),
        facts.exit_code
    );
    text
}

#[cfg(test)]
mod tests;
