//! The own route: `GET /v1/prompts/NAME?ref=…&unit=…`.
//!
//! NAME may hold slashes, as they are or as `%2F`. `ref` is a version or a label. Without it, or with `production`, the
//! unit is assigned to a variant: `control`, the version of `production`, or during a rollout `treatment` for its share of
//! the units. With any other `ref` nothing is assigned, and `variant` is null.
//!
//! `attributes` are for the span of the call that uses the prompt, and the headers `promptgate-version`, `-variant` and
//! `-rollout` for those who have the body from a cache. The application adds `feature_flag.context.id`, the unit or a hash
//! of it; it is left out of the body, so that all units of a variant share one cached response.

use hyper::{HeaderMap, StatusCode};
use promptgate_release::{Label, Name, PromptReference, Record, Selector};
use serde_json::{Map, Value, json};

use super::query::Query;
use super::response::{Freshness, Reply, error};
use super::snapshot::Snapshot;
use super::variant::{Assigned, MAX_UNIT, assign};
use crate::otlp::names;

/// The body for a version; `assigned` if a unit was assigned to it.
pub(super) fn body(record: &Record, assigned: Option<Assigned>) -> Value {
    let variant = assigned.map(|assigned| assigned.variant);
    let mut attributes = Map::new();
    attributes.insert(names::PROMPT_NAME.to_owned(), json!(record.name));
    attributes.insert(names::PROMPT_VERSION.to_owned(), json!(record.version));
    if let Some(variant) = variant {
        attributes.insert(names::FLAG_KEY.to_owned(), json!(record.name));
        attributes.insert(names::FLAG_VARIANT.to_owned(), json!(variant));
    }
    if let Some(rollout) = assigned.and_then(|assigned| assigned.rollout) {
        attributes.insert(names::FLAG_VERSION.to_owned(), json!(rollout.tag()));
    }
    attributes.insert(names::LANGFUSE_PROMPT_NAME.to_owned(), json!(record.name));
    attributes.insert(names::LANGFUSE_PROMPT_VERSION.to_owned(), json!(record.number));
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
    let assigned = match &reference.selector {
        Selector::Label(Label::Production) => assign(&prompt.state, query.get("unit").unwrap_or_default()),
        Selector::Label(_) | Selector::Version(_) => None,
    };
    let version = match (&reference.selector, assigned) {
        (_, Some(assigned)) => Some(assigned.version),
        (Selector::Version(version), _) => Some(*version),
        (Selector::Label(label), _) => prompt.state.at_label(label),
    };
    let Some(verified) = version.and_then(|version| prompt.verified(version)) else {
        return unknown(match &reference.selector {
            Selector::Version(version) => format!("{name} has no version {version}"),
            Selector::Label(label) => format!("no version of {name} has the label {label}"),
        });
    };
    let verified = match verified {
        Ok(verified) => verified,
        Err(reason) => {
            let subject = assigned.map(|assigned| format!("{name}@{}", assigned.version));
            return unreadable(&subject.unwrap_or_else(|| reference.to_string()), reason);
        }
    };
    match (reference.selector, assigned) {
        (_, Some(assigned)) => {
            let representation = prompt.assigned(verified, assigned);
            assigned.tagged(representation.reply(headers, Freshness::Revalidate))
        }
        (Selector::Version(_), None) => verified.pinned().reply(headers, Freshness::Immutable),
        (Selector::Label(_), None) => verified.pinned().reply(headers, Freshness::Revalidate),
    }
}

/// 500 for content that cannot be verified: it is never served.
pub(super) fn unreadable(subject: &str, reason: &str) -> Reply {
    error(StatusCode::INTERNAL_SERVER_ERROR, "damaged", &format!("{subject} is not served: {reason}"))
}
