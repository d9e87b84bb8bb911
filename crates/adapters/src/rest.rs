//! Calls of the JSON API of a registry or a source of metrics: a few retries, and failures as errors of the port.
//!
//! Reads and idempotent writes are repeated after a rate limit, a failure of the server or of the connection. A request
//! that creates something is repeated only if the server cannot have processed it; otherwise the caller looks for what
//! it may have created. A timeout is not repeated: a rollback has no time to wait twice.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::{Redactor, Secret};
use promptgate_release::PortError;

use crate::http::{self, BaseUrl, ClientOptions, ErrorKind, Request, Resets, Response, SettingNames};

/// Maximum number of times that a request is sent.
const MAX_ATTEMPTS: u32 = 3;
/// A longer wait that a server asks for ends the retries.
const MAX_WAIT: Duration = Duration::from_secs(15);
const MAX_REDIRECTS: u32 = 3;
/// Maximum bytes of a response: a page of a hundred versions of the maximum size has 20 MB.
const MAX_BYTES: usize = 64 << 20;

/// Times of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Time for one exchange.
    pub(crate) timeout: Duration,
    /// The wait before the first retry, where the server names none; it doubles each time.
    pub(crate) first_wait: Duration,
}

impl Limits {
    pub(crate) const DEFAULT: Self =
        Self { timeout: Duration::from_secs(15), first_wait: Duration::from_millis(400) };
}

/// Names of a service and its settings, for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    /// The service, in one word.
    pub(crate) service: &'static str,
    pub(crate) http: SettingNames,
    /// The keys of the configuration that name the variables of the credentials.
    pub(crate) credentials: &'static str,
    /// The permission that the credentials need.
    pub(crate) permission: &'static str,
    /// An example of the address.
    pub(crate) example: &'static str,
}

/// User and password of basic authentication.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Basic<'o> {
    pub(crate) user: &'o str,
    pub(crate) password: &'o Secret,
}

/// A header of every request, whose value may be a secret.
pub(crate) type SecretHeader = (HeaderName, Secret);

/// Whether a request may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A read, or a write that gives the same result a second time.
    Repeatable,
    /// A request that creates something each time.
    Once,
}

/// A failed call.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The error, for callers that expect none.
    pub(crate) error: PortError,
    /// The status; `None` where there was no complete response.
    pub(crate) status: Option<StatusCode>,
    /// The body of the error; null if it is not JSON.
    pub(crate) body: Value,
    /// Whether the server may have processed the request all the same.
    pub(crate) is_ambiguous: bool,
    /// The wait before another attempt; `None` if another attempt would fail in the same way.
    retry: Option<Retry>,
}

#[derive(Debug, Clone, Copy)]
enum Retry {
    /// After the usual wait.
    Backoff,
    /// After the wait that the server asked for.
    After(Duration),
}

impl From<Failure> for PortError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// A client of one service.
#[derive(Debug)]
pub(crate) struct Rest {
    http: http::Client,
    limits: Limits,
    names: Names,
}

impl Rest {
    /// Creates a client; nothing is sent yet.
    ///
    /// # Errors
    /// A [`Diagnostic`] if the address is invalid, or if credentials cannot be sent or would be sent without encryption.
    pub(crate) fn new(
        address: &str,
        names: &Names,
        basic: Option<&Basic<'_>>,
        limits: Limits,
    ) -> Result<Self, Diagnostic> {
        let basic = basic.map(|Basic { user, password }| {
            let encoded = STANDARD.encode(format!("{user}:{}", password.expose()));
            ((AUTHORIZATION, Secret::new(format!("Basic {encoded}"))), (*password).clone())
        });
        let (header, password) = basic.unzip();
        Self::with_headers(address, names, header.as_slice(), password.as_slice(), limits)
    }

    /// Creates a client that sends these headers; `secrets` are redacted beside their values.
    ///
    /// # Errors
    /// As [`Rest::new`].
    pub(crate) fn with_headers(
        address: &str,
        names: &Names,
        headers: &[SecretHeader],
        secrets: &[Secret],
        limits: Limits,
    ) -> Result<Self, Diagnostic> {
        let base = BaseUrl::parse(address, names.http.url, names.example)?;
        let invalid = |message: &str, help: &str| {
            Err(Diagnostic::new(message).at(Place::file(names.http.url)).help(help.to_owned()))
        };
        if base.url().query().is_some() {
            return invalid("the URL has a query", &format!("expected a URL such as {}", names.example));
        }
        if !headers.is_empty() && !base.is_encrypted() && !base.is_private() {
            return invalid("the credentials would be sent without encryption", "use https");
        }
        let mut secrets = secrets.to_vec();
        let mut map = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        for (name, value) in headers {
            let Some(sent) = http::secret_value(value.expose()) else {
                return invalid("the credentials do not fit in a header", "check their variables");
            };
            map.insert(name.clone(), sent);
            // A server may quote the token without its scheme.
            let token = value.expose().split_once(' ').map(|(_, token)| Secret::new(token));
            secrets.extend(token.into_iter().chain([value.clone()]));
        }
        let http = http::Client::new(ClientOptions {
            base,
            headers: map,
            timeout: limits.timeout,
            max_idle_connections: 4,
            max_redirects: MAX_REDIRECTS,
            max_body_bytes: MAX_BYTES,
            ca_cert: None,
            names: names.http,
            redactor: Arc::new(Redactor::new(&secrets)),
        })?;
        Ok(Self { http, limits, names: *names })
    }

