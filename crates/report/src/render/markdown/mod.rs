//! The Markdown rendering: `report.md`, pull request comments and job summaries.
//!
//! The text is in the template `report.md`. Every printed value passes `neutral::markdown`, so report content cannot
//! act as markup. Comments have a size limit, so the report is rendered in tiers with decreasing detail until one fits.
//! [`super::comment`] renders runs without a report.

mod case_groups;
mod environment;
mod open_cases;
mod report_context;
mod run_facts;
mod suites;
mod worst_answers;

use std::io::{self, Write};

use serde::Serialize;

use super::Style;
use super::comment::{COMMENT_BYTES, Disclose};
use crate::v1::Report;
use crate::view::Sanitizer;
use case_groups::listed_count;
pub(super) use environment::{environment, is_plain_url};
use promptgate_core::text::Redactor;
use report_context::report_context;
pub use suites::suites_markdown;

/// Size of the shortest case row in bytes. A tier with more cases than fit by this size is not tried.
const MIN_ROW_BYTES: usize = 60;
/// Cases that are shown open.
const MAX_OPEN: usize = 3;
/// Cases in the first list.
const MAX_WORST: usize = 5;

/// A level of detail; the last tier fits any report.
#[derive(Debug, Clone, Copy)]
struct Tier {
    /// Cases in the second list.
    cases: SecondList,
    /// Cases that are shown open.
    open: usize,
    /// Cases in the first list.
    worst: usize,
    /// Rows of each table, reasons and warnings.
    rows: usize,
    /// Characters of each piece of text.
    text: usize,
    /// Characters of each answer, where answers are disclosed.
    answer: usize,
}

/// Options of a Markdown rendering.
pub(super) struct MarkdownOptions<'a> {
    /// Size limit in bytes.
    pub(super) limit: usize,
    pub(super) disclose: Disclose,
    pub(super) commits: Commits,
    /// URL of the full report, which becomes a link.
    pub(super) address: Option<&'a str>,
    /// Next steps for a reviewer.
    pub(super) reviewer_steps: Vec<String>,
    pub(super) redactor: &'a Redactor,
}

/// The compared commits, abbreviated to twelve digits.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Commits {
    pub(super) base: Option<String>,
    pub(super) head: Option<String>,
}

/// The content of the second list of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecondList {
    /// Every case with another status than `same`.
    Changed,
    /// Cases that need attention.
    Worse,
    None,
}

const TIERS: [Tier; 4] = [
    Tier { cases: SecondList::Changed, open: MAX_OPEN, worst: MAX_WORST, rows: 200, text: 300, answer: 2000 },
    Tier { cases: SecondList::Worse, open: MAX_OPEN, worst: MAX_WORST, rows: 100, text: 200, answer: 1000 },
    Tier { cases: SecondList::None, open: MAX_OPEN, worst: MAX_WORST, rows: 40, text: 100, answer: 300 },
    Tier { cases: SecondList::None, open: 0, worst: 0, rows: 8, text: 40, answer: 0 },
];

pub(super) fn write(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let disclose = Disclose::Excerpts;
    let options = MarkdownOptions {
        limit: COMMENT_BYTES,
        disclose,
        commits: Commits::default(),
        address: None,
        reviewer_steps: Vec::new(),
        redactor: &style.redactor,
    };
    let text = render(report, &options).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

/// Renders the report in the first tier that fits, else in the last.
pub(super) fn render(report: &Report, options: &MarkdownOptions<'_>) -> Result<String, minijinja::Error> {
    let environment = environment(options.redactor.clone())?;
    let sanitizer = Sanitizer::new(options.redactor);
    let mut text = String::new();
    for tier in TIERS {
        if listed_count(report, tier) > options.limit / MIN_ROW_BYTES {
            continue;
        }
        let page = report_context(report, tier, options, &sanitizer);
        text = environment.render_named_str("report.md", TEMPLATE, page)?;
        if text.len() < options.limit {
            break;
        }
    }
    Ok(text)
}

const TEMPLATE: &str = include_str!("report.md");
