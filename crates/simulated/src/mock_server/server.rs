//! Responds to HTTP requests, with the fault drawn for each.

use std::future::{pending, ready};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::corrupt::corrupt;
use super::faults::{FaultForm, draw, setting};
use super::rate_limit::RateLimit;
use super::replies::{CachedReply, Occurrences, Replies};
use super::route::{Asked, Route};
use super::{Options, ServerStats};
use super::{embeddings, wire};
use crate::{MODEL, Simulated, digest, judged_answer};
use promptgate_core::model::{ChatRequest, Protocol, Purpose, ResponseFormat};

/// The maximum size of a request body, in bytes.
const MAX_BODY: usize = 64 << 20;

/// A response whose body may end before its declared length.
pub(super) type Reply = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// The state shared by all connections.
#[derive(Debug)]
pub(super) struct Server {
    options: Options,
    simulated: Simulated,
    replies: Replies,
    occurrences: Occurrences,
    rate_limit: Option<RateLimit>,
    stats: Mutex<ServerStats>,
}

impl Server {
    pub(super) fn new(options: Options) -> Self {
        Self {
            simulated: Simulated::new(options.simulated),
            replies: Replies::default(),
            occurrences: Occurrences::default(),
            rate_limit: setting(&options.faults, &FaultForm::RateLimit).map(RateLimit::new),
            stats: Mutex::default(),
            options,
        }
    }

