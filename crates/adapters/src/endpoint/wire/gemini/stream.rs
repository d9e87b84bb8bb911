//! Responses that come as a stream: each event is a response with the next parts.

use serde_json::Value;

use super::super::Streamed;
use super::super::invalid::{InvalidReply, read_event};
use super::super::sse::events;
use super::reply::{Body, Candidate, Content, completion};

/// Puts the events of a complete stream together.
pub(in crate::endpoint::wire) fn parse(body: &[u8]) -> Result<Streamed, InvalidReply> {
    let mut whole = Body::default();
    let (mut first_token, mut has_event) = (None, false);
    for event in events(body) {
        has_event = true;
        let chunk: Body = serde_json::from_value(read_event(&event.data)?).map_err(|error| {
            InvalidReply::Malformed(format!(
                "an event of the stream is not a response of Gemini's API: {error}"
            ))
        })?;
        let is_token = add(&mut whole, chunk)?;
        if first_token.is_none() && is_token {
            first_token = Some(event.end);
        }
    }
    let candidate = whole.candidates.iter().flatten().next();
    if !has_event {
        return Err(InvalidReply::truncated("the stream is empty"));
    }
    if candidate.is_some_and(|candidate| candidate.finish_reason.is_none()) {
        return Err(InvalidReply::truncated("the stream is cut off: it has no end"));
    }
    Ok(Streamed { completion: completion(whole)?, first_token })
}

/// Adds a chunk, and returns whether it brings a token of the answer.
fn add(whole: &mut Body, chunk: Body) -> Result<bool, InvalidReply> {
    if let Some(error) = &chunk.error {
        return Err(InvalidReply::error(error));
    }
    for (known, new) in [
        (&mut whole.prompt_feedback, chunk.prompt_feedback),
        (&mut whole.usage_metadata, chunk.usage_metadata),
        (&mut whole.model_version, chunk.model_version),
    ] {
        if new.is_some() {
            *known = new;
        }
    }
    let Some(new) = chunk.candidates.into_iter().flatten().next() else { return Ok(false) };
    let parts = new.content.unwrap_or_default().parts;
    let is_token = parts.iter().any(has_token);
    let candidates = whole.candidates.get_or_insert_default();
    if candidates.is_empty() {
        candidates.push(Candidate::default());
    }
    if let Some(candidate) = candidates.first_mut() {
        candidate.content.get_or_insert_with(Content::default).parts.extend(parts);
        candidate.finish_reason = new.finish_reason.or(candidate.finish_reason.take());
    }
    Ok(is_token)
}

fn has_token(part: &Value) -> bool {
    let text = part.get("text").and_then(Value::as_str).unwrap_or_default();
    !text.is_empty() || part.get("functionCall").is_some()
}
