//! Reading a shard, which must not contradict itself.

use std::collections::HashSet;
use std::sync::Arc;

use super::build::{counts, own_parts, own_roles};
use super::{SCHEMA, Shard, ShardFile};
use crate::wire::FileSpool;
use crate::wire::document::Document;
use crate::wire::v1::{EndedKind, Verdict, undecided_contradictions};
use promptgate_core::model::Diagnostics;
use promptgate_core::text::neutral;

/// Maximum number of errors that are listed for a file.
const MAX_LISTED: usize = 5;

/// Reads a shard from the text of `file`. Its trials move to the spool, if there is one.
///
/// # Errors
/// [`Diagnostics`] where the text is cut off, is not a shard of this version, or contradicts itself, and where the spool
/// cannot take its trials.
pub fn read(file: &str, text: &str, spool: Option<&Arc<FileSpool>>) -> Result<ShardFile, Diagnostics> {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let flag = Shard::of_file_name(name).map_or_else(|| "k/n".to_owned(), |shard| shard.to_string());
    let help = format!("run `promptgate run --shard {flag}` again");
    let document = Document { noun: "shard", schema: SCHEMA, file, help: &help };
    let mut shard: ShardFile = document.parse(text)?;
    let mut found = shard.report.resolve_requests();
    found.extend(contradictions(&shard));
    if found.is_empty() {
        for case in &mut shard.report.cases {
            let spilled = spool.map_or(Ok(()), |spool| case.trials.spill(&case.id, spool));
            spilled.map_err(|error| document.refuse(format!("its trials cannot be spilled: {error}")))?;
        }
        return Ok(shard);
    }
    let damaged = |message: String| document.refuse(format!("the shard is damaged or was edited: {message}"));
    Err(Diagnostics(found.into_iter().take(MAX_LISTED).map(damaged).collect()))
}

/// Contradictions that types cannot rule out.
fn contradictions(file: &ShardFile) -> Vec<String> {
    let ShardFile { shard, plan, report, .. } = file;
    if Shard::new(shard.index, shard.of).is_none() {
        return vec![format!("`shard` is {shard}, which cannot exist")];
    }
    let mut found = undecided_contradictions(report);
    let undecided = report.verdict == Verdict::Incomplete && report.criteria.is_empty();
    if !undecided || !report.metrics.is_empty() || report.trials_file.is_some() {
        found.push("`report` must not have a decision or a file of trials".to_owned());
    }
    if !plan.is_whole() {
        found.push("`plan.digest` is not that of `plan.parts`".to_owned());
    }
    for (name, value) in own_parts(*shard, report) {
        if plan.parts.get(name) != Some(&value) {
            found.push(format!("`plan.parts.{name}` differs from the rest of the file"));
        }
    }
    if (report.policy.repeats, report.policy.max_repeats) != (report.repeats, report.repeats) {
        found.push("`report.policy` must take one look at `report.repeats`".to_owned());
    }
    let actual = counts(report);
    if file.counts != actual {
        let counts = file.counts;
        found.push(format!(
            "`counts` says {} cases, {} trials and {} missing; the report has {}, {} and {}",
            counts.cases, counts.trials, counts.missing, actual.cases, actual.trials, actual.missing
        ));
    }
    found.extend(wrong_baseline(file));
    found.extend(wrong_cases(file));
    let self_test = report.judge.as_ref().and_then(|judge| judge.self_test.as_ref());
    if self_test.is_some_and(|test| !test.passed) && file.is_done() {
        found.push("the judge failed its self-test, yet the shard is done".to_owned());
    }
    found
}

fn wrong_baseline(file: &ShardFile) -> Option<String> {
    let ShardFile { reused_baseline, report, .. } = file;
    let fits = match reused_baseline {
        None => !report.baseline_reused,
        Some(counts) => {
            report.baseline_reused
                && report.baseline_repeats == Some(counts.per_case)
                && report.variants.baseline.is_some()
                && counts.per_scorer.len() == report.scorers.len()
                && counts.per_scorer.iter().chain([&counts.per_case]).all(|count| *count <= report.repeats)
        }
    };
    (!fits).then(|| "`reused_baseline` does not fit `report`".to_owned())
}

fn wrong_cases(file: &ShardFile) -> Vec<String> {
    let ShardFile { shard, places, report, .. } = file;
    if places.len() != report.cases.len() {
        return vec![format!("there are {} `places` for {} cases", places.len(), report.cases.len())];
    }
    let mut found = Vec::new();
    let mut before = None;
    let known: HashSet<&String> = report.scorers.iter().collect();
    for (case, place) in report.cases.iter().zip(places) {
        let id = || neutral::terminal(&case.id);
        if !shard.holds(&case.id) {
            found.push(format!("case `{}` does not belong to shard {shard}", id()));
        }
        if *place >= report.dataset.cases || before.is_some_and(|before| before >= *place) {
            found.push(format!("case `{}` has place {place} of {} cases", id(), report.dataset.cases));
        }
        before = Some(*place);
        if case.scorers.iter().any(|scorer| !known.contains(scorer)) {
            found.push(format!("case `{}` has a scorer that is not in `report.scorers`", id()));
        }
        if report.ended.kind == EndedKind::Completed {
            for role in own_roles(report) {
                let trials = case.trials.readable().filter(|trial| trial.role == *role).count();
                if trials != report.repeats as usize {
                    let (repeats, role) = (report.repeats, role.as_str());
                    found.push(format!(
                        "case `{}` has {trials} of {repeats} trials of the {role}, though the shard was completed",
                        id()
                    ));
                }
            }
        }
        if found.len() >= MAX_LISTED {
            break;
        }
    }
    found
}