    pub(super) fn stats(&self) -> MutexGuard<'_, ServerStats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// The connection must be reset in place of a response.
    pub(super) async fn respond(&self, request: Request<Incoming>) -> io::Result<Reply> {
        let path = request.uri().path().trim_end_matches('/');
        let endpoint = ["/models", "/stats"].into_iter().find(|end| path.ends_with(end));
        if let Some(route) = Route::of(path) {
            if request.method() != Method::POST {
                let message = "this method is not allowed here";
                return Ok(invalid(&route, StatusCode::METHOD_NOT_ALLOWED, message, None, None));
            }
            let response = self.respond_to_chat(request, &route).await?;
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                self.stats().refused += 1;
            }
            return Ok(response);
        }
        let plain = Route::openai();
        Ok(match (request.method().as_str(), endpoint) {
            ("GET", Some("/models")) if self.is_allowed(&request) => {
                let model = json!({"id": MODEL, "object": "model", "created": 0, "owned_by": "promptgate"});
                json(StatusCode::OK, &json!({"object": "list", "data": [model]}))
            }
            ("GET", Some("/models")) => self.status(&plain, StatusCode::UNAUTHORIZED, None),
            ("GET", Some("/stats")) => json(StatusCode::OK, &json!(*self.stats())),
            (_, Some("/models")) => {
                invalid(&plain, StatusCode::METHOD_NOT_ALLOWED, "this method is not allowed here", None, None)
            }
            _ => {
                let message =
                    format!("no such path: {path}; try POST /v1/chat/completions or GET /v1/models");
                invalid(&plain, StatusCode::NOT_FOUND, &message, None, Some("not_found"))
            }
        })
    }

    /// Responds to one request for a completion, with the fault drawn for it.
    async fn respond_to_chat(&self, request: Request<Incoming>, route: &Route) -> io::Result<Reply> {
        let arrival = {
            let mut stats = self.stats();
            stats.requests += 1;
            stats.requests - 1
        };
        let faults = &self.options.faults;
        let fault = draw(faults, self.options.simulated.seed, arrival);
        let is_past = |form| setting(faults, &form).is_some_and(|after| arrival as f64 >= after);
        let allowed = self.is_allowed(&request);
        let has_version =
            route.protocol != Protocol::Anthropic || request.headers().contains_key("anthropic-version");
        if fault == Some(&FaultForm::Reset) {
            self.stats().faults += 1;
            return Err(io::Error::other("the connection is reset on purpose"));
        }
        // The body is always read, so that the connection can be reused.
        let Ok(body) = Limited::new(request.into_body(), MAX_BODY).collect().await else {
            let message = "the body is too large or incomplete";
            return Ok(invalid(route, StatusCode::PAYLOAD_TOO_LARGE, message, None, None));
        };
        if !allowed || is_past(FaultForm::UnauthorizedAfter) {
            return Ok(self.faulty(self.status(route, StatusCode::UNAUTHORIZED, None)));
        }
        if !has_version {
            let message = "anthropic-version: header is required";
            return Ok(invalid(route, StatusCode::BAD_REQUEST, message, None, None));
        }
        if is_past(FaultForm::QuotaAfter) {
            let message = "you exceeded your current quota, please check your plan and billing details";
            let error = wire::error(message, "insufficient_quota", None, Some("insufficient_quota"));
            let error = route.error(429, error, None);
            return Ok(self.faulty(json(StatusCode::TOO_MANY_REQUESTS, &error)));
        }
        if let Some(wait) = self.rate_limit.as_ref().and_then(RateLimit::take) {
            let wait = Some(wait.as_secs_f64());
            return Ok(self.faulty(self.status(route, StatusCode::TOO_MANY_REQUESTS, wait)));
        }
        Ok(match fault {
            Some(FaultForm::Hang) => {
                self.stats().faults += 1;
                pending().await
            }
            Some(FaultForm::Status(status)) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                self.faulty(self.status(route, status, None))
            }
            Some(FaultForm::Empty) => self.faulty(whole(StatusCode::OK, Bytes::new())),
            Some(FaultForm::Html) => {
                let page = "<!doctype html><title>Welcome</title><h1>Please sign in to the network</h1>";
                let page = whole(StatusCode::OK, Bytes::from_static(page.as_bytes()));
                self.faulty(with(page, CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")))
            }
            Some(FaultForm::Redirect) => {
                let empty = whole(StatusCode::TEMPORARY_REDIRECT, Bytes::new());
                let elsewhere = HeaderValue::from_static("http://elsewhere.invalid/v1/chat/completions");
                self.faulty(with(empty, LOCATION, elsewhere))
            }
            Some(FaultForm::ErrorWithOk) => {
                let message = "the upstream model failed";
                let error = wire::error(message, "server_error", None, Some("upstream_error"));
                self.faulty(json(StatusCode::OK, &route.error(500, error, None)))
            }
            fault => self.complete(route, fault, &body.to_bytes()).await,
        })
    }

    /// The response with a completion, or with a fault that needs a valid request.
    async fn complete(&self, route: &Route, fault: Option<&FaultForm>, body: &[u8]) -> Reply {
        let asked = match route.parse(body) {
            Ok(asked) => asked,
            Err(error) => {
                return invalid(route, StatusCode::BAD_REQUEST, &error.message, error.parameter, None);
            }
        };
        let Asked { request, streams, .. } = &asked;
        if let Some(FaultForm::Refuse(parameter)) = fault
            && has_parameter(request, parameter)
        {
            return self.faulty(refuse(route, parameter));
        }
        if fault == Some(&FaultForm::StreamOnly) && !*streams {
            let message = "This model only supports streams: set the parameter `stream` to true.";
            return self.faulty(invalid(route, StatusCode::BAD_REQUEST, message, Some("stream"), None));
        }
        let reply = self.answer(request).await;
        let is_unharmed = match fault {
            None | Some(FaultForm::Refuse(_) | FaultForm::StreamOnly) => true,
            Some(form) => form.is_judge_only() && !reply.is_judgement,
        };
        if is_unharmed && !*streams && route.protocol == Protocol::OpenAi {
            return whole(StatusCode::OK, reply.body);
        }
        let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if fault == Some(&FaultForm::Cut) {
            return self.faulty(truncated(&Bytes::from(route.reply(&body, &asked).to_string())));
        }
        if let Some(form) = fault.filter(|_| !is_unharmed) {
            corrupt(&mut body, form, request);
            self.stats().faults += 1;
        }
        if !*streams {
            return json(StatusCode::OK, &route.reply(&body, &asked));
        }
        let events = whole(StatusCode::OK, Bytes::from(route.events(&body, &asked)));
        with(events, CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))
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
            let embeds = request.purpose == Purpose::Embedding;
            let body = if embeds {
                embeddings::reply(&completion, &request.model)
            } else {
                wire::reply(&completion, &request.model, &id)
            };
            let is_judgement = !embeds && judged_answer(request).is_some();
            let reply = CachedReply { body: Bytes::from(body.to_string()), is_judgement };
            if options.noise <= 0.0 {
                self.replies.insert(digest, reply.clone());
            }
            reply
        });
        if reply.is_judgement {
            self.stats().judgements += 1;
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
            || ["api-key", "x-api-key", "x-goog-api-key"]
                .iter()
                .any(|name| header(name) == Some(key.as_str()))
    }

    /// An error response; `Retry-After` of 429 and 503 is as configured, else `wait` seconds if given.
    fn status(&self, route: &Route, status: StatusCode, wait: Option<f64>) -> Reply {
        let (message, kind, code) = match status.as_u16() {
            402 => ("the balance of this account is exhausted", "insufficient_quota", "insufficient_quota"),
            429 => ("rate limit reached, please try again later", "rate_limit_error", "rate_limit_exceeded"),
            500.. => ("the server had an error, please try again", "server_error", "server_error"),
            401 => ("incorrect API key provided", "invalid_request_error", "invalid_api_key"),
            403 => ("this key has no access to this model", "invalid_request_error", "forbidden"),
            404 => ("the model does not exist", "invalid_request_error", "model_not_found"),
            _ => ("the request was refused", "invalid_request_error", "refused"),
        };
        let has_retry_after = matches!(status.as_u16(), 429 | 503);
        let retry_after = setting(&self.options.faults, &FaultForm::RetryAfter).or(wait);
        let retry_after = retry_after.filter(|_| has_retry_after);
        let error = wire::error(message, kind, None, Some(code));
        let mut response = json(status, &route.error(status.as_u16(), error, retry_after));
        // Gemini's is in the body.
        if let Some(seconds) = retry_after.filter(|_| route.protocol != Protocol::Gemini) {
            // `Retry-After` takes whole seconds only.
            let (name, value) = match seconds.fract() == 0.0 {
                true => ("retry-after", seconds),
                false => ("retry-after-ms", (seconds * 1000.0).ceil()),
            };
            response.headers_mut().insert(name, HeaderValue::from(value as u64));
        }
        response
    }

    /// Counts a response with a fault.
    fn faulty(&self, response: Reply) -> Reply {
        self.stats().faults += 1;
        response
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

fn refuse(route: &Route, parameter: &str) -> Reply {
    let (named, feature) = match parameter {
        "json_schema" | "json_object" => {
            ("response_format", format!("Invalid parameter: 'response_format' of type '{parameter}'"))
        }
        _ => (parameter, format!("Unsupported parameter: '{parameter}'")),
    };
    let message = format!("{feature} is not supported with this model.");
    invalid(route, StatusCode::BAD_REQUEST, &message, Some(named), Some("unsupported_parameter"))
}

/// The first half of a body with the length of the whole.
fn truncated(body: &Bytes) -> Reply {
    let half = stream::once(ready(Ok(Frame::data(body.slice(..body.len() / 2)))));
    let end = stream::once(async {
        // The error would drop the buffered bytes; a pause lets them be sent first.
        tokio::task::yield_now().await;
        Err(io::Error::other("the body is truncated on purpose"))
    });
    let truncated = StreamBody::new(half.chain(end)).boxed_unsync();
    with(response(StatusCode::OK, truncated), CONTENT_LENGTH, body.len())
}

fn invalid(
    route: &Route,
    status: StatusCode,
    message: &str,
    parameter: Option<&str>,
    code: Option<&str>,
) -> Reply {
    let error = wire::error(message, "invalid_request_error", parameter, code);
    json(status, &route.error(status.as_u16(), error, None))
}

fn json(status: StatusCode, value: &Value) -> Reply {
    whole(status, Bytes::from(value.to_string()))
}

fn whole(status: StatusCode, body: Bytes) -> Reply {
    response(status, Full::new(body).map_err(|never| match never {}).boxed_unsync())
}

fn response(status: StatusCode, body: UnsyncBoxBody<Bytes, io::Error>) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    with(response, CONTENT_TYPE, HeaderValue::from_static("application/json"))
}

fn with(mut response: Reply, name: HeaderName, value: impl Into<HeaderValue>) -> Reply {
    response.headers_mut().insert(name, value.into());
    response
}
