//! One call over HTTP: sends a request and reads the complete response. Waiting, retries and limits are other layers.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use tokio::time::Instant;

use super::address;
use super::faults::FaultContext;
use super::options::Options;
use super::wire::{self, InvalidResponse};
use crate::http::{self, BaseUrl, Client, ClientOptions, Request, SettingNames, server_text};
use promptgate_core::model::{
    Attempt, ChatRequest, Completion, Diagnostic, Fault, FaultKind, FinishReason, Place,
};
use promptgate_core::port::ChatModel;
use promptgate_core::text::Redactor;

const NAMES: SettingNames = SettingNames {
    url: address::SETTING,
    ca_cert: Some("endpoint.ca_cert"),
    timeout_help: "raise endpoint.timeout, or lower endpoint.max_concurrency",
    credential: "key",
};

/// Headers of the transport, which the configuration cannot set.
const TRANSPORT_HEADERS: [&str; 8] = [
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "expect",
    "upgrade",
];

/// A chat model behind HTTP.
pub(super) struct HttpModel {
    client: Client,
    url: Url,
    faults: FaultContext,
}

impl HttpModel {
    pub(super) fn new(options: &Options, base: BaseUrl, redactor: Arc<Redactor>) -> Result<Self, Diagnostic> {
        let url = address::completions(&base);
        let client = Client::new(ClientOptions {
            base,
            headers: default_headers(options)?,
            timeout: options.timeout,
            max_idle_connections: options.max_concurrency.max(1),
            max_redirects: 1,
            max_body_bytes: options.max_body_bytes,
            ca_cert: options.ca_cert.clone(),
            names: NAMES,
            redactor: Arc::clone(&redactor),
        })?;
        let faults = FaultContext {
            label: client.label(&Request::new(Method::POST, url.clone())),
            api_key_env: options.api_key_env.clone(),
            has_key: options.is_authenticated(),
            redactor,
        };
        Ok(Self { client, url, faults })
    }

    /// Sends a request. A fault lists its own attempt.
    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let started = Instant::now();
        let mut seen = Seen::default();
        self.send(request, &mut seen)
            .await
            .map(|completion| Completion { attempts: seen.resent(), ..completion })
            .map_err(|mut fault| {
                let ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
                fault.attempts = seen.resent();
                fault.attempts.push(Attempt { status: seen.status, ..Attempt::new(&fault, ms) });
                fault
            })
    }

    async fn send(&self, request: &ChatRequest, seen: &mut Seen) -> Result<Completion, Fault> {
        let body = wire::body(request).map_err(|error| {
            self.faults.fault(FaultKind::Rejected, format!("the request cannot be written as JSON: {error}"))
        })?;
        // A request on a stale connection was never processed, so sending it again is safe.
        let request = Request::new(Method::POST, self.url.clone()).json(body).repeatable();
        let response = self.client.send(&request).await.inspect_err(|error| seen.resends = error.resends)?;
        (seen.status, seen.resends) = (Some(response.status.as_u16()), response.resends);
        if !response.status.is_success() {
            return Err(self.faults.status(&response));
        }
        self.client.check_media_type(&request, &response).map_err(|error| {
            let is_stream = response.media_type().as_deref() == Some("text/event-stream");
            let fault = Fault::from(error);
            if is_stream { fault.help("leave `stream` out of the parameters") } else { fault }
        })?;
        let clean = |text: &str| server_text(self.client.redactor(), text);
        let mut completion = wire::parse(&response.body).map_err(|invalid| {
            let reason = match invalid {
                InvalidResponse::Malformed(reason) => clean(&reason),
                InvalidResponse::Error(message) => {
                    format!("{} with an error: {}", response.status.as_u16(), clean(&message))
                }
            };
            self.faults.fault(FaultKind::InvalidAnswer, reason)
        })?;
        // An echoed key must reach neither a judge nor an excerpt, which could cut it in two before a report is
        // redacted.
        completion.text = self.client.redactor().redact(&completion.text).into_owned();
        if let FinishReason::Other(name) = &mut completion.finish_reason {
            *name = clean(name);
        }
        for name in [&mut completion.model, &mut completion.system_fingerprint].into_iter().flatten() {
            *name = clean(name);
        }
        completion.latency_ms = response.elapsed.as_secs_f64() * 1000.0;
        Ok(completion)
    }
}

/// Facts of an exchange, for its attempts.
#[derive(Default)]
struct Seen {
    status: Option<u16>,
    resends: u32,
}

impl Seen {
    /// The attempts before the last one, on connections that ended at once.
    fn resent(&self) -> Vec<Attempt> {
        vec![Attempt { kind: FaultKind::Disconnected, status: None, ms: 0 }; self.resends as usize]
    }
}

impl ChatModel for HttpModel {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.call(request).boxed()
    }
}

fn default_headers(options: &Options) -> Result<HeaderMap, Diagnostic> {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    if let Some(key) = options.key() {
        let value = http::bearer(key).ok_or_else(|| {
            let variable = &options.api_key_env;
            Diagnostic::new(format!("the key in {variable} has characters that a header cannot carry"))
                .help("look for a line break or a quotation mark that was copied along")
        })?;
        headers.insert(AUTHORIZATION, value);
    }
    for (name, secret) in &options.headers {
        let invalid = |message: String| Diagnostic::new(message).at(Place::file("endpoint.headers"));
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| invalid(format!("`{}` is not a valid header name", name.escape_debug())))?;
        if TRANSPORT_HEADERS.contains(&header.as_str()) {
            return Err(invalid(format!("`{name}` is set by promptgate")).help("remove it"));
        }
        let value = http::secret_value(secret.expose()).ok_or_else(|| {
            invalid(format!("the value of `{name}` has characters that a header cannot carry"))
                .help("look for a line break in the environment variable it is read from")
        })?;
        headers.insert(header, value);
    }
    Ok(headers)
}
