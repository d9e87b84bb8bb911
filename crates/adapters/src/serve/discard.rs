//! Accepts and discards the traces and scores that Langfuse's SDKs send to the host that they read prompts from.
//!
//! The real SDKs need it, although the application works without. After 404, Python 3.15 and 5.0 log an error for each
//! batch of spans, JavaScript 3.39 tries four times and delays the end of the process by 9 seconds, and the exporter of
//! 5.11 rejects at its end; after 503 all of them retry. JavaScript 3.39 posts spans, and both 3.x post scores, to
//! `/api/public/ingestion`, and read a list of errors from a 207. Python 5.0 posts a list of scores to
//! `/api/public/scores`, and expects 202.

use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::response::{Reply, error, json};
use super::{Limits, Notice, PromptServer};

/// The warning in a response to traces.
const MESSAGE: &str = "promptgate serve does not store traces; send them to an OpenTelemetry collector";

/// Bytes of a body that are kept, to answer a score with its identifier. The rest is dropped as it arrives: a thousand
/// connections with large bodies would otherwise fill the memory.
const KEPT: usize = 64 << 10;

/// Numbers of discarded requests.
#[derive(Debug, Default)]
pub(super) struct Discarded {
    traces: AtomicU64,
    ingestion: AtomicU64,
    scores: AtomicU64,
}

impl Discarded {
    /// The numbers, as `/healthz` shows them.
    pub(super) fn counts(&self) -> Value {
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        json!({
            "traces": count(&self.traces),
            "ingestion": count(&self.ingestion),
            "scores": count(&self.scores),
        })
    }
}

/// Data that is posted, by route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Posted {
    /// Spans in OTLP.
    Traces,
    /// A batch of events of any type.
    Ingestion,
    /// Scores.
    Scores,
}

impl Posted {
    /// The data that a path takes.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/api/public/otel/v1/traces" => Some(Self::Traces),
            "/api/public/ingestion" => Some(Self::Ingestion),
            "/api/public/scores" => Some(Self::Scores),
            _ => None,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Traces => "/api/public/otel/v1/traces",
            Self::Ingestion => "/api/public/ingestion",
            Self::Scores => "/api/public/scores",
        }
    }
}

/// Reads the body, counts it and responds as the SDKs expect.
pub(super) async fn respond<B>(server: &PromptServer, posted: Posted, request: Request<B>) -> Reply
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Limits { body: time, body_size, .. } = server.limits;
    let is_json = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    // The body is always read, so that the connection can be reused.
    let body = Limited::new(request.into_body(), body_size);
    let body = match tokio::time::timeout(time, Received::read(body)).await {
        Ok(Some(body)) => body,
        Ok(None) => {
            let message = format!("the body is incomplete or larger than {body_size} bytes");
            return error(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", &message);
        }
        Err(_) => {
            return error(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the body did not arrive in time");
        }
    };
    let counter = match posted {
        Posted::Traces => &server.discarded.traces,
        Posted::Ingestion => &server.discarded.ingestion,
        Posted::Scores => &server.discarded.scores,
    };
    if counter.fetch_add(1, Ordering::Relaxed) == 0 {
        (server.on_notice)(Notice::Discarded(posted.path()));
    }
    match posted {
        Posted::Traces if is_json => {
            json(StatusCode::OK, &json!({"partialSuccess": {"rejectedSpans": 0, "errorMessage": MESSAGE}}))
        }
        Posted::Traces => protobuf(),
        Posted::Ingestion => json(StatusCode::MULTI_STATUS, &json!({"successes": [], "errors": []})),
        // A list is accepted as a batch; one score has an identifier, its own if it brings one.
        Posted::Scores => match body.scores() {
            Some(Scores::List) => json(StatusCode::ACCEPTED, &json!({"message": "Accepted"})),
            Some(Scores::One(id)) => {
                json(StatusCode::OK, &json!({"id": id.as_deref().unwrap_or("discarded")}))
            }
            None => {
                error(StatusCode::BAD_REQUEST, "InvalidRequestError", "expected a score or a list of scores")
            }
        },
    }
}

/// The start of a body that was read to its end.
struct Received {
    start: Vec<u8>,
    is_whole: bool,
}

/// Posted scores.
enum Scores {
    List,
    /// One, with the identifier that it brings.
    One(Option<String>),
}

impl Received {
    /// Reads a body to its end; `None` if it is incomplete or too large.
    async fn read<B: Body<Data = Bytes>>(body: B) -> Option<Self> {
        let mut body = std::pin::pin!(body);
        let mut received = Self { start: Vec::new(), is_whole: true };
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.ok()?.into_data() else { continue };
            let kept = data.len().min(KEPT - received.start.len());
            received.start.extend_from_slice(&data[..kept]);
            received.is_whole &= kept == data.len();
        }
        Some(received)
    }

    /// The scores; `None` for anything else. Of a body that is longer than what is kept, only the first character counts.
    fn scores(&self) -> Option<Scores> {
        #[derive(Deserialize)]
        struct Score {
            id: Option<Value>,
        }
        match self.start.trim_ascii_start().first()? {
            b'[' if self.is_whole => {
                serde_json::from_slice::<Vec<IgnoredAny>>(&self.start).ok().map(|_| Scores::List)
            }
            b'[' => Some(Scores::List),
            b'{' if self.is_whole => {
                let Score { id } = serde_json::from_slice(&self.start).ok()?;
                Some(Scores::One(id.and_then(|id| id.as_str().map(str::to_owned))))
            }
            b'{' => Some(Scores::One(None)),
            _ => None,
        }
    }
}

/// An `ExportTraceServiceResponse` whose `partial_success` (field 1) has an `error_message` (field 2): a warning.
fn protobuf() -> Reply {
    let mut body = vec![0x0a, MESSAGE.len() as u8 + 2, 0x12, MESSAGE.len() as u8];
    body.extend_from_slice(MESSAGE.as_bytes());
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    reply
}
