//! The judge of a run: its models, its responses, its self-test and its calibration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CalibrationFacts, Planted};
use promptgate_core::model::{self, TrialResult};

/// The judge of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judge {
    /// Its model; of a panel, the models joined by ` + `.
    pub model: String,
    /// The models of its panel.
    #[serde(default)]
    pub panel: Vec<String>,
    /// Judgements of one answer by each model.
    #[serde(default = "one")]
    pub votes: u32,
    /// Digest of everything known before a call: rules, questions, models, parameters, endpoint hosts, votes.
    pub fingerprint: String,
    /// The inputs of the digest by name.
    #[serde(default)]
    pub parts: BTreeMap<String, String>,
    /// The fingerprint of the judge of each metric, which a calibration of that metric refers to.
    #[serde(default)]
    pub by_metric: BTreeMap<String, String>,
    /// Its responses over all judgements.
    #[serde(default)]
    pub answered: JudgeResponses,
    /// Whether every model of its panel is sent temperature 0.
    #[serde(default)]
    pub temperature_zero: bool,
    /// Its self-test; null where none was run.
    pub self_test: Option<SelfTest>,
    /// Its calibration; null where none is configured.
    pub calibration: Option<CalibrationFacts>,
}

/// The circumstances of a judge's responses. Several of one kind mean that the instrument changed during the run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct JudgeResponses {
    /// The models that the responses named.
    pub models: BTreeSet<String>,
    /// The `system_fingerprint`s of the responses.
    pub system_fingerprints: BTreeSet<String>,
    /// How structured output was requested: `json_schema`, `json_object` or `fenced`.
    pub output_modes: BTreeSet<String>,
    /// Parameters that an endpoint rejected, and that later requests left out.
    pub refused_parameters: BTreeSet<String>,
}

/// Judgements of planted answers before the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SelfTest {
    /// Whether every planted answer was judged as expected.
    pub passed: bool,
    /// One for each planted answer and judge.
    pub planted: Vec<Planted>,
}

impl Judge {
    /// The judge of a run, with its responses in the trials.
    pub(super) fn of(run: &model::Run) -> Option<Self> {
        let facts = run.judge.as_ref()?;
        Some(Self {
            model: facts.model(),
            panel: facts.panel.clone(),
            votes: facts.votes,
            fingerprint: facts.fingerprint.clone(),
            parts: facts.parts.clone(),
            by_metric: facts.by_metric.clone(),
            temperature_zero: facts.temperature_zero,
            answered: JudgeResponses::of(run),
            self_test: facts.self_test.as_ref().map(SelfTest::from),
            calibration: facts.calibration.clone(),
        })
    }

    pub(super) fn restore(&self) -> model::JudgeFacts {
        model::JudgeFacts {
            // Reports from before there were panels have the one model.
            panel: if self.panel.is_empty() { vec![self.model.clone()] } else { self.panel.clone() },
            votes: self.votes,
            fingerprint: self.fingerprint.clone(),
            parts: self.parts.clone(),
            by_metric: self.by_metric.clone(),
            temperature_zero: self.temperature_zero,
            self_test: self.self_test.as_ref().map(model::SelfTest::from),
            calibration: self.calibration.clone(),
        }
    }
}

/// Votes in reports from before there were any.
fn one() -> u32 {
    1
}

impl JudgeResponses {
    fn of(run: &model::Run) -> Self {
        let mut responses = Self::default();
        for trial in &run.trials {
            let TrialResult::Completed(completed) = &trial.result else { continue };
            let name = |name: &Option<Arc<str>>| name.as_ref().map(|name| name.to_string());
            for grade in completed.grades.iter().filter(|grade| !grade.is_check()) {
                for judgement in &grade.judgements {
                    responses.models.extend(name(&judgement.by.model));
                    responses.system_fingerprints.extend(name(&judgement.by.system_fingerprint));
                    responses.output_modes.extend(name(&judgement.by.output_mode));
                }
                let refused = grade.flags.iter().filter_map(|flag| flag.strip_prefix("parameter_refused:"));
                responses.refused_parameters.extend(refused.map(str::to_owned));
            }
        }
        responses
    }
}

impl From<&model::SelfTest> for SelfTest {
    fn from(test: &model::SelfTest) -> Self {
        Self { passed: test.passed(), planted: test.rows.clone() }
    }
}

impl From<&SelfTest> for model::SelfTest {
    fn from(test: &SelfTest) -> Self {
        Self { rows: test.planted.clone() }
    }
}
