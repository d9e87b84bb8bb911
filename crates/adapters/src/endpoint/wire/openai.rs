//! Chat completions, as of OpenAI and compatible servers: the body of a request here, that of a response in `reply` and
//! `stream`.

mod embeddings;
mod messages;
mod reply;
mod stream;
mod usage;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

pub(super) use embeddings::{body as embeddings_body, parse as parse_embeddings};
pub(super) use reply::parse;
pub(super) use stream::parse as parse_stream;

use messages::Messages;
use promptgate_core::model::{ChatRequest, ResponseFormat};

/// Serializes the body of a request, which may ask for the response as a stream.
pub(super) fn body(request: &ChatRequest, stream: bool) -> Result<Vec<u8>, serde_json::Error> {
    let text: usize = request.messages.iter().map(|message| message.content.len()).sum();
    let mut bytes = Vec::with_capacity(text + text / 8 + 512);
    serde_json::to_writer(&mut bytes, &Body { request, stream })?;
    Ok(bytes)
}

/// A request in the form of the API. Its own fields take precedence over parameters of the same name.
struct Body<'a> {
    request: &'a ChatRequest,
    stream: bool,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { request, stream } = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", &request.model)?;
        map.serialize_entry("messages", &Messages(&request.messages))?;
        for (name, value) in &request.parameters {
            let is_own = match name.as_str() {
                "model" | "messages" => true,
                "response_format" => request.response_format.is_some(),
                "stream" | "stream_options" => stream,
                _ => false,
            };
            if !is_own {
                map.serialize_entry(name, value)?;
            }
        }
        if stream {
            map.serialize_entry("stream", &true)?;
            map.serialize_entry("stream_options", &json!({"include_usage": true}))?;
        }
        match &request.response_format {
            Some(ResponseFormat::JsonSchema { name, schema }) => {
                let json_schema = NamedSchema { name, strict: true, schema };
                map.serialize_entry("response_format", &Format { kind: "json_schema", json_schema })?;
            }
            Some(ResponseFormat::JsonObject) => {
                map.serialize_entry("response_format", &json!({"type": "json_object"}))?;
            }
            None => {}
        }
        map.end()
    }
}

/// `response_format` by reference: a schema is larger than most requests, and copying it costs more than serializing it.
#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    json_schema: NamedSchema<'a>,
}

#[derive(Serialize)]
struct NamedSchema<'a> {
    name: &'a str,
    strict: bool,
    schema: &'a Value,
}

#[cfg(test)]
mod tests;
