//! Langfuse's routes for reading prompts, as its server answers them and its SDKs read them.
//!
//! `version` is the publish number, and the semantic version is `config.promptgate.version` and the label `vX.Y.Z`.
//! `config` holds the model, the parameters and the answer schema as `response_format`, and under `promptgate` the
//! version, the digest and, for a text prompt, the template of its user message. Tags are an empty list, because the SDKs
//! refuse null there.

use hyper::{HeaderMap, StatusCode};
use jiff::Timestamp;
use promptgate_release::{Label, Name, PromptKind, Record};
use serde_json::{Map, Value, json};

use super::prompt::unreadable;
use super::query::Query;
use super::response::{Freshness, Reply, Representation, error};
use super::snapshot::{Prompt, Snapshot};
use crate::registry::langfuse_config;

/// Prompts on a page of the list by default, and at most.
const DEFAULT_PAGE: u64 = 50;
const MAX_PAGE: u64 = 100;

/// The body for a version.
pub(super) fn body(prompt: &Prompt, record: &Record) -> Value {
    let content = &record.content;
    let text = match content.kind {
        PromptKind::Text => json!(content.messages.first().map_or("", |message| &message.content)),
        PromptKind::Chat => json!(content.messages),
    };
    json!({
        "id": format!("{}@{}", record.name, record.version),
        "createdAt": record.published_at,
        "updatedAt": record.published_at,
        "projectId": "promptgate",
        "createdBy": "promptgate",
        "name": record.name,
        "version": record.number,
        "type": content.kind,
        "prompt": text,
        "config": config(record),
        "labels": prompt.labels(record.version),
        "tags": [],
        "commitMessage": record.reason,
        "isActive": prompt.state.at_label(&Label::Production) == Some(record.version),
        "resolutionGraph": null,
    })
}

/// The same as in a Langfuse project that promptgate publishes to.
fn config(record: &Record) -> Map<String, Value> {
    let content = &record.content;
    let user = content.messages.get(1).filter(|_| content.kind == PromptKind::Text);
    langfuse_config(record, user.map(|message| message.content.as_str()))
}

/// Responds to `GET /api/public/v2/prompts/{name}?label=…&version=…`.
pub(super) fn get(snapshot: &Snapshot, name: &str, query: &Query, headers: &HeaderMap) -> Reply {
    let number = match query.get("version").map(str::parse::<u64>) {
        Some(Err(_)) => return invalid("version must be an integer: the number of the publication"),
        Some(Ok(_)) if query.get("label").is_some() => {
            return invalid("Cannot specify both version and label");
        }
        Some(Ok(number)) => Some(number),
        None => None,
    };
    let label = query.get("label").unwrap_or("production");
    let not_found = || {
        let which = number.map_or(format!("label '{label}'"), |number| format!("version {number}"));
        let message = format!("Prompt not found: '{name}' with {which}");
        error(StatusCode::NOT_FOUND, "LangfuseNotFoundError", &message)
    };
    // A name or label that promptgate does not take cannot be in a ledger.
    let Some(prompt) = name.parse::<Name>().ok().and_then(|name| snapshot.prompt(&name)) else {
        return not_found();
    };
    let prompt = match prompt {
        Ok(prompt) => prompt,
        Err(reason) => return unreadable(name, reason),
    };
    let version = match number {
        Some(number) => prompt.numbered(number),
        None => match label.strip_prefix('v').and_then(|version| version.parse().ok()) {
            Some(version) => Some(version),
            None => label.parse().ok().and_then(|label: Label| prompt.state.at_label(&label)),
        },
    };
    match version.and_then(|version| Some((version, prompt.verified(version)?))) {
        None => not_found(),
        Some((version, Err(reason))) => unreadable(&format!("{name}@{version}"), reason),
        // Also a version's response shows labels, which move.
        Some((_, Ok(verified))) => prompt.langfuse(verified).reply(headers, Freshness::Revalidate),
    }
}

/// Responds to `GET /api/public/v2/prompts?name=…&label=…&page=…&limit=…`: a row for each prompt.
pub(super) fn list(snapshot: &Snapshot, query: &Query, headers: &HeaderMap) -> Reply {
    let number = |name: &str, default: u64| query.get(name).map_or(Ok(default), str::parse::<u64>);
    let (Ok(page @ 1..), Ok(limit @ 1..=MAX_PAGE)) = (number("page", 1), number("limit", DEFAULT_PAGE))
    else {
        return invalid(&format!("page must be at least 1, and limit from 1 to {MAX_PAGE}"));
    };
    let rows: Vec<Value> = snapshot.prompts().filter_map(|prompt| row(prompt, query)).collect();
    let total = rows.len() as u64;
    let skipped = usize::try_from((page - 1).saturating_mul(limit)).unwrap_or(usize::MAX);
    let rows: Vec<Value> = rows.into_iter().skip(skipped).take(limit as usize).collect();
    let body = json!({
        "data": rows,
        "meta": {"page": page, "limit": limit, "totalItems": total, "totalPages": total.div_ceil(limit)},
    });
    Representation::new(&body).reply(headers, Freshness::Revalidate)
}

/// A prompt in the list; `None` if the filters exclude it. No prompt has a tag.
fn row(prompt: &Prompt, query: &Query) -> Option<Value> {
    let is_named = query.get("name").is_none_or(|name| prompt.name.to_string() == name);
    if !is_named || query.get("tag").is_some() {
        return None;
    }
    let has_label =
        |labels: &[String]| query.get("label").is_none_or(|label| labels.iter().any(|other| other == label));
    let mut numbers: Vec<_> =
        prompt.state.versions.iter().map(|(version, state)| (state.number, *version)).collect();
    numbers.sort_unstable();
    numbers.retain(|(_, version)| has_label(&prompt.labels(*version)));
    let newest = numbers.iter().rev().find_map(|(_, version)| prompt.verified(*version)?.ok())?;
    let mut labels: Vec<String> = numbers.iter().flat_map(|(_, version)| prompt.labels(*version)).collect();
    labels.sort_unstable();
    let moved: Option<Timestamp> = prompt.state.moves.last().map(|moved| moved.at);
    Some(json!({
        "name": prompt.name,
        "type": newest.record.content.kind,
        "versions": numbers.iter().map(|(number, _)| number).collect::<Vec<_>>(),
        "labels": labels,
        "tags": [],
        "lastUpdatedAt": newest.record.published_at.max(moved.unwrap_or(newest.record.published_at)),
        "lastConfig": config(&newest.record),
    }))
}

fn invalid(message: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, "InvalidRequestError", message)
}
