//! What all shards of a run must have in common: the parts of the plan digest.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::policy;
use crate::cli::suite::{Earlier, Files};
use crate::config::{Inconclusive, Settings};
use promptgate_core::check;
use promptgate_core::gate::Policy;
use promptgate_core::model::{JudgeFacts, PolicySource, Role, Variant};
use promptgate_engine::execute::{Plan, Scorers};
use promptgate_report::shard::{CaseInPlan, digest_of, digest_of_cases};
use promptgate_report::v1;

/// What is known of a run before its first call, as far as shards must have it in common.
pub(in crate::cli) struct Facts<'a> {
    /// The configuration.
    pub(in crate::cli) settings: &'a Settings,
    /// Where the files of its checks are.
    pub(in crate::cli) files: &'a Files,
    /// Where the policy is from, where it is not the configuration itself.
    pub(in crate::cli) policy_source: Option<&'a PolicySource>,
    /// Metric names of the whole run.
    pub(in crate::cli) scorers: &'a [String],
    /// What decides.
    pub(in crate::cli) policy: &'a Policy,
    /// The judge, if one is asked.
    pub(in crate::cli) judge: Option<&'a JudgeFacts>,
    /// What the endpoint that answers is known by.
    pub(in crate::cli) endpoint: &'a str,
    /// A baseline that was answered already.
    pub(in crate::cli) earlier: Option<&'a Earlier>,
    /// Whether the simulated model answers.
    pub(in crate::cli) simulated: bool,
}

impl Facts<'_> {
    /// The policy as a shard keeps it.
    pub(super) fn saved_policy(&self) -> v1::Policy {
        policy::saved(self.policy)
    }

    /// Whether the configuration lets an inconclusive verdict pass.
    pub(super) fn inconclusive_passes(&self) -> bool {
        self.settings.gate.inconclusive == Inconclusive::Pass
    }

    /// The parts of the digest of this plan, taken before cases of other shards are dropped from it.
    pub(super) fn parts(&self, plan: &Plan, scorers: &Scorers) -> BTreeMap<String, String> {
        let settings = self.settings;
        let baseline = match (plan.baseline(), self.earlier) {
            (Some(variant), _) => of_variant(variant),
            (None, Some(earlier)) => of_earlier(earlier),
            (None, None) => "none".to_owned(),
        };
        let judge = self.judge.map_or_else(|| "none".to_owned(), |judge| judge.fingerprint.clone());
        let self_test = settings.judge.as_ref().is_some_and(|judge| judge.self_test);
        let calibration = self.judge.and_then(|judge| judge.calibration.as_ref());
        let source = self.policy_source.map_or_else(
            || "none".to_owned(),
            |source| {
                digest_of([json!([
                    v1::PolicySource::from(source),
                    source.dataset.as_ref().map(v1::DatasetChanges::from)
                ])])
            },
        );
        let prices = settings.prices.iter().map(|(model, input, output)| json!([model, input, output]));
        [
            ("tool", env!("CARGO_PKG_VERSION").to_owned()),
            ("name", settings.name.clone()),
            ("candidate", of_variant(plan.candidate())),
            ("baseline", baseline),
            ("scorers", self.of_scorers(plan)),
            ("judge", judge),
            ("self_test", self_test.to_string()),
            ("calibration", calibration.map_or_else(|| "none".to_owned(), |it| it.fingerprint.clone())),
            ("endpoint", self.endpoint.to_owned()),
            ("cases", self.of_cases(plan, scorers)),
            ("prices", digest_of(prices)),
            ("inconclusive", if self.inconclusive_passes() { "pass" } else { "fail" }.to_owned()),
            ("simulated", self.simulated.to_string()),
            ("policy_from", source),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn of_cases(&self, plan: &Plan, scorers: &Scorers) -> String {
        digest_of_cases(plan.dataset().cases.iter().enumerate().map(|(index, case)| CaseInPlan {
            id: &case.id,
            tags: &case.tags,
            group: case.group.as_deref(),
            must_pass: case.must_pass,
            scorers:
                self.scorers.iter().map(String::as_str).filter(|name| scorers.applies(name, index)).collect(),
        }))
    }

    /// Names, checks as written, and the files that they name.
    fn of_scorers(&self, plan: &Plan) -> String {
        let entries: Vec<&Value> = self.settings.checks.iter().map(|check| &check.entry).collect();
        let own = plan.dataset().cases.iter().flat_map(|case| &case.checks);
        let files = RefCell::new(BTreeMap::new());
        let keep = |path: &str, text: Result<String, String>| {
            let text = text?;
            files.borrow_mut().insert(path.to_owned(), text.clone());
            Ok(text)
        };
        // They were compiled before: here only what they read is of interest.
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

/// The prompt as it is sent; where it was read does not matter.
fn of_variant(variant: &Variant) -> String {
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

/// A reused_baseline baseline: its prompt and all of its trials.
fn of_earlier(earlier: &Earlier) -> String {
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
