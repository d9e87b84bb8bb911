//! API calls with retries.
//!
//! Only GET and PATCH are retried here: a POST without a response may have been processed, so its caller checks first.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LINK, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use super::error::{ApiError, ApiErrorKind};
use super::link;
use crate::http::{self, BaseUrl, ClientOptions, ErrorKind, Request, Resets, Response, SettingNames};
use promptgate_core::text::{Redactor, Secret};

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ATTEMPTS: u32 = 4;
/// The first wait between attempts, where the server names none; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// A longer wait ends the retries.
const MAX_WAIT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: u32 = 3;
/// Maximum bytes of a response: a page of a hundred comments of the maximum size has 26 MB.
const MAX_BYTES: usize = 64 << 20;
const API_VERSION: &str = "2022-11-28";
const NAMES: SettingNames = SettingNames {
    url: "GITHUB_API_URL",
    ca_cert: None,
    timeout_help: "check GITHUB_API_URL and the network",
    credential: "token",
};

/// Address and token of the API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://api.github.com`, `https://HOST/api/v3`.
    pub api_url: String,
    /// The token.
    pub token: Secret,
}

/// A client of the API.
#[derive(Debug)]
pub struct Client {
    http: http::Client,
}

/// A successful response.
#[derive(Debug)]
pub(super) struct Page {
    /// The body; null where it is empty.
    pub(super) body: Value,
    /// The URL of the next page of a list.
    pub(super) next: Option<String>,
}

impl Client {
    /// Creates a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`ApiErrorKind::Usage`] where the address is invalid, the token would be sent without encryption or does not fit
    /// in a header.
    pub fn new(settings: &Settings) -> Result<Self, ApiError> {
        let base = base_url(&settings.api_url)?;
        let authorization = http::bearer(&settings.token).ok_or_else(|| {
            ApiError::new(ApiErrorKind::Usage, "the token has characters that a header cannot carry")
                .help("look for a line break that was copied along")
        })?;
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, authorization),
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static(API_VERSION)),
        ]);
        let http = http::Client::new(ClientOptions {
            base,
            headers,
            timeout: TIMEOUT,
            max_idle_connections: 1,
            max_redirects: MAX_REDIRECTS,
            max_body_bytes: MAX_BYTES,
            ca_cert: None,
            names: NAMES,
            redactor: Arc::new(Redactor::new(std::slice::from_ref(&settings.token))),
        })?;
        Ok(Self { http })
    }

    pub(super) fn redactor(&self) -> &Redactor {
        self.http.redactor()
    }

    /// Returns the URL of an API path, which starts without a slash.
    pub(super) fn url(&self, path: &str) -> Url {
        self.http.base().join(path.split('/'))
    }

    /// Returns the URL of the GraphQL API, which is beside the REST API.
    pub(super) fn graphql_url(&self) -> Url {
        let mut url = self.http.base().url().clone();
        match url.path().strip_suffix("/api/v3").map(str::to_owned) {
            Some(prefix) => url.set_path(&format!("{prefix}/api/graphql")),
            None => url = self.url("graphql"),
        }
        url
    }

    /// Requests a page of a list that the server named.
    pub(super) async fn get_next(&self, url: &str) -> Result<Page, ApiError> {
        self.get(Request::new(Method::GET, self.http.same_origin(url)?)).await
    }

    pub(super) async fn get(&self, request: Request) -> Result<Page, ApiError> {
        self.send_with_retries(&request).await
    }

    pub(super) async fn patch(&self, url: Url, body: &Value) -> Result<Page, ApiError> {
        self.send_with_retries(&Request::new(Method::PATCH, url).json(body.to_string())).await
    }

    /// Sends a POST once: after [`AttemptError::Retriable`] it may or may not have been processed.
    pub(super) async fn post_once(&self, url: Url, body: &Value) -> Result<Page, AttemptError> {
        self.send(&Request::new(Method::POST, url).json(body.to_string())).await
    }

    async fn send_with_retries(&self, request: &Request) -> Result<Page, ApiError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.send(request).await {
                Ok(page) => return Ok(page),
                Err(error) => error.wait(attempt).await?,
            }
        }
    }

    async fn send(&self, request: &Request) -> Result<Page, AttemptError> {
        let response = self.http.send(request).await?;
        if !response.status.is_success() {
            return Err(self.error(request, &response));
        }
        let body = if response.body.is_empty() { Value::Null } else { self.http.json(request, &response)? };
        let link = response.headers.get(LINK).and_then(|value| value.to_str().ok());
        Ok(Page { body, next: link.and_then(link::next).map(str::to_owned) })
    }

    fn error(&self, request: &Request, response: &Response) -> AttemptError {
        let reason = response.server_error().describe(response.status, self.redactor());
        let mut error = ApiError::status(response.status, format!("{}: {reason}", request.label()));
        let wait = response.retry_after(Resets::Exhausted);
        let is_limited = is_rate_limited(response.status, &response.headers);
        if is_limited {
            error.kind = ApiErrorKind::Unavailable;
            error = error.help("the rate limit of the token is exceeded: run the step again later");
        }
        if is_limited || response.status.is_server_error() {
            AttemptError::Retriable(error, wait)
        } else {
            AttemptError::Final(error)
        }
    }
}

