//! `embeddings`: the model of embeddings, for the check `similar`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use promptgate_core::model::{Diagnostic, Protocol};

use super::endpoint::{EndpointSettings, WrittenEndpoint};
use super::load::{Placed, Reader};

/// The model of embeddings, behind an endpoint with OpenAI's protocol.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Embeddings", extend("required" = ["model"]))]
pub(super) struct WrittenEmbeddings {
    /// Model that computes embeddings.
    #[schemars(length(min = 1))]
    model: String,
    /// Its endpoint; the candidate's by default.
    endpoint: Option<WrittenEndpoint>,
    /// Parameters of every request, sent unchanged: dimensions, …
    parameters: Map<String, Value>,
}

/// The model of embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingsSettings {
    /// Its name.
    pub model: Placed<String>,
    /// Its endpoint; `None` is the candidate's.
    pub endpoint: Option<EndpointSettings>,
    /// Parameters of every request.
    pub parameters: Map<String, Value>,
}

impl WrittenEmbeddings {
    /// Resolves the model; `candidate` is the endpoint without one of its own.
    pub(super) fn resolve(self, reader: &mut Reader<'_>, candidate: &EndpointSettings) -> EmbeddingsSettings {
        let endpoint = self.endpoint.map(|own| own.resolve(reader, "/embeddings/endpoint"));
        let protocol = endpoint.as_ref().unwrap_or(candidate).protocol;
        let refusal = match protocol {
            Protocol::OpenAi => None,
            Protocol::Anthropic => Some((
                "Anthropic has no API for embeddings",
                "give `embeddings:` an `endpoint:` of its own, of OpenAI or a compatible server",
            )),
            Protocol::Gemini => Some((
                "embeddings are not called by the protocol of Gemini",
                "give `embeddings:` the compatible endpoint of Google: `endpoint: {base_url: \
                 \"https://generativelanguage.googleapis.com/v1beta/openai\", api_key_env: GEMINI_API_KEY}`",
            )),
        };
        if let Some((message, help)) = refusal {
            let at = if endpoint.is_some() { "/embeddings/endpoint" } else { "/embeddings" };
            reader.push(Diagnostic::new(message).at(reader.document.key_place(at)).help(help));
        }
        EmbeddingsSettings {
            model: reader.placed("/embeddings/model", self.model),
            endpoint,
            parameters: self.parameters,
        }
    }
}
