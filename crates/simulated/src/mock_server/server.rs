//! Responds to HTTP requests, with the fault drawn for each.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::corrupt::corrupt;
use super::faults::FaultForm;
use super::rate_limit::RateLimit;
use super::replies::{CachedReply, Occurrences, Replies};
use super::wire;
use super::{Options, ServerStats};
use crate::{MODEL, Simulated, digest, judged_answer};
use promptgate_core::model::{ChatRequest, ResponseFormat};

/// The maximum size of a request body, in bytes.
const MAX_BODY: usize = 64 << 20;

/// The state shared by all connections.
#[derive(Debug)]
pub(super) struct Server {
    options: Options,
    simulated: Simulated,
    replies: Replies,
    occurrences: Occurrences,
    rate_limit: Option<RateLimit>,
    arrivals: AtomicU64,
    judgements: AtomicU64,
    faults: AtomicU64,
    refused: AtomicU64,
}

/// Resets the connection in place of a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset on purpose")]
pub(super) struct ResetConnection;

/// A body that may end before its declared length.
#[derive(Debug)]
pub(super) struct Reply {
    data: Option<Bytes>,
    truncated: bool,
    flushed: bool,
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if !self.truncated {
            return Poll::Ready(None);
        }
        if !self.flushed {
            // The error would drop the buffered bytes; a pause lets them be sent first.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("the body is truncated on purpose"))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.truncated
    }

    fn size_hint(&self) -> SizeHint {
        match &self.data {
            _ if self.truncated => SizeHint::default(),
            Some(data) => SizeHint::with_exact(data.len() as u64),
            None => SizeHint::with_exact(0),
        }
    }
}

impl Server {
    pub(super) fn new(options: Options) -> Self {
        Self {
            simulated: Simulated::new(options.simulated),
            replies: Replies::default(),
            occurrences: Occurrences::default(),
            rate_limit: options.faults.rate_limit.map(RateLimit::new),
            arrivals: AtomicU64::new(0),
            judgements: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            options,
        }
    }

