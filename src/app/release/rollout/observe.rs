//! The observations of a rollout's current step, from the sources of its metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;

use promptgate_release::limits::{Limit, LimitReadings};
use promptgate_release::ports::{MetricQuery, MetricReadings, MetricSource, TaggedVersion, Window};
use promptgate_release::rollout::{
    Decision, Observations, Reading, Request, Rollout, RolloutPolicy, Variants, decide,
};
use promptgate_release::{Digest, Label, Name, PortError, State, Version};

/// The sources of a release's metrics.
#[derive(Clone)]
pub(in crate::app::release) struct Sources {
    /// The sources by name.
    pub(in crate::app::release) by_name: BTreeMap<String, Arc<dyn MetricSource>>,
    /// The digest of their configuration.
    pub(in crate::app::release) digest: Digest,
}

/// The current step of a rollout: what was observed, and what follows.
pub(super) struct Reviewed {
    /// The observations.
    pub(super) observations: Observations,
    /// The decision.
    pub(super) decision: Decision,
    /// Remarks of the sources, for people.
    pub(super) notes: Vec<String>,
}

/// Observes the current step and decides what follows.
pub(super) async fn review(
    sources: &Sources,
    name: &Name,
    state: &State,
    rollout: &Rollout,
    policy: &RolloutPolicy,
    now: Timestamp,
) -> Reviewed {
    let Observed { observations, notes } = observe(sources, name, state, rollout, policy, now).await;
    let treatment = state.versions.get(&rollout.start.treatment);
    let decision = decide(&Request {
        rollout,
        policy,
        observations: &observations,
        production: state.labels.get(&Label::Production).copied(),
        sources: &sources.digest,
        evaluation: treatment.and_then(|version| version.evidence.as_ref()),
        now,
    });
    Reviewed { observations, decision, notes }
}

/// Why a step without a window has no data.
const JUST_BEGUN: &str = "nothing observed yet: the step began less than `settle` + `lag` ago";

struct Observed {
    observations: Observations,
    notes: Vec<String>,
}

/// Reads what the policy looks at, from the window of the step. Nothing is read from sources other than those that it began
/// with.
async fn observe(
    sources: &Sources,
    name: &Name,
    state: &State,
    rollout: &Rollout,
    policy: &RolloutPolicy,
    now: Timestamp,
) -> Observed {
    let mut observed = Observed { observations: Observations::default(), notes: Vec::new() };
    // Sources that changed get no request, and so no credential either.
    let window = match sources.digest == rollout.start.sources {
        true => policy.window(rollout.step_started_at, now).ok_or(JUST_BEGUN),
        false => Err("the sources of metrics changed"),
    };
    let window = match window {
        Ok(window) => window,
        Err(why) => {
            let missing = |metric: &str| (metric.to_owned(), Reading::Missing(why.to_owned()));
            observed.observations.readings = policy.metrics().into_keys().map(missing).collect();
            return observed;
        }
    };
    let versions = [rollout.start.control, rollout.start.treatment];
    let metrics: Vec<(String, String)> =
        policy.metrics().into_iter().map(|(metric, source)| (metric.to_owned(), source.to_owned())).collect();
    for (source, metrics, read) in read(sources, name, state, &versions, &metrics, window).await {
        match read {
            Ok(readings) => observed.add(&source, &metrics, readings),
            Err(error) => observed.fail(&source, &metrics, &error),
        }
    }
    observed
}

/// A source, the metrics that it was asked for, and its answer.
type Answer = (String, Vec<String>, Result<MetricReadings, PortError>);

