//! Responses: JSON, errors, and bodies with an entity tag.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A response with a complete body.
pub(super) type Reply = Response<Full<Bytes>>;

/// The content type of every body.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A label may move at any time: revalidate on each use.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// A version never changes.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=86400, immutable");
/// The state of this moment.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// How long a response may be reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// After asking again.
    Revalidate,
    /// For a day.
    Immutable,
}

/// A body with its entity tag.
#[derive(Debug, Clone)]
pub(super) struct Representation {
    body: Bytes,
    tag: HeaderValue,
}

impl Representation {
    /// The JSON of a value. The tag is the digest of these bytes, so that all servers of a ledger have the same.
    pub(super) fn new(value: &Value) -> Self {
        let body = Bytes::from(value.to_string());
        let digest = Sha256::digest(&body);
        let mut tag = String::with_capacity(34);
        tag.push('"');
        for byte in digest.iter().take(16) {
            use std::fmt::Write as _;
            let _ = write!(tag, "{byte:02x}"); // writing to a String cannot fail
        }
        tag.push('"');
        // Quotes and hexadecimal digits are a valid header value.
        let tag = HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""));
        Self { body, tag }
    }

    /// 200, or 304 if the client has these bytes.
    pub(super) fn reply(&self, request: &HeaderMap, freshness: Freshness) -> Reply {
        let is_known = request.get_all(IF_NONE_MATCH).iter().any(|value| self.is_in(value));
        let body = if is_known { Bytes::new() } else { self.body.clone() };
        let mut reply = Response::new(Full::new(body));
        let headers = reply.headers_mut();
        headers.insert(ETAG, self.tag.clone());
        headers.insert(
            CACHE_CONTROL,
            match freshness {
                Freshness::Revalidate => REVALIDATE,
                Freshness::Immutable => IMMUTABLE,
            },
        );
        if is_known {
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            headers.insert(CONTENT_TYPE, JSON);
        }
        reply
    }

    /// Whether a value of `If-None-Match` lists this tag; a proxy that compresses makes it a weak one.
    fn is_in(&self, value: &HeaderValue) -> bool {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.tag.as_bytes())
    }
}

/// A response with a JSON body that is not cached.
pub(super) fn json(status: StatusCode, value: &Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(value.to_string())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, JSON);
    reply.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    reply
}

/// An error as Langfuse writes it, which its SDKs read; own routes use the same form.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Reply {
    json(status, &json!({"message": message, "error": code}))
}

/// 405 with the methods that are allowed.
pub(super) fn not_allowed(allowed: &'static str, message: &str) -> Reply {
    let reply = error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
    with(reply, ALLOW, HeaderValue::from_static(allowed))
}

/// A response with one more header.
pub(super) fn with(mut reply: Reply, name: HeaderName, value: HeaderValue) -> Reply {
    reply.headers_mut().insert(name, value);
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tag_follows_the_bytes() {
        let representation = Representation::new(&json!({"a": 1}));
        assert_eq!(representation.tag, Representation::new(&json!({"a": 1})).tag);
        assert_ne!(representation.tag, Representation::new(&json!({"a": 2})).tag);
        assert_eq!(representation.tag.len(), 34);
    }

    #[test]
    fn if_none_match_is_compared_weakly() {
        let representation = Representation::new(&json!({"a": 1}));
        let tag = representation.tag.to_str().expect("text").to_owned();
        let status = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, value.parse().expect("a header value"));
            representation.reply(&headers, Freshness::Revalidate).status().as_u16()
        };
        for known in [tag.clone(), format!("\"x\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
            assert_eq!(status(&known), 304, "{known}");
        }
        for unknown in ["\"x\"", "", tag.trim_matches('"')] {
            assert_eq!(status(unknown), 200, "{unknown}");
        }
    }
}
