//! From one HTTP request to one HTTP response, by the book or with the fault that was drawn for it.

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

use super::cache::{Kept, Occurrences, Replies};
use super::faults::FaultForm;
use super::misbehave;
use super::rate::RateLimit;
use super::wire;
use super::{Options, Served};
use crate::{MODEL, Simulated, digest, judged_answer};
use promptgate_core::model::{ChatRequest, ResponseFormat};

/// The largest request body that is read.
const MAX_BODY: usize = 64 << 20;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Server {
    options: Options,
    simulated: Simulated,
    replies: Replies,
    occurrences: Occurrences,
    rate: Option<RateLimit>,
    arrivals: AtomicU64,
    judgements: AtomicU64,
    faults: AtomicU64,
    refused: AtomicU64,
}

/// The connection is to be reset in place of a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset on purpose")]
pub(super) struct ResetConnection;

/// A body that may end before its declared length.
#[derive(Debug)]
pub(super) struct Reply {
    data: Option<Bytes>,
    cut: bool,
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
        if !self.cut {
            return Poll::Ready(None);
        }
        if !self.flushed {
            // The error would take what is still buffered with it; a pause lets it leave first.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("the body is cut on purpose"))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        match &self.data {
            _ if self.cut => SizeHint::default(),
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
            rate: options.faults.rate_limit.map(RateLimit::new),
            arrivals: AtomicU64::new(0),
            judgements: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            options,
        }
    }

    /// What was served so far.
    pub(super) fn served(&self) -> Served {
        Served {
            requests: self.arrivals.load(Ordering::Relaxed),
            judgements: self.judgements.load(Ordering::Relaxed),
            faults: self.faults.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Answers one request.
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
                return Ok(json(StatusCode::OK, &wire::stats(self.served())));
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

    /// Answers one request for a completion, or plays the fault that is drawn for it.
    async fn respond_to_chat(&self, request: Request<Incoming>) -> Result<Response<Reply>, ResetConnection> {
        let arrival = self.arrivals.fetch_add(1, Ordering::Relaxed);
        let faults = &self.options.faults;
        let fault = faults.draw(self.options.simulated.seed, arrival);
        let allowed = self.is_allowed(&request);
        if fault == Some(&FaultForm::Reset) {
            self.count_fault();
            return Err(ResetConnection);
        }
        // Read whole, so that the connection can be used again whatever the answer is.
        let Ok(body) = Limited::new(request.into_body(), MAX_BODY).collect().await else {
            let error =
                wire::error("the body is too large or broke off", "invalid_request_error", None, None);
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
        if let Some(wait) = self.rate.as_ref().and_then(RateLimit::take) {
            self.count_fault();
            return Ok(self.status(StatusCode::TOO_MANY_REQUESTS, Some(wait.as_secs_f64())));
        }
        match fault {
            Some(fault) => self.respond_with(fault, &body).await,
            None => Ok(self.respond_well(&body).await),
        }
    }

    /// The response of a server that works.
    async fn respond_well(&self, body: &[u8]) -> Response<Reply> {
        match wire::read_request(body) {
            Ok(request) => whole(StatusCode::OK, self.answer(&request).await.body),
            Err(refused) => {
                let error = wire::error(&refused.message, "invalid_request_error", refused.parameter, None);
                json(StatusCode::BAD_REQUEST, &error)
            }
        }
    }

    /// The response with a fault that is not a reset.
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
            FaultForm::Refuse(parameter) => match wire::read_request(body) {
                Ok(request) if has_parameter(&request, parameter) => refuse(parameter),
                _ => return Ok(self.respond_well(body).await),
            },
            FaultForm::ErrorWithOk => {
                let error =
                    wire::error("the upstream model failed", "server_error", None, Some("upstream_error"));
                json(StatusCode::OK, &error)
            }
            form => {
                let Ok(request) = wire::read_request(body) else { return Ok(self.respond_well(body).await) };
                let kept = self.answer(&request).await;
                if form.is_for_judges() && !kept.judgement {
                    return Ok(whole(StatusCode::OK, kept.body));
                }
                if *form == FaultForm::Cut {
                    cut(&kept.body)
                } else {
                    let mut reply: Value = serde_json::from_slice(&kept.body).unwrap_or_default();
                    misbehave::spoil(&mut reply, form, &request);
                    json(StatusCode::OK, &reply)
                }
            }
        };
        self.count_fault();
        Ok(response)
    }

    /// The whole reply to a request, from the cache where it cannot differ from the last one.
    async fn answer(&self, request: &ChatRequest) -> Kept {
        let arrived = Instant::now();
        let digest = digest(request);
        let options = &self.options.simulated;
        let varies = options.noise > 0.0 || !options.jitter.is_zero();
        let occurrence = if varies { self.occurrences.next(&digest) } else { 0 };
        let known = if options.noise > 0.0 { None } else { self.replies.get(&digest) };
        let wait = self.simulated.wait(&digest, occurrence);
        let kept = known.unwrap_or_else(|| {
            let completion = self.simulated.answer_digested(request, &digest, occurrence);
            let id: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            let body = wire::bytes(&wire::reply(&completion, &id));
            let kept = Kept { body, judgement: judged_answer(request).is_some() };
            if options.noise <= 0.0 {
                self.replies.keep(digest, kept.clone());
            }
            kept
        });
        if kept.judgement {
            self.judgements.fetch_add(1, Ordering::Relaxed);
        }
        // What it took to make up the answer is part of the latency asked for.
        if !wait.is_zero() {
            tokio::time::sleep_until(arrived + wait).await;
        }
        kept
    }

    fn is_allowed(&self, request: &Request<Incoming>) -> bool {
        let Some(key) = &self.options.require_key else { return true };
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        header("authorization").and_then(|value| value.strip_prefix("Bearer ")) == Some(key.as_str())
            || header("api-key") == Some(key.as_str())
    }

    /// An error status; 429 and 503 say how long to wait: as configured, else `wait` seconds if given.
    fn status(&self, status: StatusCode, wait: Option<f64>) -> Response<Reply> {
        let (message, kind, code) = match status.as_u16() {
            402 => ("the balance of this account is spent", "insufficient_quota", "insufficient_quota"),
            429 => ("rate limit reached, please try again later", "rate_limit_error", "rate_limit_exceeded"),
            500.. => ("the server had an error, please try again", "server_error", "server_error"),
            401 => ("incorrect API key provided", "invalid_request_error", "invalid_api_key"),
            403 => ("this key has no access to this model", "invalid_request_error", "forbidden"),
            404 => ("the model does not exist", "invalid_request_error", "model_not_found"),
            _ => ("the request was refused", "invalid_request_error", "refused"),
        };
        let mut response = json(status, &wire::error(message, kind, None, Some(code)));
        let waits = matches!(status.as_u16(), 429 | 503);
        if let Some(seconds) = self.options.faults.retry_after.or(wait).filter(|_| waits) {
            let whole = seconds.fract() == 0.0;
            let (name, value) = if whole {
                (RETRY_AFTER, seconds.to_string())
            } else {
                // The header of the standard knows whole seconds alone.
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

/// The first half of a body under the length of the whole.
fn cut(body: &Bytes) -> Response<Reply> {
    let mut response =
        Response::new(Reply { data: Some(body.slice(..body.len() / 2)), cut: true, flushed: false });
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}

fn json(status: StatusCode, value: &Value) -> Response<Reply> {
    whole(status, wire::bytes(value))
}

fn whole(status: StatusCode, body: Bytes) -> Response<Reply> {
    let mut response = Response::new(Reply { data: Some(body), cut: false, flushed: false });
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
