//! Endpoints: defaults, URLs, names of variables. Values that may be secrets are never repeated.

use std::time::Duration;

use super::resolve::Reader;
use super::scalar::WrittenDuration;
use super::settings::{EndpointSettings, HeaderValue, Placed};
use super::written::{WrittenEndpoint, WrittenHeader};
use promptgate_core::document::{looks_like_secret, pointer};
use promptgate_core::model::Diagnostic;

/// Headers whose value is a secret.
const SECRET_HEADERS: [&str; 6] =
    ["authorization", "api-key", "x-api-key", "cookie", "proxy-authorization", "token"];

/// Headers that the client sets itself.
const OWN_HEADERS: [&str; 4] = ["content-type", "content-length", "host", "transfer-encoding"];

/// Resolves the endpoint at the pointer `at`.
pub(super) fn endpoint(reader: &mut Reader<'_>, at: &str, written: WrittenEndpoint) -> EndpointSettings {
    let wait = |duration: Option<WrittenDuration>| duration.map_or(Duration::from_secs(120), |wait| wait.0);
    let timeout_at = format!("{at}/timeout");
    if written.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
        let diagnostic = reader.diagnostic(&timeout_at, "a timeout of 0 leaves no time for an answer");
        reader.push(diagnostic.help("write it like `60s`"));
    }
    EndpointSettings {
        base_url: written.base_url.and_then(|url| base_url(reader, &format!("{at}/base_url"), url)),
        api_key_env: written
            .api_key_env
            .and_then(|name| variable(reader, &format!("{at}/api_key_env"), name)),
        timeout: wait(written.timeout),
        max_concurrency: written.max_concurrency.unwrap_or(32),
        rpm: written.rpm,
        tpm: written.tpm,
        headers: headers(reader, &format!("{at}/headers"), written.headers.0),
        ca_cert: written.ca_cert.map(|path| reader.placed(&format!("{at}/ca_cert"), path)),
        attempts: written.attempts.unwrap_or(6),
        max_wait: wait(written.max_wait),
    }
}

fn base_url(reader: &mut Reader<'_>, at: &str, url: String) -> Option<Placed<String>> {
    let parsed = reqwest::Url::parse(&url);
    let diagnostic = match &parsed {
        Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            Diagnostic::new("a user or password in `base_url` would be shown in logs")
                .help("put the key into a variable and name it with `api_key_env` or `headers`")
        }
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {
            if !looks_like_secret(&url) {
                return Some(reader.placed(at, url));
            }
            Diagnostic::new("`base_url` seems to hold a key")
                .help("put it into a variable and name that with `api_key_env` or `headers`")
        }
        _ => Diagnostic::new("`base_url` must be an http or https URL")
            .help("write it like `https://api.openai.com/v1`"),
    };
    reader.push(diagnostic.at(reader.secret_place(at)));
    None
}

/// The name of a variable. A key that was pasted instead is not repeated.
fn variable(reader: &mut Reader<'_>, at: &str, name: String) -> Option<Placed<String>> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    let mixed = name.bytes().any(|b| b.is_ascii_lowercase()) && name.bytes().any(|b| b.is_ascii_digit());
    let key = looks_like_secret(&name) || name.len() > 64 || (mixed && name.len() >= 20);
    if plain && !key {
        return Some(reader.placed(at, name));
    }
    let what = at.rsplit('/').next().unwrap_or_default();
    let message = if key {
        format!("`{what}` seems to hold a key itself, not the name of a variable")
    } else {
        format!("`{what}` must be the name of an environment variable")
    };
    let diagnostic = Diagnostic::new(message).at(reader.secret_place(at));
    reader.push(diagnostic.help(
        "put the key into a variable and name that, like `OPENAI_API_KEY`; a key that was written into a file is \
         best revoked",
    ));
    None
}

fn headers(
    reader: &mut Reader<'_>,
    at: &str,
    written: Vec<(String, WrittenHeader)>,
) -> Vec<(String, HeaderValue)> {
    let mut headers: Vec<(String, HeaderValue)> = Vec::new();
    for (name, header) in written {
        let here = pointer(at, &name);
        let lower = name.to_ascii_lowercase();
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let problem = if name.is_empty() || !name.bytes().all(token) {
            Some("not a valid header name")
        } else if OWN_HEADERS.contains(&lower.as_str()) {
            Some("this header is set by promptgate itself")
        } else if headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            Some("duplicate header (header names are case-insensitive)")
        } else {
            None
        };
        if let Some(problem) = problem {
            reader.push(Diagnostic::new(problem).at(reader.secret_key_place(&here)));
            continue;
        }
        let value = match (header.env, header.value) {
            (Some(variable_name), _) => {
                variable(reader, &format!("{here}/env"), variable_name).map(HeaderValue::Env)
            }
            (None, Some(value)) => {
                let secret =
                    SECRET_HEADERS.iter().any(|known| lower.contains(known)) || looks_like_secret(&value);
                let sendable = value.bytes().all(|b| b == b'\t' || (b >= 0x20 && b != 0x7f));
                let diagnostic = if secret {
                    Some(
                        Diagnostic::new("this header holds a secret, which must not be in a file")
                            .help("put it into a variable: `{env: VARIABLE}`"),
                    )
                } else if !sendable {
                    Some(Diagnostic::new("this value holds a control character or line break"))
                } else {
                    None
                };
                match diagnostic {
                    Some(diagnostic) => {
                        reader.push(diagnostic.at(reader.secret_place(&format!("{here}/value"))));
                        None
                    }
                    None => Some(HeaderValue::Literal(value)),
                }
            }
            // The schema requires one of the two.
            (None, None) => None,
        };
        headers.extend(value.map(|value| (name, value)));
    }
    headers
}
