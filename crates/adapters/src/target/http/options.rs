//! Options of an application behind HTTP, as configured and as parsed.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde_json::Value;

use super::body::Body;
use crate::http::{self, BaseUrl};
use crate::target::JsonPath;
use crate::target::reply::Parts;
use crate::worker::WorkerCommand;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_core::text::Secret;

/// The placeholder of the port in the address and the command.
pub(super) const PORT: &str = "{port}";

/// Options of an application behind HTTP.
#[derive(Debug, Clone)]
pub struct HttpTargetOptions {
    /// The server to start, whose arguments may have `{port}`; `None` where one is already there.
    pub start: Option<WorkerCommand>,
    /// Maximum time until a started server is ready.
    pub start_timeout: Duration,
    /// The address of requests; `{port}` is the port of the started server.
    pub url: String,
    /// A path or an address that responds with 2xx when the server is ready; else the port is enough.
    pub ready: Option<String>,
    /// The body, with placeholders such as `{{query}}`; `None` for the whole input.
    pub body: Option<Value>,
    /// Headers of every request.
    pub headers: BTreeMap<String, Secret>,
    /// The path of the text in the response.
    pub output: String,
    /// The path of the contexts.
    pub contexts: Option<String>,
    /// The path of the tool calls.
    pub tool_calls: Option<String>,
    /// The path of the token counts.
    pub usage: Option<String>,
    /// Maximum time of a request.
    pub timeout: Duration,
    /// Maximum number of requests in flight.
    pub concurrency: usize,
    /// Maximum bytes of a response.
    pub max_body_bytes: usize,
    /// The name in messages, such as `target`.
    pub label: String,
}

/// Parsed options.
pub(super) struct Plan {
    pub(super) options: HttpTargetOptions,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) paths: Paths,
}

impl Plan {
    pub(super) fn new(options: HttpTargetOptions) -> Result<Self, Diagnostics> {
        let mut diagnostics = Vec::new();
        let headers = headers(&options.headers).unwrap_or_else(|error| {
            diagnostics.push(error);
            HeaderMap::new()
        });
        let body = Body::parse(options.body.as_ref()).unwrap_or_else(|errors| {
            let at = |error| Diagnostic::new(error).at(Place::file("target.http.body"));
            diagnostics.extend(errors.into_iter().map(at));
            Body::Input
        });
        let paths = Paths::parse(&options, &mut diagnostics);
        diagnostics.extend(check_address(&options).err());
        match paths {
            Some(paths) if diagnostics.is_empty() => Ok(Self { options, headers, body, paths }),
            _ => Err(Diagnostics(diagnostics)),
        }
    }

    /// Returns the addresses of requests and of readiness.
    pub(super) fn addresses(&self, port: Option<u16>) -> Result<(BaseUrl, Url, Option<Url>), Diagnostic> {
        addresses(&self.options, port)
    }
}

fn check_address(options: &HttpTargetOptions) -> Result<(), Diagnostic> {
    let has_port = options.url.contains(PORT);
    let at = |message: &str| Diagnostic::new(message).at(Place::file("target.http.url"));
    match (&options.start, has_port) {
        (None, true) => {
            return Err(at("{port} is the port of a server that promptgate starts")
                .help("write the port, or set target.http.start"));
        }
        (Some(_), false) => {
            return Err(at(
                "the address has no {port}, which promptgate chooses for the server that it starts",
            )
            .help("expected an address such as http://127.0.0.1:{port}/answer"));
        }
        _ => {}
    }
    addresses(options, options.start.is_some().then_some(80)).map(drop)
}

