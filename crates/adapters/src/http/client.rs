//! Requests to one origin and their complete responses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use hyper::body::Bytes;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Method, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::address::{self, BaseUrl};
use super::body::{self, DecodeError};
use super::error::{Error, ErrorContext, ErrorKind, SettingNames, closed_before_response};
use super::message::server_text;
use super::retry_after::{Resets, retry_after};
use super::server_error::ServerError;
use super::{proxy, tls};
use promptgate_core::model::Diagnostic;
use promptgate_core::text::Redactor;

/// Maximum time for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum bytes of an error body that are read.
const MAX_ERROR_BYTES: usize = 64 << 10;
/// A request that fails within this time may have met a connection that was closed while idle.
const STALE_WITHIN: Duration = Duration::from_secs(1);
/// Number of times a request is sent again for that: the next pooled connection may be closed as well.
const MAX_STALE_RESENDS: u32 = 2;

/// Settings of a [`Client`].
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The only origin that requests go to.
    pub base: BaseUrl,
    /// Headers of every request, credentials among them.
    pub headers: HeaderMap,
    /// Time for one exchange, from sending to the last byte.
    pub timeout: Duration,
    /// Idle connections that are kept.
    pub max_idle_connections: usize,
    /// Redirects within the origin that are followed.
    pub max_redirects: u32,
    /// Maximum bytes of a response body.
    pub max_body_bytes: usize,
    /// Certificates in PEM that are trusted in addition to the system's.
    pub ca_cert: Option<Vec<u8>>,
    /// Names of settings in messages.
    pub names: SettingNames,
    /// Removes secrets from server text in messages.
    pub redactor: Arc<Redactor>,
}

/// A client of one origin with a connection pool.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: BaseUrl,
    context: ErrorContext,
    max_redirects: u32,
    max_body_bytes: usize,
    /// Whether a response has arrived, so that idle connections may exist.
    has_responded: AtomicBool,
}

/// A request; its method and URL name it in messages.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    is_repeatable: bool,
    is_timed: bool,
}

/// A response with its complete body.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; of an error only its start.
    pub body: Vec<u8>,
    /// Time from sending to the last byte.
    pub elapsed: Duration,
    /// The number of bytes that had arrived, and when; empty unless the request is timed and the body came as it is.
    pub arrivals: Vec<(usize, Duration)>,
    /// How often the request had been sent before, on connections that ended before a response.
    pub resends: u32,
}

impl Request {
    /// Creates a request without a body.
    pub fn new(method: Method, url: Url) -> Self {
        let is_repeatable = method.is_idempotent();
        Self { method, url, headers: HeaderMap::new(), body: None, is_repeatable, is_timed: false }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the body, which is JSON.
    #[must_use]
    pub fn json(self, body: impl Into<Bytes>) -> Self {
        self.body(body, HeaderValue::from_static("application/json"))
    }

    /// Sets the body and its media type.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>, media_type: HeaderValue) -> Self {
        self.body = Some(body.into());
        self.header(CONTENT_TYPE, media_type)
    }

    /// Sets the body, which has the form of a query.
    #[must_use]
    pub fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        let mut encoded = self.url.clone();
        encoded.set_query(None);
        encoded.query_pairs_mut().extend_pairs(pairs);
        self.body = Some(encoded.query().unwrap_or_default().to_owned().into());
        self.header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
    }

    /// Allows a POST or PATCH to be sent again where a stale connection failed.
    #[must_use]
    pub fn repeatable(self) -> Self {
        Self { is_repeatable: true, ..self }
    }

    /// Records when the parts of the response arrive.
    #[must_use]
    pub fn timed(self) -> Self {
        Self { is_timed: true, ..self }
    }

    /// Whether the request only reads.
    pub fn is_read(&self) -> bool {
        self.method.is_safe()
    }

    /// Returns `METHOD host/path`: no credentials, no query.
    pub fn label(&self) -> String {
        format!("{} {}{}", self.method, address::authority(&self.url), self.url.path())
    }
}

impl Response {
    /// Parses the body of an error.
    pub fn server_error(&self) -> ServerError {
        ServerError::parse(&self.body)
    }

    /// Returns the wait that the server asked for.
    pub fn retry_after(&self, resets: Resets) -> Option<Duration> {
        retry_after(&self.headers, resets, SystemTime::now())
    }

    /// Returns when this many bytes of the body had arrived; `None` where that was not recorded.
    pub fn time_of(&self, bytes: usize) -> Option<Duration> {
        self.arrivals.iter().find(|(arrived, _)| *arrived >= bytes).map(|(_, at)| *at)
    }

    /// Returns the declared media type in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.headers.get(CONTENT_TYPE)?;
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let essence = value.split(';').next().unwrap_or_default().trim();
        (!essence.is_empty()).then(|| essence.to_owned())
    }
}

