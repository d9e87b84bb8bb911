//! Sends the spans of a trace in requests of limited size.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message as _;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::message::{ExportRequest, ExportResponse, Span as SpanMessage};
use super::names;
use super::span::Span;
use crate::http::{self, Request, SettingNames, server_text};
use crate::rest::{Effect, Limits, Names, Rest};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::Secret;
use promptgate_release::PortError;

/// Maximum spans of a request.
const MAX_SPANS: usize = 1000;
/// Bytes of spans, before compression, that complete a request. Collectors accept 20 MiB, unless configured otherwise.
const MAX_BYTES: usize = 4 << 20;
/// The path below the base URL, as OTLP/HTTP defines it.
const PATH: [&str; 2] = ["v1", "traces"];
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

const URL: &str = "--otlp";
const HEADER: &str = "--otlp-header";

const NAMES: Names = Names {
    service: "a receiver of OTLP over HTTP",
    http: SettingNames {
        url: URL,
        ca_cert: None,
        timeout_help: "check --otlp and the server's load",
        credential: "header",
    },
    credentials: HEADER,
    permission: "sending traces needs the permission to write them",
    example: "http://localhost:4318",
};

/// Address and headers of a receiver.
#[derive(Debug, Clone, Default)]
pub struct OtlpOptions {
    /// The base URL, without `/v1/traces`.
    pub url: String,
    /// Headers whose values are secrets.
    pub secret_headers: Vec<(String, Secret)>,
    /// Other headers.
    pub headers: Vec<(String, String)>,
}

/// The result of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Spans that were sent.
    pub sent: u64,
    /// Those of them that the receiver refused.
    pub rejected: u64,
    /// The receiver's message: why spans were refused, or a warning.
    pub message: String,
}

/// A client of one receiver.
#[derive(Debug)]
pub struct OtlpExporter {
    rest: Rest,
    headers: HeaderMap,
}

impl OtlpExporter {
    /// Creates a client; nothing is sent yet.
    ///
    /// # Errors
    /// A [`Diagnostic`] if the address or a header is invalid, or if a secret would be sent without encryption.
    pub fn new(options: OtlpOptions) -> Result<Self, Diagnostic> {
        let mut names: Vec<HeaderName> = Vec::new();
        let mut secrets = Vec::new();
        for (name, value) in options.secret_headers {
            secrets.push((header_name(&name, &mut names)?, value));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in options.headers {
            let value = HeaderValue::from_str(&value).map_err(|_| {
                at_header(&format!("the value of `{name}` has characters that a header cannot carry"))
            })?;
            headers.insert(header_name(&name, &mut names)?, value);
        }
        let rest = Rest::with_headers(&options.url, &NAMES, &secrets, &[], Limits::DEFAULT)?;
        let exporter = Self { rest, headers };
        if exporter.rest.location().ends_with(&PATH.join("/")) {
            return Err(Diagnostic::new("the URL ends with /v1/traces, which is added to it")
                .at(Place::file(URL))
                .help(format!("leave it out, like {}", NAMES.example)));
        }
        Ok(exporter)
    }

    /// The address that is posted to.
    pub fn url(&self) -> Url {
        self.rest.url(&PATH)
    }

    /// Sends spans of an instrumentation scope; the root of a trace comes first.
    ///
    /// # Errors
    /// The first request that fails, after its retries; the spans before it were sent.
    pub async fn export(
        &self,
        scope: names::Scope,
        spans: impl Iterator<Item = Span>,
    ) -> Result<Exported, PortError> {
        let mut exported = Exported::default();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for span in spans {
            let span = SpanMessage::new(span);
            bytes += span.encoded_len();
            batch.push(span);
            if batch.len() >= MAX_SPANS || bytes >= MAX_BYTES {
                self.send(scope, std::mem::take(&mut batch), &mut exported).await?;
                bytes = 0;
            }
        }
        if !batch.is_empty() {
            self.send(scope, batch, &mut exported).await?;
        }
        Ok(exported)
    }

    async fn send(
        &self,
        scope: names::Scope,
        batch: Vec<SpanMessage>,
        exported: &mut Exported,
    ) -> Result<(), PortError> {
        let count = batch.len() as u64;
        let body = gzip(&ExportRequest::new(scope, batch).encode_to_vec())
            .map_err(|error| PortError::Unavailable(format!("the spans could not be compressed: {error}")))?;
        let mut request = Request::new(Method::POST, self.url())
            .body(body, PROTOBUF)
            .header(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
            .header(ACCEPT, PROTOBUF);
        for (name, value) in &self.headers {
            request = request.header(name.clone(), value.clone());
        }
        // Receivers recognize spans by their identifiers.
        let request = request.repeatable();
        let response = self
            .rest
            .call_with(&request, Effect::Repeatable, |response| {
                // A body in another form says nothing about spans: the status already says that they were accepted.
                Ok(ExportResponse::decode(response.body.as_slice()).unwrap_or_default())
            })
            .await?;
        exported.sent += count;
        if let Some(partial) = response.partial_success {
            exported.rejected += u64::try_from(partial.rejected_spans).unwrap_or_default().min(count);
            if exported.message.is_empty() {
                exported.message = server_text(self.rest.redactor(), &partial.error_message);
            }
        }
        Ok(())
    }
}

/// Parses the name of a header that none of `names` is yet.
fn header_name(name: &str, names: &mut Vec<HeaderName>) -> Result<HeaderName, Diagnostic> {
    let header = http::header_name(name).map_err(|problem| at_header(&problem))?;
    if names.contains(&header) {
        return Err(at_header(&format!("duplicate header `{header}` (header names are case-insensitive)")));
    }
    names.push(header.clone());
    Ok(header)
}

fn at_header(problem: &str) -> Diagnostic {
    Diagnostic::new(problem)
        .at(Place::file(HEADER))
        .help("expected a header such as x-mlflow-experiment-id=3")
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}
