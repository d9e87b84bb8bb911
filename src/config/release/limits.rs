//! `release.staging` and `release.monitor`: limits on the metrics of one version by itself.

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_core::document::{pointer, suggest};
use promptgate_release::limits::{BrokenAction, Limit, Monitor, OnNoTraffic, StagingChecks};
use promptgate_release::rollout::{Better, RolloutPolicy};

use crate::config::load::Reader;
use crate::config::scalar::{Ordered, WrittenDuration};

const DEFAULT_MIN_SAMPLES: u64 = 50;
/// The metric of every source that is a share.
const ERROR_RATE: &str = "error_rate";
const DEFAULT_WINDOW_SECONDS: u64 = 24 * 3_600;

/// The stage before production.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Staging")]
pub(super) struct WrittenStaging {
    /// How long a version stays there before it may be promoted to production; not at all by default.
    pub(super) hold: Option<WrittenDuration>,
    /// Samples of each limit; 50 by default.
    #[schemars(range(min = 1))]
    min_samples: Option<u64>,
    /// The substitute for samples where there are too few: replay, the default, or wait.
    on_no_traffic: Option<WrittenOnNoTraffic>,
    /// Worst value of guardrails and signals; a broken limit puts staging back.
    limits: Ordered<f64>,
}

/// The substitute for the samples of a version on staging.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OnNoTraffic")]
enum WrittenOnNoTraffic {
    /// The gate runs on the golden cases again.
    Replay,
    /// Nothing.
    Wait,
}

/// The version that production serves.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Monitor", extend("required" = ["limits"]))]
pub(super) struct WrittenMonitor {
    /// The time up to now that is looked at; 24h by default.
    window: Option<WrittenDuration>,
    /// Worst value of guardrails and signals.
    limits: Option<Ordered<f64>>,
    /// The effect of a broken limit: alert, the default, or rollback.
    action: Option<WrittenAction>,
}

/// The effect of a broken limit.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "MonitorAction")]
enum WrittenAction {
    /// The job fails, so that a person is told.
    Alert,
    /// Production is rolled back.
    Rollback,
}

impl WrittenStaging {
    /// The checks; `None` without limits.
    pub(super) fn resolve(
        self,
        reader: &mut Reader<'_>,
        rollouts: Option<&RolloutPolicy>,
    ) -> Option<StagingChecks> {
        if self.limits.0.is_empty() {
            let keys = [
                ("min_samples", self.min_samples.is_some()),
                ("on_no_traffic", self.on_no_traffic.is_some()),
            ];
            for (key, _) in keys.into_iter().filter(|(_, is_written)| *is_written) {
                let message = format!("`{key}` is about samples of limits, and there are none");
                reader.report(
                    &format!("/release/staging/{key}"),
                    message,
                    "add `limits: {error_rate: 0.02}`",
                );
            }
            return None;
        }
        let min_samples = self.min_samples.unwrap_or(DEFAULT_MIN_SAMPLES);
        if min_samples == 0 {
            let help = "leave it out for 50";
            reader.report("/release/staging/min_samples", "`min_samples` is at least 1", help);
        }
        let on_no_traffic = match self.on_no_traffic {
            Some(WrittenOnNoTraffic::Wait) => OnNoTraffic::Wait,
            Some(WrittenOnNoTraffic::Replay) | None => OnNoTraffic::Replay,
        };
        let limits = limits(reader, "/release/staging/limits", self.limits, rollouts);
        Some(StagingChecks { min_samples, on_no_traffic, limits })
    }
}

impl WrittenMonitor {
    pub(super) fn resolve(
        self,
        reader: &mut Reader<'_>,
        rollouts: Option<&RolloutPolicy>,
    ) -> Option<Monitor> {
        // The schema has reported limits that are not written.
        let written = self.limits?;
        if written.0.is_empty() {
            let help = "add `limits: {error_rate: 0.05}`, or remove `monitor`";
            reader.report("/release/monitor", "nothing is monitored without limits", help);
            return None;
        }
        let window_seconds = self.window.map_or(DEFAULT_WINDOW_SECONDS, |window| window.0.as_secs());
        if window_seconds == 0 {
            reader.report("/release/monitor/window", "a window is at least 1s", "leave it out for 24h");
        }
        let action = match self.action {
            Some(WrittenAction::Rollback) => BrokenAction::Rollback,
            Some(WrittenAction::Alert) | None => BrokenAction::Alert,
        };
        let limits = limits(reader, "/release/monitor/limits", written, rollouts);
        Some(Monitor { window_seconds, limits, action })
    }
}

/// Limits on guardrails and signals, which say where each metric is from and which direction is better.
fn limits(
    reader: &mut Reader<'_>,
    at: &str,
    written: Ordered<f64>,
    rollouts: Option<&RolloutPolicy>,
) -> Vec<Limit> {
    let Some(rollouts) = rollouts else {
        let help = "add `sources:` and `guardrails:` to `release:`; docs/rollout.md has an example";
        reader.report(at, "limits are on guardrails and signals, and there are none", help);
        return Vec::new();
    };
    let guardrails = rollouts.guardrails.iter();
    let guardrails = guardrails.map(|it| (it.name.as_str(), (it.better, it.source.as_str())));
    let signals = rollouts.signals.iter().map(|it| (it.name.as_str(), (Better::Lower, it.source.as_str())));
    let known: Vec<_> = guardrails.chain(signals).collect();
    let mut limits = Vec::new();
    for (metric, worst) in written.0 {
        let at = pointer(at, &metric);
        let found = known.iter().find(|(name, _)| *name == metric);
        let Some((_, (better, source))) = found.copied() else {
            let names = known.iter().map(|(name, _)| *name);
            let help = match suggest(&metric, names.clone()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!(
                    "add it to `signals:` with its source, or use one of {}",
                    names.collect::<Vec<_>>().join(", ")
                ),
            };
            reader.report(&at, format!("`{metric}` must be a guardrail or a signal"), help);
            continue;
        };
        if !(worst >= 0.0 && worst.is_finite()) {
            reader.report(&at, "a limit is 0 or more", "expected the worst value that is kept: 0.02");
        } else if metric == ERROR_RATE && worst > 1.0 {
            reader.report(&at, "`error_rate` must be at most 1: 2 % is 0.02", "expected a share: 0.02");
        }
        limits.push(Limit { metric, better, worst, source: source.to_owned() });
    }
    limits
}
