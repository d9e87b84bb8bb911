//! A rollout: what was done, how far it is, and why.

use std::io::{self, Write};

use anstyle::Style as Ansi;

use super::{minute, short, writer};
use crate::release::rollout::{
    Finding, FindingStatus, MetricSamples, MonitorResult, Monitored, NeededGate, Rollout, RolloutPosition,
    RolloutResult,
};
use crate::render::Style;
use crate::render::terminal::line_writer::{BULLET, DIM, GREEN, LineWriter, PLAIN, RED, YELLOW, table};
use crate::view::number;

/// Writes a rollout.
///
/// # Errors
/// Those of `out`.
pub fn write_rollout(rollout: &Rollout, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut writer = writer(out, style);
    let (text, ansi) = headline(rollout);
    writer.line(&text, ansi)?;
    if let Some(position) = &rollout.rollout {
        writer.labelled(2, "", &progress(position), DIM)?;
    }
    for obstacle in &rollout.obstacles {
        writer.labelled(BULLET, "  -", &short(&obstacle.message, 300), YELLOW)?;
        if let Some(help) = &obstacle.help {
            writer.labelled(4, "", &format!("help: {}", short(help, 300)), DIM)?;
        }
    }
    for finding in &rollout.findings {
        write_finding(finding, &mut writer)?;
    }
    if !rollout.metrics.is_empty() {
        writer.blank()?;
        let header = ["metric", "production", "samples", "treated", "samples"];
        let rows = rollout.metrics.iter().map(row).collect();
        writer.table(&table(&header, &[1, 2, 3, 4], 0, rows, writer.width))?;
    }
    for note in &rollout.notes {
        writer.labelled(2, "", &short(note, 300), DIM)?;
    }
    if let Some(gate) = &rollout.gate {
        let NeededGate { config, candidate, baseline } = gate;
        let run = format!(
            "help: promptgate run {config} --candidate {candidate} --baseline {baseline} --out report.json"
        );
        writer.labelled(2, "", &short(&run, 300), DIM)?;
        let publish = format!("      promptgate publish {config} --report report.json, in the same job");
        writer.labelled(2, "", &short(&publish, 300), DIM)?;
    }
    match &rollout.monitor {
        Some(monitored) => write_monitored(monitored, rollout, &mut writer),
        None => Ok(()),
    }
}

fn write_monitored(monitored: &Monitored, rollout: &Rollout, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let of = format!("{}: production {}", rollout.name, monitored.version);
    let (text, ansi) = match monitored.result {
        MonitorResult::Quiet => ("keeps its limits", PLAIN),
        MonitorResult::Alert => ("needs a person", YELLOW),
        MonitorResult::RolledBack if rollout.dry_run => ("would be rolled back", RED),
        MonitorResult::RolledBack => ("rolled back", RED),
        MonitorResult::SourceFailed => ("is not seen: a source of metrics failed", YELLOW),
    };
    writer.line(&format!("{of} {text}"), ansi)?;
    for finding in &monitored.findings {
        write_finding(finding, writer)?;
    }
    for note in &monitored.notes {
        writer.labelled(2, "", &short(note, 300), DIM)?;
    }
    Ok(())
}

