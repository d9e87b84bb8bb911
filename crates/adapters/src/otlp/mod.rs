//! Traces over OTLP/HTTP, in protobuf with gzip: to a collector, MLflow, Phoenix or Langfuse.
//!
//! Only what promptgate sends is here. Reading OTLP files is a source of metrics.

mod exporter;
mod message;
pub mod names;
mod span;
#[cfg(test)]
mod tests;

pub use exporter::{Exported, OtlpExporter, OtlpOptions};
pub use span::{Attribute, Span, SpanEvent, SpanId, SpanKind, TraceId, Value};