    pub(super) fn stats(&self) -> ServerStats {
        ServerStats {
            requests: self.arrivals.load(Ordering::Relaxed),
            judgements: self.judgements.load(Ordering::Relaxed),
            faults: self.faults.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    pub(super) async fn respond(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Reply>, ResetConnection> {
        let path = request.uri().path().trim_end_matches('/');
        let (completions, models) = (path.ends_with("/chat/completions"), path.ends_with("/models"));
        match (request.method(), completions, models) {
            (&Method::POST, true, _) => {}
            (&Method::GET, _, true) if self.is_allowed(&request) => {
                return Ok(json(StatusCode::OK, &wire::models(MODEL)));
            }
            (&Method::GET, _, true) => return Ok(unauthorized()),
            (&Method::GET, ..) if path.ends_with("/stats") => {
                return Ok(json(StatusCode::OK, &wire::stats(self.stats())));
            }
            (_, true, _) | (_, _, true) => {
                let error =
                    wire::error("this method is not allowed here", "invalid_request_error", None, None);
                return Ok(json(StatusCode::METHOD_NOT_ALLOWED, &error));
            }
            _ => {
                let message =
                    format!("no such path: {path}; try POST /v1/chat/completions or GET /v1/models");
                let error = wire::error(&message, "invalid_request_error", None, Some("not_found"));
                return Ok(json(StatusCode::NOT_FOUND, &error));
            }
        }
        let response = self.respond_to_chat(request).await;
        if response.as_ref().is_ok_and(|response| response.status() == StatusCode::TOO_MANY_REQUESTS) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        response
    }

    /// Responds to one chat completion request, with the fault drawn for it.
    async fn respond_to_chat(&self, request: Request<Incoming>) -> Result<Response<Reply>, ResetConnection> {
        let arrival = self.arrivals.fetch_add(1, Ordering::Relaxed);
        let faults = &self.options.faults;
        let fault = faults.draw(self.options.simulated.seed, arrival);
        let allowed = self.is_allowed(&request);
        if fault == Some(&FaultForm::Reset) {
            self.count_fault();
            return Err(ResetConnection);
        }
        // The body is always read, so that the connection can be reused.
        let Ok(body) = Limited::new(request.into_body(), MAX_BODY).collect().await else {
            let error =
                wire::error("the body is too large or incomplete", "invalid_request_error", None, None);
            return Ok(json(StatusCode::PAYLOAD_TOO_LARGE, &error));
        };
        let body = body.to_bytes();
        if !allowed || faults.unauthorized_after.is_some_and(|after| arrival >= after) {
            self.count_fault();
            return Ok(unauthorized());
        }
        if faults.quota_after.is_some_and(|after| arrival >= after) {
            self.count_fault();
            let message = "you exceeded your current quota, please check your plan and billing details";
            let error = wire::error(message, "insufficient_quota", None, Some("insufficient_quota"));
            return Ok(json(StatusCode::TOO_MANY_REQUESTS, &error));
        }
        if let Some(wait) = self.rate_limit.as_ref().and_then(RateLimit::take) {
            self.count_fault();
            return Ok(self.status(StatusCode::TOO_MANY_REQUESTS, Some(wait.as_secs_f64())));
        }
        match fault {
            Some(fault) => self.respond_with(fault, &body).await,
            None => Ok(self.respond_without_fault(&body).await),
        }
    }

    /// The response without a fault.
    async fn respond_without_fault(&self, body: &[u8]) -> Response<Reply> {
        match wire::parse_request(body) {
            Ok(request) => whole(StatusCode::OK, self.answer(&request).await.body),
            Err(invalid) => {
                let error = wire::error(&invalid.message, "invalid_request_error", invalid.parameter, None);
                json(StatusCode::BAD_REQUEST, &error)
            }
        }
    }

    /// The response with a fault other than a reset.
    async fn respond_with(&self, fault: &FaultForm, body: &[u8]) -> Result<Response<Reply>, ResetConnection> {
        let response = match fault {
            FaultForm::Reset => return Err(ResetConnection),
            FaultForm::Hang => {
                self.count_fault();
                std::future::pending().await
            }
            FaultForm::Status(status) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                self.status(status, None)
            }
            FaultForm::Empty => whole(StatusCode::OK, Bytes::new()),
            FaultForm::Html => html(),
            FaultForm::Redirect => redirect(),
            FaultForm::Refuse(parameter) => match wire::parse_request(body) {
                Ok(request) if has_parameter(&request, parameter) => refuse(parameter),
                _ => return Ok(self.respond_without_fault(body).await),
            },
            FaultForm::ErrorWithOk => {
                let error =
                    wire::error("the upstream model failed", "server_error", None, Some("upstream_error"));
                json(StatusCode::OK, &error)
            }
            form => {
                let Ok(request) = wire::parse_request(body) else {
                    return Ok(self.respond_without_fault(body).await);
                };
                let reply = self.answer(&request).await;
                if form.is_judge_only() && !reply.is_judgement {
                    return Ok(whole(StatusCode::OK, reply.body));
                }
                if *form == FaultForm::Cut {
                    truncated(&reply.body)
                } else {
                    let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                    corrupt(&mut body, form, &request);
                    json(StatusCode::OK, &body)
                }
            }
        };
        self.count_fault();
        Ok(response)
    }

    /// The reply to a request, cached unless there is noise.
    async fn answer(&self, request: &ChatRequest) -> CachedReply {
        let arrived = Instant::now();
        let digest = digest(request);
        let options = &self.options.simulated;
        let varies = options.noise > 0.0 || !options.jitter.is_zero();
        let occurrence = if varies { self.occurrences.next(&digest) } else { 0 };
        let cached = if options.noise > 0.0 { None } else { self.replies.get(&digest) };
        let delay = self.simulated.delay(&digest, occurrence);
        let reply = cached.unwrap_or_else(|| {
            let completion = self.simulated.answer_digested(request, &digest, occurrence);
            let id: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            let body = wire::bytes(&wire::reply(&completion, &id));
            let reply = CachedReply { body, is_judgement: judged_answer(request).is_some() };
            if options.noise <= 0.0 {
                self.replies.insert(digest, reply.clone());
            }
            reply
        });
        if reply.is_judgement {
            self.judgements.fetch_add(1, Ordering::Relaxed);
        }
        // The time to compute the answer is part of the configured latency.
        if !delay.is_zero() {
            tokio::time::sleep_until(arrived + delay).await;
        }
        reply
    }

    fn is_allowed(&self, request: &Request<Incoming>) -> bool {
        let Some(key) = &self.options.require_key else { return true };
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        header("authorization").and_then(|value| value.strip_prefix("Bearer ")) == Some(key.as_str())
            || header("api-key") == Some(key.as_str())
    }

    /// An error response; `Retry-After` of 429 and 503 is as configured, else `wait` seconds if given.
    fn status(&self, status: StatusCode, wait: Option<f64>) -> Response<Reply> {
        let (message, kind, code) = match status.as_u16() {
            402 => ("the balance of this account is exhausted", "insufficient_quota", "insufficient_quota"),
            429 => ("rate limit reached, please try again later", "rate_limit_error", "rate_limit_exceeded"),
            500.. => ("the server had an error, please try again", "server_error", "server_error"),
            401 => ("incorrect API key provided", "invalid_request_error", "invalid_api_key"),
            403 => ("this key has no access to this model", "invalid_request_error", "forbidden"),
            404 => ("the model does not exist", "invalid_request_error", "model_not_found"),
            _ => ("the request was refused", "invalid_request_error", "refused"),
        };
        let mut response = json(status, &wire::error(message, kind, None, Some(code)));
        let has_retry_after = matches!(status.as_u16(), 429 | 503);
        if let Some(seconds) = self.options.faults.retry_after.or(wait).filter(|_| has_retry_after) {
            let whole = seconds.fract() == 0.0;
            let (name, value) = if whole {
                (RETRY_AFTER, seconds.to_string())
            } else {
                // `Retry-After` takes whole seconds only.
                (
                    hyper::header::HeaderName::from_static("retry-after-ms"),
                    (seconds * 1000.0).ceil().to_string(),
                )
            };
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    fn count_fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }
}

fn has_parameter(request: &ChatRequest, parameter: &str) -> bool {
    match (&request.response_format, parameter) {
        (Some(_), "response_format") => true,
        (Some(ResponseFormat::JsonSchema { .. }), "json_schema") => true,
        (Some(ResponseFormat::JsonObject), "json_object") => true,
        _ => request.parameters.contains_key(parameter),
    }
}

fn refuse(parameter: &str) -> Response<Reply> {
    let (named, message) = match parameter {
        "json_schema" | "json_object" => (
            "response_format",
            format!(
                "Invalid parameter: 'response_format' of type '{parameter}' is not supported with this model."
            ),
        ),
        _ => (parameter, format!("Unsupported parameter: '{parameter}' is not supported with this model.")),
    };
    let error = wire::error(&message, "invalid_request_error", Some(named), Some("unsupported_parameter"));
    json(StatusCode::BAD_REQUEST, &error)
}

fn unauthorized() -> Response<Reply> {
    let error =
        wire::error("incorrect API key provided", "invalid_request_error", None, Some("invalid_api_key"));
    json(StatusCode::UNAUTHORIZED, &error)
}

fn html() -> Response<Reply> {
    let page = "<!doctype html><title>Welcome</title><h1>Please sign in to the network</h1>";
    let mut response = whole(StatusCode::OK, Bytes::from_static(page.as_bytes()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn redirect() -> Response<Reply> {
    let mut response = whole(StatusCode::TEMPORARY_REDIRECT, Bytes::new());
    let elsewhere = HeaderValue::from_static("http://elsewhere.invalid/v1/chat/completions");
    response.headers_mut().insert(LOCATION, elsewhere);
    response
}

/// The first half of a body with the length of the whole.
fn truncated(body: &Bytes) -> Response<Reply> {
    let mut response =
        Response::new(Reply { data: Some(body.slice(..body.len() / 2)), truncated: true, flushed: false });
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}

fn json(status: StatusCode, value: &Value) -> Response<Reply> {
    whole(status, wire::bytes(value))
}

fn whole(status: StatusCode, body: Bytes) -> Response<Reply> {
    let mut response = Response::new(Reply { data: Some(body), truncated: false, flushed: false });
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
