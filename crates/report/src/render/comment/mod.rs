//! The comment on a pull request, and the summary of a job: of a run, or of why there was none.
//!
//! Of a run they say what `report.md` says (`markdown.rs`), and what else is known in CI: the commits and where
//! everything is. Where there was no run the words are in `templates/comment.md`. Both are pure, stay below the
//! limit of the place they are for, and hold nothing that acts. Finding and writing the comment is left to others.

mod disclose;

use std::fmt::Write as _;

use minijinja::value::Serde;
use serde::Serialize;

use super::html::Sanitizer;
use super::markdown::{self, Commits, Wanted};
use crate::v1::Report;
pub use disclose::Disclose;
use promptgate_core::text::{Redactor, neutral};

/// Bytes that a comment stays below: a forge takes 65,536 characters, and a line is added that finds it again.
pub const COMMENT_BYTES: usize = 60_000;

/// Bytes that a job's summary stays below: of one above 1 MiB nothing is shown, and steps before may have written.
pub const SUMMARY_BYTES: usize = 900_000;

/// Bytes of what is always said; a limit below that is one no longer.
const MIN: usize = 300;

const TEMPLATE: &str = include_str!("comment.md");

/// Messages that are listed.
const MESSAGES: usize = 20;
/// Characters of each.
const MESSAGE: usize = 500;

/// What there is to say.
#[derive(Debug, Clone)]
pub struct CommentFacts<'a> {
    /// What became of the gate.
    pub subject: Subject<'a>,
    /// Exit code of the gate, which says whether it stands in the way.
    pub exit_code: u8,
    /// How much is said of what models and the dataset say.
    pub disclose: Disclose,
    /// What the change is compared with: a commit, in full; shown in short.
    pub base: Option<&'a str>,
    /// The commit of the change.
    pub head: Option<&'a str>,
    /// Where the whole report is: an http or https address of our own making, which becomes a link. One with odd
    /// characters is left out.
    pub address: Option<&'a str>,
    /// What must not be in it.
    pub redactor: &'a Redactor,
}

/// What became of the gate.
#[derive(Debug, Clone)]
pub enum Subject<'a> {
    /// It decided, whatever it decided.
    Report(&'a Report),
    /// Requests, dataset, scorers and policy are those of the base, so nothing was asked.
    Unchanged {
        /// The suite.
        name: &'a str,
    },
    /// It did not begin, though nobody made a mistake: there was no key.
    NotEvaluated {
        /// The suite.
        name: &'a str,
        /// Why, in a sentence without its period.
        reason: &'a str,
        /// The next step.
        help: Option<&'a str>,
    },
    /// What it needed was not there: a shard.
    Incomplete {
        /// The suite, where it is known.
        name: Option<&'a str>,
        /// What is missing, each in a sentence.
        messages: &'a [String],
    },
    /// Mistakes in flags, configuration, dataset or prompt, or a fault of the machine.
    Error {
        /// The suite, where it is known.
        name: Option<&'a str>,
        /// What is wrong, each with its place.
        messages: &'a [String],
    },
}

/// Renders Markdown below `limit` bytes ([`COMMENT_BYTES`], [`SUMMARY_BYTES`]).
pub fn render(facts: &CommentFacts<'_>, limit: usize) -> String {
    let rendered = match &facts.subject {
        Subject::Report(report) => markdown::render(
            report,
            &Wanted {
                limit,
                disclose: facts.disclose,
                commits: commits(facts),
                address: facts.address,
                redactor: facts.redactor,
            },
        ),
        _ => without_run(facts, limit),
    };
    match rendered {
        Ok(text) if text.len() < limit.max(MIN) => text,
        // A template of ours that cannot be rendered is a bug; the verdict is told all the same.
        _ => least(facts),
    }
}

/// What the template knows.
#[derive(Serialize)]
struct Page<'a> {
    kind: &'static str,
    name: Option<String>,
    exit_code: u8,
    reason: Option<String>,
    help: Option<String>,
    messages: Vec<String>,
    left_out: usize,
    withheld: usize,
    commits: Commits,
    version: &'static str,
    address: Option<&'a str>,
}

fn without_run(facts: &CommentFacts<'_>, limit: usize) -> Result<String, minijinja::Error> {
    let sanitizer = Sanitizer::new(facts.redactor);
    let text = |text: &str| sanitizer.clip(text, MESSAGE);
    let (name, messages): (Option<&str>, &[String]) = match facts.subject {
        Subject::Report(_) => (None, &[]),
        Subject::Unchanged { name } | Subject::NotEvaluated { name, .. } => (Some(name), &[]),
        Subject::Incomplete { name, messages } | Subject::Error { name, messages } => (name, messages),
    };
    let (reason, help) = match facts.subject {
        Subject::NotEvaluated { reason, help, .. } => (Some(text(reason)), help.map(text)),
        _ => (None, None),
    };
    // A mistake may quote a line of the dataset.
    let shown = if facts.disclose == Disclose::Numbers { &[] } else { messages };
    let environment = markdown::environment(facts.redactor.clone())?;
    let mut rendered = String::new();
    for most in [MESSAGES, 3, 0] {
        let listed: Vec<String> = shown.iter().take(most).map(|message| text(message)).collect();
        let page = Page {
            kind: kind(&facts.subject),
            name: name.map(|name| sanitizer.clip(name, 100)),
            exit_code: facts.exit_code,
            reason: reason.clone(),
            help: help.clone(),
            left_out: shown.len() - listed.len(),
            withheld: messages.len() - shown.len(),
            messages: listed,
            commits: commits(facts),
            version: env!("CARGO_PKG_VERSION"),
            address: facts.address.filter(|address| markdown::is_own_address(address)),
        };
        rendered = environment.render_named_str("comment.md", TEMPLATE, Serde(page))?;
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
        Subject::NotEvaluated { .. } => "not evaluated",
        Subject::Incomplete { .. } => "incomplete",
        Subject::Error { .. } => "error",
    }
}

/// What is no commit is not shown.
fn commits(facts: &CommentFacts<'_>) -> Commits {
    let short = |commit: &str| {
        let hexadecimal = commit.len() >= 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        commit.get(..12).filter(|_| hexadecimal).map(str::to_owned)
    };
    Commits { base: facts.base.and_then(short), head: facts.head.and_then(short) }
}

/// The verdict and nothing else, whatever the limit.
fn least(facts: &CommentFacts<'_>) -> String {
    let word = match &facts.subject {
        Subject::Report(report) => report.verdict.as_str(),
        subject => kind(subject),
    };
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "### promptgate: {}\n\nExit code {}. The rest is in the files of the report.",
        neutral::markdown(word),
        facts.exit_code
    );
    text
}

#[cfg(test)]
mod tests;
