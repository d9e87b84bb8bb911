//! Joining all shards of a run: each of them once, all of one plan, every case in one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{CaseInPlan, PlanDigest, Shard, ShardFile, digest_of_cases};
use crate::wire::v1;
use promptgate_core::model::{self, Diagnostic, Diagnostics, Ended, Fault, FaultKind, Place};
use promptgate_core::text::neutral;

/// Maximum number of shards that a message names.
const MAX_NAMED: usize = 12;

const OTHER_RUN: &str =
    "all shards need the same commit, configuration and flags: run this shard again, or remove the file";

/// A run joined from its shards.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// The run, its cases in dataset order.
    pub run: model::Run,
    /// The policy that decides.
    pub policy: v1::Policy,
    /// Whether the configuration lets an inconclusive verdict pass.
    pub inconclusive_passes: bool,
    /// Who may override the verdict of a pull request.
    pub override_by: Vec<String>,
}

/// Joins shards, each with the name of its file; `refused` are the shards whose file could not be read.
///
/// Calls, tokens and money are sums, the start is the earliest and the duration that of the longest shard; self-test
/// and calibration are those of the first shard that has them. A shard that did not finish stops the run.
///
/// # Errors
/// [`Diagnostics`] that name the files: shards of another plan, duplicate or missing shards, and shards that contradict
/// each other.
pub fn join(mut shards: Vec<(String, ShardFile)>, refused: &[Shard]) -> Result<Joined, Diagnostics> {
    shards.sort_by(|(file, shard), (other_file, other)| (shard.shard, file).cmp(&(other.shard, other_file)));
    let Some(plan) = most_common(&shards) else {
        return Err(Diagnostic::new("no shard could be read").into());
    };
    let mut diagnostics = Vec::new();
    let mut claimed: BTreeSet<u32> = refused.iter().map(|shard| shard.index).collect();
    let mut ours: Vec<(String, ShardFile)> = Vec::new();
    for (file, shard) in shards {
        claimed.insert(shard.shard.index);
        if shard.plan != plan {
            let parts = neutral::terminal(&shard.plan.differing(&plan));
            let message = format!("shard {} belongs to another run: it differs in {parts}", shard.shard);
            diagnostics.push(Diagnostic::new(message).at(Place::file(file)).help(OTHER_RUN));
            continue;
        }
        match ours.last().filter(|(_, other)| other.shard == shard.shard) {
            Some((other, _)) => {
                let message =
                    format!("duplicate shard {}, also in {}", shard.shard, neutral::terminal(other));
                let help = "remove one of the two files";
                diagnostics.push(Diagnostic::new(message).at(Place::file(file)).help(help));
            }
            None => ours.push((file, shard)),
        }
    }
    // All shards of a plan have the same `of`.
    let of = ours.first().map_or(0, |(_, shard)| shard.shard.of);
    diagnostics.extend(missing(of, &claimed));
    if diagnostics.is_empty() {
        diagnostics.extend(conflicts(&ours));
    }
    if !diagnostics.is_empty() {
        return Err(Diagnostics(diagnostics));
    }
    merged(ours)
}

/// The plan of most shards; of several such plans, that of the first shard.
fn most_common(shards: &[(String, ShardFile)]) -> Option<PlanDigest> {
    let count = |digest: &str| shards.iter().filter(|(_, other)| other.plan.digest == digest).count();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, shard) in shards {
        counts.entry(&shard.plan.digest).or_insert_with(|| count(&shard.plan.digest));
    }
    let most = counts.values().copied().max()?;
    let first = shards.iter().find(|(_, shard)| counts.get(shard.plan.digest.as_str()) == Some(&most))?;
    Some(first.1.plan.clone())
}

fn missing(of: u32, claimed: &BTreeSet<u32>) -> Option<Diagnostic> {
    let missing: Vec<u32> = (1..=of).filter(|index| !claimed.contains(index)).collect();
    let first = missing.first()?;
    let listed: Vec<String> = missing.iter().take(MAX_NAMED).map(|index| format!("{index}/{of}")).collect();
    let more = and_more(missing.len());
    let (noun, verb) = if missing.len() == 1 { ("shard", "is") } else { ("shards", "are") };
    Some(Diagnostic::new(format!("{noun} {}{more} {verb} missing", listed.join(", "))).help(format!(
        "check the job of this shard, or run `promptgate run --shard {first}/{of}`, which writes {}",
        Shard { index: *first, of }.file_name()
    )))
}

