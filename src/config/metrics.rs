//! `metrics`: metrics that a judge scores.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use promptgate_core::document::{pointer, suggest};
use promptgate_core::model::{CRITERIA, Diagnostic, Item};
use promptgate_engine::judge::{Kind, Scale, registry};

use super::load::Reader;
use super::scalar::Ordered;

/// Names that a configured metric cannot have: other metrics and prefixes of criterion ids.
const RESERVED: [&str; 10] = [
    "latency",
    "ttft",
    "output_tokens",
    "cost_usd",
    "length",
    "check",
    "limit",
    "slice",
    "case",
    "broken_cases",
];

/// Requirements on a metric.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Metric")]
pub(super) struct WrittenMetric {
    /// Minimum mean score (0–1); no threshold by default.
    #[schemars(range(min = 0, max = 1))]
    min: Option<f64>,
    /// Whether the candidate must not be worse than the baseline; true by default.
    baseline: Option<bool>,
    /// Yes/no statements about a good answer, for a metric of your own.
    #[schemars(length(min = 1))]
    rubric: Option<Vec<WrittenItem>>,
    /// A scale from 0 to 5, for a metric of your own.
    scale: Option<WrittenScale>,
}

/// A scale from 0 to 5.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Scale", extend("required" = ["of", "anchors"]))]
pub(super) struct WrittenScale {
    /// The property that is rated: how polite the answer is.
    #[schemars(length(min = 1))]
    of: String,
    /// The meaning of a rating, by its number from 0 to 5; 0 and 5 are required.
    #[schemars(schema_with = "anchors")]
    anchors: Ordered<String>,
}

/// An item of a rubric: its text, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Item")]
pub(super) enum WrittenItem {
    /// A statement about the answer.
    Text(#[schemars(length(min = 1))] String),
    /// A statement with its weight.
    Map(ItemMap),
}

/// A statement about the answer with its weight.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["text"]))]
pub(super) struct ItemMap {
    /// The statement: names the next step.
    #[schemars(length(min = 1))]
    text: String,
    /// Its weight in the score; 1 by default.
    #[schemars(extend("exclusiveMinimum" = 0))]
    weight: Option<f64>,
    /// Whether a "no" makes the whole score 0; false by default.
    critical: Option<bool>,
}

pub(super) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let metric = generator.subschema_for::<WrittenMetric>();
    json_schema!({
        "type": "object",
        "propertyNames": {"title": "a name of letters, digits, `_` and `-`", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"},
        "additionalProperties": metric,
    })
}

fn anchors(generator: &mut SchemaGenerator) -> Schema {
    let text = generator.subschema_for::<String>();
    json_schema!({
        "type": "object",
        "propertyNames": {"title": "a number from 0 to 5", "pattern": "^[0-5]$"},
        "additionalProperties": text,
        "required": ["0", "5"],
    })
}

/// A judged metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSettings {
    /// The name of a built-in judge, or one of the user's own.
    pub name: String,
    /// Minimum mean score, in 0..=1.
    pub min: Option<f64>,
    /// Whether the candidate must not be worse than the baseline.
    pub baseline: bool,
    /// The kind of judge that scores it.
    pub kind: Kind,
}

impl MetricSettings {
    /// The metric of the criteria of cases that is not configured: the cases decide, not their mean.
    pub fn of_criteria(kind: Kind) -> Self {
        Self { name: CRITERIA.to_owned(), min: None, baseline: false, kind }
    }
}

pub(super) fn resolve(reader: &mut Reader<'_>, written: Ordered<WrittenMetric>) -> Vec<MetricSettings> {
    if !written.0.is_empty() && !reader.has("/judge") {
        reader.report_key("/metrics", "metrics need a judge", "add `judge: {model: …}`");
    }
    let mut metrics = Vec::new();
    for (name, metric) in written.0 {
        let at = pointer("/metrics", &name);
        // An invalid rubric or scale is written, but already reported and removed.
        let is_written = |key: &str| reader.has(&format!("{at}/{key}"));
        let rubric = is_written("rubric")
            .then(|| metric.rubric.unwrap_or_default().into_iter().map(Item::from).collect());
        let scale = is_written("scale").then(|| metric.scale.unwrap_or_default().into());
        match kind(&name, rubric, scale) {
            Ok(kind) => metrics.push(MetricSettings {
                name,
                min: metric.min,
                baseline: metric.baseline.unwrap_or(true),
                kind,
            }),
            Err(diagnostic) => reader.push(diagnostic.at(reader.document.key_place(&at))),
        }
    }
    metrics
}

/// The kind of judge that scores a metric.
fn kind(name: &str, rubric: Option<Vec<Item>>, scale: Option<Scale>) -> Result<Kind, Diagnostic> {
    if RESERVED.contains(&name) {
        return Err(reserved(name));
    }
    match (registry::built_in(name), rubric, scale) {
        (Some(kind), None, None) => Ok(kind),
        (Some(_), ..) => {
            Err(Diagnostic::new(format!("the built-in metric `{name}` cannot have a rubric or a scale"))
                .help("give the metric another name"))
        }
        (None, Some(_), Some(_)) => Err(Diagnostic::new(format!("`{name}` has both a rubric and a scale"))
            .help("split it into two metrics")),
        (None, Some(items), None) => Ok(registry::rubric(items)),
        (None, None, Some(scale)) => Ok(registry::scale(scale)),
        (None, None, None) => Err(unknown(name)),
    }
}

fn reserved(name: &str) -> Diagnostic {
    let help = match name {
        "latency" | "ttft" | "output_tokens" | "cost_usd" => "set a maximum in `limits`",
        "length" => "use the check `length`",
        _ => "give the metric another name",
    };
    Diagnostic::new(format!("the metric name `{name}` is reserved")).help(help)
}

fn unknown(name: &str) -> Diagnostic {
    let names: Vec<&str> = registry::names().collect();
    let help = match suggest(name, registry::names()) {
        Some(meant) => format!("did you mean `{meant}`? a metric of your own needs a `rubric` or a `scale`"),
        None => format!(
            "built-in metrics: `{}`; a metric of your own needs a `rubric` or a `scale`",
            names.join("`, `")
        ),
    };
    Diagnostic::new(format!("unknown metric `{name}`")).help(help)
}

impl From<WrittenScale> for Scale {
    fn from(written: WrittenScale) -> Self {
        let anchors = written.anchors.0.into_iter();
        let mut anchors: Vec<(u8, String)> =
            anchors.filter_map(|(rating, text)| Some((rating.parse().ok()?, text))).collect();
        anchors.sort_by_key(|(rating, _)| *rating);
        Self { of: written.of, anchors }
    }
}

impl From<WrittenItem> for Item {
    fn from(written: WrittenItem) -> Self {
        match written {
            WrittenItem::Text(text) => Self { text, weight: 1.0, critical: false },
            WrittenItem::Map(ItemMap { text, weight, critical }) => {
                Self { text, weight: weight.unwrap_or(1.0), critical: critical.unwrap_or(false) }
            }
        }
    }
}
