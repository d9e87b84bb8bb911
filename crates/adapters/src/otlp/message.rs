//! The messages of OTLP that promptgate sends, as `opentelemetry-proto` 1.x numbers their fields.
//!
//! Sources: `common.proto`, `resource.proto`, `trace.proto` and `trace_service.proto`. A test parses the bytes with the
//! crate `opentelemetry-proto`, which would bring a part of the SDK into the program.

use prost::{Message, Oneof};

use super::names;
use super::span::{self, SpanKind};

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExportRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, repeated, tag = "11")]
    events: Vec<Event>,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
    #[prost(fixed32, tag = "16")]
    flags: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "3")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "AnyValueKind", tags = "1, 2, 3, 4, 5")]
    value: Option<AnyValueKind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum AnyValueKind {
    #[prost(string, tag = "1")]
    String(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(int64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Array(ArrayValue),
}

#[derive(Clone, PartialEq, Message)]
struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PartialSuccess {
    #[prost(int64, tag = "1")]
    pub(super) rejected_spans: i64,
    #[prost(string, tag = "2")]
    pub(super) error_message: String,
}

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: i32 = 1;
/// `SPAN_KIND_CLIENT`.
const CLIENT: i32 = 3;
/// `STATUS_CODE_ERROR`.
const ERROR: i32 = 2;
/// The trace flag *sampled*, and `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK`: the parent is known not to be remote.
const FLAGS: u32 = 0x101;

impl ExportRequest {
    /// Spans of a scope, with the program that sends them.
    pub(super) fn new(scope: names::Scope, spans: Vec<Span>) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let resource = [
            (names::SERVICE_NAME, "promptgate".into()),
            (names::SERVICE_VERSION, version.into()),
            // Without it, Phoenix adds the spans to the project `default`, among those of applications.
            (names::OPENINFERENCE_PROJECT, "promptgate".into()),
        ];
        let scope = Scope { name: scope.as_str().to_owned(), version: version.to_owned() };
        Self {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource { attributes: attributes(Vec::from(resource)) }),
                scope_spans: vec![ScopeSpans { scope: Some(scope), spans }],
            }],
        }
    }
}

impl Span {
    pub(super) fn new(span: span::Span) -> Self {
        let event = |event: span::SpanEvent| Event {
            time_unix_nano: event.time,
            name: event.name.to_owned(),
            attributes: attributes(event.attributes),
        };
        Self {
            trace_id: span.trace.0.to_vec(),
            span_id: span.id.0.to_vec(),
            parent_span_id: span.parent.map(|parent| parent.0.to_vec()).unwrap_or_default(),
            name: span.name,
            kind: match span.kind {
                SpanKind::Internal => INTERNAL,
                SpanKind::Client => CLIENT,
            },
            start_time_unix_nano: span.start,
            end_time_unix_nano: span.end,
            attributes: attributes(span.attributes),
            events: span.events.into_iter().map(event).collect(),
            status: span.is_error.then_some(Status { code: ERROR }),
            flags: FLAGS,
        }
    }
}

fn attributes(attributes: Vec<span::Attribute>) -> Vec<KeyValue> {
    let pair = |(key, value): span::Attribute| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value.into()) }),
    };
    attributes.into_iter().map(pair).collect()
}

impl From<span::Value> for AnyValueKind {
    fn from(value: span::Value) -> Self {
        match value {
            span::Value::Text(text) => Self::String(text),
            span::Value::Integer(number) => Self::Int(number),
            span::Value::Number(number) => Self::Double(number),
            span::Value::Bool(value) => Self::Bool(value),
            span::Value::Texts(texts) => Self::Array(ArrayValue {
                values: texts.into_iter().map(|text| AnyValue { value: Some(Self::String(text)) }).collect(),
            }),
        }
    }
}
