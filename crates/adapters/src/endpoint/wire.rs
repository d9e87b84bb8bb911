//! Requests and replies in the protocol of an endpoint. Each protocol is one adapter: the URL of a call, the header of the
//! key, the body of a request, and the replies, complete or as a stream.

mod anthropic;
mod calls;
mod gemini;
mod images;
mod invalid;
mod openai;
mod sse;
mod tokens;
mod turns;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

pub(super) use invalid::InvalidReply;

use crate::http::{self, BaseUrl};
use promptgate_core::model::{ChatRequest, Completion, Protocol, Purpose};
use promptgate_core::text::Secret;

/// A completion that came as a stream.
pub(super) struct Streamed {
    pub(super) completion: Completion,
    /// The number of bytes up to the end of its first token; `None` where it has none.
    pub(super) first_token: Option<usize>,
}

/// The end of the URL of a call, which users may have copied into the base URL.
pub(super) fn call_path(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::OpenAi => "/chat/completions",
        Protocol::Anthropic => "/messages",
        Protocol::Gemini => ":generateContent",
    }
}

/// The end of the URL of a call for embeddings.
pub(super) const EMBEDDINGS_PATH: &str = "/embeddings";

/// Returns the URL of the call for a request. Embeddings have the one of OpenAI in every protocol: no other is configured
/// for them.
pub(super) fn url_of(protocol: Protocol, base: &BaseUrl, request: &ChatRequest, stream: bool) -> Url {
    match request.purpose {
        Purpose::Embedding => base.join(["embeddings"]),
        Purpose::Completion | Purpose::Judgement => url(protocol, base, &request.model, stream),
    }
}

/// Returns the URL of a call for a completion.
pub(super) fn url(protocol: Protocol, base: &BaseUrl, model: &str, stream: bool) -> Url {
    match protocol {
        Protocol::OpenAi => base.join(["chat", "completions"]),
        Protocol::Anthropic => anthropic::url(base),
        Protocol::Gemini => gemini::url(base, model, stream),
    }
}

/// Whether the path of a base URL names a version of the API, like `v1` or `v1beta`.
fn names_version(base: &BaseUrl) -> bool {
    let is_version = |segment: &str| {
        segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    base.url().path_segments().into_iter().flatten().any(is_version)
}

/// Returns the headers that every call of a protocol has.
pub(super) fn headers(protocol: Protocol) -> HeaderMap {
    let version =
        (protocol == Protocol::Anthropic).then_some((anthropic::VERSION_HEADER, anthropic::VERSION));
    version
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

/// Returns the header of a key; `None` where the key has characters that a header cannot carry.
pub(super) fn key_header(protocol: Protocol, key: &Secret) -> Option<(HeaderName, HeaderValue)> {
    Some(match protocol {
        Protocol::OpenAi => (AUTHORIZATION, http::bearer(key)?),
        Protocol::Anthropic => (HeaderName::from_static("x-api-key"), http::secret_value(key.expose())?),
        Protocol::Gemini => (HeaderName::from_static("x-goog-api-key"), http::secret_value(key.expose())?),
    })
}

/// Serializes the body of a request, which may ask for the response as a stream.
pub(super) fn body(
    protocol: Protocol,
    request: &ChatRequest,
    stream: bool,
) -> Result<Vec<u8>, serde_json::Error> {
    if request.purpose == Purpose::Embedding {
        return openai::embeddings_body(request);
    }
    match protocol {
        Protocol::OpenAi => openai::body(request, stream),
        Protocol::Anthropic => serde_json::to_vec(&anthropic::body(request, stream)),
        Protocol::Gemini => serde_json::to_vec(&gemini::body(request)),
    }
}

/// Parses the body of a 2xx response with a completion; the latency is left at zero.
pub(super) fn parse(protocol: Protocol, body: &[u8]) -> Result<Completion, InvalidReply> {
    match protocol {
        Protocol::OpenAi => openai::parse(body),
        Protocol::Anthropic => anthropic::parse(body),
        Protocol::Gemini => gemini::parse(body),
    }
}

/// Parses the body of a 2xx response to a request; the latency is left at zero.
pub(super) fn parse_reply(
    protocol: Protocol,
    request: &ChatRequest,
    body: &[u8],
) -> Result<Completion, InvalidReply> {
    match request.purpose {
        Purpose::Embedding => openai::parse_embeddings(body, request.messages.len()),
        Purpose::Completion | Purpose::Judgement => parse(protocol, body),
    }
}

/// Puts the events of a complete stream together; the latency is left at zero.
pub(super) fn parse_stream(protocol: Protocol, body: &[u8]) -> Result<Streamed, InvalidReply> {
    match protocol {
        Protocol::OpenAi => openai::parse_stream(body),
        Protocol::Anthropic => anthropic::parse_stream(body),
        Protocol::Gemini => gemini::parse_stream(body),
    }
}
