//! Requests of some versions of a prompt in a window, joined with their evaluations.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use promptgate_release::Name;
use promptgate_release::ports::{TaggedVersion, Window};

use super::attributes::Attributes;
use super::message::{Line, LogRecord, Span, SpanKey};
use super::metric::Metric;
use crate::otlp::names;

/// Maximum scores that wait for their span, 96 MB.
const MAX_WAITING: usize = 2_000_000;
/// Names that are remembered for messages.
const MAX_NAMES: usize = 8;

/// A figure or score of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figure {
    pub(super) version: u32,
    /// The hash of the unit.
    pub(super) unit: u64,
    pub(super) value: f64,
}

/// A request of one of the versions.
#[derive(Debug, Clone, Copy)]
struct Request {
    /// The hash of the unit, keyed at random: 64 bits keep a million units apart.
    unit: u64,
    version: u32,
}

/// A score that was found.
#[derive(Debug, Clone, Copy)]
struct Score {
    request: u32,
    metric: u32,
    time: u64,
    value: f64,
}

/// A score whose span was not read yet.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    span: SpanKey,
    metric: u32,
    time: u64,
    value: f64,
}

/// Numbers of what was seen, for notes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Spans of the prompt that have another version.
    pub(super) other_versions: u64,
    /// Spans of the prompt without a version.
    pub(super) without_version: u64,
    /// Requests without a unit.
    pub(super) without_unit: u64,
    /// Spans that were written again.
    pub(super) duplicates: u64,
    /// Scores of the metrics whose span is not one of the requests.
    pub(super) orphans: u64,
    /// Scores of the metrics without a value.
    pub(super) without_value: u64,
    /// Scores that did not fit while they waited for their spans.
    pub(super) dropped: u64,
}

/// The requests, collected line by line.
#[derive(Debug)]
pub(super) struct Requests<'q> {
    prompt: String,
    /// Each version as semantic version and in the registry's numbering.
    versions: Vec<(String, Option<&'q str>)>,
    names: &'q [String],
    metrics: Vec<Metric>,
    from: u64,
    to: u64,
    hasher: RandomState,
    requests: Vec<Request>,
    /// For each metric, the figure of each request; NaN where it has none. Empty for evaluations.
    figures: Vec<Vec<f64>>,
    /// Figures that are not numbers, by metric and version.
    invalid: Vec<Vec<u64>>,
    spans: HashMap<SpanKey, u32>,
    scores: Vec<Score>,
    waiting: Vec<Waiting>,
    pub(super) counts: Counts,
    /// Names of other prompts.
    pub(super) other_prompts: BTreeSet<String>,
    /// Names of evaluations that are not asked for.
    pub(super) other_evaluations: BTreeSet<String>,
}

impl<'q> Requests<'q> {
    pub(super) fn new(
        name: &Name,
        versions: &'q [TaggedVersion],
        names: &'q [String],
        window: &Window,
    ) -> Self {
        let nanoseconds =
            |time: jiff::Timestamp| u64::try_from(time.as_nanosecond().max(0)).unwrap_or(u64::MAX);
        Self {
            prompt: name.to_string(),
            versions: versions
                .iter()
                .map(|tagged| (tagged.version.to_string(), tagged.registry_id.as_deref()))
                .collect(),
            names,
            metrics: names.iter().map(|name| Metric::of(name)).collect(),
            from: nanoseconds(window.from),
            to: nanoseconds(window.to),
            hasher: RandomState::new(),
            requests: Vec::new(),
            figures: vec![Vec::new(); names.len()],
            invalid: vec![vec![0; versions.len()]; names.len()],
            spans: HashMap::new(),
            scores: Vec::new(),
            waiting: Vec::new(),
            counts: Counts::default(),
            other_prompts: BTreeSet::new(),
            other_evaluations: BTreeSet::new(),
        }
    }

    /// Adds the spans and log records of a line.
    pub(super) fn add(&mut self, line: &Line<'_>) {
        let spans = line.resource_spans.iter().flatten();
        let scopes = spans.flat_map(|resource| resource.scope_spans.iter().flatten());
        // The calls of a gate and the events of a rollout are no traffic, although it is the same prompt.
        let spans = scopes.filter(|scope| !scope.name().is_some_and(names::Scope::is_own));
        for span in spans.flat_map(|scope| scope.spans.iter().flatten()) {
            self.add_span(span);
        }
        let records = line.resource_logs.iter().flatten();
        let records = records.flat_map(|resource| resource.scope_logs.iter().flatten());
        for record in records.flat_map(|scope| scope.log_records.iter().flatten()) {
            self.add_record(record);
        }
    }

    fn add_span(&mut self, span: &Span<'_>) {
        let Some((version, attributes)) = self.version_of(span) else { return };
        let Ok(request) = u32::try_from(self.requests.len()) else { return };
        let key = span.key();
        if self.spans.contains_key(&key) {
            self.counts.duplicates += 1;
            return;
        }
        self.spans.insert(key, request);
        let unit = attributes.unit();
        self.counts.without_unit += u64::from(unit.is_none());
        // The requests of a trace are one unit where nothing else says whose they are.
        let unit = match &unit {
            Some(unit) => self.hasher.hash_one(unit.as_bytes()),
            None => self.hasher.hash_one(span.trace_id.0),
        };
        self.requests.push(Request { unit, version });
        for ((metric, figures), invalid) in self.metrics.iter().zip(&mut self.figures).zip(&mut self.invalid)
        {
            if *metric != Metric::Evaluation {
                let figure = metric.of_span(span);
                let is_invalid = figure.is_some_and(|figure| !figure.is_finite());
                invalid[version as usize] += u64::from(is_invalid);
                figures.push(figure.filter(|_| !is_invalid).unwrap_or(f64::NAN));
            }
        }
        for event in span.events.iter().flatten().filter(|event| event.name() == names::EVALUATION_EVENT) {
            if let Some((metric, value)) = event.attributes.as_ref().and_then(|event| self.score(event)) {
                self.scores.push(Score { request, metric, time: event.time(), value });
            }
        }
    }

