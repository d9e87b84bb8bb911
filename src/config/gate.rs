//! `gate`: how the gate decides.

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_core::gate::{Policy, Rule};
use promptgate_core::model::Scope;

use super::load::Reader;
use super::scalar::Share;

const DEFAULT_REPEATS: u32 = 3;
/// The default where answers never vary: the second one shows whether that is so.
const DETERMINISTIC_REPEATS: u32 = 2;
/// With the default of `repeats`: looks at 3, 6, 12 and 24.
const DEFAULT_MAX_REPEATS: u32 = 24;

/// How the gate decides.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Gate")]
pub(super) struct WrittenGate {
    /// Answers to every case by each variant at the first look; 3 by default. Without max_repeats there is no other look.
    #[schemars(range(min = 1, max = 1_000))]
    repeats: Option<u32>,
    /// Maximum answers to a case: repeats are added up to this many while criteria are undecided; 24 by default.
    #[schemars(range(min = 1, max = 1_000))]
    max_repeats: Option<u32>,
    /// One-sided confidence of every decision, above 0.5 and below 1; 0.95 by default.
    #[schemars(extend("exclusiveMinimum" = 0.5, "exclusiveMaximum" = 1))]
    confidence: Option<f64>,
    /// The drop that a run must be able to detect; 0.05 by default.
    resolution: Option<Share>,
    /// Scope of uncertainty: suite (would this suite pass if run again?) or population (would new cases of its kind
    /// pass?); suite by default.
    scope: Option<Scope>,
    /// How a criterion with noise is decided: evidence, or point (estimate against requirement); evidence by
    /// default.
    rule: Option<Rule>,
    /// How far below the baseline the candidate may be; 0 by default.
    baseline_tolerance: Option<Share>,
    /// Share of missing grades above which nothing is decided; 2% by default.
    max_missing: Option<Share>,
    /// Maximum number of cases that passed with the baseline and fail with the candidate; no criterion by default.
    #[schemars(range(min = 0))]
    max_broken_cases: Option<usize>,
    /// Which cases decide about a change whose policy is that of its base: base (the content that the base has, and new
    /// cases in addition) or head (the change's own dataset); base by default.
    dataset: Option<DatasetRule>,
    /// Effect of an inconclusive verdict: fail (exit code 11) or pass (exit code 0); fail by default.
    inconclusive: Option<Inconclusive>,
    /// Logins of the people who may override the verdict of a pull request by the label promptgate-override, except for its
    /// authors; nobody by default.
    override_by: Vec<String>,
    /// Seed of random permutations; 0 by default.
    #[schemars(range(min = 0))]
    seed: Option<u64>,
}

/// How the gate decides.
#[derive(Debug, Clone, PartialEq)]
pub struct GateSettings {
    /// The policy, still without criteria.
    pub policy: Policy,
    /// How far below the baseline the candidate may be, in 0..=1.
    pub baseline_tolerance: f64,
    /// Maximum broken cases; `None` for no criterion.
    pub max_broken_cases: Option<usize>,
    /// Which cases decide about a change.
    pub dataset: DatasetRule,
    /// The effect of an inconclusive verdict.
    pub inconclusive: Inconclusive,
    /// Logins of the people who may override the verdict of a pull request.
    pub override_by: Vec<String>,
}

/// Which cases decide about a change whose policy is that of its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DatasetRule {
    /// The base's content, and new cases in addition.
    #[default]
    Base,
    /// The change's own dataset.
    Head,
}

/// The effect of an inconclusive verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Inconclusive {
    /// Exit code 11.
    #[default]
    Fail,
    /// Exit code 0.
    Pass,
}

impl WrittenGate {
    /// `is_deterministic` says that nothing varies: neither the answers, nor the verdicts of a judge.
    pub(super) fn resolve(self, reader: &mut Reader<'_>, is_deterministic: bool) -> GateSettings {
        let (rule, scope) = (self.rule.unwrap_or(Rule::Evidence), self.scope.unwrap_or(Scope::Suite));
        let default = if is_deterministic { DETERMINISTIC_REPEATS } else { DEFAULT_REPEATS };
        let fallback = self.max_repeats.map_or(default, |max| max.min(default));
        let repeats = self.repeats.unwrap_or(fallback);
        // Without `max_repeats` the number is fixed. More repeats reduce the noise of answers and judge, but not the
        // spread between cases, which counts for a population.
        let adaptive =
            self.repeats.is_none() && !is_deterministic && scope == Scope::Suite && rule == Rule::Evidence;
        let max_repeats = self.max_repeats.unwrap_or(if adaptive { DEFAULT_MAX_REPEATS } else { repeats });
        if max_repeats < repeats {
            let message =
                format!("`gate.max_repeats` is {max_repeats}, below the {repeats} of `gate.repeats`");
            reader.report("/gate/max_repeats", message, "raise it, or leave it out");
        }
        for (index, login) in self.override_by.iter().enumerate() {
            if !is_login_of_person(login) {
                let message = format!("invalid login `{login}`");
                let help = "expected the login of a person, like alice; teams and apps override nothing";
                reader.report(&format!("/gate/override_by/{index}"), message, help);
            }
        }
        let share = |written: Option<Share>, default: f64| written.map_or(default, |share| share.0);
        let resolution = share(self.resolution, 0.05);
        if resolution >= 1.0 {
            let message = "`gate.resolution` must be below 1";
            reader.report("/gate/resolution", message, "0.05 sees a drop of 5 points");
        }
        GateSettings {
            policy: Policy {
                rule,
                scope,
                confidence: self.confidence.unwrap_or(0.95),
                resolution,
                max_missing: share(self.max_missing, 0.02),
                seed: self.seed.unwrap_or(0),
                repeats,
                max_repeats,
                criteria: Vec::new(),
            },
            baseline_tolerance: share(self.baseline_tolerance, 0.0),
            max_broken_cases: self.max_broken_cases,
            dataset: self.dataset.unwrap_or_default(),
            inconclusive: self.inconclusive.unwrap_or_default(),
            override_by: self.override_by,
        }
    }
}

/// Whether a text is a login of GitHub that a person may have: letters, digits and single hyphens; accounts that an
/// enterprise provides also have an underscore.
fn is_login_of_person(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=100).contains(&text.len())
        && text.bytes().all(plain)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}
