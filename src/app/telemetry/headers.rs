//! Headers that a flag names, and their values.

use crate::app::Environment;
use promptgate_core::document::{is_secret_header, looks_like_secret};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::Secret;

const FLAG: &str = "--otlp-header";
/// The start of a value that is the name of a variable.
const ENV: &str = "env:";

/// Names and values of headers.
#[derive(Debug, Default)]
pub(super) struct Headers {
    /// Those from variables.
    pub(super) secret: Vec<(String, Secret)>,
    /// Those that are written in full.
    pub(super) plain: Vec<(String, String)>,
    /// The variables.
    pub(super) variables: Vec<String>,
}

/// Parses headers written as `NAME=VALUE` or `NAME=env:VARIABLE`.
///
/// # Errors
/// A header that is not written like that, a secret on the command line, or a variable that is not set. Values are not
/// quoted.
pub(super) fn parse(written: &[String], environment: &Environment) -> Result<Headers, Diagnostic> {
    let mut headers = Headers::default();
    for header in written {
        let Some((name, value)) = header.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(invalid("not a valid header", "expected NAME=VALUE or NAME=env:VARIABLE"));
        };
        let (name, value) = (name.trim().to_owned(), value.trim());
        let Some(variable) = value.strip_prefix(ENV) else {
            if is_secret_header(&name) || looks_like_secret(value) {
                return Err(invalid(
                    &format!(
                        "the value of `{}` may be a secret, which other processes and logs would show",
                        name.escape_debug()
                    ),
                    &format!(
                        "put it into an environment variable and write {}=env:VARIABLE",
                        name.escape_debug()
                    ),
                ));
            }
            headers.plain.push((name, value.to_owned()));
            continue;
        };
        if !is_variable(variable) {
            return Err(invalid(
                "`env:` must be followed by the name of an environment variable",
                "expected a header such as authorization=env:OTLP_AUTHORIZATION",
            ));
        }
        let Some(secret) = environment.variable(variable) else {
            return Err(invalid(
                &format!("the environment variable {variable} is not set"),
                &format!("set it to the value of the header `{}`", name.escape_debug()),
            ));
        };
        headers.secret.push((name, Secret::new(secret)));
        headers.variables.push(variable.to_owned());
    }
    Ok(headers)
}

/// The variables that headers name.
pub(super) fn variables(written: &[String]) -> impl Iterator<Item = &str> {
    let values = written.iter().filter_map(|header| Some(header.split_once('=')?.1.trim()));
    values.filter_map(|value| value.strip_prefix(ENV)).filter(|name| is_variable(name))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn invalid(message: &str, help: &str) -> Diagnostic {
    Diagnostic::new(message).at(Place::file(FLAG)).help(help.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_all(written: &[&str]) -> Result<Headers, Diagnostic> {
        let environment = Environment::of([("AUTH".to_owned(), "Basic cGs6c2s=".to_owned())]);
        let written: Vec<String> = written.iter().map(|header| (*header).to_owned()).collect();
        parse(&written, &environment)
    }

    #[test]
    fn values_are_plain_or_from_variables() {
        let headers =
            parse_all(&["x-mlflow-experiment-id=3", "authorization=env:AUTH", "x-note=a=b"]).unwrap();
        let plain: Vec<(&str, &str)> =
            headers.plain.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(plain, [("x-mlflow-experiment-id", "3"), ("x-note", "a=b")]);
        let [(name, secret)] = headers.secret.as_slice() else { panic!() };
        assert_eq!((name.as_str(), secret.expose()), ("authorization", "Basic cGs6c2s="));
        assert_eq!(headers.variables, ["AUTH"]);
    }

    #[test]
    fn invalid_headers_are_rejected_without_their_values() {
        for (written, expected) in [
            ("hush-0123456789", "not a valid header"),
            ("=hush-0123456789", "not a valid header"),
            ("Authorization=hush-0123456789", "may be a secret"),
            ("x-key=sk-hush-0123456789", "may be a secret"),
            ("authorization=env:", "name of an environment variable"),
            ("authorization=env:hush-0123456789", "name of an environment variable"),
            ("authorization=env:UNSET", "UNSET is not set"),
        ] {
            let error = parse_all(&[written]).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("hush"), "{written}: {error}");
        }
    }
}
