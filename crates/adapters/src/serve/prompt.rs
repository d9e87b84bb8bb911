//! The own route: `GET /v1/prompts/NAME?ref=…&unit=…`.
//!
//! NAME may hold slashes, as they are or as `%2F`. `ref` is a version or a label. Without it, or with `production`, the
//! unit is assigned to a variant: without a rollout always to `control`, the version of `production`. With any other
//! `ref` nothing is assigned, and `variant` is null.
//!
//! `attributes` are for the span of the call that uses the prompt. The application adds `feature_flag.context.id`, the
//! unit or a hash of it; it is left out of the body, so that all units share one cached response.

use hyper::{HeaderMap, StatusCode};
use promptgate_release::{Label, Name, PromptReference, Record, Selector};
use serde_json::{Map, Value, json};

use super::query::Query;
use super::response::{Freshness, Reply, error};
use super::snapshot::Snapshot;

/// The longest unit, in bytes.
const MAX_UNIT: usize = 1024;

/// The body for a version.
pub(super) fn body(record: &Record, variant: Option<&str>) -> Value {
    let mut attributes = Map::new();
    attributes.insert("gen_ai.prompt.name".to_owned(), json!(record.name));
    attributes.insert("gen_ai.prompt.version".to_owned(), json!(record.version));
    if let Some(variant) = variant {
        attributes.insert("feature_flag.key".to_owned(), json!(record.name));
        attributes.insert("feature_flag.result.variant".to_owned(), json!(variant));
    }
    attributes.insert("langfuse.observation.prompt.name".to_owned(), json!(record.name));
    attributes.insert("langfuse.observation.prompt.version".to_owned(), json!(record.number));
    let content = &record.content;
    json!({
        "name": record.name,
        "version": record.version,
        "number": record.number,
        "digest": record.digest,
        "kind": content.kind,
        "messages": content.messages,
        "model": content.model,
        "parameters": content.parameters,
        "answer_schema": content.answer_schema,
        "variant": variant,
        "attributes": attributes,
    })
}

/// Responds to a request for a prompt.
pub(super) fn respond(snapshot: &Snapshot, name: &str, query: &Query, headers: &HeaderMap) -> Reply {
    let invalid = |message: &str| error(StatusCode::BAD_REQUEST, "invalid_request", message);
    if let Some(unknown) = query.unknown(&["ref", "unit"]) {
        return invalid(&format!("unknown query parameter `{unknown}`: expected `ref` or `unit`"));
    }
    if query.get("unit").is_some_and(|unit| unit.len() > MAX_UNIT) {
        return invalid(&format!("the unit is too long: expected at most {MAX_UNIT} bytes"));
    }
    let name: Name = match name.parse() {
        Ok(name) => name,
        Err(problem) => return invalid(&format!("{problem}")),
    };
    let reference = format!("{name}@{}", query.get("ref").unwrap_or("production"));
    let reference: PromptReference = match reference.parse() {
        Ok(reference) => reference,
        Err(problem) => return invalid(&format!("{problem}")),
    };
    let unknown = |message: String| error(StatusCode::NOT_FOUND, "not_found", &message);
    let prompt = match snapshot.prompt(&name) {
        None => return unknown(format!("unknown prompt {name}; the list is at /api/public/v2/prompts")),
        Some(Err(reason)) => return unreadable(&name.to_string(), reason),
        Some(Ok(prompt)) => prompt,
    };
    let version = match &reference.selector {
        Selector::Version(version) => Some(*version),
        Selector::Label(label) => prompt.state.at_label(label),
    };
    let Some(verified) = version.and_then(|version| prompt.verified(version)) else {
        return unknown(match &reference.selector {
            Selector::Version(version) => format!("{name} has no version {version}"),
            Selector::Label(label) => format!("no version of {name} has the label {label}"),
        });
    };
    let verified = match verified {
        Ok(verified) => verified,
        Err(reason) => return unreadable(&reference.to_string(), reason),
    };
    match reference.selector {
        Selector::Version(_) => verified.pinned().reply(headers, Freshness::Immutable),
        Selector::Label(Label::Production) => verified.control().reply(headers, Freshness::Revalidate),
        Selector::Label(_) => verified.pinned().reply(headers, Freshness::Revalidate),
    }
}

/// 500 for content that cannot be verified: it is never served.
pub(super) fn unreadable(subject: &str, reason: &str) -> Reply {
    error(StatusCode::INTERNAL_SERVER_ERROR, "damaged", &format!("{subject} is not served: {reason}"))
}
