//! Content generation by Google's Gemini (<https://ai.google.dev/api/generate-content>, checked against version 3.6.1 of
//! the Python SDK `google-genai`).

mod reply;
mod request;
mod stream;

use reqwest::Url;

pub(super) use reply::parse;
pub(super) use request::body;
pub(super) use stream::parse as parse_stream;

use super::names_version;
use crate::http::BaseUrl;

/// Returns the URL of a model. The base URL may lack the version, as `GOOGLE_GEMINI_BASE_URL` does.
pub(super) fn url(base: &BaseUrl, model: &str, stream: bool) -> Url {
    let method = if stream { "streamGenerateContent" } else { "generateContent" };
    let (collection, name) = model.split_once('/').unwrap_or(("models", model));
    let version = (!names_version(base)).then(|| "v1beta".to_owned());
    let call = [collection.to_owned(), format!("{name}:{method}")];
    let path: Vec<String> = version.into_iter().chain(call).collect();
    let mut url = base.join(path.iter().map(String::as_str));
    if stream {
        url.query_pairs_mut().append_pair("alt", "sse");
    }
    url
}

#[cfg(test)]
mod tests;