/// Differences between shards of one plan, and cases that are missing or in two shards.
fn conflicts(ours: &[(String, ShardFile)]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some((first_file, first)) = ours.first() else { return found };
    let again = "the file was edited: run the shard again";
    for (file, shard) in &ours[1..] {
        let (one, other) = (&first.report, &shard.report);
        let differs = [
            ("dataset", one.dataset != other.dataset),
            ("scorers", one.scorers != other.scorers),
            ("reused_baseline", first.reused_baseline != shard.reused_baseline),
            ("prices", one.prices != other.prices),
            ("simulated", one.simulated != other.simulated),
            ("name", one.name != other.name),
            ("policy_source", one.policy_source != other.policy_source),
            ("release", one.release != other.release),
            ("dataset_changes", one.dataset_changes != other.dataset_changes),
            ("variants", !same_variants(&one.variants, &other.variants)),
            ("judge", judge_identity(&one.judge) != judge_identity(&other.judge)),
        ];
        for (field, _) in differs.iter().filter(|(_, differs)| *differs) {
            let message = format!("`{field}` differs from {}", neutral::terminal(first_file));
            found.push(Diagnostic::new(message).at(Place::file(file)).help(again));
        }
    }
    for (file, _) in ours.iter().filter(|(_, shard)| lacks_self_test(shard)) {
        found
            .push(Diagnostic::new("the self-test of the judge is missing").at(Place::file(file)).help(again));
    }
    // Within a file, places rise and ids belong to the shard. Across files, each place and id must be unique.
    let (mut places, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (file, shard) in ours {
        for (case, place) in shard.report.cases.iter().zip(&shard.places) {
            if !places.insert(*place) || !ids.insert(case.id.as_str()) {
                let id = neutral::terminal(&case.id);
                let message = format!("case `{id}` at place {place} is in two shards");
                found.push(Diagnostic::new(message).at(Place::file(file)).help(again));
            }
        }
    }
    // Without a file that cannot be read, which is reported by itself, cases are missing anyway.
    if ours.len() != first.shard.of as usize {
        found.truncate(MAX_NAMED);
        return found;
    }
    let all = first.report.dataset.cases;
    if found.is_empty() && places.len() != all {
        let message = format!("together, the shards have {} of {all} cases", places.len());
        found.push(Diagnostic::new(message).help("a case was removed from a file: run the shards again"));
    }
    if found.is_empty() {
        let cases = ours.iter().flat_map(|(_, shard)| shard.places.iter().zip(&shard.report.cases));
        let by_place: BTreeMap<usize, &v1::Case> = cases.map(|(place, case)| (*place, case)).collect();
        let cases = digest_of_cases(by_place.values().map(|case| in_plan(case)));
        if first.plan.parts.get("cases") != Some(&cases) {
            let message =
                "the cases differ from those of the plan in ids, order, tags, groups, must_pass or scorers";
            found.push(Diagnostic::new(message).help("a file was edited: run the shards again"));
        }
        let id = |place: usize| by_place.get(&place).map(|case| case.id.as_str());
        let wrong = v1::wrong_criteria(&first.report.policy, id);
        found.extend(wrong.into_iter().map(|message| Diagnostic::new(message).help(again)));
    }
    found.truncate(MAX_NAMED);
    found
}

fn in_plan(case: &v1::Case) -> CaseInPlan<'_> {
    CaseInPlan {
        id: &case.id,
        tags: &case.tags,
        group: case.group.as_deref(),
        must_pass: case.must_pass,
        added: case.added,
        scorers: case.scorers.iter().map(String::as_str).collect(),
    }
}

/// Whether the plan includes a self-test that this finished shard lacks.
fn lacks_self_test(shard: &ShardFile) -> bool {
    let planned = shard.plan.parts.get("self_test").is_some_and(|planned| planned == "true");
    let expected = planned && shard.is_done() && !shard.report.cases.is_empty();
    let judge = shard.report.judge.as_ref().filter(|_| expected);
    judge.is_some_and(|judge| judge.self_test.is_none())
}

/// Whether prompts and models are the same; their sources may differ.
fn same_variants(one: &v1::Variants, other: &v1::Variants) -> bool {
    let key = |variant: &v1::Variant| {
        (variant.prompt.digest.clone(), variant.model.clone(), variant.parameters.clone())
    };
    key(&one.candidate) == key(&other.candidate)
        && one.baseline.as_ref().map(key) == other.baseline.as_ref().map(key)
}

/// The identity of a judge with its calibration.
fn judge_identity(
    judge: &Option<v1::Judge>,
) -> Option<(&str, &[String], u32, Option<&v1::CalibrationFacts>)> {
    let judge = judge.as_ref()?;
    Some((&judge.fingerprint, &judge.panel, judge.votes, judge.calibration.as_ref()))
}

