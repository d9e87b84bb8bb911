//! The routes of the three protocols. Requests are read, and replies written, in the form of chat completions; the other
//! protocols translate.

use serde_json::Value;

use super::wire::{self, InvalidRequest};
use super::{anthropic, embeddings, gemini};
use promptgate_core::model::{ChatRequest, Protocol};

/// A route that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) protocol: Protocol,
    /// The model in the path of Gemini's API.
    model: String,
    /// Whether the path asks for a stream, as in Gemini's API.
    streams: bool,
    /// Whether it computes embeddings.
    embeds: bool,
}

/// A request and how its reply has to come.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: ChatRequest,
    pub(super) streams: bool,
    /// The tool whose arguments the reply has to be, as in Anthropic's API.
    pub(super) forced_tool: Option<String>,
}

impl Route {
    /// The route of chat completions.
    pub(super) fn openai() -> Self {
        Self { protocol: Protocol::OpenAi, model: String::new(), streams: false, embeds: false }
    }

    /// Returns the route of a path without a final slash.
    pub(super) fn of(path: &str) -> Option<Self> {
        let route = |protocol| Self { protocol, ..Self::openai() };
        if path.ends_with("/chat/completions") {
            return Some(route(Protocol::OpenAi));
        }
        if path.ends_with("/embeddings") {
            return Some(Self { embeds: true, ..Self::openai() });
        }
        if path.ends_with("/messages") {
            return Some(route(Protocol::Anthropic));
        }
        let (collection, call) = path.rsplit_once('/')?;
        let (model, method) = call.rsplit_once(':')?;
        let streams = match method {
            "generateContent" => false,
            "streamGenerateContent" => true,
            _ => return None,
        };
        collection.ends_with("models").then(|| Self {
            model: model.to_owned(),
            streams,
            ..route(Protocol::Gemini)
        })
    }

    /// Parses a request.
    pub(super) fn parse(&self, body: &[u8]) -> Result<Asked, InvalidRequest> {
        if self.embeds {
            let request = embeddings::request(body)?;
            return Ok(Asked { request, streams: false, forced_tool: None });
        }
        let (translated, forced_tool) = match self.protocol {
            Protocol::OpenAi => (None, None),
            Protocol::Anthropic => {
                let (translated, tool) = anthropic::request(body)?;
                (Some(translated), tool)
            }
            Protocol::Gemini => (Some(gemini::request(body, &self.model)?), None),
        };
        let translated = translated.map(|translated| translated.to_string().into_bytes());
        let (request, streams) = wire::parse_request(translated.as_deref().unwrap_or(body))?;
        Ok(Asked { request, streams: streams || self.streams, forced_tool })
    }

    /// Translates a reply.
    pub(super) fn reply(&self, reply: &Value, asked: &Asked) -> Value {
        match self.protocol {
            Protocol::OpenAi => reply.clone(),
            Protocol::Anthropic => anthropic::reply(reply, asked.forced_tool.as_deref()),
            Protocol::Gemini => gemini::reply(reply),
        }
    }

    /// Writes a reply as a stream of events.
    pub(super) fn events(&self, reply: &Value, asked: &Asked) -> String {
        match self.protocol {
            Protocol::OpenAi => wire::events(reply),
            Protocol::Anthropic => anthropic::events(&self.reply(reply, asked)),
            Protocol::Gemini => gemini::events(&self.reply(reply, asked)),
        }
    }

    /// Translates an error; `wait` is in seconds.
    pub(super) fn error(&self, status: u16, error: Value, wait: Option<f64>) -> Value {
        match self.protocol {
            Protocol::OpenAi => error,
            Protocol::Anthropic => anthropic::error(status, &error),
            Protocol::Gemini => gemini::error(status, &error, wait),
        }
    }
}

/// The first half of a text and the rest.
pub(super) fn halves(text: &str) -> (&str, &str) {
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(index, _)| index);
    text.split_at(middle)
}

/// Parses the body of a request as a map.
pub(super) fn map(body: &[u8]) -> Result<serde_json::Map<String, Value>, InvalidRequest> {
    serde_json::from_slice(body).map_err(|error| InvalidRequest {
        message: format!("the body is not a JSON object: {error}"),
        parameter: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_protocols() {
        let of = |path: &str| Route::of(path).map(|route| (route.protocol, route.model, route.streams));
        let plain = |protocol| Some((protocol, String::new(), false));
        assert_eq!(of("/v1/chat/completions"), plain(Protocol::OpenAi));
        assert_eq!(of("/v1/messages"), plain(Protocol::Anthropic));
        let gemini = |streams| Some((Protocol::Gemini, "m-1".to_owned(), streams));
        assert_eq!(of("/v1beta/models/m-1:generateContent"), gemini(false));
        assert_eq!(of("/v1/models/m-1:streamGenerateContent"), gemini(true));
        for path in
            ["/v1/models", "/v1/models/m-1", "/v1/models/m-1:countTokens", "/v1/files/x:generateContent", ""]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
