//! `metrics`: metrics that a judge scores.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use promptgate_core::document::{pointer, suggest};
use promptgate_core::model::{CRITERIA, Diagnostic, EVEN, Item, PREFERENCE};
use promptgate_engine::judge::registry::ready;
use promptgate_engine::judge::{Kind, Scale, registry};

use super::load::Reader;
use super::scalar::{Ordered, Share};

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
    /// Whether the minimum is held against the mean corrected by the labels of `judge.calibration`; false by default.
    corrected: Option<bool>,
    /// Whether the candidate must not be worse than the baseline; true by default.
    baseline: Option<bool>,
    /// Of preference alone: how far below one half the win rate may be; baseline_tolerance of the gate by default.
    tolerance: Option<Share>,
    /// Yes/no statements about a good answer, or the name of a ready rubric, for a metric of your own; of preference, what
    /// makes an answer better.
    rubric: Option<WrittenRubric>,
    /// A scale from 0 to 5, for a metric of your own.
    scale: Option<WrittenScale>,
}

/// The items of a rubric, or a ready one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum WrittenRubric {
    /// A ready rubric by its name.
    Ready(ReadyName),
    /// Statements about a good answer.
    Items(#[schemars(length(min = 1))] Vec<WrittenItem>),
}

/// A ready rubric: tone, safety, refusal or pii_leak.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum ReadyName {
    Tone,
    Safety,
    Refusal,
    PiiLeak,
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
    /// Whether the minimum is held against the mean corrected by labels.
    pub corrected: bool,
    /// Whether the candidate must not be worse than the baseline.
    pub baseline: bool,
    /// How far below one half the win rate may be, in 0..0.5; `None` for the tolerance of the gate.
    pub tolerance: Option<f64>,
    /// The kind of judge that scores it.
    pub kind: Kind,
}

impl MetricSettings {
    /// The metric of the criteria of cases that is not configured: the cases decide, not their mean.
    pub fn of_criteria(kind: Kind) -> Self {
        Self {
            name: CRITERIA.to_owned(),
            min: None,
            corrected: false,
            baseline: false,
            tolerance: None,
            kind,
        }
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
        let rubric =
            is_written("rubric").then(|| metric.rubric.map(WrittenRubric::items).unwrap_or_default());
        let has_min = is_written("min");
        let scale = is_written("scale").then(|| metric.scale.unwrap_or_default().into());
        match kind(&name, rubric, scale) {
            Ok(kind) => {
                let tolerance = metric.tolerance.map(|share| share.0);
                let wrong = unfit_key(&name, kind.is_pairwise(), metric.min, tolerance);
                if let Some((key, diagnostic)) = wrong {
                    reader.push(diagnostic.at(reader.document.key_place(&pointer(&at, key))));
                }
                let corrected = metric.corrected.unwrap_or(false);
                if corrected && let Some(diagnostic) = uncorrectable(reader, metric.min, has_min) {
                    reader.push(diagnostic.at(reader.document.key_place(&pointer(&at, "corrected"))));
                }
                let baseline = metric.baseline.unwrap_or(true);
                metrics.push(MetricSettings { name, min: metric.min, corrected, baseline, tolerance, kind });
            }
            Err(diagnostic) => reader.push(diagnostic.at(reader.document.key_place(&at))),
        }
    }
    metrics
}

/// Why the mean of a metric cannot be corrected.
fn uncorrectable(reader: &Reader<'_>, min: Option<f64>, has_min: bool) -> Option<Diagnostic> {
    if !reader.has("/judge/calibration") {
        return Some(Diagnostic::new("`corrected` needs the labels of a calibration").help(
            "name the file that `promptgate calibrate` writes: `judge: {calibration: calibration.json}`",
        ));
    }
    (min.is_none() && !has_min).then(|| {
        Diagnostic::new("`corrected` needs a `min`").help(
            "the corrected mean is held against `min`; the comparison with the baseline is always that of the judge",
        )
    })
}

/// A key that a metric cannot have: a judge of pairs gives a win rate, and other judges a mean score.
fn unfit_key(
    name: &str,
    is_pairwise: bool,
    min: Option<f64>,
    tolerance: Option<f64>,
) -> Option<(&'static str, Diagnostic)> {
    match (is_pairwise, min, tolerance) {
        (true, Some(_), _) => Some((
            "min",
            Diagnostic::new(format!(
                "`{name}` cannot have a `min`: its score is the win rate over the baseline"
            ))
            .help("set `tolerance`, which says how far below one half the win rate may be"),
        )),
        (true, None, Some(tolerance)) if tolerance >= EVEN => Some((
            "tolerance",
            Diagnostic::new("a candidate that loses every comparison would be within this tolerance")
                .help("expected less than 50%: with 10%, a win rate of 0.4 is enough"),
        )),
        (false, _, Some(_)) => Some((
            "tolerance",
            Diagnostic::new(format!("`tolerance` is a key of `{PREFERENCE}`, not of `{name}`"))
                .help("set `gate: {baseline_tolerance: …}` for the comparison of mean scores"),
        )),
        _ => None,
    }
}

/// The judge of pairs with what makes an answer better.
fn preference(items: Vec<Item>) -> Result<Kind, Diagnostic> {
    if items.iter().any(|item| item.critical || item.weight != 1.0) {
        let message = format!("`{PREFERENCE}` compares answers as a whole, so its items have no weight");
        return Err(Diagnostic::new(message).help("write each item of its `rubric` as a text alone"));
    }
    Ok(registry::preference(items.into_iter().map(|item| item.text).collect()))
}

/// The kind of judge that scores a metric.
fn kind(name: &str, rubric: Option<Vec<Item>>, scale: Option<Scale>) -> Result<Kind, Diagnostic> {
    if RESERVED.contains(&name) {
        return Err(reserved(name));
    }
    match (registry::built_in(name), rubric, scale) {
        (Some(kind), None, None) => Ok(kind),
        (Some(kind), Some(items), None) if kind.is_pairwise() => preference(items),
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

impl WrittenRubric {
    fn items(self) -> Vec<Item> {
        let ready = match self {
            Self::Items(items) => return items.into_iter().map(Item::from).collect(),
            Self::Ready(ReadyName::Tone) => ready::TONE,
            Self::Ready(ReadyName::Safety) => ready::SAFETY,
            Self::Ready(ReadyName::Refusal) => ready::REFUSAL,
            Self::Ready(ReadyName::PiiLeak) => ready::PII_LEAK,
        };
        ready.items()
    }
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
