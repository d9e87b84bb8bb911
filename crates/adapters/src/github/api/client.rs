//! One request, sent again where that is safe, and its answer as JSON.
//!
//! Only GET and PATCH are repeated here: a POST that got no answer may have been carried out, so whoever sends one
//! looks first.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::Value;

use super::error::{ApiError, ApiErrorKind};
use super::link;
use promptgate_core::text::{Redactor, Secret, innermost, neutral};

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Time for the connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// So often a request is sent at most.
const ATTEMPTS: u32 = 4;
/// The first wait before another attempt, where the server does not name one; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// A server that asks for more patience than this is given up.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Redirects that are followed.
const REDIRECTS: u32 = 3;
/// Bytes of an answer that are read: a page of a hundred comments of the largest size has 26 MB.
const MAX_BYTES: usize = 64 << 20;
/// Characters of a server's message that are shown.
const MESSAGE: usize = 300;
/// The version of the API that is spoken.
const VERSION: &str = "2022-11-28";

/// Where the API is and who speaks to it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its address, without a slash at its end: `https://api.github.com`, `https://host/api/v3`.
    pub api_url: String,
    /// The token.
    pub token: Secret,
}

/// A client of the API at one origin.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    redactor: Redactor,
}

/// An answer that says yes.
#[derive(Debug)]
pub(super) struct Answer {
    /// The body; null where there is none.
    pub(super) body: Value,
    /// The address of the next page of a list.
    pub(super) next: Option<String>,
}

