//! OpenFeature's remote evaluation protocol (OFREP): a prompt is a flag, whose value is the version of the unit.
//!
//! `POST /ofrep/v1/evaluate/flags/NAME` with `{"context": {"targetingKey": UNIT}}`. The providers for Python and
//! JavaScript do not encode the key, so NAME may hold slashes, as they are or as `%2F`. Without a name all prompts are
//! evaluated at once, as a provider does that keeps the values; their entity tag saves the body until one changes.
//!
//! Source: <https://github.com/open-feature/protocol>, service/openapi.yaml.

use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode};
use promptgate_release::Name;
use serde_json::{Map, Value, json};

use super::query;
use super::response::{Freshness, Reply, Representation, json as reply};
use super::snapshot::{Prompt, Snapshot};
use super::variant::{MAX_UNIT, assign};

/// The path of all flags.
pub(super) const FLAGS: &str = "/ofrep/v1/evaluate/flags";
/// The path of the capabilities.
pub(super) const CONFIGURATION: &str = "/ofrep/v1/configuration";

/// A failed evaluation.
struct Failed {
    status: StatusCode,
    code: &'static str,
    details: String,
}

impl Failed {
    fn new(status: StatusCode, code: &'static str, details: impl Into<String>) -> Self {
        Self { status, code, details: details.into() }
    }

    fn body(&self, key: Option<&str>) -> Value {
        let mut body = json!({"errorCode": self.code, "errorDetails": self.details});
        if let Some(key) = key {
            body["key"] = json!(key);
        }
        body
    }
}

/// Whether a path belongs to the evaluation of flags.
pub(super) fn is_evaluation(path: &str) -> bool {
    path.strip_prefix(FLAGS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Responds to an evaluation at `path`.
pub(super) fn evaluate(snapshot: &Snapshot, path: &str, body: &Bytes, headers: &HeaderMap) -> Reply {
    let Some(key) = path.strip_prefix(FLAGS).and_then(|rest| rest.strip_prefix('/')) else {
        return all(snapshot, body, headers);
    };
    let Some(key) = query::decode(key) else {
        let details = "invalid percent-encoding in the path: expected UTF-8 as %XX";
        let failed = Failed::new(StatusCode::BAD_REQUEST, "PARSE_ERROR", details);
        return reply(failed.status, &failed.body(Some(key)));
    };
    match unit(body).and_then(|unit| one(snapshot, &key, &unit)) {
        Ok(evaluation) => reply(StatusCode::OK, &evaluation),
        Err(failed) => reply(failed.status, &failed.body(Some(&key))),
    }
}

/// Evaluates all flags. A prompt without a version in production is left out.
fn all(snapshot: &Snapshot, body: &Bytes, headers: &HeaderMap) -> Reply {
    let unit = match unit(body) {
        Ok(unit) => unit,
        Err(failed) => return reply(failed.status, &failed.body(None)),
    };
    let evaluations = snapshot.names().filter_map(|name| {
        let key = name.to_string();
        match one(snapshot, &key, &unit) {
            Ok(evaluation) => Some(evaluation),
            Err(failed) if failed.status == StatusCode::NOT_FOUND => None,
            Err(failed) => Some(failed.body(Some(&key))),
        }
    });
    let flags: Vec<Value> = evaluations.collect();
    Representation::new(&json!({"flags": flags})).reply(headers, Freshness::Revalidate)
}

/// The unit of a request.
fn unit(body: &Bytes) -> Result<String, Failed> {
    let bad = |code, details: &str| Failed::new(StatusCode::BAD_REQUEST, code, details);
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| bad("PARSE_ERROR", &format!("the body is not JSON: {error}")))?;
    let key = match &body["context"] {
        Value::Null => return Err(bad("TARGETING_KEY_MISSING", "expected context.targetingKey: the unit")),
        Value::Object(context) => context.get("targetingKey").unwrap_or(&Value::Null),
        _ => return Err(bad("INVALID_CONTEXT", "expected an object as context")),
    };
    match key {
        Value::Null => Err(bad("TARGETING_KEY_MISSING", "expected context.targetingKey: the unit")),
        Value::String(unit) if unit.len() > MAX_UNIT => Err(bad(
            "INVALID_CONTEXT",
            &format!("targetingKey is too long: expected at most {MAX_UNIT} bytes"),
        )),
        Value::String(unit) => Ok(unit.clone()),
        _ => Err(bad("INVALID_CONTEXT", "expected a text as context.targetingKey")),
    }
}

/// Evaluates a flag.
fn one(snapshot: &Snapshot, key: &str, unit: &str) -> Result<Value, Failed> {
    let not_found = |details: String| Failed::new(StatusCode::NOT_FOUND, "FLAG_NOT_FOUND", details);
    let damaged = |subject: &str, reason: &str| {
        let details = format!("{subject} is not served: {reason}");
        Failed::new(StatusCode::INTERNAL_SERVER_ERROR, "GENERAL", details)
    };
    let prompt = key.parse::<Name>().ok().and_then(|name| snapshot.prompt(&name));
    let prompt: &Prompt = match prompt {
        Some(Ok(prompt)) => prompt,
        Some(Err(reason)) => return Err(damaged(key, reason)),
        None => return Err(not_found(format!("unknown prompt {key}"))),
    };
    let assigned = assign(&prompt.state, unit);
    let assigned = assigned.ok_or_else(|| not_found(format!("production serves no version of {key}")))?;
    // A version whose content was changed is never served, so nobody is sent to it.
    match prompt.verified(assigned.version) {
        Some(Ok(_)) => {}
        Some(Err(reason)) => return Err(damaged(&format!("{key}@{}", assigned.version), reason)),
        None => return Err(damaged(&format!("{key}@{}", assigned.version), "it was not published")),
    }
    Ok(json!({
        "key": key,
        "value": assigned.version,
        "variant": assigned.variant,
        "reason": if assigned.is_split { "SPLIT" } else { "STATIC" },
        "metadata": assigned.rollout.map_or_else(Map::new, |rollout| rollout.metadata()),
    }))
}

/// Responds to `GET /ofrep/v1/configuration`, which some providers read before the first evaluation. `refresh` is how
/// often the ledger is read, in milliseconds.
pub(super) fn configuration(refresh: u128, headers: &HeaderMap) -> Reply {
    let polling =
        json!({"enabled": true, "minPollingIntervalMs": u64::try_from(refresh).unwrap_or(u64::MAX)});
    let body = json!({
        "name": "promptgate",
        "capabilities": {
            "cacheInvalidation": {"polling": polling},
            "flagEvaluation": {"supportedTypes": ["string"]},
        },
    });
    Representation::new(&body).reply(headers, Freshness::Revalidate)
}
