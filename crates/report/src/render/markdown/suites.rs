//! One comment or report.md for several suites: a table, and the report of each that needs attention.

use minijinja::{Value, context};

use super::environment;
use crate::suites::{SuiteResult, SuiteVerdict, Suites};
use crate::view::Sanitizer;
use crate::view::suites::{MAX_NAME, MAX_WHY, by_gravity, sentence, spent, tally, words};
use promptgate_core::text::Redactor;

const TEMPLATE: &str = include_str!("suites.md");
/// Rows of the table.
const MAX_ROWS: usize = 100;
/// The smallest room in bytes that a report is rendered for.
const MIN_SECTION: usize = 2_000;

/// Renders Markdown below `limit` bytes. `section` renders the report of a suite, by its position, below a limit; those
/// that passed have a row of the table alone.
pub fn suites_markdown(
    suites: &Suites,
    redactor: &Redactor,
    limit: usize,
    mut section: impl FnMut(usize, usize) -> Option<String>,
) -> String {
    let mut text = head(suites, redactor).unwrap_or_else(|_| minimal(suites));
    if text.len() >= limit {
        return minimal(suites);
    }
    let sorted = by_gravity(suites);
    let open: Vec<&SuiteResult> = sorted.into_iter().filter(|suite| needs_attention(suite)).collect();
    for (done, suite) in open.iter().enumerate() {
        let room = (limit - text.len()) / (open.len() - done);
        let Some(position) = suites.suites.iter().position(|other| std::ptr::eq(other, *suite)) else {
            continue;
        };
        let shown = (room >= MIN_SECTION).then(|| section(position, room - 10)).flatten();
        let shown = shown.filter(|shown| text.len() + shown.len() + 10 < limit);
        if let Some(shown) = shown {
            text.push_str("\n---\n\n");
            text.push_str(&shown);
        }
    }
    text
}

fn needs_attention(suite: &SuiteResult) -> bool {
    !matches!(suite.verdict, SuiteVerdict::Pass | SuiteVerdict::Unchanged | SuiteVerdict::NotEvaluated)
}

fn head(suites: &Suites, redactor: &Redactor) -> Result<String, minijinja::Error> {
    let sanitizer = Sanitizer::new(redactor);
    let row = |suite: &&SuiteResult| {
        context! {
            name => sanitizer.clip(&suite.name, MAX_NAME),
            symbol => symbol(suite.verdict),
            verdict => words(suite.verdict),
            why => sanitizer.clip(sentence(suite), MAX_WHY),
        }
    };
    let sorted = by_gravity(suites);
    let context = context! {
        symbol => symbol(suites.verdict),
        verdict => words(suites.verdict),
        tally => tally(suites),
        spent => spent(suites),
        exit_code => suites.exit_code,
        passes => matches!(suites.verdict, SuiteVerdict::Pass | SuiteVerdict::Unchanged),
        simulated => suites.suites.iter().any(|suite| suite.simulated),
        rows => sorted.iter().take(MAX_ROWS).map(row).collect::<Vec<Value>>(),
        left_out => sorted.len().saturating_sub(MAX_ROWS),
    };
    environment(redactor.clone())?.render_named_str("suites.md", TEMPLATE, context)
}

/// The verdict alone.
fn minimal(suites: &Suites) -> String {
    format!(
        "### promptgate: {}\n\n{}. Exit code {}.\n",
        words(suites.verdict),
        tally(suites),
        suites.exit_code
    )
}

fn symbol(verdict: SuiteVerdict) -> &'static str {
    match verdict {
        SuiteVerdict::Pass | SuiteVerdict::Unchanged => "✅",
        SuiteVerdict::Fail => "❌",
        SuiteVerdict::Inconclusive => "⚠️",
        SuiteVerdict::NotEvaluated => "⏸",
        SuiteVerdict::Incomplete | SuiteVerdict::Error => "💥",
    }
}
