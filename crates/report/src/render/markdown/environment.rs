//! The template environment: neutralizes and redacts printed values.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use promptgate_core::text::{Redactor, neutral};

/// Creates an environment that redacts every printed value and then neutralizes it. Output of the filters `fenced`,
/// `commit`, `url` and, where it is plain, `command` is only redacted.
pub(in crate::render) fn environment(redactor: Redactor) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("fenced", |text: &str| Value::from_safe_string(neutral::fenced(text)));
    environment.add_filter("commit", |text: &str| Value::from_safe_string(commit_code(text)));
    environment.add_filter("url", |text: &str| Value::from_safe_string(plain_url(text)));
    environment.add_filter("command", command_code);
    environment.set_formatter(move |out, _state, value| {
        let text = value.to_string();
        let redacted = redactor.redact(&text);
        let written = if value.is_safe() { redacted.into_owned() } else { neutral::markdown(&redacted) };
        out.write_str(&written).map_err(minijinja::Error::from)
    });
    Ok(environment)
}

/// A commit as inline code, which forges do not turn into a reference; empty for anything but hexadecimal digits.
fn commit_code(text: &str) -> String {
    let hexadecimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal { format!("`{text}`") } else { String::new() }
}

/// A command as inline code, to be copied; as text if it has characters beyond those of names, versions and flags.
fn command_code(text: &str) -> Value {
    let is_plain =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || " -._/:@".contains(c));
    if is_plain { Value::from_safe_string(format!("`{text}`")) } else { Value::from(text) }
}

/// A URL for a link; empty unless plain.
fn plain_url(text: &str) -> String {
    if is_plain_url(text) { text.to_owned() } else { String::new() }
}

/// Whether a text is an http or https URL without characters that have a meaning in Markdown.
pub(in crate::render) fn is_plain_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._/:#?=&%".contains(c))
    })
}
