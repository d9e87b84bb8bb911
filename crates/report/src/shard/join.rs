//! From all shards of a run to the run: each of them once, of one plan, every case in one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{CaseInPlan, PartCase, PlanDigest, Shard, ShardFile, digest_of_cases};
use crate::v1;
use promptgate_core::model::{self, Diagnostic, Diagnostics, Ended, Fault, FaultKind, Place};
use promptgate_core::text::neutral;

/// So many shards are named where several are missing, or ended early.
const NAMED: usize = 12;

/// A whole run, out of its shards.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// The run, its cases in dataset order.
    pub run: model::Run,
    /// The policy that decides.
    pub policy: v1::Policy,
    /// Whether the configuration lets an inconclusive verdict pass.
    pub inconclusive_passes: bool,
}

/// Joins shards, each with the name of its file; `refused` are shards of which a file was there but could not be read.
///
/// Calls, tokens and money are sums, the start is the earliest and the time that of the longest shard; self-test and
/// calibration are those of the first shard that has them. A shard that did not get to its end makes the run one that
/// was stopped.
///
/// # Errors
/// [`Diagnostics`] that name the files: of another plan, there twice, missing, or not fitting together.
pub fn join(mut shards: Vec<(String, ShardFile)>, refused: &[Shard]) -> Result<Joined, Diagnostics> {
    shards.sort_by(|(file, shard), (other_file, other)| (shard.shard, file).cmp(&(other.shard, other_file)));
    let Some(plan) = most_common(&shards) else {
        return Err(Diagnostic::new("there is no shard that could be read").into());
    };
    let mut diagnostics = Vec::new();
    let mut claimed: BTreeSet<u32> = refused.iter().map(|shard| shard.index).collect();
    let mut ours: Vec<(String, ShardFile)> = Vec::new();
    for (file, shard) in shards {
        claimed.insert(shard.shard.index);
        if shard.plan != plan {
            diagnostics.push(
                Diagnostic::new(format!(
                    "shard {} is of another run than the others: it differs in {}",
                    shard.shard,
                    neutral::terminal(&shard.plan.differing(&plan))
                ))
                .at(Place::file(file))
                .help("all shards need the same commit, configuration and flags: make it again, or take the file away"),
            );
            continue;
        }
        match ours.last().filter(|(_, other)| other.shard == shard.shard) {
            Some((other, _)) => diagnostics.push(
                Diagnostic::new(format!(
                    "shard {} is there twice, also as {}",
                    shard.shard,
                    neutral::terminal(other)
                ))
                .at(Place::file(file))
                .help("take one of the two files away"),
            ),
            None => ours.push((file, shard)),
        }
    }
    // One plan has one number of shards; there is one, since the plan is that of a shard.
    let of = ours.first().map_or(0, |(_, shard)| shard.shard.of);
    diagnostics.extend(missing(of, &claimed));
    if diagnostics.is_empty() {
        diagnostics.extend(misfits(&ours));
    }
    if !diagnostics.is_empty() {
        return Err(Diagnostics(diagnostics));
    }
    merged(ours)
}

/// The plan that most shards have; of several, that of the first shard.
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
    let listed: Vec<String> = missing.iter().take(NAMED).map(|index| format!("{index}/{of}")).collect();
    let more = match missing.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (noun, verb) = if missing.len() == 1 { ("shard", "is") } else { ("shards", "are") };
    Some(
        Diagnostic::new(format!("{noun} {}{more} {verb} missing", listed.join(", "))).help(format!(
            "look at the job that was to run it, or make it with `promptgate run --shard {first}/{of}`; it writes {}",
            Shard { index: *first, of }.file_name()
        )),
    )
}

