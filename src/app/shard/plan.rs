//! The parts of the plan digest, which all shards of a run must have in common.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::sources::{Earlier, Files};
use crate::config::{Inconclusive, Settings};
use promptgate_core::check;
use promptgate_core::gate::Policy;
use promptgate_core::model::{JudgeFacts, PolicySource, Role, Variant};
use promptgate_engine::execute::{Plan, Scorers};
use promptgate_report::shard::{CaseInPlan, digest_of, digest_of_cases};
use promptgate_report::v1;

/// Facts that shards of a run must have in common, known before the first call.
pub(in crate::app) struct PlanFacts<'a> {
    /// The configuration.
    pub(in crate::app) settings: &'a Settings,
    /// The files of its checks.
    pub(in crate::app) files: &'a Files,
    /// Where the policy is from; `None` for the configuration itself.
    pub(in crate::app) policy_source: Option<&'a PolicySource>,
    /// Metric names of the whole run.
    pub(in crate::app) scorers: &'a [String],
    /// The policy.
    pub(in crate::app) policy: &'a Policy,
    /// The judge, if one is called.
    pub(in crate::app) judge: Option<&'a JudgeFacts>,
    /// Identity of the endpoint that answers.
    pub(in crate::app) endpoint: &'a str,
    /// A baseline from an earlier run.
    pub(in crate::app) earlier: Option<&'a Earlier>,
    /// Whether the simulated model answers.
    pub(in crate::app) simulated: bool,
}

impl PlanFacts<'_> {
    /// Whether the configuration lets an inconclusive verdict pass.
    pub(super) fn inconclusive_passes(&self) -> bool {
        self.settings.gate.inconclusive == Inconclusive::Pass
    }

    /// The parts of the digest of this plan, taken before cases of other shards are dropped from it.
    pub(super) fn parts(&self, plan: &Plan, scorers: &Scorers) -> BTreeMap<String, String> {
        let settings = self.settings;
        let baseline = match (plan.baseline(), self.earlier) {
            (Some(variant), _) => digest_of_variant(variant),
            (None, Some(earlier)) => digest_of_earlier(earlier),
            (None, None) => "none".to_owned(),
        };
        let judge = self.judge.map_or_else(|| "none".to_owned(), |judge| judge.fingerprint.clone());
        let self_test = settings.judge.as_ref().is_some_and(|judge| judge.self_test);
        let calibration = self.judge.and_then(|judge| judge.calibration.as_ref());
        let source = self.policy_source.map_or_else(
            || "none".to_owned(),
            |source| digest_of([json!([v1::PolicySource::from(source), &source.dataset])]),
        );
        let prices = settings.prices.iter().map(|(model, input, output)| json!([model, input, output]));
        [
            ("tool", env!("CARGO_PKG_VERSION").to_owned()),
            ("name", settings.name.clone()),
            ("candidate", digest_of_variant(plan.candidate())),
            ("baseline", baseline),
            ("scorers", self.digest_of_scorers(plan)),
            ("judge", judge),
            ("self_test", self_test.to_string()),
            ("calibration", calibration.map_or_else(|| "none".to_owned(), |it| it.fingerprint.clone())),
            ("endpoint", self.endpoint.to_owned()),
            ("cases", self.digest_of_plan_cases(plan, scorers)),
            ("prices", digest_of(prices)),
            ("inconclusive", if self.inconclusive_passes() { "pass" } else { "fail" }.to_owned()),
            ("simulated", self.simulated.to_string()),
            ("policy_from", source),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn digest_of_plan_cases(&self, plan: &Plan, scorers: &Scorers) -> String {
        digest_of_cases(plan.dataset().cases.iter().enumerate().map(|(index, case)| CaseInPlan {
            id: &case.id,
            tags: &case.tags,
            group: case.group.as_deref(),
            must_pass: case.must_pass,
            scorers:
                self.scorers.iter().map(String::as_str).filter(|name| scorers.applies(name, index)).collect(),
        }))
    }

    /// Digest of names, checks as written, and the files that they name.
    fn digest_of_scorers(&self, plan: &Plan) -> String {
        let entries: Vec<&Value> = self.settings.checks.iter().map(|check| &check.value).collect();
        let own = plan.dataset().cases.iter().flat_map(|case| &case.checks);
        let files = RefCell::new(BTreeMap::new());
        let keep = |path: &str, text: Result<String, String>| {
            let text = text?;
            files.borrow_mut().insert(path.to_owned(), text.clone());
            Ok(text)
        };
        // They compiled before: only the files that they read matter here.
        for entry in entries.iter().copied() {
            let _ = check::compile(entry, &|path: &str| keep(path, self.files.of_check(path)));
        }
        for entry in own {
            let _ = check::compile(entry, &|path: &str| keep(path, self.files.of_case(path)));
        }
        digest_of([json!({
            "names": self.scorers,
            "entries": entries,
            "files": files.into_inner(),
            "answer_field": self.settings.answer_field,
        })])
    }
}

/// Digest of the prompt as it is sent; its source does not matter.
fn digest_of_variant(variant: &Variant) -> String {
    let facts = &variant.facts;
    digest_of([json!({
        "name": facts.prompt.name,
        "version": facts.prompt.version,
        "digest": facts.prompt.digest,
        "model": facts.model,
        "parameters": facts.parameters,
        "messages": variant.messages,
    })])
}

/// Digest of a reused baseline: its prompt and all of its trials.
fn digest_of_earlier(earlier: &Earlier) -> String {
    let run = &earlier.run;
    let facts = json!([
        run.started_at,
        run.candidate.prompt.digest,
        run.candidate.model,
        run.candidate.parameters,
        run.repeats.per_case,
        run.repeats.per_scorer,
        run.scorers,
    ]);
    let trials = run.trials.iter().filter(|trial| trial.role == Role::Candidate).map(|trial| {
        let id = run.cases.get(trial.case).map(|case| &case.id);
        json!([id, v1::Trials::from(trial)])
    });
    digest_of(std::iter::once(facts).chain(trials))
}