/// A failed attempt.
#[derive(Debug)]
pub(super) enum AttemptError {
    /// Another attempt would fail in the same way.
    Final(ApiError),
    /// Another attempt may succeed, after this wait. The request may have been processed all the same.
    Retriable(ApiError, Option<Duration>),
}

impl From<http::Error> for AttemptError {
    fn from(error: http::Error) -> Self {
        match error.kind {
            ErrorKind::Connection | ErrorKind::Disconnected | ErrorKind::Timeout | ErrorKind::Truncated => {
                Self::Retriable(error.into(), None)
            }
            _ => Self::Final(error.into()),
        }
    }
}

impl AttemptError {
    /// Waits before the next attempt.
    ///
    /// # Errors
    /// The error, where no other attempt is worthwhile.
    pub(super) async fn wait(self, attempt: u32) -> Result<(), ApiError> {
        let (error, retry_after) = match self {
            Self::Final(error) => return Err(error),
            Self::Retriable(error, wait) => (error, wait),
        };
        let backoff = || FIRST_WAIT.saturating_mul(1 << attempt.min(8).saturating_sub(1));
        let wait = retry_after.unwrap_or_else(backoff);
        if attempt >= MAX_ATTEMPTS || wait > MAX_WAIT {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

fn base_url(api_url: &str) -> Result<BaseUrl, ApiError> {
    let example = "https://api.github.com or https://HOST/api/v3";
    let base = BaseUrl::parse(api_url, NAMES.url, example)?;
    let invalid = |message: &str, help: &str| {
        Err(ApiError::new(ApiErrorKind::Usage, format!("{}: {message}", NAMES.url)).help(help))
    };
    if !base.is_encrypted() && !base.is_loopback() {
        return invalid("the token would be sent without encryption", "use https");
    }
    if base.url().query().is_some() {
        return invalid("the URL has a query", &format!("expected a URL such as {example}"));
    }
    Ok(base)
}

/// Whether the token has exceeded a rate limit, primary or secondary.
fn is_rate_limited(status: StatusCode, headers: &HeaderMap) -> bool {
    let exhausted = || headers.get("x-ratelimit-remaining").is_some_and(|count| count.as_bytes() == b"0");
    match status.as_u16() {
        429 => true,
        403 => headers.contains_key(RETRY_AFTER) || exhausted(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_would_expose_the_token_are_rejected() {
        for api_url in [
            "",
            "api.github.com",
            "http://github.example/api/v3",
            "ftp://github.example",
            "https://user:hush@github.example",
            "https://github.example?x=1",
        ] {
            let error = base_url(api_url).unwrap_err();
            assert_eq!(error.kind, ApiErrorKind::Usage, "{api_url}");
            assert!(error.help.is_some() && !error.message.contains("hush"));
        }
        for api_url in
            ["https://api.github.com", "https://x.example/api/v3/", "http://127.0.0.1:80", "http://[::1]:1"]
        {
            assert!(base_url(api_url).is_ok(), "{api_url}");
        }
    }

    #[test]
    fn graphql_is_beside_the_rest_api() {
        for (api_url, expected) in [
            ("http://127.0.0.1:80", "http://127.0.0.1/graphql"),
            ("http://127.0.0.1:81/x/api/v3/", "http://127.0.0.1:81/x/api/graphql"),
        ] {
            let settings = Settings { api_url: api_url.to_owned(), token: Secret::new("t") };
            assert_eq!(Client::new(&settings).unwrap().graphql_url().as_str(), expected);
        }
    }

    #[test]
    fn rate_limits_differ_from_missing_permissions() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            };
            HeaderMap::from_iter(pairs.iter().map(pair))
        };
        let is_limited = |pairs| is_rate_limited(StatusCode::FORBIDDEN, &headers(pairs));
        assert!(!is_limited(&[("x-ratelimit-remaining", "4999")]));
        assert!(is_limited(&[("x-ratelimit-remaining", "0")]));
        assert!(is_limited(&[("retry-after", "60")]));
        let wait = |pairs| {
            let response = Response {
                status: StatusCode::FORBIDDEN,
                headers: headers(pairs),
                body: Vec::new(),
                elapsed: Duration::ZERO,
                arrivals: Vec::new(),
                resends: 0,
            };
            response.retry_after(Resets::Exhausted)
        };
        assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(
            wait(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000000001")]),
            Some(Duration::ZERO)
        );
        assert_eq!(wait(&[("x-ratelimit-reset", "1000000001")]), None);
    }
}
