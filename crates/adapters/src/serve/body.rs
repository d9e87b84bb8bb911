//! Reads the body of a request, within limits.

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes};
use hyper::{Request, StatusCode};

use super::Limits;

/// Most bytes of a body that is kept: an evaluation context is small, and a thousand connections with large bodies would
/// fill the memory.
const MAX_BYTES: usize = 64 << 10;

/// A body that was not read: the status, a code and a message.
pub(super) type Unread = (StatusCode, &'static str, String);

/// Reads a body to its end, so that the connection can be reused.
///
/// # Errors
/// A body that is incomplete, larger than [`Limits::body_size`] or 64 KB, or slower than [`Limits::body`].
pub(super) async fn read<B>(limits: &Limits, request: Request<B>) -> Result<Bytes, Unread>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let size = limits.body_size.min(MAX_BYTES);
    let body = Limited::new(request.into_body(), size).collect();
    match tokio::time::timeout(limits.body, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => {
            let message = format!("the body is incomplete or larger than {size} bytes");
            Err((StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message))
        }
        Err(_) => {
            let message = "the body did not arrive in time".to_owned();
            Err((StatusCode::REQUEST_TIMEOUT, "request_timeout", message))
        }
    }
}
