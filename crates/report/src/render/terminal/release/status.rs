//! A status as one table a prompt, with what waits below it.

use std::io::{self, Write};

use super::{minute, short, writer};
use crate::release::rollout::RolloutPosition;
use crate::release::status::{OpenMove, PromptStatus, Readiness, StateCheck, Status, Waiting};
use crate::render::Style;
use crate::render::terminal::line_writer::{BULLET, DIM, GREEN, LineWriter, PLAIN, RED, YELLOW, table};
use crate::view::number;

/// The labels in the order of a version's way, which others follow.
const ORDER: [&str; 3] = ["production", "canary", "staging"];

/// Writes a status.
///
/// # Errors
/// Those of `out`.
pub fn write_status(status: &Status, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut writer = writer(out, style);
    let at = status.at.as_ref().map_or_else(String::new, |at| format!(" at {} UTC", minute(at)));
    writer.line(&format!("{}{at}", short(&status.ledger, 200)), DIM)?;
    if status.fetched == Some(false) {
        writer.line("as last fetched; `promptgate status --refresh` fetches it first", DIM)?;
    }
    if status.prompts.is_empty() {
        return writer.line("the ledger has no prompts", PLAIN);
    }
    for prompt in &status.prompts {
        writer.blank()?;
        write_prompt(prompt, &mut writer)?;
    }
    Ok(())
}

fn write_prompt(prompt: &PromptStatus, writer: &mut LineWriter<'_>) -> io::Result<()> {
    writer.line(&prompt.name, PLAIN.bold())?;
    let header = ["label", "version", "since (UTC)", "how"];
    writer.table(&table(&header, &[], 3, rows(prompt), writer.width))?;
    if let Some(rollout) = &prompt.rollout {
        let RolloutPosition { number, treatment, percent, step, steps, step_started_at, paused, .. } =
            rollout;
        let paused = if paused.is_some() { ", paused" } else { "" };
        let text = format!(
            "  rollout {number}: {treatment} at {percent} %, step {step} of {steps} since {} UTC{paused}",
            minute(step_started_at)
        );
        writer.line(&text, YELLOW)?;
    }
    for waiting in &prompt.waiting {
        write_waiting(waiting, writer)?;
    }
    for open in &prompt.intents {
        writer.labelled(BULLET, "  !", &open_move(open), YELLOW)?;
    }
    let counts = format!(
        "{} of {}",
        number::counted(prompt.events as u64, "event"),
        number::counted(prompt.versions as u64, "version")
    );
    let (text, ansi) = match prompt.state {
        StateCheck::Verified => (format!("verified against {counts}"), DIM),
        StateCheck::Past => (format!("{counts} up to then"), DIM),
        StateCheck::Differs => {
            let help = "`promptgate log --verify` shows the damage";
            (format!("damaged: the stored state is not what {counts} add up to, which is shown; {help}"), RED)
        }
    };
    writer.labelled(2, "", &text, ansi)
}

fn rows(prompt: &PromptStatus) -> Vec<Vec<String>> {
    let known = ORDER.into_iter().filter_map(|label| prompt.labels.get_key_value(label));
    let others = prompt.labels.iter().filter(|(label, _)| !ORDER.contains(&label.as_str()));
    let mut rows: Vec<Vec<String>> = known
        .chain(others)
        .map(|(label, held)| {
            let before =
                held.previous.as_ref().map_or_else(String::new, |version| format!(", before: {version}"));
            let how = format!("{}{before}", held.cause);
            vec![short(label, 24), held.version.clone(), minute(&held.since), how]
        })
        .collect();
    if let Some(latest) = &prompt.latest {
        let rolled_back = match latest.rolled_back.as_slice() {
            [] => String::new(),
            labels => format!(", rolled back from {}", short(&labels.join(", "), 60)),
        };
        let how = format!("published, {}{rolled_back}", latest.level);
        rows.push(vec!["latest".to_owned(), latest.version.clone(), minute(&latest.published_at), how]);
    }
    if rows.is_empty() {
        rows.push(vec![
            number::NONE.to_owned(),
            number::NONE.to_owned(),
            number::NONE.to_owned(),
            "no version".to_owned(),
        ]);
    }
    rows
}

fn write_waiting(waiting: &Waiting, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let way = format!("{} to {}", waiting.version, waiting.label);
    let (text, ansi) = match waiting.result {
        Readiness::Ready => (format!("  {way}: ready, `promptgate promote` moves the label"), GREEN),
        Readiness::Waits => (format!("  {way} waits for"), YELLOW),
        Readiness::Refused => (format!("  {way} would be refused"), RED),
    };
    writer.line(&text, ansi)?;
    for obstacle in &waiting.obstacles {
        writer.labelled(BULLET + 2, "    -", &short(&obstacle.text, 300), ansi)?;
    }
    Ok(())
}

fn open_move(open: &OpenMove) -> String {
    let by = open.actor.as_ref().map_or_else(String::new, |actor| format!(" by {}", short(&actor.login, 40)));
    let reason = open.reason.as_ref().map_or_else(String::new, |reason| format!(" ({})", short(reason, 120)));
    format!(
        "{} to {} was started {}{by} and not finished{reason}: the next promote or rollback of the label finishes it",
        short(&open.label, 24),
        open.version,
        minute(&open.at)
    )
}
