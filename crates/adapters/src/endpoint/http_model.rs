//! One call over HTTP: sends a request and reads the complete response. Waiting, retries and limits are other layers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};

use tokio::time::Instant;

use super::address;
use super::faults::{self, FaultContext};
use super::options::Options;
use super::wire::{self, InvalidReply, Streamed};
use crate::http::{self, BaseUrl, Client, ClientOptions, Request, Response, SettingNames, server_text};
use promptgate_core::model::{
    Attempt, ChatRequest, Completion, Diagnostic, Fault, FaultKind, FinishReason, Protocol, Purpose,
    StreamMode,
};
use promptgate_core::port::ChatModel;
use promptgate_core::text::Redactor;

const NAMES: SettingNames = SettingNames {
    url: address::SETTING,
    ca_cert: Some("endpoint.ca_cert"),
    timeout_help: "raise endpoint.timeout, or lower endpoint.max_concurrency",
    credential: "key",
};

/// A chat model behind HTTP.
pub(super) struct HttpModel {
    client: Client,
    protocol: Protocol,
    faults: FaultContext,
    stream: StreamMode,
    /// Whether answers are asked for as a stream.
    streams: AtomicBool,
}

impl HttpModel {
    pub(super) fn new(options: &Options, base: BaseUrl, redactor: Arc<Redactor>) -> Result<Self, Diagnostic> {
        let protocol = options.protocol;
        let url = wire::url(protocol, &base, "", false);
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
            label: client.label(&Request::new(Method::POST, url)),
            api_key_env: options.api_key_env.clone(),
            has_key: options.is_authenticated(),
            redactor,
        };
        let streams = AtomicBool::new(options.stream == StreamMode::Always);
        Ok(Self { client, protocol, faults, stream: options.stream, streams })
    }

    /// Sends a request. A fault lists its own attempt.
    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let started = Instant::now();
        let mut seen = Seen::default();
        self.exchange(request, &mut seen)
            .await
            .map(|completion| Completion { attempts: seen.resent(), ..completion })
            .map_err(|mut fault| {
                let ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
                fault.attempts = seen.resent();
                fault.attempts.push(Attempt { status: seen.status, ..Attempt::new(&fault, ms) });
                fault
            })
    }

    async fn exchange(&self, request: &ChatRequest, seen: &mut Seen) -> Result<Completion, Fault> {
        // Embeddings have no stream.
        let may_stream = request.purpose != Purpose::Embedding;
        let streams_already = may_stream && self.streams.load(Ordering::Relaxed);
        let (mut sent, mut response) = self.send(request, streams_already, seen).await?;
        let mut is_stream = streams_already;
        if may_stream && !is_stream && self.stream == StreamMode::Auto && faults::requires_stream(&response) {
            (sent, response) = self.send(request, true, seen).await?;
            is_stream = response.status.is_success();
            self.streams.store(is_stream, Ordering::Relaxed);
        }
        if !response.status.is_success() {
            let fault = self.faults.status(&response);
            let failed =
                faults::failed_generation(&response).filter(|_| request.purpose == Purpose::Completion);
            return failed.map_or(Err(fault), |text| Ok(self.cleaned(invalid_json(text), &response)));
        }
        let is_stream = match response.media_type().as_deref() {
            Some("text/event-stream") => true,
            // Some servers declare a stream as something else.
            _ => is_stream && starts_as_stream(&response.body),
        };
        if !is_stream {
            self.client.check_media_type(&sent, &response)?;
        }
        let parsed = if is_stream {
            self.parse_stream(&response)
        } else {
            wire::parse_reply(self.protocol, request, &response.body)
        };
        let completion = parsed.map_err(|invalid| self.faults.reply(response.status, &invalid))?;
        Ok(self.cleaned(completion, &response))
    }

    /// Parses a stream, with the time to its first token, or to its end where it has none.
    fn parse_stream(&self, response: &Response) -> Result<Completion, InvalidReply> {
        let Streamed { completion, first_token } = wire::parse_stream(self.protocol, &response.body)?;
        let time = response.time_of(first_token.unwrap_or(response.body.len()));
        Ok(Completion { ttft_ms: time.map(|time| time.as_secs_f64() * 1000.0), ..completion })
    }

    async fn send(
        &self,
        request: &ChatRequest,
        stream: bool,
        seen: &mut Seen,
    ) -> Result<(Request, Response), Fault> {
        let body = wire::body(self.protocol, request, stream).map_err(|error| {
            self.faults.fault(FaultKind::Rejected, format!("the request cannot be written as JSON: {error}"))
        })?;
        // A request on a stale connection was never processed, so sending it again is safe.
        let url = wire::url_of(self.protocol, self.client.base(), request, stream);
        let mut sent = Request::new(Method::POST, url).json(body).repeatable();
        if stream {
            // The times of its parts are those of the server only without compression.
            sent = sent
                .header(ACCEPT, HeaderValue::from_static("text/event-stream, application/json"))
                .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
                .timed();
        }
        seen.status = None;
        let response = self.client.send(&sent).await.inspect_err(|error| seen.resends += error.resends)?;
        (seen.status, seen.resends) = (Some(response.status.as_u16()), seen.resends + response.resends);
        Ok((sent, response))
    }

    /// Removes secrets: an echoed key must reach neither a judge nor an excerpt, which could cut it in two before a report
    /// is redacted.
    fn cleaned(&self, mut completion: Completion, response: &Response) -> Completion {
        let redactor = self.client.redactor();
        let clean = |text: &str| server_text(redactor, text);
        completion.text = redactor.redact(&completion.text).into_owned();
        completion.reasoning = completion.reasoning.map(|text| redactor.redact(&text).into_owned());
        for call in &mut completion.tool_calls {
            call.name = clean(&call.name);
            call.arguments = redactor.redact(&call.arguments).into_owned();
            call.id = call.id.take().map(|id| clean(&id));
        }
        if let FinishReason::Other(name) = &mut completion.finish_reason {
            *name = clean(name);
        }
        for name in [&mut completion.model, &mut completion.system_fingerprint].into_iter().flatten() {
            *name = clean(name);
        }
        completion.latency_ms = response.elapsed.as_secs_f64() * 1000.0;
        completion
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

/// The answer of a server that checks the JSON of its model, and found it invalid: an answer of the product.
fn invalid_json(text: String) -> Completion {
    let finish_reason = FinishReason::Other(FinishReason::INVALID_JSON.to_owned());
    Completion { finish_reason, ..Completion::from_text(text) }
}

impl ChatModel for HttpModel {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.call(request).boxed()
    }
}

/// Whether a body starts like a stream of events.
fn starts_as_stream(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    start.starts_with(b"data:") || start.starts_with(b"event:")
}

fn default_headers(options: &Options) -> Result<HeaderMap, Diagnostic> {
    let mut headers = wire::headers(options.protocol);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(key) = options.key() {
        let (name, value) = wire::key_header(options.protocol, key).ok_or_else(|| {
            let variable = &options.api_key_env;
            Diagnostic::new(format!("the key in {variable} has characters that a header cannot carry"))
                .help("look for a line break or a quotation mark that was copied along")
        })?;
        headers.insert(name, value);
    }
    http::add_headers(
        &mut headers,
        options.headers.iter().map(|(name, secret)| (name, secret)),
        "endpoint.headers",
    )?;
    Ok(headers)
}
