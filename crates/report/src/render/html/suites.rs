//! Several suites as a self-contained page, which links to the pages of their reports.

use std::io::{self, Write};

use minijinja::{Value, context};

use super::super::Style;
use super::{csp_digest, environment};
use crate::suites::{SuiteResult, Suites};
use crate::view::number;
use crate::view::suites::{MAX_NAME, MAX_WHY, by_gravity, sentence, spent, tally, words};
use promptgate_core::text::{Redactor, neutral};

const TEMPLATE: &str = concat!(include_str!("assets/head.html"), include_str!("assets/suites.html"));
const STYLE: &str = concat!(include_str!("assets/page.css"), include_str!("assets/history.css"));

/// Writes a page without scripts and without network requests. `page` is the name of a report's page in its folder.
///
/// # Errors
/// Those of `out`.
pub fn write_suites_page(suites: &Suites, page: &str, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let content = content(suites, page, &style.redactor);
    let environment = environment(style.redactor.clone()).map_err(io::Error::other)?;
    let text = environment.render_named_str("suites.html", TEMPLATE, content).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

fn content(suites: &Suites, page: &str, redactor: &Redactor) -> Value {
    let text = |text: &str, limit: usize| neutral::clip(&redactor.redact(text), limit);
    let policy =
        format!("default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'", csp_digest(STYLE));
    let row = |suite: &&SuiteResult| {
        context! {
            name => text(&suite.name, MAX_NAME),
            verdict => suite.verdict.as_str(),
            words => words(suite.verdict),
            why => text(sentence(suite), MAX_WHY),
            // The folder is a name that promptgate chose: letters, digits, `-`, `_` and `.`.
            page => suite.folder.as_ref().map(|folder| format!("{folder}/{page}")),
            cases => suite.cases.map_or_else(|| number::NONE.to_owned(), |cases| number::count(cases as u64)),
            worse => suite.worse.map_or_else(|| number::NONE.to_owned(), |worse| number::count(worse as u64)),
            cost => suite.cost_usd.map_or_else(|| number::NONE.to_owned(), number::dollars),
        }
    };
    context! {
        content_security_policy => policy,
        style => STYLE,
        title => format!("promptgate: {}", tally(suites)),
        verdict => suites.verdict.as_str(),
        words => words(suites.verdict),
        tally => tally(suites),
        spent => spent(suites),
        simulated => suites.suites.iter().any(|suite| suite.simulated),
        rows => by_gravity(suites).iter().map(row).collect::<Vec<Value>>(),
    }
}