/// Reads metrics, each with the name of its source, from all sources at once.
pub(super) async fn read(
    sources: &Sources,
    name: &Name,
    state: &State,
    versions: &[Version],
    metrics: &[(String, String)],
    window: Window,
) -> Vec<Answer> {
    let versions: Vec<TaggedVersion> = versions.iter().map(|version| tagged(state, *version)).collect();
    let wanted: BTreeSet<&str> = metrics.iter().map(|(_, source)| source.as_str()).collect();
    let reads = wanted.into_iter().map(|source| {
        let of_source = metrics.iter().filter(|(_, from)| from == source);
        let metrics: Vec<String> = of_source.map(|(metric, _)| metric.clone()).collect();
        let versions = &versions;
        async move {
            let query = MetricQuery { name, versions, metrics: &metrics, window };
            let answer = match sources.by_name.get(source) {
                Some(source) => source.read(&query).await,
                None => Err(PortError::Invalid(format!("the source {source} is not configured"))),
            };
            (source.to_owned(), metrics, answer)
        }
    });
    join_all(reads).await
}

/// Reads the metrics of limits for one version. Also returns remarks of the sources, for people.
pub(super) async fn read_limits(
    sources: &Sources,
    name: &Name,
    state: &State,
    version: Version,
    limits: &[Limit],
    window: Option<Window>,
) -> (LimitReadings, Vec<String>) {
    let Some(window) = window else {
        let just_moved = "nothing observed yet: moved there less than `settle` + `lag` ago";
        let missing = |limit: &Limit| (limit.metric.clone(), Reading::Missing(just_moved.to_owned()));
        return (limits.iter().map(missing).collect(), Vec::new());
    };
    let metrics: Vec<(String, String)> =
        limits.iter().map(|limit| (limit.metric.clone(), limit.source.clone())).collect();
    let mut readings = LimitReadings::new();
    let mut notes = Vec::new();
    for (source, metrics, answer) in read(sources, name, state, &[version], &metrics, window).await {
        let mut answer = answer.map_err(|error| format!("{source}: {error}"));
        for metric in metrics {
            let reading = match &mut answer {
                Ok(answer) => match answer.samples.remove(&metric).and_then(|mut samples| samples.pop()) {
                    Some(Ok(sample)) => Reading::Observed(sample),
                    Some(Err(why)) => Reading::Missing(why),
                    None => Reading::Missing(format!("{source} has no such metric")),
                },
                Err(error) => Reading::Failed(error.clone()),
            };
            readings.insert(metric, reading);
        }
        if let Ok(answer) = answer {
            notes.extend(answer.notes.iter().map(|note| format!("{source}: {note}")));
        }
    }
    (readings, notes)
}

fn tagged(state: &State, version: Version) -> TaggedVersion {
    let registered = state.versions.get(&version).and_then(|known| known.registered.values().next());
    TaggedVersion { version, registry_id: registered.cloned() }
}

impl Observed {
    fn add(&mut self, source: &str, metrics: &[String], mut readings: MetricReadings) {
        for metric in metrics {
            let reading = match readings.samples.remove(metric).as_deref() {
                Some([Ok(control), Ok(treatment)]) => {
                    Reading::Observed(Variants { control: *control, treatment: *treatment })
                }
                Some([Err(why), _] | [_, Err(why)]) => Reading::Missing(why.clone()),
                _ => Reading::Missing(format!("{source} has no such metric")),
            };
            self.observations.readings.insert(metric.clone(), reading);
        }
        if let Some([control, treatment]) = readings.units.as_deref() {
            // The source with the most units saw the most of the traffic.
            let units = Variants { control: *control, treatment: *treatment };
            let known =
                self.observations.units.map_or(0, |known| known.control.saturating_add(known.treatment));
            if units.control.saturating_add(units.treatment) > known {
                self.observations.units = Some(units);
            }
        }
        self.notes.extend(readings.notes.iter().map(|note| format!("{source}: {note}")));
    }

    fn fail(&mut self, source: &str, metrics: &[String], error: &PortError) {
        let failed = Reading::Failed(format!("{source}: {error}"));
        self.observations.readings.extend(metrics.iter().map(|metric| (metric.clone(), failed.clone())));
    }
}
