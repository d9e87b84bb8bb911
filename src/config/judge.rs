//! Resolution of the judge and its metrics.

use super::endpoint::endpoint;
use super::resolve::Reader;
use super::settings::{JudgeSettings, MemberSettings, MetricSettings};
use super::written::{ItemMap, WrittenItem, WrittenJudge, WrittenMetric, WrittenScale};
use promptgate_core::document::{pointer, suggest};
use promptgate_core::model::{Diagnostic, Item};
use promptgate_engine::judge::{Kind, Scale, registry};

/// Names that a configured metric cannot have: other metrics and prefixes of criterion ids.
const RESERVED: [&str; 9] =
    ["latency", "output_tokens", "cost_usd", "length", "check", "limit", "slice", "case", "broken_cases"];

/// Resolves the judge. Its own model is the first of the panel.
pub(super) fn judge(reader: &mut Reader<'_>, written: WrittenJudge) -> JudgeSettings {
    let own = MemberSettings {
        model: reader.placed("/judge/model", written.model),
        endpoint: written.endpoint.map(|own| endpoint(reader, "/judge/endpoint", own)),
        parameters: written.parameters,
    };
    let mut panel = vec![own];
    for (index, member) in written.panel.into_iter().enumerate() {
        let at = format!("/judge/panel/{index}");
        let own_endpoint = member.endpoint.map(|own| endpoint(reader, &format!("{at}/endpoint"), own));
        let member = MemberSettings {
            model: reader.placed(&format!("{at}/model"), member.model),
            endpoint: own_endpoint.or_else(|| panel[0].endpoint.clone()),
            parameters: member.parameters,
        };
        let is_same = |other: &MemberSettings| {
            other.model.value == member.model.value
                && other.endpoint == member.endpoint
                && other.parameters == member.parameters
        };
        if panel.iter().any(is_same) {
            let message = format!("duplicate member `{}` of the panel", member.model.value);
            let diagnostic = Diagnostic::new(message).at(member.model.place.clone());
            reader
                .push(diagnostic.help("name another model, or call the same one several times with `votes`"));
        }
        panel.push(member);
    }
    let required =
        [("min_kappa", written.min_kappa), ("min_balanced_accuracy", written.min_balanced_accuracy)];
    for (key, given) in required {
        if given.is_some() && written.calibration.is_none() {
            let diagnostic = Diagnostic::new(format!("`judge.{key}` needs a calibration"));
            let diagnostic = diagnostic.at(reader.document.key_place(&format!("/judge/{key}")));
            reader.push(
                diagnostic.help(
                    "add `calibration: calibration.json`; `promptgate calibrate LABELS` writes that file",
                ),
            );
        }
    }
    if written.planted.is_some() && written.self_test == Some(false) {
        let diagnostic = Diagnostic::new("`judge.planted` has no effect: the self-test is off");
        let diagnostic = diagnostic.at(reader.document.key_place("/judge/planted"));
        reader.push(diagnostic.help("remove `self_test: false` or `planted`"));
    }
    JudgeSettings {
        panel,
        votes: written.votes.unwrap_or(1),
        self_test: written.self_test.unwrap_or(true),
        planted: written.planted.map(|path| reader.placed("/judge/planted", path)),
        min_kappa: written.min_kappa,
        min_balanced_accuracy: written.min_balanced_accuracy,
        calibration: written.calibration.map(|path| reader.placed("/judge/calibration", path)),
    }
}

/// Resolves the judged metrics.
pub(super) fn metrics(reader: &mut Reader<'_>, written: Vec<(String, WrittenMetric)>) -> Vec<MetricSettings> {
    if !written.is_empty() && !reader.has("/judge") {
        let diagnostic = Diagnostic::new("metrics need a judge");
        let diagnostic = diagnostic.at(reader.document.key_place("/metrics"));
        reader.push(diagnostic.help("add `judge: {model: …}`"));
    }
    let mut metrics = Vec::new();
    for (name, metric) in written {
        let at = pointer("/metrics", &name);
        let place = reader.document.key_place(&at);
        // An invalid rubric or scale is written, but already reported and removed.
        let is_written = |key: &str| reader.has(&format!("{at}/{key}"));
        let rubric =
            is_written("rubric").then(|| metric.rubric.unwrap_or_default().into_iter().map(item).collect());
        let scale = is_written("scale").then(|| scale(metric.scale.unwrap_or_default()));
        match kind(&name, rubric, scale) {
            Ok(kind) => metrics.push(MetricSettings {
                name,
                min: metric.min,
                baseline: metric.baseline.unwrap_or(true),
                kind,
                place,
            }),
            Err(diagnostic) => reader.push(diagnostic.at(place)),
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
        "latency" | "output_tokens" | "cost_usd" => "set a maximum in `limits`",
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

fn scale(written: WrittenScale) -> Scale {
    let anchors = written.anchors.0.into_iter();
    let mut anchors: Vec<(u8, String)> =
        anchors.filter_map(|(rating, text)| Some((rating.parse().ok()?, text))).collect();
    anchors.sort_by_key(|(rating, _)| *rating);
    Scale { of: written.of, anchors }
}

fn item(written: WrittenItem) -> Item {
    match written {
        WrittenItem::Text(text) => Item { text, weight: 1.0, critical: false },
        WrittenItem::Map(ItemMap { text, weight, critical }) => {
            Item { text, weight: weight.unwrap_or(1.0), critical: critical.unwrap_or(false) }
        }
    }
}
