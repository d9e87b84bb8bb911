//! `release.levels` and `release.semver`: the controls of each level, and how the least level is found.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_release::diff::Rules;
use promptgate_release::rollout::RolloutKind;
use promptgate_release::{Controls, GateScope, Level, Levels, ReleasePolicy};

/// The controls by level.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Levels")]
pub(super) struct WrittenLevels {
    /// Wording: spelling, punctuation, white space. Checks by default.
    patch: WrittenControls,
    /// Behavior. The full gate by default.
    minor: WrittenControls,
    /// The contract with applications, and a first version. The full gate and one approval by default.
    major: WrittenControls,
}

/// The controls of a level.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Controls")]
struct WrittenControls {
    /// The extent of the gate.
    gate: Option<WrittenGateScope>,
    /// Approvals by different people.
    approvals: Option<u32>,
    /// How production gets the version; direct by default, with guardrails canary for minor and staged for major ones.
    rollout: Option<WrittenRollout>,
}

/// The extent of the gate.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "GateScope")]
enum WrittenGateScope {
    /// Deterministic criteria alone, without a baseline.
    Checks,
    /// All criteria, against what production serves.
    Full,
}

/// How production gets a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Rollout")]
enum WrittenRollout {
    /// At once.
    Direct,
    /// In steps; requires sources of metrics.
    Canary,
    /// In longer steps; requires sources of metrics.
    Staged,
}

/// How the least level of a change is found.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Semver")]
pub(super) struct WrittenRules {
    /// The most places that a patch may change; 3 by default.
    patch_max_words: Option<usize>,
    /// Words that no patch may add, remove or change, beside negations, modals and numbers.
    guarded_words: Vec<String>,
    /// Names of models that count as one: family, then names.
    families: BTreeMap<String, Vec<String>>,
}

impl WrittenLevels {
    /// The first level that asks for a rollout in steps.
    pub(super) fn stepwise(&self) -> Option<Level> {
        let levels = [(&self.patch, Level::Patch), (&self.minor, Level::Minor), (&self.major, Level::Major)];
        let is_stepwise = |written: &WrittenControls| {
            written.rollout.is_some_and(|rollout| rollout != WrittenRollout::Direct)
        };
        levels.into_iter().find(|(written, _)| is_stepwise(written)).map(|(_, level)| level)
    }

    /// `has_rollouts` says whether there are guardrails, without which every version goes to production at once.
    pub(super) fn resolve(self, has_rollouts: bool) -> Levels {
        let defaults = ReleasePolicy::default();
        let controls = |written: WrittenControls, level: Level| {
            let stepwise = match level {
                Level::Patch => RolloutKind::Direct,
                Level::Minor => RolloutKind::Canary,
                Level::Major => RolloutKind::Staged,
            };
            let rollout = if has_rollouts { stepwise } else { RolloutKind::Direct };
            written.resolve(Controls { rollout, ..defaults.controls(level) })
        };
        Levels {
            patch: controls(self.patch, Level::Patch),
            minor: controls(self.minor, Level::Minor),
            major: controls(self.major, Level::Major),
        }
    }
}

impl WrittenControls {
    fn resolve(self, default: Controls) -> Controls {
        let gate = self.gate.map_or(default.gate, |gate| match gate {
            WrittenGateScope::Checks => GateScope::Checks,
            WrittenGateScope::Full => GateScope::Full,
        });
        let rollout = self.rollout.map_or(default.rollout, |rollout| match rollout {
            WrittenRollout::Direct => RolloutKind::Direct,
            WrittenRollout::Canary => RolloutKind::Canary,
            WrittenRollout::Staged => RolloutKind::Staged,
        });
        Controls { gate, approvals: self.approvals.unwrap_or(default.approvals), rollout }
    }
}

impl WrittenRules {
    pub(super) fn resolve(self) -> Rules {
        let defaults = Rules::default();
        Rules {
            patch_max_words: self.patch_max_words.unwrap_or(defaults.patch_max_words),
            guarded: self.guarded_words,
            families: self.families,
        }
    }
}

/// Whether a text is a login, or a team as `@org/team`.
pub(super) fn is_approver(text: &str) -> bool {
    let is_login = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte))
    };
    match text.strip_prefix('@') {
        Some(team) => team.split_once('/').is_some_and(|(org, team)| is_login(org) && is_login(team)),
        None => is_login(text),
    }
}