/// The run of shards that fit together.
fn merged(ours: Vec<(String, ShardFile)>) -> Result<Joined, Diagnostics> {
    let mut whole: Option<Joined> = None;
    let mut cases: Vec<(usize, model::CaseFacts, Vec<bool>)> = Vec::new();
    let mut endings: Vec<(Shard, Ended)> = Vec::new();
    for (file, shard) in ours {
        let ShardFile { shard, places, inconclusive_passes, override_by, reused_baseline, report, .. } =
            shard;
        let mut run = report.to_spilled_run().map_err(|diagnostics| diagnostics.at(&Place::file(&file)))?;
        run.reused_baseline = reused_baseline;
        for (place, facts) in std::mem::take(&mut run.cases).iter().enumerate() {
            let applies = run.applies.iter().map(|row| row.get(place).copied().unwrap_or_default());
            cases.push((places.get(place).copied().unwrap_or_default(), facts.clone(), applies.collect()));
        }
        for trial in &mut run.trials {
            trial.case = places.get(trial.case).copied().unwrap_or_default();
        }
        endings.push((shard, std::mem::replace(&mut run.ended, Ended::Completed)));
        whole = Some(match whole {
            None => Joined { run, policy: report.policy, inconclusive_passes, override_by },
            Some(joined) => Joined { run: with(joined.run, run), ..joined },
        });
    }
    let mut joined = whole.ok_or_else(|| Diagnostic::new("no shard"))?;
    cases.sort_by_key(|(place, ..)| *place);
    let run = &mut joined.run;
    run.applies = (0..run.scorers.len())
        .map(|scorer| {
            cases.iter().map(|(.., applies)| applies.get(scorer).copied().unwrap_or_default()).collect()
        })
        .collect();
    run.cases = cases.into_iter().map(|(_, facts, _)| facts).collect();
    run.trials.sort_by_key(|trial| (trial.case, trial.repeat, trial.role));
    run.ended = ended(&endings);
    Ok(joined)
}

/// A run with the trials of another shard.
fn with(mut run: model::Run, other: model::Run) -> model::Run {
    run.trials.extend(other.trials);
    if run.messages != other.messages {
        let messages = Arc::make_mut(&mut run.messages);
        messages.extend(other.messages.iter().map(|(digest, message)| (digest.clone(), Arc::clone(message))));
    }
    // RFC 3339 in UTC sorts as text.
    run.started_at = run.started_at.min(other.started_at);
    run.duration_ms = run.duration_ms.max(other.duration_ms);
    if let (Some(judge), Some(theirs)) = (&mut run.judge, other.judge)
        && judge.self_test.as_ref().is_none_or(|test| test.passed())
    {
        // The first self-test, except that a failed one replaces a passed one.
        let failed = theirs.self_test.as_ref().is_some_and(|test| !test.passed());
        if judge.self_test.is_none() || failed {
            judge.self_test = theirs.self_test;
        }
    }
    for warning in other.warnings {
        if !run.warnings.contains(&warning) {
            run.warnings.push(warning);
        }
    }
    let (totals, more) = (&mut run.totals, other.totals);
    totals.calls = totals.calls.saturating_add(more.calls);
    totals.cached = totals.cached.saturating_add(more.cached);
    totals.cached_judgements = totals.cached_judgements.saturating_add(more.cached_judgements);
    totals.cached_since = [totals.cached_since, more.cached_since].into_iter().flatten().min();
    totals.completions.add(more.completions);
    totals.judgements.add(more.judgements);
    let add = |one: Option<f64>, other: Option<f64>| one.zip(other).map(|(one, other)| one + other);
    totals.completion_cost_usd = add(totals.completion_cost_usd, more.completion_cost_usd);
    totals.judgement_cost_usd = add(totals.judgement_cost_usd, more.judgement_cost_usd);
    run
}

/// The end of the joined run: stopped by the first shard that did not finish, which the message names.
///
/// An interrupted shard stops the run too, since its process was interrupted, not the one that joins.
fn ended(endings: &[(Shard, Ended)]) -> Ended {
    let stopped: Vec<(Shard, Fault)> = endings
        .iter()
        .filter_map(|(shard, ended)| match ended {
            Ended::Stopped(fault) => Some((*shard, fault.clone())),
            Ended::Interrupted => {
                let fault = Fault::new(FaultKind::Interrupted, "it was interrupted");
                Some((*shard, fault.help(format!("run `promptgate run --shard {shard}` again"))))
            }
            Ended::Completed | Ended::FailedFast => None,
        })
        .collect();
    let Some((shard, fault)) = stopped.first() else {
        let stopped_early = endings.iter().any(|(_, ended)| *ended == Ended::FailedFast);
        return if stopped_early { Ended::FailedFast } else { Ended::Completed };
    };
    let rest: Vec<String> = stopped[1..].iter().take(MAX_NAMED).map(|(shard, _)| shard.to_string()).collect();
    let more = and_more(stopped.len() - 1);
    let others =
        if rest.is_empty() { String::new() } else { format!("; also not done: {}{more}", rest.join(", ")) };
    Ended::Stopped(Fault { message: format!("shard {shard}: {}{others}", fault.message), ..fault.clone() })
}

/// The end of a list of which [`MAX_NAMED`] are named.
fn and_more(of: usize) -> String {
    match of.saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}
