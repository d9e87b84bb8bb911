//! One HTTP call: send a request, read one whole answer. Nothing here waits, retries or counts.
//!
//! The only repetition is that of a request which went out on a connection that the server had just closed: it
//! was never looked at, and is sent again at once on a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use hyper::body::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response, Url};

use super::address::{self, Address};
use super::failure::{self, Teller};
use super::options::Options;
use super::wire::{self, Complaint};
use promptgate_core::model::{ChatRequest, Completion, Diagnostic, Fault, FaultKind, FinishReason, Place};
use promptgate_core::port::ChatModel;
use promptgate_core::text::{Redactor, Secret, root_cause};

/// A connection is made within this time or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an error's body that are read at most.
const ERROR_BYTES: usize = 64 << 10;

/// A request that fails within this time after it was sent may have met a connection that was closed while idle.
const STALE_WITHIN: Duration = Duration::from_secs(1);

/// So many times one request is sent again for that: the next connection of the pool may have been closed as well.
const STALE_SENDS: u32 = 2;

/// Headers that belong to the transport.
const OWN_HEADERS: [&str; 8] = [
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
    teller: Teller,
    max_body_bytes: usize,
    /// Whether a call has come back, so that idle connections may exist.
    has_answered: AtomicBool,
}

impl HttpModel {
    /// A client of this address; one pool of connections.
    pub(super) fn new(
        options: &Options,
        address: Address,
        redactor: Arc<Redactor>,
    ) -> Result<Self, Diagnostic> {
        let headers = default_headers(options)?;
        let connect_timeout = options.timeout.min(CONNECT_TIMEOUT);
        let builder = || {
            let mut builder = ClientBuilder::new()
                .default_headers(headers.clone())
                .user_agent(concat!("promptgate/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .timeout(options.timeout)
                .connect_timeout(connect_timeout)
                .pool_max_idle_per_host(options.max_concurrency.max(1))
                .tcp_nodelay(true);
            if address.is_loopback() {
                builder = builder.no_proxy();
            }
            builder
        };
        let client = build_client(builder, options.ca_cert.as_deref(), &address)?;
        let teller = Teller {
            label: address.label().to_owned(),
            api_key_env: options.api_key_env.clone(),
            has_key: options.key().is_some(),
            timeout: options.timeout,
            connect_timeout,
            redactor,
        };
        Ok(Self {
            client,
            url: address.url().clone(),
            teller,
            max_body_bytes: options.max_body_bytes,
            has_answered: AtomicBool::new(false),
        })
    }

    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let body = wire::body(request).map_err(|error| {
            self.teller.fault(FaultKind::Rejected, format!("the request is no JSON: {error}"))
        })?;
        let body = Bytes::from(body);
        let mut sent = Instant::now();
        let mut stale = 0;
        let mut response = loop {
            match self.send(self.url.clone(), body.clone()).await {
                Err(error) if stale < STALE_SENDS && self.is_stale(&error, sent) => {
                    stale += 1;
                    sent = Instant::now();
                }
                other => break other,
            }
        }
        .map_err(|error| self.teller.transport(&error))?;
        if response.status().is_redirection() {
            let target = self.redirected(&response)?;
            sent = Instant::now();
            response = self.send(target, body).await.map_err(|error| self.teller.transport(&error))?;
            if response.status().is_redirection() {
                return Err(self.redirect_fault(&response, "redirected twice"));
            }
        }
        let result = self.read(response, sent).await;
        self.has_answered.store(true, Ordering::Relaxed);
        result
    }

    async fn send(&self, url: Url, body: Bytes) -> Result<Response, reqwest::Error> {
        self.client.post(url).body(body).send().await
    }

    fn is_stale(&self, error: &reqwest::Error, sent: Instant) -> bool {
        self.has_answered.load(Ordering::Relaxed)
            && sent.elapsed() < STALE_WITHIN
            && failure::closed_before_answer(error)
    }

    /// Where a redirect may be followed to: 307 and 308 keep method and body, and the origin must be the same.
    fn redirected(&self, response: &Response) -> Result<Url, Fault> {
        let keeps_method = matches!(response.status().as_u16(), 307 | 308);
        match location(response) {
            Some(target) if keeps_method && target.origin() == self.url.origin() => Ok(target),
            _ => Err(self.redirect_fault(response, "redirected")),
        }
    }

    fn redirect_fault(&self, response: &Response, what: &str) -> Fault {
        let status = response.status().as_u16();
        let Some(target) = location(response) else {
            return self
                .teller
                .fault(FaultKind::Redirected, format!("{status}: {what}, without saying where to"))
                .help("check endpoint.base_url");
        };
        let (place, help) = if target.origin() == self.url.origin() {
            (target.path().to_owned(), "set endpoint.base_url to the address that answers itself")
        } else {
            (
                address::origin(&target),
                "the key was not sent there; if the address is right, set endpoint.base_url to it",
            )
        };
        let place = self.teller.clean(&place);
        self.teller.fault(FaultKind::Redirected, format!("{status}: {what} to {place}")).help(help)
    }

    async fn read(&self, mut response: Response, sent: Instant) -> Result<Completion, Fault> {
        let status = response.status();
        if !status.is_success() {
            // What could be read is enough for a message; the status says the rest.
            let body = match read_body(&mut response, ERROR_BYTES).await {
                Ok(body) | Err(ReadError::TooLarge(body)) => body,
                Err(ReadError::Transport(_)) => Vec::new(),
            };
            return Err(self.teller.status(status, response.headers(), &body));
        }
        let body = match read_body(&mut response, self.max_body_bytes).await {
            Ok(body) => body,
            Err(ReadError::TooLarge(_)) => {
                let what = format!("the answer is larger than {} bytes", self.max_body_bytes);
                return Err(self.teller.fault(FaultKind::TooLarge, what));
            }
            Err(ReadError::Transport(error)) => return Err(self.teller.cut_off(&error)),
        };
        let latency_ms = sent.elapsed().as_secs_f64() * 1000.0;
        self.check_content_type(&response)?;
        let answer = wire::parse(&body).map_err(|complaint| {
            let what = match complaint {
                Complaint::Malformed(what) => self.teller.clean(&what),
                Complaint::Error(message) => {
                    format!("{} with an error: {}", status.as_u16(), self.teller.clean(&message))
                }
            };
            self.teller.fault(FaultKind::InvalidAnswer, what)
        })?;
        // A key that the server sends back goes no further: not to a judge, and not into an excerpt that could
        // cut it in two before a report is redacted.
        let finish_reason = match answer.finish_reason {
            FinishReason::Other(name) => FinishReason::Other(self.teller.clean(&name)),
            known => known,
        };
        Ok(Completion {
            text: self.teller.redactor.redact(&answer.text).into_owned(),
            refusal: answer.refusal,
            finish_reason,
            usage: answer.usage,
            latency_ms,
            model: answer.model.map(|name| self.teller.clean(&name)),
            system_fingerprint: answer.system_fingerprint.map(|name| self.teller.clean(&name)),
            cached_at: None,
        })
    }

    /// JSON by any of its names, or no name at all.
    fn check_content_type(&self, response: &Response) -> Result<(), Fault> {
        let Some(value) = response.headers().get(CONTENT_TYPE) else { return Ok(()) };
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let essence = value.split(';').next().unwrap_or_default().trim();
        if essence.is_empty()
            || essence == "application/json"
            || essence == "text/json"
            || essence.ends_with("+json")
        {
            return Ok(());
        }
        let what = format!("the answer is {}, not JSON", self.teller.clean(essence));
        let help = match essence {
            "text/event-stream" => "leave `stream` out of the parameters",
            "text/html" => "check endpoint.base_url: this looks like a web page or a proxy's log-in",
            _ => "check endpoint.base_url",
        };
        Err(self.teller.fault(FaultKind::InvalidAnswer, what).help(help))
    }
}

impl ChatModel for HttpModel {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.call(request).boxed()
    }
}

