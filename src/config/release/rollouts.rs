//! `release.rollouts`, `guardrails`, `signals`, `max_hold`, `settle`, `lag` and `alpha`: how production gets a version in
//! steps.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_release::Level;
use promptgate_release::rollout::{
    ALL_UNITS, Better, Guardrail, RolloutPolicy, Signal, Step, default_canary, default_staged,
};

use super::sources::SourcesSettings;
use crate::config::load::Reader;
use crate::config::scalar::WrittenDuration;

const DEFAULT_ALPHA: f64 = 0.05;
const DEFAULT_MAX_HOLD_SECONDS: u64 = 168 * 3_600;
/// Applications may read the version before for this long: the cache of an SDK, and one more read.
const DEFAULT_SETTLE_SECONDS: u64 = 5 * 60;
const DEFAULT_LAG_SECONDS: u64 = 5 * 60;

/// The steps of both kinds of rollout.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Rollouts")]
pub(super) struct WrittenRollouts {
    /// Steps of a canary rollout; 5, 25, 50 and 100 percent by default.
    canary: Option<Vec<WrittenStep>>,
    /// Steps of a staged rollout; the same percentages with longer holds by default.
    staged: Option<Vec<WrittenStep>>,
}

/// A step; the last one has 100 percent and nothing else.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Step")]
struct WrittenStep {
    /// Percentage of the units that get the version, to the hundredth.
    #[schemars(range(min = 0.01, max = 100.0))]
    percent: f64,
    /// The shortest time on this step.
    #[serde(default)]
    hold: Option<WrittenDuration>,
    /// Samples of each guardrail from treated units on this step.
    #[serde(default)]
    min_samples: Option<u64>,
}

/// A metric that rolls back where harm is shown.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Guardrail")]
pub(super) struct WrittenGuardrail {
    /// Name of the metric.
    #[schemars(length(min = 1))]
    name: String,
    /// The better direction.
    better: WrittenBetter,
    /// The deterioration that is tolerated, in the unit of the metric.
    margin: f64,
    /// Name of one of the sources.
    source: String,
}

/// The better direction of a metric.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Better")]
enum WrittenBetter {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// A metric that holds a rollout where it rises too far.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Signal")]
pub(super) struct WrittenSignal {
    /// Name of the metric.
    #[schemars(length(min = 1))]
    name: String,
    /// Highest ratio of the treatment to the control.
    max_ratio: f64,
    /// Name of one of the sources.
    source: String,
}

/// Everything about rollouts as it is written.
pub(super) struct Written {
    pub(super) rollouts: WrittenRollouts,
    pub(super) guardrails: Vec<WrittenGuardrail>,
    pub(super) signals: Vec<WrittenSignal>,
    pub(super) max_hold: Option<WrittenDuration>,
    pub(super) settle: Option<WrittenDuration>,
    pub(super) lag: Option<WrittenDuration>,
    pub(super) alpha: Option<f64>,
}

impl Written {
    /// The rollouts; `None` without guardrails. `stepwise` is the first level that asks for them.
    pub(super) fn resolve(
        self,
        reader: &mut Reader<'_>,
        sources: &SourcesSettings,
        stepwise: Option<Level>,
    ) -> Option<RolloutPolicy> {
        let asked = stepwise.map(|level| format!("/release/levels/{level}/rollout"));
        let asked = asked.or_else(|| self.key().map(|key| format!("/release/{key}")));
        if sources.is_empty() || self.guardrails.is_empty() {
            if let Some(at) = asked {
                let (missing, lines) = if sources.is_empty() {
                    ("sources of metrics", "sources: {scores: {otlp_file: \"telemetry/*.jsonl\"}}")
                } else {
                    (
                        "guardrails",
                        "guardrails: [{name: faithfulness, better: higher, margin: 0.03, source: scores}]",
                    )
                };
                let message = format!("a rollout in steps needs {missing}, and there are none");
                reader.report(&at, message, format!("add to `release:` {lines}, or use `rollout: direct`"));
            }
            return None;
        }
        Some(self.with_sources(reader, sources))
    }

    fn with_sources(self, reader: &mut Reader<'_>, sources: &SourcesSettings) -> RolloutPolicy {
        let seconds = |written: Option<WrittenDuration>, default| {
            written.map_or(default, |duration: WrittenDuration| duration.0.as_secs())
        };
        let max_hold_seconds = seconds(self.max_hold, DEFAULT_MAX_HOLD_SECONDS);
        let canary = self.rollouts.canary.map_or_else(default_canary, |steps| plan(reader, "canary", &steps));
        let staged = self.rollouts.staged.map_or_else(default_staged, |steps| plan(reader, "staged", &steps));
        refuse_long_holds(
            reader,
            [("canary", &canary), ("staged", &staged)],
            self.max_hold,
            max_hold_seconds,
        );
        let mut names = BTreeSet::new();
        let mut known = |reader: &mut Reader<'_>, at: String, name: &str, source: &str| {
            if sources.get(source).is_none() {
                let listed = sources.names().collect::<Vec<_>>().join(", ");
                let help = format!("expected one of {listed}");
                reader.report(&format!("{at}/source"), format!("unknown source `{source}`"), help);
            }
            if !names.insert(name.to_owned()) {
                let message = format!("the metric `{name}` is written twice");
                reader.report(&format!("{at}/name"), message, "keep one of them");
            }
        };
        let mut guardrails = Vec::new();
        for (index, written) in self.guardrails.into_iter().enumerate() {
            let at = format!("/release/guardrails/{index}");
            known(reader, at.clone(), &written.name, &written.source);
            if !(written.margin > 0.0 && written.margin.is_finite()) {
                let help = "expected the deterioration that is tolerated: 0.03";
                reader.report(&format!("{at}/margin"), "a margin is above 0", help);
            }
            guardrails.push(written.resolve());
        }
        let mut signals = Vec::new();
        for (index, written) in self.signals.into_iter().enumerate() {
            let at = format!("/release/signals/{index}");
            known(reader, at.clone(), &written.name, &written.source);
            if !(written.max_ratio >= 1.0 && written.max_ratio.is_finite()) {
                let help = "expected the highest ratio to what production has: 1.2";
                reader.report(&format!("{at}/max_ratio"), "a ratio is 1 or more", help);
            }
            let WrittenSignal { name, max_ratio, source } = written;
            signals.push(Signal { name, max_ratio, source });
        }
        let alpha = self.alpha.unwrap_or(DEFAULT_ALPHA);
        if !(alpha > 0.0 && alpha < 0.5) {
            reader.report("/release/alpha", "alpha is above 0 and below 0.5", "leave it out for 0.05");
        }
        RolloutPolicy {
            canary,
            staged,
            guardrails,
            signals,
            max_hold_seconds,
            settle_seconds: seconds(self.settle, DEFAULT_SETTLE_SECONDS),
            lag_seconds: seconds(self.lag, DEFAULT_LAG_SECONDS),
            alpha,
            sources: sources.digest(),
        }
    }

