//! Anthropic's Messages API (<https://platform.claude.com/docs/en/api/messages>, checked against version 2.14.0 of its
//! Python SDK).

mod reply;
mod request;
mod stream;

use reqwest::Url;

pub(super) use reply::parse;
pub(super) use request::body;
pub(super) use stream::parse as parse_stream;

use super::names_version;
use crate::http::BaseUrl;

/// The header with the version of the API.
pub(super) const VERSION_HEADER: &str = "anthropic-version";
pub(super) const VERSION: &str = "2023-06-01";

/// The tool that a reply has to call where JSON is asked for without a schema, which the API cannot do otherwise.
const JSON_TOOL: &str = "json_reply";

/// Returns the URL of the messages. The base URL may lack the version, as `ANTHROPIC_BASE_URL` does.
pub(super) fn url(base: &BaseUrl) -> Url {
    if names_version(base) { base.join(["messages"]) } else { base.join(["v1", "messages"]) }
}

#[cfg(test)]
mod tests;
