//! `report.html`: a self-contained page without network requests.
//!
//! The template escapes every value. Case data is a JSON block that its content cannot end
//! ([`escaping::escape_json`]); the script inserts it as text nodes only. The content security policy allows the style
//! and script of the page by digest, and no other script, style, image or request. Without JavaScript the page shows
//! the verdict, the criteria, the plots and the worst cases.

mod case_data;
mod differences;
mod escaping;
mod heat_map;
mod history;
mod interval_plot;
mod page_context;
mod provenance;
mod scale;
mod suites;
#[cfg(test)]
mod tests;
mod trial_data;
mod worst_cases;

use std::io::{self, BufWriter, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, escape_formatter};
use sha2::{Digest as _, Sha256};

use super::Style;
use crate::v1::Report;
use crate::view::Sanitizer;
use case_data::CaseWriter;
pub use history::write_history_page;
use page_context::page_context;
use promptgate_core::text::Redactor;
pub use suites::write_suites_page;

/// The page up to the data of the cases.
const START: &str = concat!(
    include_str!("assets/head.html"),
    include_str!("assets/verdict.html"),
    include_str!("assets/changes.html"),
    include_str!("assets/worst.html"),
    include_str!("assets/cases.html"),
    include_str!("assets/criteria.html"),
    include_str!("assets/tags.html"),
    include_str!("assets/statistics.html"),
    include_str!("assets/provenance.html"),
);
/// The page after it.
const END: &str = include_str!("assets/end.html");
const STYLE: &str = concat!(
    include_str!("assets/page.css"),
    include_str!("assets/cases.css"),
    include_str!("assets/comparison.css"),
);

/// The parts of the script; each may use the parts before it.
const SCRIPTS: [&str; 8] = [
    include_str!("assets/elements.js"),
    include_str!("assets/word_diff.js"),
    include_str!("assets/quotes.js"),
    include_str!("assets/copy.js"),
    include_str!("assets/case_dialog.js"),
    include_str!("assets/case_table.js"),
    include_str!("assets/labels.js"),
    include_str!("assets/start.js"),
];

/// Writes the report as a page of less than 10 MB, in a stream.
pub(super) fn write(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let sanitizer = Sanitizer::new(&style.redactor);
    let order = case_data::display_order(report);
    let cases = CaseWriter { report, sanitizer: &sanitizer };
    let selection = cases.select(&order)?;
    let script = script();
    let environment = environment(style.redactor.clone()).map_err(io::Error::other)?;
    let mut out = BufWriter::new(out);
    let page = page_context(report, &order, &selection, &script, &sanitizer);
    render(&environment, "report.html", START, page, &mut out)?;
    cases.write(&selection, &mut out)?;
    render(&environment, "end.html", END, context! { script => script.as_str() }, &mut out)?;
    out.flush()
}

/// Renders a template into `out`.
fn render(
    environment: &Environment<'_>,
    name: &str,
    text: &str,
    values: Value,
    out: &mut impl Write,
) -> io::Result<()> {
    let template = environment.template_from_named_str(name, text).map_err(io::Error::other)?;
    template.render_captured_to(values, out).map_err(io::Error::other)?;
    Ok(())
}

/// Creates an environment that redacts and escapes every printed value and labels invisible characters.
fn environment(redactor: Redactor) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(move |out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => {
            escape_formatter(out, state, &Value::from(escaping::label_invisible(&redactor.redact(text))))
        }
        _ => escape_formatter(out, state, value),
    });
    Ok(environment)
}

/// The whole script of the page.
fn script() -> String {
    format!("\"use strict\";\n(() => {{\n{}}})();\n", SCRIPTS.concat())
}

/// The content security policy for a script.
fn content_security_policy(script: &str) -> String {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        csp_digest(script),
        csp_digest(STYLE)
    )
}

/// The digest of an inline element as a policy source.
fn csp_digest(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| (group << 8) | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for position in 0..4 {
            if position > chunk.len() {
                encoded.push('=');
            } else {
                encoded.push(char::from(ALPHABET[((group >> (18 - 6 * position)) & 63) as usize]));
            }
        }
    }
    encoded
}
