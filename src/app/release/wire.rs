//! Values of the lifecycle as they are written in JSON.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::resolve::Resolved;
use crate::app::Failure;
use promptgate_release::promotion::Obstacle;
use promptgate_release::{Actor, Content, Name, Version};
use promptgate_report::release as report;

/// A time in seconds: RFC 3339, UTC.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The name of a variant in JSON.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        // Only enums without data are passed.
        _ => String::new(),
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::Internal(format!("could not write JSON: {error}")))
}

/// A share in basis points as a percentage.
pub(super) fn percent(basis_points: u32) -> f64 {
    f64::from(basis_points) / 100.0
}

/// Obstacles with the next step of each.
pub(crate) fn obstacles(
    found: &[Obstacle],
    name: &Name,
    version: Option<Version>,
) -> Vec<report::promotion::Obstacle> {
    let one = |obstacle: &Obstacle| report::promotion::Obstacle {
        code: obstacle.code().to_owned(),
        message: obstacle.to_string(),
        help: Some(obstacle.help(name, version)),
    };
    found.iter().map(one).collect()
}

/// Who appended an event.
pub(super) fn actor(actor: &Actor) -> report::Actor {
    report::Actor { login: actor.login.clone(), source: word(&actor.source), run: actor.run.clone() }
}

/// A content, with placeholders.
pub(super) fn content(content: &Content) -> report::bundle::PromptContent {
    let messages = content.messages.iter().map(|message| report::Message {
        role: message.role.as_str().to_owned(),
        content: message.content.clone(),
    });
    report::bundle::PromptContent {
        kind: word(&content.kind),
        messages: messages.collect(),
        model: content.model.clone(),
        parameters: content.parameters.clone(),
        answer_schema: content.answer_schema.clone(),
    }
}

/// A resolved reference.
pub(super) fn resolved(resolved: &Resolved) -> report::ResolvedVersion {
    report::ResolvedVersion {
        reference: resolved.reference.to_string(),
        name: resolved.reference.name.to_string(),
        version: resolved.version.to_string(),
        digest: resolved.digest.to_string(),
    }
}
