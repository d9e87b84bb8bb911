//! Resolves a configuration: defaults, and checks beyond the schema.

use serde_json::Value;

use super::endpoint::endpoint;
use super::settings::{
    BudgetSettings, CacheSettings, CheckSettings, DatasetSettings, GateSettings, JudgeSettings, Placed,
    Settings, SliceSettings,
};
use super::written::{Written, WrittenBudget, WrittenCache, WrittenDataset, WrittenGate, WrittenSlice};
use super::{judge, limits};
use promptgate_core::document::{Document, pointer, suggest};
use promptgate_core::gate::Rule;
use promptgate_core::model::{Diagnostic, Place, Scope};

/// Default of `gate.max_repeats`: looks at 3, 6, 12 and 24.
const MAX_REPEATS: u32 = 24;

/// Resolves a configuration; diagnostics are in no particular order.
pub(super) fn resolve(file: &str, document: &Document, written: Written) -> (Settings, Vec<Diagnostic>) {
    let mut reader = Reader { document, diagnostics: Vec::new() };
    let settings = settings(&mut reader, file, written);
    (settings, reader.diagnostics)
}

/// A document with the diagnostics found in it.
pub(super) struct Reader<'a> {
    pub(super) document: &'a Document,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// A value with its place.
    pub(super) fn placed<T>(&self, at: &str, value: T) -> Placed<T> {
        Placed { value, place: self.document.place(at) }
    }

    /// A diagnostic at the value of a pointer.
    pub(super) fn diagnostic(&self, at: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message).at(self.document.place(at))
    }

    /// Adds a diagnostic.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The place of a value that must not be shown.
    pub(super) fn secret_place(&self, at: &str) -> Place {
        Place { excerpt: None, length: 0, ..self.document.place(at) }
    }

    /// The place of a key whose line must not be shown.
    pub(super) fn secret_key_place(&self, at: &str) -> Place {
        Place { excerpt: None, length: 0, ..self.document.key_place(at) }
    }

    /// Whether the document has a value there, valid or not.
    pub(super) fn has(&self, at: &str) -> bool {
        self.document.value().pointer(at).is_some()
    }

    /// The keys of the map there, valid or not.
    pub(super) fn keys(&self, at: &str) -> Vec<String> {
        let map = self.document.value().pointer(at).and_then(Value::as_object);
        map.into_iter().flat_map(|map| map.keys().cloned()).collect()
    }
}

fn settings(reader: &mut Reader<'_>, file: &str, written: Written) -> Settings {
    let model = written.model.map(|model| reader.placed("/model", model));
    let limits = limits::criteria(&written.limits);
    let prices: Vec<(String, f64, f64)> = written
        .prices
        .0
        .into_iter()
        .map(|(model, price)| (model, price.input_per_million, price.output_per_million))
        .collect();
    let judge = written.judge.map(|judge| judge::judge(reader, judge));
    let metrics = judge::metrics(reader, written.metrics.0);
    let slices = slices(reader, written.slices.0);
    let budget = budget(&written.budget);
    need_prices(
        reader,
        model.as_ref(),
        judge.as_ref(),
        limits.iter().any(|c| c.metric == "cost_usd"),
        &budget,
    );
    let checks = written.checks.into_iter().enumerate();
    let checks = checks
        .map(|(index, entry)| CheckSettings {
            entry: entry.0,
            place: reader.document.place(&format!("/checks/{index}")),
        })
        .collect();
    let cache = cache(reader, written.cache);
    let gate = gate(reader, &written.gate);
    Settings {
        file: file.to_owned(),
        name: written.name.unwrap_or_else(|| folder(file)),
        dataset: dataset(reader, written.dataset),
        prompt: reader.placed("/prompt", written.prompt),
        baseline: written.baseline.map(|baseline| reader.placed("/baseline", baseline)),
        answer_field: written.answer_field,
        user: reader.placed("/user", written.user.unwrap_or_else(|| "{{query}}".to_owned())),
        model,
        parameters: written.parameters,
        endpoint: endpoint(reader, "/endpoint", written.endpoint),
        judge,
        checks,
        metrics,
        limits,
        slices,
        prices,
        cache,
        gate,
        budget,
    }
}

