//! `endpoint`, and the endpoints of judges. Values that may be secrets are never repeated.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use promptgate_core::document::{is_secret_header, looks_like_secret, pointer};
use promptgate_core::model::{Diagnostic, Protocol, StreamMode};

use super::load::{Placed, Reader, without_excerpt};
use super::scalar::{Ordered, WrittenDuration};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);
const DEFAULT_MAX_CONCURRENCY: usize = 32;
const DEFAULT_ATTEMPTS: u32 = 6;
const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(120);

/// Headers that the client sets itself.
const OWN_HEADERS: [&str; 4] = ["content-type", "content-length", "host", "transfer-encoding"];

/// Tokens of the gate and of its job, which must not reach an endpoint whatever a configuration names.
const OWN_TOKENS: [&str; 4] =
    ["PROMPTGATE_GITHUB_TOKEN", "GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

/// An endpoint of models.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Endpoint")]
pub(super) struct WrittenEndpoint {
    /// The API that it speaks; openai by default, which compatible servers speak as well.
    protocol: Option<Protocol>,
    /// URL up to the path of a call, such as /chat/completions; by default OPENAI_BASE_URL, else that of OpenAI. With
    /// another protocol ANTHROPIC_BASE_URL or GOOGLE_GEMINI_BASE_URL, else that of the vendor.
    #[schemars(length(min = 1))]
    base_url: Option<String>,
    /// Name of the environment variable that holds the key, never the key itself; null for a server without a key. By
    /// default OPENAI_API_KEY, sent only to OpenAI, to the host of OPENAI_BASE_URL and to this machine, and not beside an
    /// authenticating header; with another protocol ANTHROPIC_API_KEY or GEMINI_API_KEY, by the same rule.
    #[serde(deserialize_with = "written_or_null")]
    #[schemars(with = "Option<String>", length(min = 1))]
    api_key_env: Option<Option<String>>,
    /// Whether answers are asked for as a stream: auto, the default, only from a server that answers in no other way.
    stream: Option<StreamMode>,
    /// Timeout of one call; 120s by default.
    timeout: Option<WrittenDuration>,
    /// Maximum calls in flight; 32 by default.
    #[schemars(range(min = 1, max = 10_000))]
    max_concurrency: Option<usize>,
    /// Requests per minute; no limit by default.
    #[schemars(range(min = 1, max = 4_294_967_295u32))]
    rpm: Option<u32>,
    /// Tokens per minute; no limit by default.
    #[schemars(range(min = 1))]
    tpm: Option<u64>,
    /// Additional headers, by name: {env: VARIABLE} for a secret, {value: TEXT} for anything else.
    headers: Ordered<WrittenHeader>,
    /// Path of a PEM file with additional certificate authorities, relative to this file.
    #[schemars(length(min = 1))]
    ca_cert: Option<String>,
    /// Maximum attempts of one call; 6 by default.
    #[schemars(range(min = 1, max = 100))]
    attempts: Option<u32>,
    /// Maximum total wait between the attempts of one call; 120s by default.
    max_wait: Option<WrittenDuration>,
}

/// The value of a header.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
#[schemars(rename = "Header")]
pub(super) struct WrittenHeader {
    /// Name of the environment variable that holds the value.
    #[schemars(length(min = 1))]
    env: Option<String>,
    /// The value itself, if it is not a secret.
    value: Option<String>,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointSettings {
    /// The API that it speaks.
    pub protocol: Protocol,
    /// URL up to the path of a call: http or https, without user and password.
    pub base_url: Option<Placed<String>>,
    /// The variable that holds the key.
    pub api_key_env: KeyVariable,
    /// Whether answers are asked for as a stream.
    pub stream: StreamMode,
    /// Timeout of one call.
    pub timeout: Duration,
    /// Maximum calls in flight, at least 1.
    pub max_concurrency: usize,
    /// Requests per minute.
    pub rpm: Option<u32>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
    /// Additional headers in the order of the configuration.
    pub headers: Vec<(String, HeaderValue)>,
    /// PEM file with additional certificate authorities, relative to the configuration.
    pub ca_cert: Option<Placed<String>>,
    /// Maximum attempts of one call, at least 1.
    pub attempts: u32,
    /// Maximum total wait between the attempts of one call.
    pub max_wait: Duration,
}

/// The variable that holds the key of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyVariable {
    /// That of the protocol, such as `OPENAI_API_KEY`, for the hosts that it was set for.
    Default,
    /// The endpoint needs no key.
    None,
    /// This one.
    Named(Placed<String>),
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// Held by this environment variable.
    Env(Placed<String>),
    /// Written in the configuration; not a secret.
    Literal(String),
}

/// Distinguishes `null` from a key that is not written.
fn written_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl WrittenEndpoint {
    /// Resolves the endpoint at a pointer.
    pub(super) fn resolve(self, reader: &mut Reader<'_>, at: &str) -> EndpointSettings {
        let key = |key: &str| format!("{at}/{key}");
        if self.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            let message = "a timeout of 0 leaves no time for an answer";
            reader.report(&key("timeout"), message, "write it like `60s`");
        }
        EndpointSettings {
            protocol: self.protocol.unwrap_or(Protocol::OpenAi),
            stream: self.stream.unwrap_or(StreamMode::Auto),
            base_url: self.base_url.and_then(|url| base_url(reader, &key("base_url"), url)),
            api_key_env: match self.api_key_env {
                None => KeyVariable::Default,
                Some(None) => KeyVariable::None,
                Some(Some(name)) => variable(reader, &key("api_key_env"), name)
                    .map_or(KeyVariable::Default, KeyVariable::Named),
            },
            timeout: self.timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0),
            max_concurrency: self.max_concurrency.unwrap_or(DEFAULT_MAX_CONCURRENCY),
            rpm: self.rpm,
            tpm: self.tpm,
            headers: headers(reader, &key("headers"), self.headers),
            ca_cert: self.ca_cert.map(|path| reader.placed(&key("ca_cert"), path)),
            attempts: self.attempts.unwrap_or(DEFAULT_ATTEMPTS),
            max_wait: self.max_wait.map_or(DEFAULT_MAX_WAIT, |wait| wait.0),
        }
    }
}

