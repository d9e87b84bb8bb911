//! `report.html`: one file that asks nobody for anything.
//!
//! The template escapes whatever it prints. What was said in the cases is a block of JSON that nothing in it can end
//! ([`untrusted_text::inert`]); the script shows it as text alone. The policy in the page's head names the digests of its own
//! style and script, and allows nothing else: no other script, no style, no image, no request. Without the script the
//! page still shows the verdict, the criteria, the plots and the worst cases.

mod case_data;
mod differences;
mod interval_plot;
mod page;
mod provenance;
mod scale;
#[cfg(test)]
mod tests;
mod trial_data;
mod untrusted_text;
mod worst_cases;

use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, escape_formatter};
use sha2::{Digest as _, Sha256};

use super::Style;
use crate::v1::Report;
use page::Page;
use promptgate_core::text::Redactor;
pub(super) use untrusted_text::Sanitizer;
pub(super) use worst_cases::{answers, reasons};

const TEMPLATE: &str = include_str!("assets/report.html");
const STYLE: &str = concat!(include_str!("assets/page.css"), include_str!("assets/cases.css"));

/// The parts of the script; each may use what stands in those before it.
const SCRIPTS: [&str; 6] = [
    include_str!("assets/words.js"),
    include_str!("assets/difference.js"),
    include_str!("assets/quotes.js"),
    include_str!("assets/opened.js"),
    include_str!("assets/table.js"),
    include_str!("assets/start.js"),
];

/// Writes the report as a page, below 10 MB whatever it holds; no secret that `redactor` knows is in it.
pub(super) fn write(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let sanitizer = Sanitizer::new(&style.redactor);
    let order = case_data::order(report);
    let data = case_data::data(report, &order, &sanitizer)?;
    let page = Page::new(report, &order, data, &sanitizer);
    let environment = environment(style.redactor.clone()).map_err(io::Error::other)?;
    let text =
        environment.render_named_str("report.html", TEMPLATE, Serde(page)).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

/// An engine that escapes whatever it prints, without secrets and with labels for what hides.
fn environment(redactor: Redactor) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(move |out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => {
            escape_formatter(out, state, &Value::from(untrusted_text::visible(&redactor.redact(text))))
        }
        _ => escape_formatter(out, state, value),
    });
    Ok(environment)
}

/// The script as it stands in the page.
fn script() -> String {
    format!("\"use strict\";\n(() => {{\n{}}})();\n", SCRIPTS.concat())
}

/// The content security policy of a page with this script.
fn policy(script: &str) -> String {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        digest(script),
        digest(STYLE)
    )
}

/// A source of a policy: the digest of the text between the tags of an element.
fn digest(text: &str) -> String {
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
