//! The parts of the plan digest, which all shards of a run must have in common.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::sources::Earlier;
use crate::app::suite::{Suite, files_of_checks};
use promptgate_core::model::{JudgeFacts, Role, Variant};
use promptgate_report::shard::{CaseInPlan, digest_of, digest_of_cases};
use promptgate_report::v1;

/// The parts of the digest of a plan, taken before cases of other shards are dropped from it; `endpoint` is the identity
/// of the one that answers.
pub(super) fn parts(
    suite: &Suite,
    judge: Option<&JudgeFacts>,
    endpoint: &str,
    simulated: bool,
) -> BTreeMap<String, String> {
    let none = || "none".to_owned();
    let (settings, metrics) = (&suite.settings, suite.scorers.metrics());
    let baseline = suite.plan.baseline().map(digest_of_variant);
    let calibration = judge.and_then(|judge| judge.calibration.as_ref());
    let source = suite.policy_source.as_ref();
    let source = source.map(|source| digest_of([json!([source, &source.dataset])]));
    let prices = settings.prices.0.iter().map(|price| json!(price));
    [
        ("tool", env!("CARGO_PKG_VERSION").to_owned()),
        ("name", settings.name.clone()),
        ("candidate", digest_of_variant(suite.plan.candidate())),
        ("baseline", baseline.or_else(|| suite.earlier.as_ref().map(digest_of_earlier)).unwrap_or_else(none)),
        ("scorers", digest_of_scorers(suite, &metrics)),
        ("judge", judge.map_or_else(none, |judge| judge.fingerprint.clone())),
        ("self_test", settings.judge.as_ref().is_some_and(|judge| judge.self_test).to_string()),
        ("calibration", calibration.map_or_else(none, |it| it.fingerprint.clone())),
        ("endpoint", endpoint.to_owned()),
        ("cases", digest_of_plan_cases(suite, &metrics)),
        ("prices", digest_of(prices)),
        ("inconclusive", if suite.inconclusive_passes() { "pass" } else { "fail" }.to_owned()),
        ("override_by", suite.override_by().join(" ")),
        ("simulated", simulated.to_string()),
        ("policy_from", source.unwrap_or_else(none)),
        ("release", digest_of(suite.release.iter().map(|release| json!(release)))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn digest_of_plan_cases(suite: &Suite, metrics: &[String]) -> String {
    let applying = |index| metrics.iter().filter(move |name| suite.scorers.applies(name, index));
    digest_of_cases(suite.plan.dataset().cases.iter().enumerate().map(|(index, case)| CaseInPlan {
        id: &case.id,
        tags: &case.tags,
        group: case.group.as_deref(),
        must_pass: case.must_pass,
        added: case.added,
        scorers: applying(index).map(String::as_str).collect(),
    }))
}

/// Digest of names, checks as written, and the files that they name.
fn digest_of_scorers(suite: &Suite, metrics: &[String]) -> String {
    let entries: Vec<&Value> = suite.settings.checks.iter().map(|check| &check.value).collect();
    let own = suite.plan.dataset().cases.iter().flat_map(|case| &case.checks);
    let named =
        files_of_checks(entries.iter().copied()).into_iter().map(|path| (suite.files.of_check(&path), path));
    let of_cases = files_of_checks(own).into_iter().map(|path| (suite.files.of_case(&path), path));
    let files: BTreeMap<String, String> =
        named.chain(of_cases).filter_map(|(text, path)| Some((path, text.ok()?))).collect();
    digest_of([json!({
        "names": metrics,
        "entries": entries,
        "files": files,
        "commands": suite.settings.scorers.iter().map(|scorer| scorer.identity()).collect::<Vec<_>>(),
        "answer_field": suite.settings.answer_field,
        "transform": format!("{:?}", suite.settings.transform),
        "embeddings": suite.settings.embeddings.as_ref().map(|it| {
            (&it.model.value, &it.parameters, it.endpoint.as_ref().and_then(|endpoint| endpoint.base_url.as_ref()).map(|url| &url.value))
        }),
    })])
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
