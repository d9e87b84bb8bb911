//! Reading a shard: strict about what it must hold, and that it does not contradict itself.

use std::collections::HashSet;

use serde::Deserialize;

use super::plan::policy_part;
use super::{SCHEMA, Shard, ShardFile};
use crate::v1;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_core::text::neutral;

/// At most this many mistakes of a file are listed.
const LISTED: usize = 5;

/// Only the field that says what the rest is.
#[derive(Deserialize)]
struct Header {
    schema: Option<serde_json::Value>,
}

/// Reads a shard from the text of `file`, which is named in mistakes.
///
/// # Errors
/// [`Diagnostics`] where the text is cut off, is not JSON, is no shard, is one of another version, or contradicts itself.
pub fn read(file: &str, text: &str) -> Result<ShardFile, Diagnostics> {
    // The file's name says how to make it again, where it can be trusted that far.
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let again = match Shard::of_file_name(name) {
        Some(shard) => format!("make it again with `promptgate run --shard {shard}`"),
        None => "make it again with `promptgate run --shard k/n`".to_owned(),
    };
    let refuse = |message: String| Diagnostic::new(message).at(Place::file(file)).help(&again);
    if text.trim().is_empty() {
        return Err(refuse("the shard is empty".to_owned()).into());
    }
    let unreadable = |error: serde_json::Error| {
        let place = Place { column: Some(error.column().max(1)), ..Place::line(file, error.line().max(1)) };
        let message = match error.classify() {
            serde_json::error::Category::Eof => "the shard is damaged: it is cut off".to_owned(),
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
                format!("the shard is damaged: {}", described(&error))
            }
            serde_json::error::Category::Data => format!("this is no shard: {}", described(&error)),
        };
        Diagnostic::new(message).at(place).help(&again)
    };
    let header: Header = serde_json::from_str(text).map_err(unreadable)?;
    match header.schema {
        Some(serde_json::Value::String(name)) if name == SCHEMA => {}
        Some(serde_json::Value::String(name)) if name.starts_with("promptgate.shard/") => {
            let shown = neutral::terminal(&name);
            let message = format!("the shard has version `{shown}`, this promptgate reads `{SCHEMA}`");
            return Err(refuse(message).help("merge with the promptgate that wrote the shards").into());
        }
        _ => return Err(refuse(format!("this is no shard: `schema` is not {SCHEMA:?}")).into()),
    }
    let shard: ShardFile = serde_json::from_str(text).map_err(unreadable)?;
    let found = contradictions(&shard);
    if found.is_empty() {
        return Ok(shard);
    }
    let damaged = |message: String| refuse(format!("the shard is damaged or was edited: {message}"));
    Err(Diagnostics(found.into_iter().take(LISTED).map(damaged).collect()))
}

/// The error without its place, which is shown before it; it may quote the file, so it is neutralised.
fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let bare = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    neutral::terminal(bare)
}

/// What the types cannot rule out.
fn contradictions(file: &ShardFile) -> Vec<String> {
    let ShardFile { shard, plan, dataset, policy, counts, part, .. } = file;
    if Shard::new(shard.index, shard.of).is_none() {
        return vec![format!("`shard` is {shard}, which there cannot be")];
    }
    let mut found = v1::contradictions(&file.bare_report());
    if !plan.is_whole() {
        found.push("`plan.digest` is not that of `plan.parts`".to_owned());
    }
    let parts = [
        ("shards", Some(shard.of.to_string())),
        ("repeats", Some(part.repeats.to_string())),
        ("dataset", Some(dataset.digest.clone())),
        ("policy", policy_part(policy)),
    ];
    for (name, value) in parts {
        if plan.parts.get(name) != value.as_ref() {
            found.push(format!("`plan.parts.{name}` is not what the file says elsewhere"));
        }
    }
    if (policy.repeats, policy.max_repeats) != (part.repeats, part.repeats) {
        found.push("`policy` does not take one look at `part.repeats`".to_owned());
    }
    if *counts != part.counts() {
        let (said, there) = (counts, part.counts());
        found.push(format!(
            "`counts` says {} cases, {} trials and {} missing; there are {}, {} and {}",
            said.cases, said.trials, said.missing, there.cases, there.trials, there.missing
        ));
    }
    if let Some(reused_baseline) = &part.reused_baseline {
        let within = reused_baseline.graded.iter().all(|graded| *graded <= part.repeats);
        if part.variants.baseline.is_none() || reused_baseline.graded.len() != part.scorers.len() || !within {
            found.push(
                "`part.reused_baseline` does not fit `part.scorers`, `part.repeats` or the variants"
                    .to_owned(),
            );
        }
        if reused_baseline.repeats > part.repeats {
            found.push("`part.reused_baseline.repeats` is above `part.repeats`".to_owned());
        }
    }
    let mut before = None;
    let known: HashSet<&String> = part.scorers.iter().collect();
    for case in &part.cases {
        let id = || neutral::terminal(&case.id);
        if !shard.holds(&case.id) {
            found.push(format!("case `{}` does not belong to shard {shard}", id()));
        }
        if case.index >= dataset.cases || before.is_some_and(|before| before >= case.index) {
            found.push(format!("case `{}` has place {} of {} cases", id(), case.index, dataset.cases));
        }
        before = Some(case.index);
        if case.scorers.iter().any(|scorer| !known.contains(scorer)) {
            found.push(format!("case `{}` has a scorer that is not in `part.scorers`", id()));
        }
        if part.ended.kind == v1::EndedKind::Completed {
            for role in part.answered_here() {
                let there = case.trials.readable().filter(|trial| trial.role == *role).count();
                if there != part.repeats as usize {
                    found.push(format!(
                        "case `{}` has {there} of {} trials of the {}, though the shard was completed",
                        id(),
                        part.repeats,
                        role.as_str()
                    ));
                }
            }
        }
        if found.len() >= LISTED {
            break;
        }
    }
    let untested =
        part.judge.as_ref().and_then(|judge| judge.self_test.as_ref()).is_some_and(|it| !it.passed);
    if untested && file.is_done() {
        found.push("the judge failed its self-test, yet the shard is said to be done".to_owned());
    }
    found
}
