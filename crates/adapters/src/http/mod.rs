//! The HTTP client of every API: chat endpoints, GitHub, registries, receivers of telemetry.
//!
//! A [`Client`] belongs to one origin. Its default headers carry the credentials, and no request, redirect or link
//! takes them to another origin. A response is read as a whole, up to a size limit; a failed exchange is an [`Error`]
//! that names the place, the reason and the next step. Server text in messages is redacted, on one line and short.
//!
//! The client does not wait, retry or count. The one exception is a request that met a connection which the server had
//! closed while it was idle: it was never processed, and is sent again on a new connection.

mod address;
mod body;
mod client;
mod error;
mod message;
mod proxy;
mod retry_after;
mod server_error;
#[cfg(test)]
pub(crate) mod test_server;
#[cfg(test)]
mod tests;
mod tls;

pub use address::BaseUrl;
pub(crate) use address::{is_loopback, is_private};
pub use client::{Client, ClientOptions, Request, Response};
pub use error::{Error, ErrorKind, SettingNames};
pub(crate) use message::MAX_SERVER_TEXT;
pub use message::server_text;
pub use retry_after::{Resets, retry_after};
pub use server_error::ServerError;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::Secret;

/// Headers of the transport, which users cannot set.
const TRANSPORT_HEADERS: [&str; 9] = [
    "host",
    "content-type",
    "content-encoding",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "expect",
    "upgrade",
];

/// Adds headers that a user sets with values that may be secret. `setting` is the place of diagnostics.
///
/// # Errors
/// A name or a value that a header cannot have.
pub(crate) fn add_headers<'a>(
    headers: &mut HeaderMap,
    configured: impl IntoIterator<Item = (&'a String, &'a Secret)>,
    setting: &str,
) -> Result<(), Diagnostic> {
    for (name, secret) in configured {
        let invalid = |message: String| Diagnostic::new(message).at(Place::file(setting));
        let header = header_name(name).map_err(invalid)?;
        let value = secret_value(secret.expose()).ok_or_else(|| {
            invalid(format!("the value of `{name}` has characters that a header cannot carry"))
                .help("look for a line break in the environment variable it is read from")
        })?;
        headers.insert(header, value);
    }
    Ok(())
}

/// Parses the name of a header that a user sets.
///
/// # Errors
/// A message that names an invalid name or a header of the transport.
pub(crate) fn header_name(name: &str) -> Result<HeaderName, String> {
    let header = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("`{}` is not a valid header name", name.escape_debug()))?;
    match TRANSPORT_HEADERS.contains(&header.as_str()) {
        true => Err(format!("`{name}` is set by promptgate, remove it")),
        false => Ok(header),
    }
}

/// Returns the value of an `Authorization: Bearer` header; `None` where the key has characters that a header cannot
/// carry.
pub fn bearer(key: &Secret) -> Option<HeaderValue> {
    secret_value(&format!("Bearer {}", key.expose()))
}

/// Returns a header value that is never printed; `None` where it has characters that a header cannot carry.
pub fn secret_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