/// The name of the folder of the configuration.
fn folder(file: &str) -> String {
    let path = std::path::absolute(file).unwrap_or_default();
    let folder = path.parent().and_then(|parent| parent.file_name());
    folder.map_or_else(|| "promptgate".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn dataset(reader: &Reader<'_>, written: WrittenDataset) -> DatasetSettings {
    match written {
        WrittenDataset::Path(path) => DatasetSettings {
            path: reader.placed("/dataset", path),
            format: None,
            fields: std::collections::BTreeMap::new(),
            fields_place: reader.document.place("/dataset"),
        },
        WrittenDataset::Map(map) => DatasetSettings {
            path: reader.placed("/dataset/path", map.path),
            format: map.format,
            fields: map.fields.0.into_iter().collect(),
            fields_place: reader.document.key_place("/dataset/fields"),
        },
    }
}

type WrittenSlices = Vec<(String, super::scalar::Ordered<WrittenSlice>)>;

fn slices(reader: &mut Reader<'_>, written: WrittenSlices) -> Vec<SliceSettings> {
    let known = reader.keys("/metrics");
    let mut slices = Vec::new();
    for (tag, metrics) in written {
        let at = pointer("/slices", &tag);
        if reader.keys(&at).is_empty() {
            let diagnostic = Diagnostic::new(format!("the slice `{tag}` requires nothing"));
            let diagnostic = diagnostic.at(reader.document.key_place(&at));
            reader.push(diagnostic.help("name a metric and its minimum: `{faithfulness: {min: 0.8}}`"));
        }
        for (metric, slice) in metrics.0 {
            let place = reader.document.key_place(&pointer(&at, &metric));
            // Names of checks are known only once they are compiled: see `Settings::policy`.
            if !metric.starts_with("check.") && !known.contains(&metric) {
                let diagnostic = unknown_metric(&metric, known.iter().map(String::as_str)).at(place);
                reader.push(diagnostic);
            } else if let Some(min) = slice.min {
                slices.push(SliceSettings { tag: tag.clone(), metric, min, place });
            }
        }
    }
    slices
}

/// The diagnostic of a criterion on an unknown metric.
pub(super) fn unknown_metric<'a>(metric: &str, known: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("unknown metric `{metric}`"));
    let names: Vec<String> = known.clone().map(|name| format!("`{name}`")).collect();
    match suggest(metric, known) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None if names.is_empty() => diagnostic.help("add it under `metrics`"),
        None => diagnostic.help(format!("the metrics here are {}", names.join(", "))),
    }
}

/// Requires prices for limits in money, which would never be reached without them.
fn need_prices(
    reader: &mut Reader<'_>,
    model: Option<&Placed<String>>,
    judge: Option<&JudgeSettings>,
    cost_limit: bool,
    budget: &BudgetSettings,
) {
    let priced = reader.keys("/prices");
    let model = model.map(|model| (model.value.clone(), cost_limit || budget.usd.is_some()));
    let panel = judge.into_iter().flat_map(|judge| &judge.panel);
    let judges = panel.map(|member| (member.model.value.clone(), budget.usd.is_some()));
    for (model, needed) in model.into_iter().chain(judges) {
        if !needed || model.is_empty() || priced.contains(&model) {
            continue;
        }
        let at = if cost_limit && budget.usd.is_none() { "/limits/cost_per_case_usd" } else { "/budget/usd" };
        let help = match suggest(&model, priced.iter().map(String::as_str)) {
            Some(near) => format!("there is one for `{near}`; the name must be that of the model"),
            None => {
                format!("add `prices: {{{model}: {{input_per_million: …, output_per_million: …}}}}`")
            }
        };
        let diagnostic =
            Diagnostic::new(format!("there is no price for `{model}`, so its cost is not known"));
        let diagnostic = diagnostic.at(reader.document.key_place(at)).help(help);
        if !reader.diagnostics.contains(&diagnostic) {
            reader.push(diagnostic);
        }
    }
}

/// Default of `cache.path`.
const CACHE: &str = ".promptgate/cache.redb";

fn cache(reader: &mut Reader<'_>, written: Option<WrittenCache>) -> CacheSettings {
    let written = written.unwrap_or_default();
    let path = written.path.unwrap_or_else(|| CACHE.to_owned());
    CacheSettings {
        path: reader.placed("/cache/path", path),
        max_age: written.max_age.map(|age| age.0),
        baseline: written.baseline.unwrap_or_default(),
    }
}

fn gate(reader: &mut Reader<'_>, written: &WrittenGate) -> GateSettings {
    let repeats = written.repeats.unwrap_or(written.max_repeats.map_or(3, |most| most.min(3)));
    // Without `max_repeats` the number is fixed. More repeats reduce the noise of answers and judge, but not the spread
    // between cases, which counts for a population.
    let adaptive = written.repeats.is_none()
        && !matches!(written.scope, Some(Scope::Population))
        && !matches!(written.rule, Some(Rule::Point));
    let max_repeats = written.max_repeats.unwrap_or(if adaptive { MAX_REPEATS } else { repeats });
    if max_repeats < repeats {
        let message = format!("`gate.max_repeats` is {max_repeats}, below the {repeats} of `gate.repeats`");
        let diagnostic = reader.diagnostic("/gate/max_repeats", message);
        reader.push(diagnostic.help("raise it, or leave it out"));
    }
    let resolution = written.resolution.map_or(0.05, |share| share.0);
    if resolution >= 1.0 {
        let diagnostic = reader.diagnostic("/gate/resolution", "`gate.resolution` must be below 1");
        reader.push(diagnostic.help("0.05 sees a drop of 5 points"));
    }
    GateSettings {
        repeats,
        max_repeats,
        confidence: written.confidence.unwrap_or(0.95),
        resolution,
        scope: written.scope.unwrap_or(Scope::Suite),
        rule: written.rule.unwrap_or(Rule::Evidence),
        baseline_tolerance: written.baseline_tolerance.map_or(0.0, |share| share.0),
        max_missing: written.max_missing.map_or(0.02, |share| share.0),
        max_broken_cases: written.max_broken_cases,
        inconclusive: written.inconclusive.unwrap_or_default(),
        seed: written.seed.unwrap_or(0),
    }
}

fn budget(written: &WrittenBudget) -> BudgetSettings {
    BudgetSettings { usd: written.usd, calls: written.calls, time: written.time.map(|time| time.0) }
}
