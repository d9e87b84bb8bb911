//! `judge`: the models that judge.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use promptgate_core::model::Diagnostic;

use super::endpoint::{EndpointSettings, WrittenEndpoint};
use super::load::{Placed, Reader};

/// The judge of the metrics.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Judge", extend("required" = ["model"]))]
pub(super) struct WrittenJudge {
    /// Model that judges; preferably not the candidate's.
    #[schemars(length(min = 1))]
    model: String,
    /// Endpoint of the judge; the candidate's by default.
    endpoint: Option<WrittenEndpoint>,
    /// Parameters of every judgement; temperature is 0 by default.
    parameters: Map<String, Value>,
    /// Additional judges: the score is the mean of all.
    #[schemars(length(max = 9))]
    panel: Vec<WrittenMember>,
    /// Judgements of one answer by each judge; their mean counts. 1 by default.
    #[schemars(range(min = 1, max = 100))]
    votes: Option<u32>,
    /// Whether the judge is tested on planted answers before a run; true by default.
    self_test: Option<bool>,
    /// Path of your own planted answers, relative to this file: cases with answer, low and high.
    #[schemars(length(min = 1))]
    planted: Option<String>,
    /// Minimum Cohen's kappa with human labels, from the calibration file.
    #[schemars(range(min = -1, max = 1))]
    min_kappa: Option<f64>,
    /// Minimum balanced accuracy against human labels, from the calibration file.
    #[schemars(range(min = 0, max = 1))]
    min_balanced_accuracy: Option<f64>,
    /// Path of the calibration file, relative to this file; `promptgate calibrate` writes it.
    #[schemars(length(min = 1))]
    calibration: Option<String>,
}

/// An additional judge.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Member", extend("required" = ["model"]))]
pub(super) struct WrittenMember {
    /// Model that judges.
    #[schemars(length(min = 1))]
    model: String,
    /// Its endpoint; the judge's by default.
    endpoint: Option<WrittenEndpoint>,
    /// Parameters of its judgements; temperature is 0 by default.
    parameters: Map<String, Value>,
}

/// The judge.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeSettings {
    /// The models that judge, at least one.
    pub panel: Vec<MemberSettings>,
    /// Judgements of one answer by each of them, at least 1.
    pub votes: u32,
    /// Whether the judge is tested on planted answers first.
    pub self_test: bool,
    /// Planted answers beside the built-in ones, relative to the configuration.
    pub planted: Option<Placed<String>>,
    /// Minimum kappa of the calibration.
    pub min_kappa: Option<f64>,
    /// Minimum balanced accuracy of the calibration.
    pub min_balanced_accuracy: Option<f64>,
    /// The calibration file, relative to the configuration.
    pub calibration: Option<Placed<String>>,
}

/// A model that judges.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberSettings {
    /// Its name.
    pub model: Placed<String>,
    /// Its endpoint; `None` is the candidate's.
    pub endpoint: Option<EndpointSettings>,
    /// Parameters of every judgement by it.
    pub parameters: Map<String, Value>,
}

impl WrittenJudge {
    /// Resolves the judge. Its own model is the first of the panel.
    pub(super) fn resolve(self, reader: &mut Reader<'_>) -> JudgeSettings {
        for (key, minimum) in
            [("min_kappa", self.min_kappa), ("min_balanced_accuracy", self.min_balanced_accuracy)]
        {
            if minimum.is_some() && self.calibration.is_none() {
                let help =
                    "add `calibration: calibration.json`; `promptgate calibrate LABELS` writes that file";
                reader.report_key(
                    &format!("/judge/{key}"),
                    format!("`judge.{key}` needs a calibration"),
                    help,
                );
            }
        }
        if self.planted.is_some() && self.self_test == Some(false) {
            let message = "`judge.planted` has no effect: the self-test is off";
            reader.report_key("/judge/planted", message, "remove `self_test: false` or `planted`");
        }
        let own = WrittenMember { model: self.model, endpoint: self.endpoint, parameters: self.parameters };
        JudgeSettings {
            panel: panel(reader, own, self.panel),
            votes: self.votes.unwrap_or(1),
            self_test: self.self_test.unwrap_or(true),
            planted: self.planted.map(|path| reader.placed("/judge/planted", path)),
            min_kappa: self.min_kappa,
            min_balanced_accuracy: self.min_balanced_accuracy,
            calibration: self.calibration.map(|path| reader.placed("/judge/calibration", path)),
        }
    }
}

fn panel(reader: &mut Reader<'_>, own: WrittenMember, others: Vec<WrittenMember>) -> Vec<MemberSettings> {
    let mut panel = vec![own.resolve(reader, "/judge")];
    for (index, member) in others.into_iter().enumerate() {
        let mut member = member.resolve(reader, &format!("/judge/panel/{index}"));
        member.endpoint = member.endpoint.or_else(|| panel[0].endpoint.clone());
        let is_same = |other: &MemberSettings| {
            (&other.model.value, &other.endpoint, &other.parameters)
                == (&member.model.value, &member.endpoint, &member.parameters)
        };
        if panel.iter().any(is_same) {
            let message = format!("duplicate member `{}` of the panel", member.model.value);
            let diagnostic = Diagnostic::new(message).at(member.model.place.clone());
            reader
                .push(diagnostic.help("name another model, or call the same one several times with `votes`"));
        }
        panel.push(member);
    }
    panel
}

impl WrittenMember {
    fn resolve(self, reader: &mut Reader<'_>, at: &str) -> MemberSettings {
        MemberSettings {
            model: reader.placed(&format!("{at}/model"), self.model),
            endpoint: self.endpoint.map(|own| own.resolve(reader, &format!("{at}/endpoint"))),
            parameters: self.parameters,
        }
    }
}
