//! Routes, keys and faults.

use std::future::{pending, ready};
use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::faults::FaultAction;
use super::store::{Filter, Refusal};
use super::{PUBLIC_KEY, ReceivedRequest, SECRET_KEY, ServerState, VIEWER_SECRET_KEY, lock, never};

type Reply = Response<UnsyncBoxBody<Bytes, io::Error>>;

const PROMPTS: [&str; 4] = ["api", "public", "v2", "prompts"];

/// Responds to a request, with the fault that is injected for it.
///
/// # Errors
/// The connection must be closed without a response.
pub(super) async fn respond(request: Request<Incoming>, state: Arc<Mutex<ServerState>>) -> io::Result<Reply> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let method = head.method.as_str().to_owned();
    let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
    let access = access(head.headers.get(AUTHORIZATION));
    let action = {
        let mut state = lock(&state);
        state.requests.push(ReceivedRequest {
            method: method.clone(),
            path: path.clone(),
            body: body.as_ref().cloned().unwrap_or_default(),
        });
        let next = state.faults.iter().position(|fault| fault.method == method);
        next.map(|next| state.faults.remove(next).action)
    };
    let process = || {
        let mut state = lock(&state);
        match access {
            None => json_reply(
                401,
                &error(
                    "Unauthorized",
                    "Invalid credentials. Confirm that you've configured the correct host.",
                ),
            ),
            Some(Access::Viewer) if method != "GET" => {
                json_reply(403, &error("ForbiddenError", "Access denied: this API key is read-only"))
            }
            Some(_) => route(&mut state, &method, &path, body),
        }
    };
    Ok(match action {
        None => process(),
        Some(FaultAction::Status { status, retry_after }) => {
            let mut reply = json_reply(status, &error("Fault", "injected"));
            if let Some(seconds) = retry_after {
                reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            reply
        }
        Some(FaultAction::Html) => {
            let page = "<!doctype html><title>Sign in</title><h1>Welcome</h1>";
            let mut reply = reply(200, Full::from(page).map_err(never).boxed_unsync());
            reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            reply
        }
        Some(FaultAction::CutBody) => reply(200, cut(Bytes::from_static(b"{\"version\": 1, "))),
        Some(FaultAction::CutJson) => {
            reply(200, Full::from("{\"version\": 1, ").map_err(never).boxed_unsync())
        }
        Some(FaultAction::Hang) => pending().await,
        Some(FaultAction::Held { processed, reached }) => {
            if processed {
                drop(process());
            }
            // Nobody may be left to hear it.
            let _ = reached.send(());
            pending().await
        }
        Some(FaultAction::LostAnswer) => {
            drop(process());
            return Err(io::Error::other("the answer is lost on purpose"));
        }
        Some(FaultAction::Then(change)) => {
            let reply = process();
            change(&mut lock(&state).prompts);
            reply
        }
    })
}

/// The permissions of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Full,
    Viewer,
}

fn access(header: Option<&HeaderValue>) -> Option<Access> {
    let encoded = header?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    match decoded.split_once(':')? {
        (PUBLIC_KEY, SECRET_KEY) => Some(Access::Full),
        (PUBLIC_KEY, VIEWER_SECRET_KEY) => Some(Access::Viewer),
        _ => None,
    }
}

fn route(state: &mut ServerState, method: &str, path: &str, body: serde_json::Result<Value>) -> Reply {
    let Ok(url) = Url::parse(&format!("http://localhost{path}")) else { return page_not_found() };
    let segments: Vec<String> = url.path_segments().into_iter().flatten().map(decode).collect();
    let Some(segments) = segments.strip_prefix(&PROMPTS.map(str::to_owned)) else { return page_not_found() };
    let Ok(body) = body else { return refuse(Refusal::schema("", "Invalid JSON")) };
    let query =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let number = |name: &str| match query(name) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| Refusal::schema(name, "Expected number")),
    };
    let version = match number("version") {
        Ok(version) => version,
        Err(refusal) => return refuse(refusal),
    };
    let filter = Filter { name: query("name"), version, label: query("label"), tag: query("tag") };
    let prompts = &mut state.prompts;
    let result = match (method, segments) {
        ("GET", []) => match (number("page"), number("limit")) {
            (Ok(page), Ok(limit)) => {
                let (page, limit) = (page.unwrap_or(1) as usize, limit.unwrap_or(10) as usize);
                if page < 1 || !(1..=100).contains(&limit) {
                    Err(Refusal::schema("limit", "Number must be between 1 and 100"))
                } else {
                    Ok((200, prompts.list(&filter, page, limit)))
                }
            }
            (Err(refusal), _) | (_, Err(refusal)) => Err(refusal),
        },
        ("POST", []) => prompts.create(&body).map(|created| (201, created)),
        ("GET", [name]) => prompts.get(name, &filter).map(|found| (200, found)),
        ("DELETE", [name]) => match prompts.delete(name, &filter) {
            Ok(()) => return reply(204, Full::default().map_err(never).boxed_unsync()),
            Err(refusal) => Err(refusal),
        },
        ("PATCH", [name, versions, version]) if versions == "versions" => match version.parse() {
            Ok(version) => prompts.patch(name, version, &body).map(|changed| (200, changed)),
            Err(_) => Err(Refusal::schema("promptVersion", "Expected number")),
        },
        _ => return page_not_found(),
    };
    match result {
        Ok((status, value)) => json_reply(status, &value),
        Err(refusal) => refuse(refusal),
    }
}

/// Decodes a path segment.
fn decode(segment: &str) -> String {
    let query = format!("s={}", segment.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(query.as_bytes()).next();
    decoded.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn error(error: &str, message: &str) -> Value {
    json!({"error": error, "message": message})
}

fn refuse(refusal: Refusal) -> Reply {
    json_reply(refusal.status, &json!({"message": refusal.message, "error": refusal.error}))
}

/// The answer of the web interface to a wrong path.
fn page_not_found() -> Reply {
    let page = "<!DOCTYPE html><title>404: This page could not be found</title>";
    let mut reply = reply(404, Full::from(page).map_err(never).boxed_unsync());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    reply
}

/// JSON in two chunks, without a declared length.
fn json_reply(status: u16, value: &Value) -> Reply {
    let bytes = Bytes::from(value.to_string());
    let middle = bytes.len() / 2;
    let chunks = [bytes.slice(..middle), bytes.slice(middle..)];
    let body = StreamBody::new(stream::iter(chunks.map(|chunk| Ok(Frame::data(chunk)))));
    reply(status, body.boxed_unsync())
}

/// A body that breaks off after these bytes.
fn cut(bytes: Bytes) -> UnsyncBoxBody<Bytes, io::Error> {
    let start = stream::once(ready(Ok(Frame::data(bytes))));
    let end = stream::once(async {
        // The error would drop the buffered bytes; a pause lets them be sent first.
        tokio::task::yield_now().await;
        Err(io::Error::other("the body is cut on purpose"))
    });
    StreamBody::new(start.chain(end)).boxed_unsync()
}

fn reply(status: u16, body: UnsyncBoxBody<Bytes, io::Error>) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    reply
}