/// What shards of one plan must have in common besides, and that together they hold every case.
fn misfits(ours: &[(String, ShardFile)]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some((first_file, first)) = ours.first() else { return found };
    let again = "the file was edited: make the shard again";
    for (file, shard) in &ours[1..] {
        let (one, other) = (&first.part, &shard.part);
        let differs = [
            ("dataset", first.dataset != shard.dataset),
            ("scorers", one.scorers != other.scorers),
            ("reused_baseline", one.reused_baseline != other.reused_baseline),
            ("prices", one.prices != other.prices),
            ("simulated", one.simulated != other.simulated),
            ("name", one.name != other.name),
            ("policy_source", one.policy_source != other.policy_source),
            ("dataset_changes", one.dataset_changes != other.dataset_changes),
            ("variants", !same_variants(&one.variants, &other.variants)),
            ("judge", fingerprint(&one.judge) != fingerprint(&other.judge)),
        ];
        for (what, _) in differs.iter().filter(|(_, differs)| *differs) {
            let message = format!("`{what}` is another one than in {}", neutral::terminal(first_file));
            found.push(Diagnostic::new(message).at(Place::file(file)).help(again));
        }
    }
    for (file, _) in ours.iter().filter(|(_, shard)| lacks_self_test(shard)) {
        found.push(
            Diagnostic::new("the self-test of its judge is not in it").at(Place::file(file)).help(again),
        );
    }
    // Places rise within a file and ids hash to one shard: what is left is that each place and id is there once.
    let (mut places, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (file, shard) in ours {
        for case in &shard.part.cases {
            if !places.insert(case.index) || !ids.insert(case.id.as_str()) {
                let id = neutral::terminal(&case.id);
                let message = format!("case `{id}` at place {} is in two shards", case.index);
                found.push(Diagnostic::new(message).at(Place::file(file)).help(again));
            }
        }
    }
    if found.is_empty() && places.len() != first.dataset.cases {
        let message = format!("the shards hold {} of {} cases together", places.len(), first.dataset.cases);
        found.push(Diagnostic::new(message).help("a case was taken out of a file: make the shards again"));
    }
    if found.is_empty() {
        let mut by_place: Vec<&PartCase> = ours.iter().flat_map(|(_, shard)| &shard.part.cases).collect();
        by_place.sort_unstable_by_key(|case| case.index);
        let cases = digest_of_cases(by_place.iter().map(|case| in_plan(case)));
        if first.plan.parts.get("cases") != Some(&cases) {
            let message =
                "the cases are not those of the run: ids, order, tags, groups, must_pass or scorers differ";
            found.push(Diagnostic::new(message).help("a file was edited: make the shards again"));
        }
        let id = |index: usize| by_place.get(index).map(|case| case.id.as_str());
        let wrong = v1::wrong_criteria(&first.policy, id);
        found.extend(wrong.into_iter().map(|message| Diagnostic::new(message).help(again)));
    }
    found.truncate(NAMED);
    found
}

fn in_plan(case: &PartCase) -> CaseInPlan<'_> {
    CaseInPlan {
        id: &case.id,
        tags: &case.tags,
        group: case.group.as_deref(),
        must_pass: case.must_pass,
        scorers: case.scorers.iter().map(String::as_str).collect(),
    }
}

/// Whether the plan has its judge tested and this shard, though done, does not show that it was.
fn lacks_self_test(shard: &ShardFile) -> bool {
    let planned = shard.plan.parts.get("self_test").is_some_and(|planned| planned == "true");
    let asks = planned && shard.is_done() && !shard.part.cases.is_empty();
    let judge = shard.part.judge.as_ref().filter(|_| asks);
    judge.is_some_and(|judge| judge.self_test.is_none())
}

/// The same prompts by the same models; where they were read may differ.
fn same_variants(one: &v1::Variants, other: &v1::Variants) -> bool {
    let key = |variant: &v1::Variant| {
        (variant.prompt.digest.clone(), variant.model.clone(), variant.parameters.clone())
    };
    key(&one.candidate) == key(&other.candidate)
        && one.baseline.as_ref().map(key) == other.baseline.as_ref().map(key)
}

/// Who judged, and by which calibration.
fn fingerprint(judge: &Option<v1::Judge>) -> Option<(&str, &[String], u32, Option<&v1::CalibrationFacts>)> {
    let judge = judge.as_ref()?;
    Some((&judge.fingerprint, &judge.panel, judge.votes, judge.calibration.as_ref()))
}