fn addresses(
    options: &HttpTargetOptions,
    port: Option<u16>,
) -> Result<(BaseUrl, Url, Option<Url>), Diagnostic> {
    let with_port = |text: &str| match port {
        Some(port) => text.replace(PORT, &port.to_string()),
        None => text.to_owned(),
    };
    let text = with_port(options.url.trim());
    let base = BaseUrl::parse(&text, "target.http.url", "http://127.0.0.1:8000/answer")?;
    // A slash at the end is part of the address.
    let url = Url::parse(&text).unwrap_or_else(|_| base.url().clone());
    let at = |message: &str| Diagnostic::new(message).at(Place::file("target.http.ready"));
    let ready = options.ready.as_deref().map(|ready| url.join(&with_port(ready)));
    let ready =
        ready.transpose().map_err(|_| at("not a valid path or address, expected one such as /health"))?;
    if ready.as_ref().is_some_and(|ready| ready.origin() != url.origin()) {
        return Err(at("the address is of another server than target.http.url")
            .help("expected a path such as /health"));
    }
    Ok((base, url, ready))
}

fn headers(configured: &BTreeMap<String, Secret>) -> Result<HeaderMap, Diagnostic> {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    http::add_headers(&mut headers, configured, "target.http.headers")?;
    Ok(headers)
}

/// The places of an answer's parts in a response.
pub(super) struct Paths {
    output: JsonPath,
    contexts: Option<JsonPath>,
    tool_calls: Option<JsonPath>,
    usage: Option<JsonPath>,
}

impl Paths {
    fn parse(options: &HttpTargetOptions, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut parse = |name: &str, text: &str| {
            let place = Place::file(format!("target.http.{name}"));
            let parsed = JsonPath::parse(text);
            parsed.map_err(|error| diagnostics.push(Diagnostic::new(error).at(place))).ok()
        };
        let output = parse("output", &options.output);
        let contexts = options.contexts.as_deref().map(|text| parse("contexts", text));
        let tool_calls = options.tool_calls.as_deref().map(|text| parse("tool_calls", text));
        let usage = options.usage.as_deref().map(|text| parse("usage", text));
        Some(Self {
            output: output?,
            contexts: contexts.flatten(),
            tool_calls: tool_calls.flatten(),
            usage: usage.flatten(),
        })
    }

    /// Returns the parts of a response. Text and contexts must be there; tool calls and token counts may be left out.
    pub(super) fn parts(&self, response: &Value) -> Result<OwnedParts, String> {
        let tool_calls = self.tool_calls.as_ref().and_then(|path| list(path, response).ok());
        let has_calls = tool_calls.as_ref().and_then(Value::as_array).is_some_and(|calls| !calls.is_empty());
        let output = match one(&self.output, response) {
            Err(_) if has_calls => None,
            output => Some(output?.clone()).filter(|output| !output.is_null()),
        };
        let contexts = self.contexts.as_ref().map(|path| list(path, response)).transpose()?;
        let usage = self.usage.as_ref().and_then(|path| one(path, response).ok().cloned());
        Ok(OwnedParts { output, contexts, tool_calls, usage })
    }
}

/// The parts of a response.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OwnedParts {
    output: Option<Value>,
    contexts: Option<Value>,
    tool_calls: Option<Value>,
    usage: Option<Value>,
}

impl OwnedParts {
    pub(super) fn as_parts(&self) -> Parts<'_> {
        Parts {
            output: self.output.as_ref(),
            contexts: self.contexts.as_ref(),
            tool_calls: self.tool_calls.as_ref(),
            usage: self.usage.as_ref(),
            ..Parts::default()
        }
    }
}

fn one<'a>(path: &JsonPath, value: &'a Value) -> Result<&'a Value, String> {
    match path.find(value)?.as_slice() {
        [found] => Ok(found),
        found => Err(format!("`{path}` matches {} values, expected one", found.len())),
    }
}

/// Returns a list: the matches of a path for several values, else the list at the path; null is an empty list.
fn list(path: &JsonPath, value: &Value) -> Result<Value, String> {
    if path.is_list() {
        return Ok(path.find(value)?.into_iter().cloned().collect());
    }
    let found = one(path, value)?;
    Ok(if found.is_null() { Value::Array(Vec::new()) } else { found.clone() })
}