fn headline(rollout: &Rollout) -> (String, Ansi) {
    let name = &rollout.name;
    let of = |what: &str| match &rollout.rollout {
        Some(position) => format!("{name}: rollout {} of {} {what}", position.number, position.treatment),
        None => format!("{name}: {what}"),
    };
    if let (None, Some(version)) = (&rollout.rollout, &rollout.version) {
        return on_its_way(rollout, version);
    }
    let percent = rollout.rollout.as_ref().map_or(0.0, |position| position.percent);
    let would = |done: &str, planned: &str| if rollout.dry_run { of(planned) } else { of(done) };
    match rollout.result {
        RolloutResult::NotRunning => (format!("{name}: no rollout is running"), PLAIN),
        RolloutResult::Started => {
            (would(&format!("started at {percent} %"), &format!("would start at {percent} %")), GREEN)
        }
        RolloutResult::Refused => (of("is not started: refused"), RED),
        RolloutResult::NotReady => (of("is not started yet"), YELLOW),
        RolloutResult::Waiting => (of(&format!("stays at {percent} %")), PLAIN),
        RolloutResult::Running => (of(&format!("is at {percent} %")), PLAIN),
        RolloutResult::SourceFailed => {
            (of(&format!("stays at {percent} %: a source of metrics failed")), YELLOW)
        }
        RolloutResult::Stuck => (of(&format!("is stuck at {percent} %")), RED),
        RolloutResult::Paused => (would(&format!("is paused at {percent} %"), "would be paused"), YELLOW),
        RolloutResult::Resumed => (would(&format!("goes on at {percent} %"), "would go on"), GREEN),
        RolloutResult::Advanced => {
            (would(&format!("advanced to {percent} %"), &format!("would advance to {percent} %")), GREEN)
        }
        RolloutResult::Completed => {
            (would("completed: all units have it", "would complete: all units would have it"), GREEN)
        }
        RolloutResult::RolledBack => {
            (would("rolled back: no unit has it", "would be rolled back: no unit would have it"), RED)
        }
        RolloutResult::Aborted => {
            (would("aborted: no unit has it", "would be aborted: no unit would have it"), YELLOW)
        }
        RolloutResult::EndedElsewhere => (of("was ended by another command meanwhile"), YELLOW),
        RolloutResult::Staged
        | RolloutResult::Promoted
        | RolloutResult::PutBack
        | RolloutResult::NeedsGate => (of("no rollout is running"), PLAIN),
    }
}

/// The headline of a version on its way to production while no rollout is running.
fn on_its_way(rollout: &Rollout, version: &str) -> (String, Ansi) {
    let of = |what: &str| format!("{}: {version} {what}", rollout.name);
    let would = |done: &str, planned: &str| of(if rollout.dry_run { planned } else { done });
    match rollout.result {
        RolloutResult::Staged => (would("is on staging now", "would move to staging"), GREEN),
        RolloutResult::Promoted => (would("is in production now", "would move to production"), GREEN),
        RolloutResult::PutBack => {
            (would("broke a limit and left staging", "breaks a limit and would leave staging"), RED)
        }
        RolloutResult::NeedsGate => (of("needs the gate before it goes on"), YELLOW),
        RolloutResult::Stuck => (of("cannot go on"), RED),
        RolloutResult::SourceFailed => (of("waits: a source of metrics failed"), YELLOW),
        RolloutResult::EndedElsewhere => (of("was moved by another command meanwhile"), YELLOW),
        _ => (of("waits"), PLAIN),
    }
}

fn progress(position: &RolloutPosition) -> String {
    let RolloutPosition { kind, control, step, steps, .. } = position;
    let since = minute(&position.step_started_at);
    match kind.as_str() {
        "fixed" => format!("A/B test over {control} since {since} UTC"),
        kind => format!("{kind} over {control}, step {step} of {steps} since {since} UTC"),
    }
}

fn write_finding(finding: &Finding, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let (mark, ansi) = match finding.status {
        FindingStatus::Pass => ("✓", GREEN),
        FindingStatus::Inconclusive => ("…", PLAIN),
        FindingStatus::Hold | FindingStatus::Error => ("!", YELLOW),
        FindingStatus::Fail => ("✗", RED),
    };
    let metric = finding.metric.as_ref().map_or_else(String::new, |name| format!("{}: ", short(name, 60)));
    writer.labelled(BULLET, &format!("  {mark}"), &format!("{metric}{}", short(&finding.text, 300)), ansi)
}

fn row(metric: &MetricSamples) -> Vec<String> {
    let figure =
        |value: Option<f64>| value.map_or_else(|| number::NONE.to_owned(), |value| format!("{value:.3}"));
    vec![
        short(&metric.name, 40),
        figure(metric.control),
        metric.control_n.to_string(),
        figure(metric.treatment),
        metric.treatment_n.to_string(),
    ]
}
