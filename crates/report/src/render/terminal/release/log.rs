//! A log as a table, and the verification of a ledger.

use std::io::{self, Write};

use super::{minute, short, short_digest, writer};
use crate::release::log::Log;
use crate::release::verification::{Verification, VerifiedPrompt};
use crate::render::Style;
use crate::render::terminal::line_writer::{DIM, GREEN, PLAIN, RED, table};
use crate::view::number;

/// Width of the mark of a prompt.
const MARK: u16 = 2;

/// Writes a log; the prompts have a column if there are several.
///
/// # Errors
/// Those of `out`.
pub fn write_log(log: &Log, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut writer = writer(out, style);
    let Some(first) = log.events.first() else {
        return writer.line(&format!("{}: no events", short(&log.ledger, 200)), PLAIN);
    };
    let is_one = log.events.iter().all(|entry| entry.name == first.name);
    let title = if is_one { first.name.clone() } else { "all prompts".to_owned() };
    writer.line(&format!("{title}  {}", short(&log.ledger, 120)), PLAIN.bold())?;
    let rows = log.events.iter().map(|entry| {
        let mut row = vec![minute(&entry.at)];
        if !is_one {
            row.push(short(&entry.name, 20));
        }
        row.extend([short(&entry.text, 300), short(&entry.actor.login, 16)]);
        row
    });
    let rows = rows.collect();
    if is_one {
        writer.table(&table(&["time (UTC)", "event", "by"], &[], 1, rows, writer.width))
    } else {
        writer.table(&table(&["time (UTC)", "prompt", "event", "by"], &[], 2, rows, writer.width))
    }
}

/// Writes a verification: a line for each prompt, and the damage below it.
///
/// # Errors
/// Those of `out`.
pub fn write_verification(verification: &Verification, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut writer = writer(out, style);
    for prompt in &verification.prompts {
        match &prompt.problem {
            None => {
                writer.labelled(MARK, "✓", &verified(prompt), GREEN)?;
            }
            Some(problem) => {
                writer.labelled(MARK, "✗", &format!("{}: {}", prompt.name, short(problem, 300)), RED)?;
            }
        }
    }
    let broken = verification.prompts.iter().filter(|prompt| prompt.problem.is_some()).count();
    let ledger = short(&verification.ledger, 120);
    match (broken, verification.prompts.len()) {
        (0, 0) => writer.line(&format!("{ledger}: no prompts"), PLAIN),
        (0, _) => writer.line(&format!("{ledger}: verified"), DIM),
        (broken, all) => {
            writer.line(&format!("{ledger}: {broken} of {all} damaged; restore it from a copy"), RED)
        }
    }
}

fn verified(prompt: &VerifiedPrompt) -> String {
    let count = |count: Option<usize>, noun| number::counted(count.unwrap_or_default() as u64, noun);
    let position = prompt
        .position
        .as_ref()
        .map_or_else(String::new, |position| format!(", at {}", short_digest(position)));
    let commits = prompt.commits.map_or_else(String::new, |commits| {
        let earlier =
            if commits.complete { "" } else { "; earlier ones are missing here, and were not verified" };
        format!(", {} that only append{earlier}", number::counted(commits.count as u64, "commit"))
    });
    format!(
        "{}: {} of {}: chain, state and records{position}{commits}",
        prompt.name,
        count(prompt.events, "event"),
        count(prompt.versions, "version"),
    )
}
