//! Scalars and maps as written in a configuration: durations, shares, maps in the order of the file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A duration with its unit: `500ms`, `60s`, `20m`, `12h`, `7d`.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrittenDuration(pub(super) Duration);

/// Reads `500ms`, `1.5s`, `20m`, `12h`, `7d`; `None` for anything else, a bare number too.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, unit) = text.split_at_checked(digits)?;
    let whole = number.split('.').next().unwrap_or("");
    let fraction = number.split_once('.').map(|(_, fraction)| fraction);
    if whole.is_empty() || whole.len() > 9 || fraction.is_some_and(|f| f.is_empty() || f.contains('.')) {
        return None;
    }
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

impl<'de> Deserialize<'de> for WrittenDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Self).ok_or_else(|| D::Error::custom("not a duration"))
    }
}

impl JsonSchema for WrittenDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "a duration with its unit",
            "description": "A duration with its unit: ms, s, m, h or d.",
            "type": "string",
            "pattern": r"^[0-9]{1,9}(\.[0-9]+)?(ms|s|m|h|d)$",
            "examples": ["60s", "500ms", "20m", "7d"],
        })
    }
}

/// A share: `2%` or a number in 0..=1.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Share(#[serde(deserialize_with = "number_or_percentage")] pub(super) f64);

/// An increase: `20%` or a number from 0; may be above 1.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Increase(#[serde(deserialize_with = "number_or_percentage")] pub(super) f64);

/// `20%` as 0.2; finite and not negative.
fn parse_percentage(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%')?;
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    number.parse::<f64>().ok().map(|percent| percent / 100.0).filter(|share| share.is_finite())
}

fn number_or_percentage<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::String(text) => parse_percentage(&text),
        other => other.as_f64(),
    };
    number.ok_or_else(|| D::Error::custom("expected a number or a percentage"))
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A share: a number in 0..=1 or a percentage.",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"title": "a percentage up to 100%", "type": "string",
                 "pattern": r"^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$", "examples": ["2%"]},
            ],
        })
    }
}

impl JsonSchema for Increase {
    fn schema_name() -> Cow<'static, str> {
        "Increase".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An increase over the baseline: a number (0.2) or a percentage (20%).",
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"title": "a percentage", "type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]+)?%$",
                 "examples": ["20%"]},
            ],
        })
    }
}

// A map whose entries keep the order of the file. A doc comment would be a description in the schema.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(inline)]
pub(super) struct Ordered<T>(#[schemars(with = "BTreeMap<String, T>")] pub(super) Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Map::deserialize(deserializer)?.into_iter();
        let typed = entries.map(|(key, value)| Ok((key, serde_json::from_value(value)?)));
        typed.collect::<serde_json::Result<_>>().map(Self).map_err(D::Error::custom)
    }
}