impl Client {
    /// Creates a client; nothing is sent yet.
    ///
    /// # Errors
    /// A [`Diagnostic`] where the certificates are not usable or the system has no trusted roots.
    pub fn new(options: ClientOptions) -> Result<Self, Diagnostic> {
        let ClientOptions { base, headers, timeout, names, redactor, .. } = options;
        let connect_timeout = timeout.min(CONNECT_TIMEOUT);
        let proxy = if base.is_loopback() { None } else { proxy::for_url(base.url())? };
        // Compressed bodies are decoded here: reqwest reads only the first member of a gzip stream.
        let mut headers = headers;
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip"));
        let builder = || {
            let builder = ClientBuilder::new()
                .default_headers(headers.clone())
                .user_agent(concat!("promptgate/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .timeout(timeout)
                .connect_timeout(connect_timeout)
                .pool_max_idle_per_host(options.max_idle_connections)
                .tcp_nodelay(true);
            if base.is_loopback() { builder.no_proxy() } else { builder }
        };
        let http = tls::build(builder, options.ca_cert.as_deref(), &base, &names)?;
        Ok(Self {
            http,
            base,
            context: ErrorContext { names, timeout, connect_timeout, proxy, redactor },
            max_redirects: options.max_redirects,
            max_body_bytes: options.max_body_bytes,
            has_responded: AtomicBool::new(false),
        })
    }

    /// Returns the base URL.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Returns `METHOD host/path`, with the proxy that may have responded in place of the server: one that reads the
    /// requests, as it does without encryption.
    pub fn label(&self, request: &Request) -> String {
        match &self.context.proxy {
            Some(proxy) if !self.base.is_encrypted() => {
                format!("{} (through the proxy {proxy})", request.label())
            }
            _ => request.label(),
        }
    }

    /// Returns the redactor of server text.
    pub fn redactor(&self) -> &Redactor {
        &self.context.redactor
    }

    /// Parses a URL that the server named, such as the next page of a list.
    ///
    /// # Errors
    /// [`ErrorKind::Redirected`] where it is of another origin.
    pub fn same_origin(&self, url: &str) -> Result<Url, Error> {
        let origin = match Url::parse(url) {
            Ok(url) if url.origin() == self.base.url().origin() => return Ok(url),
            Ok(other) => address::origin(&other),
            Err(_) => "an invalid URL".to_owned(),
        };
        let reason = format!("the server points to another address: {}", self.clean(&origin));
        Err(self.context.error(ErrorKind::Redirected, &self.base.authority(), &reason, self.origin_help()))
    }

    /// Sends a request and reads the response; an error status is a response too.
    ///
    /// # Errors
    /// An [`Error`] where no complete response arrived or a redirect may not be followed.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        let mut url = request.url.clone();
        if url.origin() != self.base.url().origin() {
            url = self.same_origin(url.as_str())?;
        }
        let mut redirects = 0;
        loop {
            let (response, sent, resends) = self.send_to(request, &url).await?;
            if !response.status().is_redirection() {
                let response = self.read(request, response, sent).await?;
                return Ok(Response { resends, ..response });
            }
            url = self.redirect_target(request, &response, redirects)?;
            redirects += 1;
        }
    }

    /// Sends to one URL, again where the connection was stale.
    async fn send_to(
        &self,
        request: &Request,
        url: &Url,
    ) -> Result<(reqwest::Response, Instant, u32), Error> {
        let mut resends = 0;
        loop {
            let mut builder = self.http.request(request.method.clone(), url.clone());
            if !request.headers.is_empty() {
                builder = builder.headers(request.headers.clone());
            }
            if let Some(body) = &request.body {
                builder = builder.body(body.clone());
            }
            let sent = Instant::now();
            match builder.send().await {
                Ok(response) => return Ok((response, sent, resends)),
                Err(error)
                    if resends < MAX_STALE_RESENDS
                        && request.is_repeatable
                        && self.has_responded.load(Ordering::Relaxed)
                        && sent.elapsed() < STALE_WITHIN
                        && closed_before_response(&error) =>
                {
                    resends += 1;
                }
                Err(error) => {
                    return Err(Error { resends, ..self.context.transport(&request.label(), &error) });
                }
            }
        }
    }

    /// Returns the URL to go on with: in the same origin, and only where method and body are kept.
    fn redirect_target(
        &self,
        request: &Request,
        response: &reqwest::Response,
        redirects: u32,
    ) -> Result<Url, Error> {
        let status = response.status().as_u16();
        let url = self.context.names.url;
        let error = |reason: String, help: String| {
            let reason = format!("{status}: {reason}");
            Err(self.context.error(ErrorKind::Redirected, &request.label(), &reason, help))
        };
        let verb = match redirects {
            0 => "redirected",
            1 => "redirected twice",
            _ => "redirected too often",
        };
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(target) = location.and_then(|location| response.url().join(location).ok()) else {
            return error(format!("{verb}, without a usable location"), format!("check {url}"));
        };
        if target.origin() != self.base.url().origin() {
            return error(format!("{verb} to {}", self.clean(&address::origin(&target))), self.origin_help());
        }
        let keeps_method = request.method == Method::GET || matches!(status, 307 | 308);
        if redirects >= self.max_redirects || !keeps_method {
            let reason = format!("{verb} to {}", self.clean(target.path()));
            return error(reason, format!("set {url} to the final address"));
        }
        Ok(target)
    }

    fn origin_help(&self) -> String {
        let SettingNames { url, credential, .. } = self.context.names;
        format!("the {credential} was not sent there; if that address is correct, set {url} to it")
    }

    async fn read(
        &self,
        request: &Request,
        mut response: reqwest::Response,
        sent: Instant,
    ) -> Result<Response, Error> {
        let status = response.status();
        let is_error = !status.is_success();
        let limit = if is_error { MAX_ERROR_BYTES } else { self.max_body_bytes };
        let mut arrivals = request.is_timed.then(|| Arrivals { sent, list: Vec::new() });
        let result = read_body(&mut response, limit, arrivals.as_mut()).await;
        self.has_responded.store(true, Ordering::Relaxed);
        let body = match result {
            Ok(body) => body,
            // The start of an error body is enough for a message, and the status says the rest.
            Err(ReadError::TooLarge(body)) if is_error => body,
            Err(ReadError::Transport(_)) if is_error => Vec::new(),
            Err(ReadError::TooLarge(_)) => return Err(self.too_large(request, limit)),
            Err(ReadError::Transport(error)) => return Err(self.context.truncated(&request.label(), &error)),
        };
        let headers = std::mem::take(response.headers_mut());
        let elapsed = sent.elapsed();
        let body = match body::decode(&headers, body, limit) {
            Ok(body) => body,
            Err(DecodeError::TooLarge(body) | DecodeError::Damaged(body, _)) if is_error => body,
            Err(DecodeError::TooLarge(_)) => return Err(self.too_large(request, limit)),
            Err(DecodeError::Damaged(_, error)) => {
                return Err(self.context.damaged(&request.label(), &error));
            }
        };
        // The positions in a compressed body are others.
        let arrivals = arrivals.filter(|_| !headers.contains_key(CONTENT_ENCODING));
        let arrivals = arrivals.map(|arrivals| arrivals.list).unwrap_or_default();
        Ok(Response { status, headers, body, elapsed, arrivals, resends: 0 })
    }

    fn too_large(&self, request: &Request, limit: usize) -> Error {
        let reason = format!("the answer is larger than {limit} bytes");
        self.context.wrong_url(ErrorKind::TooLarge, &request.label(), &reason)
    }

    /// Parses the body of a response as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBody`].
    pub fn json<T: DeserializeOwned>(&self, request: &Request, response: &Response) -> Result<T, Error> {
        serde_json::from_slice(&response.body).map_err(|error| {
            self.check_media_type(request, response).err().unwrap_or_else(|| {
                let reason =
                    format!("the answer is not the expected JSON: {}", self.clean(&error.to_string()));
                self.context.wrong_url(ErrorKind::InvalidBody, &request.label(), &reason)
            })
        })
    }

    /// Checks that a response is declared as JSON or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBody`].
    pub fn check_media_type(&self, request: &Request, response: &Response) -> Result<(), Error> {
        let Some(media_type) = response.media_type() else { return Ok(()) };
        if matches!(media_type.as_str(), "application/json" | "text/json") || media_type.ends_with("+json") {
            return Ok(());
        }
        let reason = format!("the answer is {}, not JSON", self.clean(&media_type));
        let mut error = self.context.wrong_url(ErrorKind::InvalidBody, &request.label(), &reason);
        if media_type == "text/html" {
            error.help.push_str(": this looks like a web page or a proxy's log-in");
        }
        Err(error)
    }

    fn clean(&self, text: &str) -> String {
        server_text(&self.context.redactor, text)
    }
}

enum ReadError {
    /// The body exceeds the limit; its start.
    TooLarge(Vec<u8>),
    Transport(reqwest::Error),
}

/// When the parts of a body arrive.
struct Arrivals {
    sent: Instant,
    list: Vec<(usize, Duration)>,
}

async fn read_body(
    response: &mut reqwest::Response,
    limit: usize,
    mut arrivals: Option<&mut Arrivals>,
) -> Result<Vec<u8>, ReadError> {
    let announced =
        response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut body = Vec::with_capacity(announced.min(limit).min(1 << 20));
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Transport)? {
        let room = limit.saturating_sub(body.len());
        if chunk.len() > room {
            body.extend(chunk.iter().take(room));
            return Err(ReadError::TooLarge(body));
        }
        body.extend_from_slice(&chunk);
        if let Some(arrivals) = &mut arrivals {
            arrivals.list.push((body.len(), arrivals.sent.elapsed()));
        }
    }
    Ok(body)
}
