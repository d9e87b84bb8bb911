//! Seeded noise: a function of the seed, the logical request and its occurrence number.
//!
//! The stream is ChaCha8 keyed by SHA-256, the same on every platform. The digest omits the random boundary that a
//! judge puts around its data, so that equal judgements draw equal noise.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use promptgate_core::model::{ChatRequest, Purpose, ResponseFormat};

/// Digest of a logical request: model, messages without random boundaries, parameters, response format.
pub(crate) type RequestDigest = [u8; 32];

/// The digest of a request without `repeat`, and without a `purpose` that does not show in the request itself.
pub(crate) fn digest(request: &ChatRequest) -> RequestDigest {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(request.model.as_bytes());
    if request.purpose == Purpose::Embedding {
        add(b"embedding");
    }
    for message in &request.messages {
        add(format!("{:?}", message.role).as_bytes());
        add(without_boundary(&message.content).as_bytes());
        message.images.iter().for_each(|image| add(image.url.as_bytes()));
        message.tool_calls.iter().for_each(|call| add(call.to_string().as_bytes()));
        message.tool_call_id.iter().for_each(|id| add(id.as_bytes()));
    }
    // Temperature 0 alone, the default of judges, is the same as none to the simulated model.
    let is_default =
        request.parameters.len() == 1 && request.parameters.get("temperature") == Some(&0.into());
    let parameters =
        if is_default { "{}".to_owned() } else { Value::from(request.parameters.clone()).to_string() };
    add(parameters.as_bytes());
    match &request.response_format {
        None => add(b"text"),
        Some(ResponseFormat::JsonObject) => add(b"json_object"),
        Some(ResponseFormat::JsonSchema { name, schema }) => {
            add(name.as_bytes());
            add(schema.to_string().as_bytes());
        }
    }
    hash.finalize().into()
}

/// The text between two `=== … ===` lines, or the whole text.
fn without_boundary(text: &str) -> &str {
    let is_fence = |line: &str| line.starts_with("=== ") && line.ends_with(" ===");
    match (text.split_once('\n'), text.rsplit_once('\n')) {
        (Some((first, _)), Some((_, last)))
            if is_fence(first) && is_fence(last) && first.len() + last.len() + 2 <= text.len() =>
        {
            &text[first.len() + 1..text.len() - last.len() - 1]
        }
        _ => text,
    }
}

/// The random draws for one answer.
#[derive(Debug)]
pub(super) struct Noise {
    strength: f64,
    stream: ChaCha8Rng,
}

impl Noise {
    /// Noise for a purpose; the strength is clamped to 0..=1, and NaN counts as 0.
    pub(super) fn new(
        purpose: &str,
        seed: u64,
        strength: f64,
        digest: &RequestDigest,
        occurrence: u32,
    ) -> Self {
        let key = Sha256::new()
            .chain_update(purpose)
            .chain_update(seed.to_le_bytes())
            .chain_update(digest)
            .chain_update(occurrence.to_le_bytes())
            .finalize();
        let strength = if strength.is_finite() { strength.clamp(0.0, 1.0) } else { 0.0 };
        Self { strength, stream: ChaCha8Rng::from_seed(key.into()) }
    }

    /// Whether to invert the next decision. The probability is half of the strength, so 1 is a coin toss.
    pub(super) fn flips(&mut self) -> bool {
        self.strength > 0.0 && self.stream.random_bool(self.strength / 2.0)
    }

    /// A number in 0..1, independent of the strength.
    pub(super) fn fraction(&mut self) -> f64 {
        self.stream.random::<f64>()
    }
}
