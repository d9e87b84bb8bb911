//! Responses that come as a stream: events that name their type, with the blocks of the content in pieces.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::Streamed;
use super::super::invalid::{InvalidReply, read_event};
use super::super::sse::events;
use super::reply::{Body, completion};

/// Puts the events of a complete stream together.
pub(in crate::endpoint::wire) fn parse(body: &[u8]) -> Result<Streamed, InvalidReply> {
    let mut message = PartialMessage::default();
    let mut first_token = None;
    for event in events(body) {
        let is_token = message.add(&read_event(&event.data)?)?;
        if first_token.is_none() && is_token {
            first_token = Some(event.end);
        }
    }
    Ok(Streamed { completion: completion(message.finish()?)?, first_token })
}

/// A message as far as it has arrived.
#[derive(Default)]
struct PartialMessage {
    has_started: bool,
    is_done: bool,
    blocks: BTreeMap<u64, Map<String, Value>>,
    body: Body,
}

impl PartialMessage {
    /// Adds an event, and returns whether it brings a token of the answer.
    fn add(&mut self, event: &Value) -> Result<bool, InvalidReply> {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        let index = event.get("index").and_then(Value::as_u64).unwrap_or_default();
        match (kind, event.get("message"), event.get("content_block"), event.get("delta")) {
            ("error", ..) => return Err(InvalidReply::error(event)),
            ("message_start", Some(message), ..) => {
                self.has_started = true;
                self.body.model = message.get("model").cloned();
                self.body.usage = message.get("usage").cloned();
            }
            ("content_block_start", _, Some(Value::Object(block)), _) => {
                let mut block = block.clone();
                // The arguments follow as text.
                if let Some(input) =
                    block.get_mut("input").filter(|input| **input == Value::Object(Map::new()))
                {
                    *input = Value::from("");
                }
                self.blocks.insert(index, block);
            }
            ("content_block_delta", _, _, Some(delta)) => return Ok(self.add_delta(index, delta)),
            ("message_delta", _, _, Some(delta)) => self.end(delta, event.get("usage")),
            ("message_stop", ..) => self.is_done = true,
            // `ping`, the end of a block, and events of later versions.
            _ => {}
        }
        Ok(false)
    }

    fn add_delta(&mut self, index: u64, delta: &Value) -> bool {
        let block = self.blocks.entry(index).or_default();
        let kind = delta.get("type").and_then(Value::as_str);
        let (field, piece) = match kind {
            Some("text_delta") => ("text", delta.get("text")),
            Some("thinking_delta") => ("thinking", delta.get("thinking")),
            Some("input_json_delta") => ("input", delta.get("partial_json")),
            // Signatures and citations.
            _ => return false,
        };
        let piece = piece.and_then(Value::as_str).unwrap_or_default();
        match block.entry(field).or_insert_with(|| Value::from("")) {
            Value::String(text) => text.push_str(piece),
            other => *other = Value::from(piece),
        }
        !piece.is_empty()
    }

    /// Takes the end of the message; counts of its usage replace those of the start.
    fn end(&mut self, delta: &Value, usage: Option<&Value>) {
        if let Some(reason) = delta.get("stop_reason").and_then(Value::as_str) {
            self.body.stop_reason = Some(reason.to_owned());
        }
        self.body.stop_details = delta.get("stop_details").cloned();
        let counts =
            usage.and_then(Value::as_object).into_iter().flatten().filter(|(_, count)| !count.is_null());
        let known = self.body.usage.get_or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(known) = known {
            known.extend(counts.map(|(name, count)| (name.clone(), count.clone())));
        }
    }

    fn finish(self) -> Result<Body, InvalidReply> {
        if !self.has_started {
            return Err(InvalidReply::truncated("the stream is empty"));
        }
        if !self.is_done && self.body.stop_reason.is_none() {
            return Err(InvalidReply::truncated("the stream is cut off: it has no end"));
        }
        Ok(Body { content: Some(self.blocks.into_values().map(Value::Object).collect()), ..self.body })
    }
}
