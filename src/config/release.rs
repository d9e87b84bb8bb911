//! `release`: where the versions of a prompt live, and which controls they pass.

mod credentials;
mod ledger;
mod levels;
mod limits;
mod registry;
mod rollouts;
mod sources;

pub use ledger::LedgerSettings;
pub use registry::RegistrySettings;
pub use sources::{HeaderSetting, SourceSettings, SourcesSettings};

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_release::{Name, ReleasePolicy};

use super::load::Reader;
use super::scalar::{Ordered, WrittenDuration};

/// The release of the prompt: its ledger, its registry, and the controls of each level.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Release", extend("required" = ["ledger"]))]
pub(super) struct WrittenRelease {
    /// Name of the prompt in ledger and registry: parts of a-z, 0-9, `.`, `_` and `-` joined by `/`; the suite's name by
    /// default.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Where versions, events and evidence are kept: git, or a map with git or path.
    ledger: Option<ledger::WrittenLedger>,
    /// The registry that applications read: embedded by default, or a map with langfuse or mlflow.
    registry: Option<registry::WrittenRegistry>,
    /// The controls by level.
    levels: levels::WrittenLevels,
    /// How the least level of a change is found.
    semver: levels::WrittenRules,
    /// Logins, and teams as @org/team, whose approvals count.
    approvers: Vec<String>,
    /// The stage before production.
    staging: limits::WrittenStaging,
    /// Limits of the version that production serves.
    monitor: Option<limits::WrittenMonitor>,
    /// Where the metrics of versions in production are read: name, then prometheus, otlp_file, mlflow, langfuse or json.
    sources: Ordered<sources::WrittenSource>,
    /// Steps of rollouts: canary and staged.
    rollouts: rollouts::WrittenRollouts,
    /// Metrics that roll back where harm is shown; all have to be not worse before all units get a version.
    guardrails: Vec<rollouts::WrittenGuardrail>,
    /// Metrics that hold a rollout where they rise too far.
    signals: Vec<rollouts::WrittenSignal>,
    /// The longest time on a step; 168h by default.
    max_hold: Option<WrittenDuration>,
    /// Time after a step begins that is not observed, since applications still cache; 5m by default.
    settle: Option<WrittenDuration>,
    /// Newest time that is not observed, since scores arrive late; 5m by default.
    lag: Option<WrittenDuration>,
    /// Error rate of all guardrails together; 0.05 by default.
    alpha: Option<f64>,
}

/// The keys of a configuration that say where a prompt is released.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct ReleaseAlone {
    /// Name of the suite.
    pub(super) name: Option<String>,
    /// The release.
    pub(super) release: Option<WrittenRelease>,
}

/// The release of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseSettings {
    /// The name in ledger and registry.
    pub name: Name,
    /// Whether the name is written, not that of the suite.
    pub is_named: bool,
    /// Where versions, events and evidence are kept.
    pub ledger: LedgerSettings,
    /// The registry that applications read.
    pub registry: RegistrySettings,
    /// The controls, and the rules of levels.
    pub policy: ReleasePolicy,
    /// Where the metrics of versions in production are read.
    pub sources: SourcesSettings,
}

impl WrittenRelease {
    /// `suite` is the name of the suite.
    pub(super) fn resolve(self, reader: &mut Reader<'_>, suite: &str) -> Option<ReleaseSettings> {
        let is_named = self.name.is_some();
        let name = self.name.as_deref().unwrap_or(suite).parse::<Name>();
        if let Err(error) = &name {
            let at = if is_named { "/release/name" } else { "/release" };
            let written = self.name.as_deref().unwrap_or(suite);
            let suggested = Name::suggest(written).map_or("team/prompt".to_owned(), |name| name.to_string());
            reader.report(at, error.to_string(), format!("write `name: {suggested}` under `release:`"));
        }
        for (index, approver) in self.approvers.iter().enumerate() {
            if !levels::is_approver(approver) {
                let message = format!("invalid approver `{approver}`");
                let help = "expected a login like alice, or a team like @org/prompt-owners";
                reader.report(&format!("/release/approvers/{index}"), message, help);
            }
        }
        let sources = sources::resolve(reader, self.sources);
        let written = rollouts::Written {
            rollouts: self.rollouts,
            guardrails: self.guardrails,
            signals: self.signals,
            max_hold: self.max_hold,
            settle: self.settle,
            lag: self.lag,
            alpha: self.alpha,
        };
        let is_stepwise = self.levels.stepwise();
        let rollouts = written.resolve(reader, &sources, is_stepwise);
        let staging_hold_seconds = self.staging.hold.map_or(0, |hold| hold.0.as_secs());
        let staging_checks = self.staging.resolve(reader, rollouts.as_ref());
        let monitor = self.monitor.and_then(|monitor| monitor.resolve(reader, rollouts.as_ref()));
        let policy = ReleasePolicy {
            levels: self.levels.resolve(rollouts.is_some()),
            approvers: self.approvers,
            staging_hold_seconds,
            staging_checks,
            monitor,
            rules: self.semver.resolve(),
            rollouts,
        };
        let ledger = self.ledger.map(|ledger| ledger.resolve(reader));
        let registry = self.registry.unwrap_or_default().resolve(reader);
        Some(ReleaseSettings {
            name: name.ok()?,
            is_named,
            ledger: ledger??,
            registry: registry?,
            policy,
            sources,
        })
    }
}