    /// The first key that only a rollout in steps has.
    fn key(&self) -> Option<&'static str> {
        let keys = [
            ("rollouts", self.rollouts.canary.is_some() || self.rollouts.staged.is_some()),
            ("guardrails", !self.guardrails.is_empty()),
            ("signals", !self.signals.is_empty()),
            ("max_hold", self.max_hold.is_some()),
            ("settle", self.settle.is_some()),
            ("lag", self.lag.is_some()),
            ("alpha", self.alpha.is_some()),
        ];
        keys.into_iter().find(|(_, is_written)| *is_written).map(|(key, _)| key)
    }
}

impl WrittenGuardrail {
    fn resolve(self) -> Guardrail {
        let better = match self.better {
            WrittenBetter::Higher => Better::Higher,
            WrittenBetter::Lower => Better::Lower,
        };
        Guardrail { name: self.name, better, margin: self.margin, source: self.source }
    }
}

/// Reports a step that is held as long as `max_hold`, or longer: at `max_hold` if it is `written`, else at the step.
fn refuse_long_holds(
    reader: &mut Reader<'_>,
    kinds: [(&str, &Vec<Step>); 2],
    written: Option<WrittenDuration>,
    max_hold_seconds: u64,
) {
    let steps = kinds.iter().flat_map(|(kind, steps)| steps.iter().enumerate().map(move |step| (kind, step)));
    let longest = steps.min_by_key(|(_, (_, step))| std::cmp::Reverse(step.hold_seconds));
    let Some((kind, (index, step))) = longest.filter(|(_, (_, step))| step.hold_seconds >= max_hold_seconds)
    else {
        return;
    };
    let (max_hold, hold) = (duration(max_hold_seconds), duration(step.hold_seconds));
    if written.is_some() {
        let message = format!(
            "`max_hold` of {max_hold} must be longer than the hold of {kind} step {}, {hold}",
            index + 1
        );
        reader.report("/release/max_hold", message, "raise it, or hold that step for less");
    } else {
        let message = format!("a hold of {hold} must be shorter than `max_hold`, {max_hold} by default");
        reader.report(
            &format!("/release/rollouts/{kind}/{index}"),
            message,
            "raise `max_hold`, or hold less",
        );
    }
}

/// A duration in its largest whole unit up to hours, as it is written.
fn duration(seconds: u64) -> String {
    match seconds {
        seconds if seconds > 0 && seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        seconds if seconds > 0 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// The monitored steps, all but the last.
fn plan(reader: &mut Reader<'_>, kind: &str, written: &[WrittenStep]) -> Vec<Step> {
    let at = format!("/release/rollouts/{kind}");
    let mut steps = Vec::new();
    let mut before = 0;
    for (index, step) in written.iter().enumerate() {
        let place = format!("{at}/{index}");
        // The schema has reported a percentage out of range.
        let basis_points = (step.percent * 100.0).round();
        let points = basis_points as u32;
        if (basis_points - step.percent * 100.0).abs() > 1e-6 {
            let help = "expected a percentage to the hundredth: 2.5";
            reader.report(&format!("{place}/percent"), "a percentage that is too fine", help);
        }
        if points <= before {
            let help = "write them in the order in which they follow";
            reader.report(&format!("{place}/percent"), "each step has more units than the one before", help);
        }
        before = points;
        if points >= ALL_UNITS {
            if step.hold.is_some() || step.min_samples.is_some() {
                let help = "write `{percent: 100}` alone";
                reader.report(&place, "the last step ends the rollout, and holds nothing", help);
            }
            continue;
        }
        match (step.hold, step.min_samples) {
            (Some(hold), Some(min_samples)) if min_samples > 0 => {
                steps.push(Step { basis_points: points, hold_seconds: hold.0.as_secs(), min_samples });
            }
            _ => {
                let help = "write both: {percent: 5, hold: 48h, min_samples: 400}";
                reader.report(&place, "a step needs `hold` and `min_samples`", help);
            }
        }
    }
    if before != ALL_UNITS || written.len() < 2 {
        let help = "end with `{percent: 100}`, after at least one step below it";
        reader.report(&at, "a rollout goes to 100 percent in two steps or more", help);
    }
    steps
}