    /// The version of a span of the prompt in the window, by its index, and its attributes.
    fn version_of<'s, 'a>(&mut self, span: &'s Span<'a>) -> Option<(u32, &'s Attributes<'a>)> {
        let attributes = span.attributes.as_ref()?;
        let prompt = attributes.prompt()?;
        if prompt != self.prompt {
            remember(&mut self.other_prompts, &prompt);
            return None;
        }
        if !(self.from..self.to).contains(&span.start_time_unix_nano.0) {
            return None;
        }
        let mut versions = attributes.versions().peekable();
        if versions.peek().is_none() {
            self.counts.without_version += 1;
            return None;
        }
        let find = |text: &str| {
            let version = text.strip_prefix('v').unwrap_or(text);
            self.versions
                .iter()
                .position(|(semantic, registry)| *registry == Some(text) || semantic == version)
        };
        let found = versions.find_map(|text| find(&text)).and_then(|index| u32::try_from(index).ok());
        if found.is_none() {
            self.counts.other_versions += 1;
        }
        found.map(|index| (index, attributes))
    }

    fn add_record(&mut self, record: &LogRecord<'_>) {
        if record.event_name() != names::EVALUATION_EVENT {
            return;
        }
        let Some((metric, value)) = record.attributes.as_ref().and_then(|event| self.score(event)) else {
            return;
        };
        let time = record.time();
        let Some(span) = record.span() else {
            self.counts.orphans += 1;
            return;
        };
        match self.spans.get(&span) {
            Some(&request) => self.scores.push(Score { request, metric, time, value }),
            None if self.waiting.len() < MAX_WAITING => {
                self.waiting.push(Waiting { span, metric, time, value });
            }
            None => self.counts.dropped += 1,
        }
    }

    /// The metric and the value of an evaluation that is asked for.
    fn score(&mut self, event: &Attributes<'_>) -> Option<(u32, f64)> {
        let name = event.evaluation_name()?;
        let is_asked_for =
            |(asked, metric): (&String, &Metric)| *metric == Metric::Evaluation && *asked == name;
        let Some(index) = self.names.iter().zip(&self.metrics).position(is_asked_for) else {
            remember(&mut self.other_evaluations, &name);
            return None;
        };
        let value = event.score();
        self.counts.without_value += u64::from(value.is_none());
        Some((u32::try_from(index).ok()?, value?))
    }

    /// Joins the scores with their spans. The newest of several scores of one evaluation of a request counts: the same
    /// score may be an event of its span and a log record, and it may be corrected later.
    pub(super) fn join(&mut self) {
        for Waiting { span, metric, time, value } in std::mem::take(&mut self.waiting) {
            match self.spans.get(&span) {
                Some(&request) => self.scores.push(Score { request, metric, time, value }),
                None => self.counts.orphans += 1,
            }
        }
        self.spans = HashMap::new();
        self.scores.sort_by_key(|score| (score.metric, score.request, std::cmp::Reverse(score.time)));
        self.scores.dedup_by_key(|score| (score.metric, score.request));
        for score in &self.scores {
            let version = self.requests[score.request as usize].version;
            self.invalid[score.metric as usize][version as usize] += u64::from(!score.value.is_finite());
        }
    }

    /// The figures of a metric, by its index; those that are not numbers are left out.
    pub(super) fn figures(&self, metric: usize) -> Vec<Figure> {
        let figure =
            |request: &Request, value: f64| Figure { version: request.version, unit: request.unit, value };
        if self.metrics[metric] != Metric::Evaluation {
            let pairs = self.requests.iter().zip(&self.figures[metric]);
            return pairs
                .filter(|(_, value)| value.is_finite())
                .map(|(request, value)| figure(request, *value))
                .collect();
        }
        let start = self.scores.partition_point(|score| (score.metric as usize) < metric);
        let scores = self.scores[start..].iter().take_while(|score| score.metric as usize == metric);
        scores
            .filter(|score| score.value.is_finite())
            .map(|score| figure(&self.requests[score.request as usize], score.value))
            .collect()
    }

    /// The metric, by its index.
    pub(super) fn metric(&self, index: usize) -> Metric {
        self.metrics[index]
    }

    /// Figures of a metric that are not numbers, by version.
    pub(super) fn invalid(&self, metric: usize) -> &[u64] {
        &self.invalid[metric]
    }

    /// The requests of each version.
    pub(super) fn requests(&self) -> Vec<u64> {
        let mut counts = vec![0; self.versions.len()];
        for request in &self.requests {
            counts[request.version as usize] += 1;
        }
        counts
    }

    /// The units of each version, and the units of several versions.
    pub(super) fn units(&self) -> (Vec<u64>, u64) {
        let mut pairs: Vec<(u64, u32)> =
            self.requests.iter().map(|request| (request.unit, request.version)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut counts = vec![0; self.versions.len()];
        for (_, version) in &pairs {
            counts[*version as usize] += 1;
        }
        let of_several =
            pairs.chunk_by(|left, right| left.0 == right.0).filter(|unit| unit.len() > 1).count();
        (counts, of_several as u64)
    }
}

fn remember(names: &mut BTreeSet<String>, name: &str) {
    if names.len() < MAX_NAMES && !names.contains(name) {
        names.insert(name.chars().take(64).collect());
    }
}
