//! Finds what a request asks for.

use hyper::body::{Body, Bytes};
use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, StatusCode};
use serde_json::json;

use super::discard::{self, Posted};
use super::query::{self, Query};
use super::response::{Freshness, Reply, error, json, not_allowed, with};
use super::{PromptServer, body, health, langfuse, ofrep, prompt};

/// The longest path with its query, in bytes.
const MAX_URI: usize = 4096;

/// The path of Langfuse's prompts.
const LANGFUSE_PROMPTS: &str = "/api/public/v2/prompts";
/// The path of the assignments.
const RELEASES: &str = "/v1/releases";
/// The start of the path of a prompt.
const OWN_PROMPTS: &str = "/v1/prompts/";

/// Responds to a request.
pub(super) async fn respond<B>(server: &PromptServer, request: Request<B>) -> Reply
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let uri = request.uri();
    let length = uri.path_and_query().map_or(0, |both| both.as_str().len());
    if length > MAX_URI {
        let message = format!("the path and its query have {length} bytes: expected at most {MAX_URI}");
        return error(StatusCode::URI_TOO_LONG, "uri_too_long", &message);
    }
    let is_authorized = server.token.as_ref().is_none_or(|token| token.is_in(request.headers()));
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = uri.path();
    if path == "/healthz" {
        return if is_read { health::respond(server, is_authorized) } else { reads_only() };
    }
    if !is_authorized {
        return unauthorized();
    }
    if let Some(posted) = Posted::at(path) {
        return if *request.method() == Method::POST {
            discard::respond(server, posted, request).await
        } else {
            not_allowed("POST", "promptgate serve stores no traces and no scores: there are none to read")
        };
    }
    if ofrep::is_evaluation(path) {
        return evaluate(server, request).await;
    }
    // Tools that write prompts use these paths with other methods.
    let is_prompts = path == LANGFUSE_PROMPTS
        || path.starts_with(OWN_PROMPTS)
        || path.strip_prefix(LANGFUSE_PROMPTS).is_some_and(|rest| rest.starts_with('/'));
    match path {
        _ if is_prompts && !is_read => reads_only(),
        _ if is_prompts => read(server, path, &request),
        // Langfuse's SDKs ask for these to check the connection and the keys.
        "/api/public/health" if is_read => {
            json(StatusCode::OK, &json!({"status": "OK", "version": env!("CARGO_PKG_VERSION")}))
        }
        "/api/public/projects" if is_read => {
            let project = json!({"id": "promptgate", "name": "promptgate", "metadata": {},
                "organization": {"id": "promptgate", "name": "promptgate"}});
            json(StatusCode::OK, &json!({"data": [project]}))
        }
        RELEASES if is_read => match server.view().snapshot.releases() {
            Some(releases) => releases.reply(request.headers(), Freshness::Revalidate),
            None => {
                prompt::unreadable("the file of the assignments", "it could not be read; /healthz says why")
            }
        },
        ofrep::CONFIGURATION if is_read => {
            ofrep::configuration(server.refresh.as_millis(), request.headers())
        }
        "/api/public/health" | "/api/public/projects" | RELEASES | ofrep::CONFIGURATION => reads_only(),
        _ => {
            let message = format!(
                "no such path: {path}; expected /v1/prompts/NAME, {RELEASES}, {LANGFUSE_PROMPTS}/NAME, {}/NAME or /healthz",
                ofrep::FLAGS
            );
            error(StatusCode::NOT_FOUND, "not_found", &message)
        }
    }
}

/// Evaluates flags of OpenFeature.
async fn evaluate<B>(server: &PromptServer, request: Request<B>) -> Reply
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if *request.method() != Method::POST {
        return not_allowed("POST", "flags are evaluated with POST and the context of the unit");
    }
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    match body::read(&server.limits, request).await {
        Ok(body) => ofrep::evaluate(&server.view().snapshot, &path, &body, &headers),
        Err((status, _, details)) => {
            json(status, &json!({"errorCode": "PARSE_ERROR", "errorDetails": details}))
        }
    }
}

fn read<B>(server: &PromptServer, path: &str, request: &Request<B>) -> Reply {
    let invalid = |message: &str| error(StatusCode::BAD_REQUEST, "invalid_request", message);
    let query = match Query::parse(request.uri().query()) {
        Ok(query) => query,
        Err(message) => return invalid(&message),
    };
    let snapshot = &server.view().snapshot;
    let headers = request.headers();
    if path == LANGFUSE_PROMPTS {
        return langfuse::list(snapshot, &query, headers);
    }
    let own = path.strip_prefix(OWN_PROMPTS);
    let name = own.or_else(|| path.get(LANGFUSE_PROMPTS.len() + 1..)).unwrap_or_default();
    let Some(name) = query::decode(name) else {
        return invalid("invalid percent-encoding in the path: expected UTF-8 as %XX");
    };
    match own {
        Some(_) => prompt::respond(snapshot, &name, &query, headers),
        None => langfuse::get(snapshot, &name, &query, headers),
    }
}

fn reads_only() -> Reply {
    not_allowed(
        "GET, HEAD",
        "promptgate serve only reads: publish with `promptgate publish`, move labels with `promptgate promote`",
    )
}

fn unauthorized() -> Reply {
    let message = "invalid or missing token: expected `Authorization: Bearer TOKEN`, or the token as the password of \
                   Basic authentication (the secret key of Langfuse's SDKs)";
    let reply = error(StatusCode::UNAUTHORIZED, "unauthorized", message);
    with(reply, WWW_AUTHENTICATE, HeaderValue::from_static("Bearer, Basic realm=\"promptgate\""))
}
