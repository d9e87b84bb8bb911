//! Job summaries of the commands of a release.
//!
//! The text of rollouts is in the template `rollouts.md`. Every printed value is redacted and neutralized, since reasons,
//! notes and messages of sources are untrusted.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use minijinja::{Value, context};

use super::markdown;
use crate::release::rollout::{Finding, FindingStatus, Look, MetricSamples, Rollout};
pub use crate::view::rollout::Tone;
use crate::view::rollout::{
    GATE_HEADING, gate_commands, monitor_words, progress, result_words, status_words,
};
use crate::view::{Sanitizer, number};
use promptgate_core::text::{Redactor, neutral};

/// The template.
const ROLLOUTS: &str = include_str!("rollouts.md");
/// Lines of a command that are listed.
const MAX_LINES: usize = 40;

/// The result of a command of rollouts for a prompt.
#[derive(Debug, Clone, Copy)]
pub enum RolloutEntry<'a> {
    /// A result.
    Done(&'a Rollout),
    /// The command failed.
    Failed {
        /// The prompt, or its configuration.
        subject: &'a str,
        /// The messages.
        messages: &'a [String],
    },
}

/// A level of detail.
#[derive(Debug, Clone, Copy)]
struct Tier {
    /// Prompts that are listed.
    prompts: usize,
    /// Rows of each table and notes of a prompt; 0 for none of its details.
    details: usize,
    /// Characters of each text.
    text: usize,
}

const TIERS: [Tier; 3] = [
    Tier { prompts: 500, details: 30, text: 300 },
    Tier { prompts: 500, details: 0, text: 200 },
    Tier { prompts: 20, details: 0, text: 100 },
];

/// Renders the results of `promptgate rollout COMMAND` below `limit` bytes, if there is room for a heading.
pub fn rollouts(command: &str, entries: &[RolloutEntry<'_>], redactor: &Redactor, limit: usize) -> String {
    let sanitizer = Sanitizer::new(redactor);
    let tiers = TIERS.iter().filter_map(|tier| rendered(command, entries, &sanitizer, *tier).ok());
    // A template that fails to render is a bug, but the summary still says what was called.
    tiers.into_iter().find(|text| text.len() < limit).unwrap_or_else(|| minimal(command))
}

/// Renders the lines that a command printed, below a heading with its name.
pub fn lines(command: &str, tone: Tone, text: &str, redactor: &Redactor) -> String {
    let mut summary = format!("### promptgate: {} {command}\n\n", symbol(tone));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    for line in lines.take(MAX_LINES) {
        let line = Sanitizer::new(redactor).clip(line.trim(), 300);
        // Writing to a string does not fail.
        let _ = writeln!(summary, "* {}", neutral::markdown(&line));
    }
    summary
}

fn rendered(
    command: &str,
    entries: &[RolloutEntry<'_>],
    sanitizer: &Sanitizer<'_>,
    tier: Tier,
) -> Result<String, minijinja::Error> {
    let tone = entries.iter().map(|entry| entry.tone()).max().unwrap_or(Tone::Plain);
    let failed = entries.iter().any(|entry| matches!(entry, RolloutEntry::Failed { .. }));
    let subject = match entries {
        [entry] => sanitizer.clip(entry.subject(), tier.text),
        entries => number::counted(entries.len() as u64, "prompt"),
    };
    let is_single = entries.len() == 1;
    let environment = markdown::environment(sanitizer.redactor().clone())?;
    environment.render_named_str(
        "rollouts.md",
        ROLLOUTS,
        context! {
            symbol => if failed && tone < Tone::Bad { FAILED } else { symbol(tone) },
            command,
            subject,
            is_single,
            gate_heading => GATE_HEADING,
            rows => entries.iter().take(tier.prompts).map(|entry| row(entry, is_single, sanitizer, tier)).collect::<Value>(),
            left_out => Some(entries.len().saturating_sub(tier.prompts)).filter(|left| *left > 0).map(|left| number::count(left as u64)),
        },
    )
}

/// The symbol of a command that failed.
const FAILED: &str = "💥";

fn symbol(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "⏳",
        Tone::Good => "✅",
        Tone::Caution => "⚠️",
        Tone::Bad => "❌",
    }
}

impl RolloutEntry<'_> {
    fn tone(&self) -> Tone {
        match self {
            Self::Done(rollout) => {
                let monitored = rollout.monitor.as_ref();
                let tone = monitored.map_or(Tone::Plain, |monitored| monitor_words(monitored, rollout).tone);
                result_words(rollout).tone.max(tone)
            }
            Self::Failed { .. } => Tone::Caution,
        }
    }

    fn subject(&self) -> &str {
        match self {
            Self::Done(rollout) => &rollout.name,
            Self::Failed { subject, .. } => subject,
        }
    }
}

