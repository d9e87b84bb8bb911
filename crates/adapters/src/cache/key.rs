//! The key of an entry: the digest of endpoint and request. Neither the role of the variant nor credentials are part of
//! it, so equal requests share one entry.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use promptgate_core::model::{ChatRequest, Message};

/// A SHA-256 digest.
pub(super) type Key = [u8; 32];

/// The parts of a request that determine its response.
#[derive(Serialize)]
struct RequestIdentity<'a> {
    model: &'a str,
    messages: &'a [Message],
    parameters: Vec<(&'a str, Sorted<'a>)>,
    repeat: u32,
}

/// A value whose objects are serialized with sorted keys.
struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => serializer.collect_map(sorted(fields)),
            Value::Array(values) => serializer.collect_seq(values.iter().map(Sorted)),
            other => other.serialize(serializer),
        }
    }
}

fn sorted(fields: &Map<String, Value>) -> Vec<(&str, Sorted<'_>)> {
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), Sorted(value))).collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

/// Returns the key of a request to the endpoint `scope`.
pub(super) fn of_request(scope: &str, request: &ChatRequest) -> Key {
    let mut digest = Hasher::new(scope);
    let identity = RequestIdentity {
        model: &request.model,
        messages: &request.messages,
        parameters: sorted(&request.parameters),
        repeat: request.repeat,
    };
    // Plain data into memory cannot fail; the digest of a part would only be an unused key.
    let _ = serde_json::to_writer(&mut digest, &identity);
    digest.0.finalize().into()
}

/// Returns the key of a judgement by the endpoint `scope`.
pub(super) fn of_text(scope: &str, identity: &str) -> Key {
    let mut digest = Hasher::new(scope);
    digest.0.update(identity.as_bytes());
    digest.0.finalize().into()
}

struct Hasher(Sha256);

impl Hasher {
    fn new(scope: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(scope.as_bytes());
        digest.update([0]);
        Self(digest)
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the name of an endpoint in keys: the base URL without credentials and final slash, which do not change the
/// response, and a digest of the extra headers, which may. A header with a secret value counts by its name alone.
pub fn scope(base_url: &str, headers: &[(&str, Option<&str>)]) -> String {
    let mut scope = normalize_url(base_url);
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

fn normalize_url(base_url: &str) -> String {
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