    /// Host, port and path of the service, for messages.
    pub(crate) fn location(&self) -> String {
        self.http.base().url().as_str().trim_end_matches('/').to_owned()
    }

    /// The redactor of server text.
    pub(crate) fn redactor(&self) -> &Redactor {
        self.http.redactor()
    }

    /// Returns the URL of a path below the base, given in segments.
    pub(crate) fn url(&self, path: &[&str]) -> Url {
        self.http.base().join(path.iter().copied())
    }

    /// Reads a resource.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let mut request = Request::new(Method::GET, self.url(path));
        for (name, value) in query {
            request = request.query(name, value);
        }
        self.call(&request, Effect::Repeatable).await
    }

    /// Sends JSON.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &Value,
        effect: Effect,
    ) -> Result<T, Failure> {
        let request = Request::new(method, self.url(path)).json(body.to_string());
        let request = if effect == Effect::Repeatable { request.repeatable() } else { request };
        self.call(&request, effect).await
    }

    /// Sends a request, again where that can help, and parses the JSON of the response.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        request: &Request,
        effect: Effect,
    ) -> Result<T, Failure> {
        self.call_with(request, effect, |response| self.http.json(request, response)).await
    }

    /// Sends a request, again where that can help; `parse` reads the response.
    pub(crate) async fn call_with<T>(
        &self,
        request: &Request,
        effect: Effect,
        parse: impl Fn(&Response) -> Result<T, http::Error>,
    ) -> Result<T, Failure> {
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(request, &parse).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let wait = match failure.retry {
                Some(Retry::After(wait)) => wait,
                Some(Retry::Backoff) => self.limits.first_wait.saturating_mul(1 << (attempt - 1)),
                None => return Err(failure),
            };
            let is_risky = effect == Effect::Once && failure.is_ambiguous;
            if is_risky || attempt >= MAX_ATTEMPTS || wait > MAX_WAIT {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt<T>(
        &self,
        request: &Request,
        parse: &impl Fn(&Response) -> Result<T, http::Error>,
    ) -> Result<T, Failure> {
        let response = self.http.send(request).await.map_err(of_transport)?;
        if !response.status.is_success() {
            return Err(self.of_status(request, &response));
        }
        parse(&response).map_err(of_transport)
    }

    fn of_status(&self, request: &Request, response: &Response) -> Failure {
        let status = response.status;
        let described = response.server_error().describe(status, self.http.redactor());
        let text = format!("{}: {described}", self.http.label(request));
        let help = |next_step: &str| format!("{text}; {next_step}");
        let mut failure = Failure {
            error: PortError::Unavailable(text.clone()),
            status: Some(status),
            body: serde_json::from_slice(&response.body).unwrap_or_default(),
            is_ambiguous: false,
            retry: None,
        };
        failure.error = match status.as_u16() {
            401 => PortError::Refused(help(&format!("check {}", self.names.credentials))),
            403 => PortError::Refused(help(&format!(
                "the credentials of {} do not allow this: {}",
                self.names.credentials, self.names.permission
            ))),
            404 | 405 => {
                PortError::Unavailable(help(&format!("does the address lead to {}?", self.names.service)))
            }
            409 if request.is_read() => PortError::Refused(text),
            409 => PortError::Conflict("registry"),
            429 => {
                let wait = response.retry_after(Resets::Exhausted);
                failure.retry = Some(wait.map_or(Retry::Backoff, Retry::After));
                let again = match wait {
                    Some(wait) => format!("run the command again in {} s", wait.as_secs_f64().ceil()),
                    None => "run the command again later".to_owned(),
                };
                PortError::Unavailable(help(&again))
            }
            500.. => {
                let wait = response.retry_after(Resets::Ignore);
                failure.retry = Some(wait.map_or(Retry::Backoff, Retry::After));
                failure.is_ambiguous = true;
                PortError::Unavailable(help("see the server's log, and run the command again"))
            }
            300..=399 => PortError::Unavailable(text),
            _ => PortError::Invalid(text),
        };
        failure
    }
}

/// A failed exchange. Only without a connection is it certain that nothing was processed.
fn of_transport(error: http::Error) -> Failure {
    let retry = match error.kind {
        ErrorKind::Connection | ErrorKind::Disconnected | ErrorKind::Truncated => Some(Retry::Backoff),
        _ => None,
    };
    let is_ambiguous = matches!(
        error.kind,
        ErrorKind::Disconnected
            | ErrorKind::Timeout
            | ErrorKind::Truncated
            | ErrorKind::TooLarge
            | ErrorKind::InvalidBody
    );
    let error = PortError::Unavailable(format!("{}; {}", error.message, error.help));
    Failure { error, status: None, body: Value::Null, is_ambiguous, retry }
}