/// The URL of a server at `at`, whose last key names it; anything else is reported.
pub(super) fn base_url(reader: &mut Reader<'_>, at: &str, url: String) -> Option<Placed<String>> {
    let key = at.rsplit('/').next().unwrap_or_default();
    let secrets =
        if at.starts_with("/release/") { "the `…_env` keys" } else { "`api_key_env` or `headers`" };
    let parsed = reqwest::Url::parse(&url);
    let diagnostic = match &parsed {
        Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            Diagnostic::new(format!("a user or password in `{key}` would be shown in logs"))
                .help(format!("put the key into a variable and name it with {secrets}"))
        }
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {
            if !looks_like_secret(&url) {
                return Some(reader.placed(at, url));
            }
            Diagnostic::new(format!("`{key}` seems to hold a key"))
                .help(format!("put it into a variable and name that with {secrets}"))
        }
        _ => Diagnostic::new(format!("`{key}` must be an http or https URL")).help(match key {
            "tracking_uri" => "write it like `https://mlflow.example.org`",
            "url" => "write it like `https://prometheus.example.org`",
            _ if at.starts_with("/release/") => "write it like `https://cloud.langfuse.com`",
            _ => "write it like `https://api.openai.com/v1`",
        }),
    };
    reader.push(diagnostic.at(without_excerpt(reader.document.place(at))));
    None
}

/// The name of a variable. A key that was pasted instead is not repeated.
pub(super) fn variable(reader: &mut Reader<'_>, at: &str, name: String) -> Option<Placed<String>> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    let mixed = name.bytes().any(|b| b.is_ascii_lowercase()) && name.bytes().any(|b| b.is_ascii_digit());
    let key = looks_like_secret(&name) || name.len() > 64 || (mixed && name.len() >= 20);
    if OWN_TOKENS.iter().any(|own| own.eq_ignore_ascii_case(&name)) {
        let message = format!("{name} is a token of the gate or its CI job and is never sent to an endpoint");
        let help = "give the endpoint a variable of its own, and the step that key under this name: \
                    `env: {MODEL_KEY: …}` in the workflow, `api_key_env: MODEL_KEY` here";
        reader.report(at, message, help);
        return None;
    }
    if plain && !key {
        return Some(reader.placed(at, name));
    }
    let what = at.rsplit('/').next().unwrap_or_default();
    let message = if key {
        format!("`{what}` seems to hold a key itself, not the name of a variable")
    } else {
        format!("`{what}` must be the name of an environment variable")
    };
    let diagnostic = Diagnostic::new(message).at(without_excerpt(reader.document.place(at)));
    reader.push(diagnostic.help(
        "put the key into a variable and name that, like `OPENAI_API_KEY`; a key that was written into a file is \
         best revoked",
    ));
    None
}

/// Resolves headers at a pointer.
pub(super) fn headers(
    reader: &mut Reader<'_>,
    at: &str,
    written: Ordered<WrittenHeader>,
) -> Vec<(String, HeaderValue)> {
    let mut headers: Vec<(String, HeaderValue)> = Vec::new();
    for (name, header) in written.0 {
        let at = pointer(at, &name);
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let problem = if name.is_empty() || !name.bytes().all(token) {
            "not a valid header name"
        } else if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            "this header is set by promptgate itself"
        } else if headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            "duplicate header (header names are case-insensitive)"
        } else {
            headers.extend(header.resolve(reader, &at, &name).map(|value| (name, value)));
            continue;
        };
        reader.push(Diagnostic::new(problem).at(without_excerpt(reader.document.key_place(&at))));
    }
    headers
}

impl WrittenHeader {
    fn resolve(self, reader: &mut Reader<'_>, at: &str, name: &str) -> Option<HeaderValue> {
        if let Some(env) = self.env {
            return variable(reader, &format!("{at}/env"), env).map(HeaderValue::Env);
        }
        // The schema requires one of the two.
        let value = self.value?;
        let diagnostic = if is_secret_header(name) || looks_like_secret(&value) {
            Diagnostic::new("this header holds a secret, which must not be in a file")
                .help("put it into a variable: `{env: VARIABLE}`")
        } else if value.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
            Diagnostic::new("this value holds a control character or line break")
        } else {
            return Some(HeaderValue::Literal(value));
        };
        reader.push(diagnostic.at(without_excerpt(reader.document.place(&format!("{at}/value")))));
        None
    }
}