/// Where a response points to, as an absolute URL.
fn location(response: &Response) -> Option<Url> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    response.url().join(location).ok()
}

enum ReadError {
    /// The body is larger than allowed; what was read until then.
    TooLarge(Vec<u8>),
    Transport(reqwest::Error),
}

async fn read_body(response: &mut Response, cap: usize) -> Result<Vec<u8>, ReadError> {
    let announced =
        response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut body = Vec::with_capacity(announced.min(cap).min(1 << 20));
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Transport)? {
        let room = cap.saturating_sub(body.len());
        if chunk.len() > room {
            body.extend(chunk.iter().take(room));
            return Err(ReadError::TooLarge(body));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn default_headers(options: &Options) -> Result<HeaderMap, Diagnostic> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(key) = options.key() {
        let value = header_value(&format!("Bearer {}", key.expose())).ok_or_else(|| {
            Diagnostic::new(format!(
                "the key in {} holds characters that no header can carry",
                options.api_key_env
            ))
            .help("look for a line break or a quotation mark that was copied along")
        })?;
        headers.insert(AUTHORIZATION, value);
    }
    for (name, secret) in &options.headers {
        headers.insert(header_name(name)?, extra_value(name, secret)?);
    }
    Ok(headers)
}

fn header_name(name: &str) -> Result<HeaderName, Diagnostic> {
    let at = Place::file("endpoint.headers");
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
        Diagnostic::new(format!("`{}` is not a header's name", name.escape_debug())).at(at.clone())
    })?;
    if OWN_HEADERS.contains(&parsed.as_str()) {
        return Err(Diagnostic::new(format!("`{name}` is set by promptgate itself"))
            .at(at)
            .help("leave it out"));
    }
    Ok(parsed)
}