/// The run of shards that fit together.
fn merged(ours: Vec<(String, ShardFile)>) -> Result<Joined, Diagnostics> {
    let mut whole: Option<Joined> = None;
    let mut cases: Vec<(usize, model::CaseFacts, Vec<bool>)> = Vec::new();
    let mut endings: Vec<(Shard, Ended)> = Vec::new();
    for (file, shard) in ours {
        let mut run =
            shard.bare_report().to_run().map_err(|diagnostics| diagnostics.at(&Place::file(&file)))?;
        let reused_baseline = shard.part.reused_baseline.as_ref();
        run.reused_baseline = reused_baseline.map(|reused_baseline| model::RepeatCounts {
            per_case: reused_baseline.repeats,
            per_scorer: reused_baseline.graded.clone(),
        });
        let places: Vec<usize> = shard.part.cases.iter().map(|case| case.index).collect();
        for (place, facts) in std::mem::take(&mut run.cases).iter().enumerate() {
            let applies = run.applies.iter().map(|row| row.get(place).copied().unwrap_or_default());
            cases.push((places.get(place).copied().unwrap_or_default(), facts.clone(), applies.collect()));
        }
        for trial in &mut run.trials {
            trial.case = places.get(trial.case).copied().unwrap_or_default();
        }
        endings.push((shard.shard, std::mem::replace(&mut run.ended, Ended::Completed)));
        whole = Some(match whole {
            None => {
                run.dataset.cases = shard.dataset.cases;
                Joined { run, policy: shard.policy, inconclusive_passes: shard.inconclusive_passes }
            }
            Some(joined) => Joined { run: with(joined.run, run), ..joined },
        });
    }
    let mut joined = whole.ok_or_else(|| Diagnostic::new("there is no shard"))?;
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

/// A run with the trials of another part of it.
fn with(mut run: model::Run, other: model::Run) -> model::Run {
    run.trials.extend(other.trials);
    // Times in one form and one zone sort as text.
    run.started_at = run.started_at.min(other.started_at);
    run.duration_ms = run.duration_ms.max(other.duration_ms);
    if let (Some(judge), Some(theirs)) = (&mut run.judge, other.judge)
        && judge.self_test.as_ref().is_none_or(|test| test.passed())
    {
        // The first that there is; one that failed before any that passed.
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
    for (sum, usage) in
        [(&mut totals.completions, more.completions), (&mut totals.judgements, more.judgements)]
    {
        sum.prompt_tokens = sum.prompt_tokens.saturating_add(usage.prompt_tokens);
        sum.completion_tokens = sum.completion_tokens.saturating_add(usage.completion_tokens);
    }
    let add = |one: Option<f64>, other: Option<f64>| one.zip(other).map(|(one, other)| one + other);
    totals.completion_cost_usd = add(totals.completion_cost_usd, more.completion_cost_usd);
    totals.judgement_cost_usd = add(totals.judgement_cost_usd, more.judgement_cost_usd);
    run
}

/// How the whole ended: stopped by the first shard that did not get to its end, which is named with its reason.
///
/// An interrupted shard stops the whole too: what is interrupted is the shard's process, not the one that joins.
fn ended(endings: &[(Shard, Ended)]) -> Ended {
    let stopped: Vec<(Shard, Fault)> = endings
        .iter()
        .filter_map(|(shard, ended)| match ended {
            Ended::Stopped(fault) => Some((*shard, fault.clone())),
            Ended::Interrupted => {
                let fault = Fault::new(FaultKind::Interrupted, "it was interrupted before it was done");
                Some((*shard, fault.help(format!("run `promptgate run --shard {shard}` again"))))
            }
            Ended::Completed | Ended::FailedFast => None,
        })
        .collect();
    let Some((shard, fault)) = stopped.first() else {
        let stopped_early = endings.iter().any(|(_, ended)| *ended == Ended::FailedFast);
        return if stopped_early { Ended::FailedFast } else { Ended::Completed };
    };
    let rest: Vec<String> = stopped[1..].iter().take(NAMED).map(|(shard, _)| shard.to_string()).collect();
    let more = match stopped.len().saturating_sub(NAMED + 1) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let others =
        if rest.is_empty() { String::new() } else { format!("; not done either: {}{more}", rest.join(", ")) };
    Ended::Stopped(Fault { message: format!("shard {shard}: {}{others}", fault.message), ..fault.clone() })
}