fn row(entry: &RolloutEntry<'_>, is_single: bool, sanitizer: &Sanitizer<'_>, tier: Tier) -> Value {
    let text = |text: &str| sanitizer.clip(text, tier.text);
    let rollout = match entry {
        RolloutEntry::Done(rollout) => rollout,
        RolloutEntry::Failed { subject, messages } => {
            return context! {
                symbol => FAILED,
                subject => text(subject),
                versions => number::NONE,
                step => number::NONE,
                result => "failed",
                finding => text(&messages.join("; ")),
                details => false,
                commands => Vec::<String>::new(),
                next => Vec::<String>::new(),
            };
        }
    };
    let words = result_words(rollout);
    let position = rollout.rollout.as_ref();
    let or_none = |text: Option<String>| text.unwrap_or_else(|| number::NONE.to_owned());
    let monitored = rollout.monitor.as_ref();
    let monitor = monitored.map(|monitored| (monitored, monitor_words(monitored, rollout)));
    let needs_attention = entry.tone() >= Tone::Caution;
    let helps = rollout.obstacles.iter().filter_map(|obstacle| obstacle.help.clone());
    let of_monitor = monitor.iter().filter_map(|(_, words)| words.next.clone());
    let all = words.next.into_iter().chain(helps).chain(of_monitor);
    let mut next: Vec<String> = all.map(|next| text(&next)).collect();
    next.dedup();
    let findings = findings(rollout);
    let notes = rollout.notes.iter().chain(monitored.into_iter().flat_map(|monitored| &monitored.notes));
    let notes: Vec<String> = notes.map(|note| text(note)).collect();
    let production =
        monitor.as_ref().map(|(monitored, words)| format!("production {} {}", monitored.version, words.text));
    let shown = |count: usize| count.min(tier.details);
    context! {
        symbol => symbol(entry.tone()),
        subject => text(&rollout.name),
        versions => or_none(match position {
            Some(position) => Some(format!("{} over {}", position.treatment, position.control)),
            None => rollout.version.clone(),
        }),
        step => or_none(position.map(|position| match position.kind.as_str() {
            "fixed" => format!("A/B test, {} %", position.percent),
            _ => format!("{} of {}, {} %", position.step, position.steps, position.percent),
        })),
        result => match &production {
            Some(production) => text(&format!("{}; {production}", words.text)),
            None => text(&words.text),
        },
        finding => or_none(reason(rollout).map(|reason| text(&reason))),
        dry_run => rollout.dry_run,
        number => position.map(|position| position.number),
        progress => position.map(progress),
        paused => position.and_then(|position| position.paused.as_deref()).map(text),
        details => tier.details > 0,
        findings => findings.iter().take(tier.details).map(|of| finding(of, text)).collect::<Value>(),
        metrics => rollout.metrics.iter().take(tier.details).map(|of| metric(of, text)).collect::<Value>(),
        looks => rollout.looks.iter().take(tier.details).map(|of| look(of, text)).collect::<Value>(),
        obstacles => rollout.obstacles.iter().take(tier.details).map(|of| text(&of.message)).collect::<Value>(),
        notes => notes.iter().take(tier.details).cloned().collect::<Value>(),
        omitted => findings.len() - shown(findings.len()) + notes.len() - shown(notes.len()),
        commands => rollout.gate.iter().flat_map(gate_commands).map(|command| text(&command)).collect::<Value>(),
        next => if is_single || needs_attention { next } else { Vec::new() },
    }
}

/// The findings about the step, staging and what production serves.
fn findings(rollout: &Rollout) -> Vec<&Finding> {
    let of_monitor = rollout.monitor.iter().flat_map(|monitored| &monitored.findings);
    rollout.findings.iter().chain(of_monitor).collect()
}

/// The gravest finding or the first obstacle, with the number of others of its status.
fn reason(rollout: &Rollout) -> Option<String> {
    let with_others = |text: String, others: usize| match others {
        0 => text,
        others => format!("{text} (and {others} more)"),
    };
    if let Some(obstacle) = rollout.obstacles.first() {
        return Some(with_others(obstacle.message.clone(), rollout.obstacles.len() - 1));
    }
    let findings = findings(rollout);
    let gravest = GRAVITY.iter().find(|status| findings.iter().any(|of| of.status == **status))?;
    let mut alike = findings.iter().filter(|of| of.status == *gravest);
    let first = alike.next()?;
    let metric = first.metric.as_ref().map_or_else(String::new, |metric| format!("{metric}: "));
    Some(with_others(format!("{metric}{}", first.text), alike.count()))
}

/// Statuses of findings, the gravest first.
const GRAVITY: [FindingStatus; 5] = [
    FindingStatus::Fail,
    FindingStatus::Error,
    FindingStatus::Hold,
    FindingStatus::Inconclusive,
    FindingStatus::Pass,
];

fn finding(finding: &Finding, text: impl Fn(&str) -> String) -> Value {
    let (mark, word, _) = status_words(finding.status);
    context! { mark, word, metric => finding.metric.as_deref().map(&text), text => text(&finding.text) }
}

fn metric(metric: &MetricSamples, text: impl Fn(&str) -> String) -> Value {
    let figure =
        |value: Option<f64>| value.map_or_else(|| number::NONE.to_owned(), |value| format!("{value:.3}"));
    context! {
        name => text(&metric.name),
        control => figure(metric.control),
        control_n => number::count(metric.control_n),
        treatment => figure(metric.treatment),
        treatment_n => number::count(metric.treatment_n),
    }
}

fn look(look: &Look, text: impl Fn(&str) -> String) -> Value {
    context! {
        guardrail => text(&look.guardrail),
        test => look.test.replace('_', "-"),
        z => number::minus(number::unsigned_zero(format!("{:.2}", look.z))),
        bound => look.bound.map_or_else(|| number::NONE.to_owned(), |bound| format!("{bound:.2}")),
        shown => if look.shown { "shown" } else { "not shown" },
        fraction => format!("{:.0} %", look.fraction * 100.0),
    }
}

/// The heading only.
fn minimal(command: &str) -> String {
    format!("### promptgate: {command}\n\nSee the job log for details.\n")
}