fn extra_value(name: &str, secret: &Secret) -> Result<HeaderValue, Diagnostic> {
    header_value(secret.expose()).ok_or_else(|| {
        Diagnostic::new(format!("the value for `{name}` holds characters that no header can carry"))
            .at(Place::file("endpoint.headers"))
            .help("look for a line break in the variable it is read from")
    })
}

fn header_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn build_client(
    builder: impl Fn() -> ClientBuilder,
    ca_cert: Option<&[u8]>,
    address: &Address,
) -> Result<Client, Diagnostic> {
    // An error here means that a provider is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let extra = ca_cert.map(certificates).transpose()?.unwrap_or_default();
    let is_encrypted = address.url().scheme() == "https";
    let without_roots = || builder().tls_certs_only(extra.iter().cloned()).build();
    let client = if !is_encrypted && address.is_loopback() {
        // Neither the server nor a proxy is met with encryption: no time is spent on reading the system's roots.
        without_roots()
    } else {
        match builder().tls_certs_merge(extra.iter().cloned()).build() {
            // A bare container without roots can call a plain server all the same.
            Err(_) if !is_encrypted => without_roots(),
            other => other,
        }
    };
    client.map_err(|error| {
        Diagnostic::new(format!("the client for {} could not be made: {}", address.host(), root_cause(&error)))
            .at(Place::file("endpoint"))
            .help("install the system's certificates (the package ca-certificates), or name one in endpoint.ca_cert")
    })
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, Diagnostic> {
    let diagnostic = |message: String| {
        Diagnostic::new(message)
            .at(Place::file("endpoint.ca_cert"))
            .help("give a PEM file: -----BEGIN CERTIFICATE----- and so on")
    };
    let found = Certificate::from_pem_bundle(pem).map_err(|error| {
        diagnostic(format!("the file holds no usable certificate: {}", root_cause(&error)))
    })?;
    if found.is_empty() {
        return Err(diagnostic("the file holds no certificate".to_owned()));
    }
    Ok(found)
}
