//! Scalars and maps as written in a configuration: durations, shares, maps in the order of the file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// A duration with its unit: `500ms`, `60s`, `20m`, `12h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Share(pub(super) f64);

/// An increase: `20%` or a number from 0; may be above 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Increase(pub(super) f64);

/// `20%` as 0.2; finite and not negative.
fn parse_percentage(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%')?;
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    number.parse::<f64>().ok().map(|percent| percent / 100.0).filter(|share| share.is_finite())
}

/// A number or a percentage.
struct ShareVisitor;

impl Visitor<'_> for ShareVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a percentage")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<f64, E> {
        parse_percentage(value).ok_or_else(|| E::custom("not a percentage"))
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShareVisitor).map(Self)
    }
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

impl<'de> Deserialize<'de> for Increase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShareVisitor).map(Self)
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

/// A map whose entries keep the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

struct OrderedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OrderedVisitor<T> {
    type Value = Ordered<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Ordered(entries))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrderedVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Ordered<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Map_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <BTreeMap<String, T>>::json_schema(generator)
    }
}
