//! OTLP in JSON, borrowed from its line: only the fields that metrics need, without a tree of values.
//!
//! Sources: `opentelemetry-proto`'s `trace.proto` and `logs.proto`, and the JSON encoding in the OTLP specification:
//! identifiers are hexadecimal, 64-bit integers texts, and receivers also take them as numbers.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, Visitor};

use super::attributes::Attributes;

/// A line: an ExportTraceServiceRequest, an ExportLogsServiceRequest, or one of another signal.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    #[serde(borrow)]
    pub(super) resource_spans: Option<Vec<ResourceSpans<'a>>>,
    #[serde(borrow)]
    pub(super) resource_logs: Option<Vec<ResourceLogs<'a>>>,
    resource_metrics: Option<IgnoredAny>,
    resource_profiles: Option<IgnoredAny>,
}

impl Line<'_> {
    /// Whether the line is of a signal of OTLP.
    pub(super) fn is_otlp(&self) -> bool {
        self.resource_spans.is_some()
            || self.resource_logs.is_some()
            || self.resource_metrics.is_some()
            || self.resource_profiles.is_some()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceSpans<'a> {
    #[serde(borrow)]
    pub(super) scope_spans: Option<Vec<ScopeSpans<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ScopeSpans<'a> {
    #[serde(borrow)]
    scope: Option<Scope<'a>>,
    #[serde(borrow)]
    pub(super) spans: Option<Vec<Span<'a>>>,
}

impl ScopeSpans<'_> {
    /// The library that made the spans.
    pub(super) fn name(&self) -> Option<&str> {
        self.scope.as_ref()?.name.as_ref().map(|name| name.0.as_ref())
    }
}

#[derive(Debug, Deserialize)]
struct Scope<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span<'a> {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) start_time_unix_nano: Nanoseconds,
    pub(super) end_time_unix_nano: Option<Nanoseconds>,
    #[serde(borrow)]
    pub(super) attributes: Option<Attributes<'a>>,
    #[serde(borrow)]
    pub(super) events: Option<Vec<SpanEvent<'a>>>,
    status: Option<Status>,
}

impl Span<'_> {
    pub(super) fn key(&self) -> SpanKey {
        span_key(&self.trace_id, &self.span_id)
    }

    pub(super) fn is_error(&self) -> bool {
        self.status.as_ref().and_then(|status| status.code.as_ref()).is_some_and(|code| code.0)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpanEvent<'a> {
    time_unix_nano: Option<Nanoseconds>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) attributes: Option<Attributes<'a>>,
}

impl SpanEvent<'_> {
    pub(super) fn time(&self) -> u64 {
        self.time_unix_nano.map_or(0, |time| time.0)
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_ref().map_or("", |name| name.0.as_ref())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceLogs<'a> {
    #[serde(borrow)]
    pub(super) scope_logs: Option<Vec<ScopeLogs<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScopeLogs<'a> {
    #[serde(borrow)]
    pub(super) log_records: Option<Vec<LogRecord<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogRecord<'a> {
    time_unix_nano: Option<Nanoseconds>,
    observed_time_unix_nano: Option<Nanoseconds>,
    #[serde(borrow)]
    event_name: Option<Text<'a>>,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    #[serde(borrow)]
    pub(super) attributes: Option<Attributes<'a>>,
}

impl LogRecord<'_> {
    /// The time of the event, or else when it was observed.
    pub(super) fn time(&self) -> u64 {
        let time = [self.time_unix_nano, self.observed_time_unix_nano];
        time.into_iter().flatten().map(|time| time.0).find(|time| *time > 0).unwrap_or_default()
    }

    pub(super) fn event_name(&self) -> &str {
        let attribute = || self.attributes.as_ref().and_then(Attributes::event_name);
        self.event_name.as_ref().map(|name| name.0.as_ref()).or_else(attribute).unwrap_or_default()
    }

    /// The span that the record belongs to, if any.
    pub(super) fn span(&self) -> Option<SpanKey> {
        let key = span_key(self.trace_id.as_ref()?, self.span_id.as_ref()?);
        (key != [0; KEY_BYTES]).then_some(key)
    }
}

#[derive(Debug, Deserialize)]
struct Status {
    code: Option<IsError>,
}

const KEY_BYTES: usize = 24;

/// Trace and span identifier.
pub(super) type SpanKey = [u8; KEY_BYTES];
pub(super) type TraceId = HexId<16>;
type SpanId = HexId<8>;

fn span_key(trace: &TraceId, span: &SpanId) -> SpanKey {
    let mut key = [0; KEY_BYTES];
    key[..16].copy_from_slice(&trace.0);
    key[16..].copy_from_slice(&span.0);
    key
}

/// A text, borrowed unless it has escapes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// An identifier in hexadecimal; an empty one is all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HexId<const N: usize>(pub(super) [u8; N]);

impl<'de, const N: usize> Deserialize<'de> for HexId<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hex<const N: usize>;
        impl<const N: usize> Visitor<'_> for Hex<N> {
            type Value = HexId<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} hexadecimal digits", 2 * N)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                let mut bytes = [0; N];
                if text.is_empty() {
                    return Ok(HexId(bytes));
                }
                let digits = text.as_bytes();
                let invalid = || E::custom("not an identifier in hexadecimal");
                if digits.len() != 2 * N {
                    return Err(invalid());
                }
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    let digit = |index: usize| (pair[index] as char).to_digit(16);
                    let value = digit(0).zip(digit(1)).map(|(high, low)| high * 16 + low);
                    *byte = value.and_then(|value| u8::try_from(value).ok()).ok_or_else(invalid)?;
                }
                Ok(HexId(bytes))
            }
        }
        deserializer.deserialize_str(Hex)
    }
}

/// Nanoseconds since 1970, as text or as number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nanoseconds(pub(super) u64);

impl<'de> Deserialize<'de> for Nanoseconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Time;
        impl Visitor<'_> for Time {
            type Value = Nanoseconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("nanoseconds since 1970")
            }

            fn visit_u64<E: Error>(self, time: u64) -> Result<Nanoseconds, E> {
                Ok(Nanoseconds(time))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Nanoseconds, E> {
                text.parse().map(Nanoseconds).map_err(|_| E::custom("not a time in nanoseconds"))
            }
        }
        deserializer.deserialize_any(Time)
    }
}

/// Whether a status code is that of an error: 2, or its name.
#[derive(Debug, Clone, Copy)]
struct IsError(bool);

impl<'de> Deserialize<'de> for IsError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Code;
        impl Visitor<'_> for Code {
            type Value = IsError;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status code")
            }

            fn visit_u64<E: Error>(self, code: u64) -> Result<IsError, E> {
                Ok(IsError(code == 2))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<IsError, E> {
                Ok(IsError(name == "STATUS_CODE_ERROR"))
            }
        }
        deserializer.deserialize_any(Code)
    }
}
