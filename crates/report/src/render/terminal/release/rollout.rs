//! A rollout: what was done, how far it is, and why.

use std::io::{self, Write};

use anstyle::Style as Ansi;

use super::{short, writer};
use crate::release::rollout::{Finding, MetricSamples, Monitored, Rollout};
use crate::render::Style;
use crate::render::terminal::line_writer::{BULLET, DIM, GREEN, LineWriter, PLAIN, RED, YELLOW, table};
use crate::view::number;
use crate::view::rollout::{
    GATE_HEADING, Tone, gate_commands, monitor_words, progress, result_words, sentence, status_words,
};

/// Writes a rollout.
///
/// # Errors
/// Those of `out`.
pub fn write_rollout(rollout: &Rollout, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut writer = writer(out, style);
    let words = result_words(rollout);
    writer.line(&sentence(rollout, &words), ansi(words.tone))?;
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
        writer.labelled(2, "", &short(note, 500), DIM)?;
    }
    if let Some(gate) = &rollout.gate {
        writer.labelled(2, "", &format!("next: {GATE_HEADING}"), DIM)?;
        // Not wrapped, to be copied.
        for command in gate_commands(gate) {
            let command = short(&writer.redactor.redact(&command), 300);
            writer.line(&format!("    {command}"), PLAIN)?;
        }
    }
    write_next(words.next.as_deref(), &mut writer)?;
    match &rollout.monitor {
        Some(monitored) => write_monitored(monitored, rollout, &mut writer),
        None => Ok(()),
    }
}

fn write_monitored(monitored: &Monitored, rollout: &Rollout, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let words = monitor_words(monitored, rollout);
    let text = format!("{}: production {} {}", rollout.name, monitored.version, words.text);
    writer.line(&text, ansi(words.tone))?;
    for finding in &monitored.findings {
        write_finding(finding, writer)?;
    }
    for note in &monitored.notes {
        writer.labelled(2, "", &short(note, 500), DIM)?;
    }
    write_next(words.next.as_deref(), writer)
}

fn write_next(next: Option<&str>, writer: &mut LineWriter<'_>) -> io::Result<()> {
    match next {
        Some(next) => writer.labelled(2, "", &format!("next: {next}"), DIM),
        None => Ok(()),
    }
}

fn ansi(tone: Tone) -> Ansi {
    match tone {
        Tone::Plain => PLAIN,
        Tone::Good => GREEN,
        Tone::Caution => YELLOW,
        Tone::Bad => RED,
    }
}

fn write_finding(finding: &Finding, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let (mark, _, tone) = status_words(finding.status);
    let metric = finding.metric.as_ref().map_or_else(String::new, |name| format!("{}: ", short(name, 60)));
    writer.labelled(
        BULLET,
        &format!("  {mark}"),
        &format!("{metric}{}", short(&finding.text, 300)),
        ansi(tone),
    )
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
