//! The key of an entry: the digest of endpoint and request. Neither the role of the variant nor credentials are part of
//! it, so equal requests share one entry.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use promptgate_core::model::{ChatRequest, Message, Purpose};

/// A SHA-256 digest.
pub(super) type Key = [u8; 32];

/// The parts of a request that determine its response.
#[derive(Serialize)]
struct RequestIdentity<'a> {
    model: &'a str,
    messages: &'a [Message],
    /// In the order of their names.
    parameters: Vec<(&'a String, &'a Value)>,
    repeat: u32,
    /// The input of an application; absent for a model, whose keys do not change.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a Value>,
    /// Set for embeddings, which an endpoint computes of the same texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'static str>,
}

/// Returns the key of a request to the endpoint `scope`.
pub(super) fn of_request(scope: &str, request: &ChatRequest) -> Key {
    let mut parameters = request.parameters.clone();
    parameters.sort_keys();
    parameters.values_mut().for_each(Value::sort_all_objects);
    let identity = RequestIdentity {
        model: &request.model,
        messages: &request.messages,
        parameters: parameters.iter().collect(),
        repeat: request.repeat,
        input: request.input.as_deref(),
        purpose: (request.purpose == Purpose::Embedding).then_some("embedding"),
    };
    // Plain data cannot fail to serialize; the key of nothing would only be an unused one.
    digest(scope, &serde_json::to_vec(&identity).unwrap_or_default())
}

/// Returns the key of a judgement by the endpoint `scope`.
pub(super) fn of_text(scope: &str, identity: &str) -> Key {
    digest(scope, identity.as_bytes())
}

fn digest(scope: &str, content: &[u8]) -> Key {
    Sha256::new().chain_update(scope).chain_update([0]).chain_update(content).finalize().into()
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