impl Client {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`ApiErrorKind::Usage`] where the address is none, the token would travel in the clear or fits no header.
    pub fn new(settings: &Settings) -> Result<Self, ApiError> {
        let base = address(&settings.api_url)?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", settings.token.expose()))
            .map_err(|_| {
                ApiError::new(ApiErrorKind::Usage, "the token holds characters that no header can carry")
                    .help("look for a line break that was copied along")
            })?;
        authorization.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, authorization),
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static(VERSION)),
        ]);
        // An error here means that a provider is installed already, which is what we want.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("promptgate/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT);
        if base.scheme() == "http" {
            // This machine: no proxy, and no roots to read.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| {
            ApiError::new(ApiErrorKind::Usage, format!("no client could be made: {}", innermost(&error)))
                .help("install the system's certificates (the package ca-certificates)")
        })?;
        Ok(Self { http, base, redactor: Redactor::new(std::slice::from_ref(&settings.token)) })
    }

    /// What takes the token out of text.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The address of a path of the API.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Asks for a page.
    pub(super) async fn get(&self, url: &str) -> Result<Answer, ApiError> {
        self.repeat(Method::GET, url, None).await
    }

    /// Changes what is there.
    pub(super) async fn patch(&self, url: &str, body: &Value) -> Result<Answer, ApiError> {
        self.repeat(Method::PATCH, url, Some(body)).await
    }

    /// Makes something new, once: on [`Tried::Unknown`] nobody knows whether it is there.
    pub(super) async fn post_once(&self, url: &str, body: &Value) -> Result<Answer, Tried> {
        self.once(&Method::POST, url, Some(body)).await
    }

    async fn repeat(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Answer, ApiError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.once(&method, url, body).await {
                Ok(answer) => return Ok(answer),
                Err(tried) => tried.wait(attempt).await?,
            }
        }
    }

    async fn once(&self, method: &Method, url: &str, body: Option<&Value>) -> Result<Answer, Tried> {
        let mut url = self.same_origin(url)?;
        for _ in 0..=REDIRECTS {
            let what = format!("{method} {}", url.path());
            let mut request = self.http.request(method.clone(), url.clone());
            if let Some(body) = body {
                request =
                    request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_string());
            }
            let response = request.send().await.map_err(|error| Tried::transport(&what, &error))?;
            if !response.status().is_redirection() {
                return self.read(&what, response).await;
            }
            let keeps = *method == Method::GET || matches!(response.status().as_u16(), 307 | 308);
            let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let target =
                target.and_then(|target| url.join(target).ok()).filter(|_| keeps).ok_or_else(|| {
                    let message = format!("{what}: {} without a place to go on", response.status().as_u16());
                    Tried::Over(
                        ApiError::new(ApiErrorKind::Unavailable, message).help("check GITHUB_API_URL"),
                    )
                })?;
            url = self.same_origin(target.as_str())?;
        }
        let failure = ApiError::new(ApiErrorKind::Unavailable, format!("{method}: redirected too often"));
        Err(Tried::Over(failure.help("check GITHUB_API_URL")))
    }

    /// The address, if the token may go there.
    fn same_origin(&self, url: &str) -> Result<Url, Tried> {
        let parsed = Url::parse(url).ok().filter(|url| url.origin() == self.base.origin());
        parsed.ok_or_else(|| {
            let host =
                Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
            let message = format!("the server points to another address, {}", self.clean(&host));
            let failure = ApiError::new(ApiErrorKind::Unavailable, message);
            Tried::Over(failure.help("the token was not sent there; check GITHUB_API_URL"))
        })
    }

    async fn read(&self, what: &str, mut response: Response) -> Result<Answer, Tried> {
        let status = response.status();
        let wait = asked(response.headers());
        let limited = is_limited(status, response.headers());
        let next = response.headers().get(LINK).and_then(|value| value.to_str().ok()).and_then(link::next);
        let next = next.map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Tried::transport(what, &error))? {
            if bytes.len() + chunk.len() > MAX_BYTES {
                let message = format!("{what}: the answer has more than {} MiB", MAX_BYTES >> 20);
                return Err(Tried::Over(ApiError::new(ApiErrorKind::Unavailable, message)));
            }
            bytes.extend_from_slice(&chunk);
        }
        let body = serde_json::from_slice::<Value>(&bytes);
        if status.is_success() {
            let body = match body {
                Ok(body) => body,
                Err(_) if bytes.is_empty() => Value::Null,
                Err(_) => {
                    let failure =
                        ApiError::new(ApiErrorKind::Unavailable, format!("{what}: the answer is not JSON"));
                    return Err(Tried::Over(failure.help("check GITHUB_API_URL")));
                }
            };
            return Ok(Answer { body, next });
        }
        let said = body.ok().map(|body| self.said(&body)).unwrap_or_default();
        let mut failure = ApiError::status(what, status, &said);
        if limited {
            failure.kind = ApiErrorKind::Unavailable;
            failure.help = Some("the token has asked too often: run the step again later".to_owned());
        }
        Err(match status.as_u16() {
            _ if limited => Tried::Refused(failure, wait),
            500..=599 => Tried::Unknown(failure, wait),
            _ => Tried::Over(failure),
        })
    }

    /// The message of an error with what it says of fields.
    fn said(&self, body: &Value) -> String {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
        let errors = errors.filter_map(|error| text(error).or_else(|| error.get("message").and_then(text)));
        let all: Vec<String> = body.get("message").and_then(text).into_iter().chain(errors.take(5)).collect();
        self.clean(&all.join("; "))
    }

    /// Text of the server: without the token, on one line, short.
    fn clean(&self, text: &str) -> String {
        neutral::clip(&neutral::terminal(&self.redactor.redact(text)), MESSAGE)
    }
}

/// How an attempt failed.
#[derive(Debug)]
pub(super) enum Tried {
    /// Another attempt would end the same way.
    Over(ApiError),
    /// It was not carried out, and may be later.
    Refused(ApiError, Option<Duration>),
    /// Nobody knows whether it was carried out.
    Unknown(ApiError, Option<Duration>),
}

