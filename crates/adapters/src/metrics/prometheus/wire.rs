//! Replies of `/api/v1/query`.

use promptgate_core::text::Redactor;
use serde::Deserialize;

use crate::http::server_text;

/// A reply with the status `success`; an error has an HTTP status of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Reply {
    data: Data,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Series>),
    Scalar(Value),
    Matrix(serde::de::IgnoredAny),
    String(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
struct Series {
    /// Absent for a native histogram.
    value: Option<Value>,
}

/// A time and a number as text.
#[derive(Debug, Deserialize)]
struct Value(serde::de::IgnoredAny, String);

/// The one number of a reply.
///
/// # Errors
/// No series, several, a value that is not a number, another type, or a warning of the server: its data may be
/// incomplete.
pub(super) fn figure(reply: Reply, redactor: &Redactor) -> Result<f64, String> {
    // Before they had a list of their own, remarks on the style of a query were warnings.
    if let Some(warning) = reply.warnings.iter().find(|text| !text.starts_with("PromQL info")) {
        return Err(format!("the server warns: {}", server_text(redactor, warning)));
    }
    let value = match reply.data {
        Data::Scalar(value) => value,
        Data::Vector(series) => {
            let count = series.len();
            let mut values = series.into_iter();
            match (values.next(), count) {
                (Some(Series { value: Some(value) }), 1) => value,
                (Some(_), 1) => return Err("the result is a histogram, expected a number".to_owned()),
                (None, _) => {
                    return Err("no series; if that means zero, write `… or vector(0)`".to_owned());
                }
                _ => return Err(format!("{count} series, expected one: aggregate them with sum(…)")),
            }
        }
        Data::Matrix(_) => return Err("the result is a range of numbers, expected one number".to_owned()),
        Data::String(_) => return Err("the result is a text, expected a number".to_owned()),
    };
    match value.1.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("expected a number, found {}", server_text(redactor, &value.1))),
    }
}
