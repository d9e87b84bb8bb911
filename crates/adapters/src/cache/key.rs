//! The key of an entry: the digest of what was asked, where. Neither side nor credential is in it, so an answer to
//! the same request is found whoever asks.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use promptgate_core::model::{ChatRequest, Message};

/// SHA-256.
pub(super) type Key = [u8; 32];

/// What is asked of a model.
#[derive(Serialize)]
struct Asked<'a> {
    model: &'a str,
    messages: &'a [Message],
    parameters: Vec<(&'a str, Ordered<'a>)>,
    repeat: u32,
}

/// A value whose objects are written in the order of their keys.
struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => serializer.collect_map(in_order(fields)),
            Value::Array(values) => serializer.collect_seq(values.iter().map(Ordered)),
            other => other.serialize(serializer),
        }
    }
}

fn in_order(fields: &Map<String, Value>) -> Vec<(&str, Ordered<'_>)> {
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), Ordered(value))).collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

/// The key of a request to the endpoint `scope`.
pub(super) fn of_request(scope: &str, request: &ChatRequest) -> Key {
    let mut digest = Digesting::new(scope);
    let asked = Asked {
        model: &request.model,
        messages: &request.messages,
        parameters: in_order(&request.parameters),
        repeat: request.repeat,
    };
    // Plain data into memory: this cannot fail, and a digest of half of it would only be a key that nobody has.
    let _ = serde_json::to_writer(&mut digest, &asked);
    digest.0.finalize().into()
}

/// The key of something else that was asked of the endpoint `scope`.
pub(super) fn of_text(scope: &str, identity: &str) -> Key {
    let mut digest = Digesting::new(scope);
    digest.0.update(identity.as_bytes());
    digest.0.finalize().into()
}

struct Digesting(Sha256);

impl Digesting {
    fn new(scope: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(scope.as_bytes());
        digest.update([0]);
        Self(digest)
    }
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The name of an endpoint in keys: its base URL without user, password and the last slash, since neither changes
/// what answers, and its further headers, which may; of one that holds a secret, the name alone.
pub fn scope(base_url: &str, headers: &[(&str, Option<&str>)]) -> String {
    let mut scope = of_url(base_url);
    let mut headers: Vec<(String, Option<&str>)> =
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), *value)).collect();
    headers.sort();
    if !headers.is_empty() {
        let digest = Sha256::digest(serde_json::to_string(&headers).unwrap_or_default().as_bytes());
        scope.push_str(" with headers ");
        scope.extend(digest.iter().take(8).map(|byte| format!("{byte:02x}")));
    }
    scope
}

fn of_url(base_url: &str) -> String {
    let url = match base_url.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{}://{}{path}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
        }
        None => base_url.to_owned(),
    };
    url.trim_end_matches('/').to_owned()
}