impl Tried {
    fn transport(what: &str, error: &reqwest::Error) -> Self {
        let why = match () {
            () if error.is_timeout() => format!("no answer within {} s", TIMEOUT.as_secs()),
            () => innermost(error),
        };
        let failure =
            ApiError::new(ApiErrorKind::Unavailable, format!("{what}: {}", neutral::terminal(&why)));
        Self::Unknown(failure.help("check GITHUB_API_URL and the network"), None)
    }

    /// Waits before another attempt.
    ///
    /// # Errors
    /// The failure, where there is to be no other.
    pub(super) async fn wait(self, attempt: u32) -> Result<(), ApiError> {
        let (failure, asked) = match self {
            Self::Over(failure) => return Err(failure),
            Self::Refused(failure, asked) | Self::Unknown(failure, asked) => (failure, asked),
        };
        let wait = asked.unwrap_or_else(|| FIRST_WAIT.saturating_mul(1 << attempt.min(8).saturating_sub(1)));
        if attempt >= ATTEMPTS || wait > MAX_WAIT {
            return Err(failure);
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// Checks the address of the API.
fn address(api_url: &str) -> Result<Url, ApiError> {
    let refuse = |message: &str, help: &str| ApiError::new(ApiErrorKind::Usage, message).help(help);
    let example = "GITHUB_API_URL is like https://api.github.com, or https://HOST/api/v3";
    let url = Url::parse(api_url.trim()).map_err(|_| refuse("the address of the API is none", example))?;
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let local =
        host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        "http" => {
            return Err(refuse("the token would travel without encryption", "use https in GITHUB_API_URL"));
        }
        _ => return Err(refuse("only https can be called", example)),
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(refuse("the address of the API holds more than a host and a path", example));
    }
    Ok(url)
}

/// Whether the response says that the token has asked too often, for the hour or in too short a time.
fn is_limited(status: StatusCode, headers: &HeaderMap) -> bool {
    let exhausted = || headers.get("x-ratelimit-remaining").is_some_and(|left| left.as_bytes() == b"0");
    match status.as_u16() {
        429 => true,
        403 => headers.contains_key(RETRY_AFTER) || exhausted(),
        _ => false,
    }
}

/// The wait that the server asks for: `Retry-After` in seconds, else until `x-ratelimit-reset` where nothing is left.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    if let Some(seconds) = number(RETRY_AFTER.as_str()) {
        return Some(Duration::from_secs(seconds));
    }
    let reset = number("x-ratelimit-reset").filter(|_| number("x-ratelimit-remaining") == Some(0))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(Duration::from_secs(reset.saturating_sub(now.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_would_lose_the_token_are_refused() {
        for api_url in [
            "",
            "api.github.com",
            "http://github.example/api/v3",
            "ftp://github.example",
            "https://user:hush@github.example",
            "https://github.example?x=1",
        ] {
            let failure = address(api_url).unwrap_err();
            assert_eq!(failure.kind, ApiErrorKind::Usage, "{api_url}");
            assert!(failure.help.is_some() && !failure.message.contains("hush"));
        }
        for api_url in
            ["https://api.github.com", "https://x.example/api/v3/", "http://127.0.0.1:80", "http://[::1]:1"]
        {
            assert!(address(api_url).is_ok(), "{api_url}");
        }
    }

    #[test]
    fn limits_are_told_from_permissions() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            };
            HeaderMap::from_iter(pairs.iter().map(pair))
        };
        assert!(!is_limited(StatusCode::FORBIDDEN, &headers(&[("x-ratelimit-remaining", "4999")])));
        assert!(is_limited(StatusCode::FORBIDDEN, &headers(&[("x-ratelimit-remaining", "0")])));
        assert!(is_limited(StatusCode::FORBIDDEN, &headers(&[("retry-after", "60")])));
        assert_eq!(asked(&headers(&[("retry-after", "7")])), Some(Duration::from_secs(7)));
        let past = headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")]);
        assert_eq!(asked(&past), Some(Duration::ZERO));
        assert_eq!(asked(&headers(&[("x-ratelimit-reset", "1")])), None);
    }
}
