//! A version with everything known about it.

use std::io::{self, Write};

use super::{field, minute, short, short_digest, writer};
use crate::release::show::{CriterionResult, Evaluation, HeldLabel, Show};
use crate::render::Style;
use crate::render::terminal::line_writer::{LineWriter, PLAIN, table};
use crate::view::number;

/// Writes a version.
///
/// # Errors
/// Those of `out`.
pub fn write_show(show: &Show, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut writer = writer(out, style);
    writer.line(&format!("{}@{}", show.resolved.name, show.resolved.version), PLAIN.bold())?;
    field(&mut writer, "level", &level(show))?;
    for reason in &show.level_reasons {
        field(&mut writer, "", &short(reason, 300))?;
    }
    for (label, text) in record(show) {
        field(&mut writer, label, &text)?;
    }
    for (registry, id) in &show.registered {
        field(&mut writer, "registry", &format!("{} as {}", short(registry, 24), short(id, 100)))?;
    }
    if !show.rolled_back.is_empty() {
        field(&mut writer, "rolled back", &format!("from {}", short(&show.rolled_back.join(", "), 100)))?;
    }
    for exposure in &show.exposures {
        let text =
            format!("rollout {}, {} % from {} UTC", exposure.rollout, exposure.percent, minute(&exposure.at));
        field(&mut writer, "exposure", &text)?;
    }
    write_labels(&show.labels, &mut writer)?;
    write_approvals(show, &mut writer)?;
    write_evaluations(show, &mut writer)
}

/// The level, and the least one if it was raised.
fn level(show: &Show) -> String {
    let compared =
        show.compared_with.as_ref().map_or_else(String::new, |version| format!(", compared with {version}"));
    match &show.least_level {
        Some(least) if *least == show.level => format!("{}{compared}", show.level),
        Some(least) => format!("{}{compared}; at least {least}", show.level),
        None => format!("{}, the first version", show.level),
    }
}

/// A digest without its prefix, so that it fits a line of 80 columns.
fn digits(digest: &str) -> String {
    short(digest.strip_prefix("sha256:").unwrap_or(digest), 80)
}

fn record(show: &Show) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let by = show
        .published_by
        .as_ref()
        .map_or_else(String::new, |actor| format!(" by {}", short(&actor.login, 40)));
    let adopted = if show.adopted { ", adopted: it served before, without evidence" } else { "" };
    fields.push(("sha256", digits(&show.resolved.digest)));
    fields.push((
        "published",
        format!("{} UTC{by}, version number {}{adopted}", minute(&show.published_at), show.number),
    ));
    fields.push(("reason", short(&show.reason, 300)));
    let change = &show.change;
    if !change.authors.is_empty() {
        fields.push(("author", short(&change.authors.join(", "), 200)));
    }
    if let Some(commit) = &change.commit {
        let time =
            change.committed_at.as_ref().map_or_else(String::new, |time| format!(" of {} UTC", minute(time)));
        let pull_request =
            change.pull_request.map_or_else(String::new, |number| format!(", pull request {number}"));
        fields.push(("commit", format!("{}{time}{pull_request}", short(commit, 40))));
    }
    if let Some(path) = &change.path {
        fields.push(("file", short(path, 200)));
    }
    let content = &show.content;
    let messages = number::counted(content.messages.len() as u64, "message");
    fields.push(("prompt", format!("{}, {messages}; `promptgate get` prints it", content.kind)));
    fields.push(("model", short(&content.model, 100)));
    let parameters: Vec<String> =
        content.parameters.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    if !parameters.is_empty() {
        fields.push(("parameters", short(&parameters.join(", "), 300)));
    }
    if content.answer_schema.is_some() {
        fields.push(("answers", "follow a JSON Schema".to_owned()));
    }
    let gate = if show.controls.gate == "full" { "the full gate" } else { "deterministic checks" };
    let hold = match show.controls.staging_hold_seconds {
        0 => String::new(),
        seconds => format!(", {} on staging", number::duration(seconds.saturating_mul(1000))),
    };
    let approvals = match show.controls.approvals {
        0 => "no approval".to_owned(),
        count => number::counted(count.into(), "approval"),
    };
    fields.push((
        "controls",
        format!("{gate}, {approvals}{hold}; policy {}", short_digest(&show.policy_digest)),
    ));
    fields
}

fn write_labels(labels: &[HeldLabel], writer: &mut LineWriter<'_>) -> io::Result<()> {
    if labels.is_empty() {
        return field(writer, "labels", "never held one");
    }
    writer.blank()?;
    let rows = labels.iter().map(|held| {
        let until = held.until.as_ref().map_or_else(|| "now".to_owned(), |until| minute(until));
        let reason =
            held.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", short(reason, 200)));
        let ended = match (&held.replaced_by, &held.replaced_how) {
            (Some(by), Some(how)) => format!("; then {how} to {by}"),
            _ => String::new(),
        };
        let how = format!("{} by {}{reason}{ended}", held.cause, short(&held.actor.login, 40));
        vec![short(&held.label, 24), minute(&held.from), until, how]
    });
    writer.table(&table(&["held", "from (UTC)", "until (UTC)", "how"], &[], 3, rows.collect(), writer.width))
}

fn write_approvals(show: &Show, writer: &mut LineWriter<'_>) -> io::Result<()> {
    if show.approvals.is_empty() {
        return Ok(());
    }
    writer.blank()?;
    let rows = show.approvals.iter().map(|approval| {
        let counts = match &approval.problem {
            None => "counts".to_owned(),
            Some(problem) => format!("does not count: {}", short(problem, 100)),
        };
        vec![short(&approval.login, 24), approval.source.clone(), minute(&approval.at), counts]
    });
    writer.table(&table(&["approved by", "as", "at (UTC)", ""], &[], 3, rows.collect(), writer.width))
}

fn write_evaluations(show: &Show, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let Some(newest) = show.evaluations.last() else {
        return field(writer, "evaluation", "none");
    };
    writer.blank()?;
    for (label, text) in evaluation(newest, show.evaluations.len()) {
        field(writer, label, &text)?;
    }
    let rows: Vec<Vec<String>> = newest.criteria.iter().map(criterion).collect();
    if rows.is_empty() {
        return Ok(());
    }
    writer.blank()?;
    writer.table(&table(&["criterion", "estimate", "interval", "verdict"], &[1, 2], 0, rows, writer.width))
}

fn evaluation(newest: &Evaluation, count: usize) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let of = if count > 1 { format!("; the newest of {count}") } else { String::new() };
    let marks = [(newest.waived, ", passes by policy or override"), (newest.simulated, ", simulated")];
    let marks: String = marks.into_iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| mark).collect();
    let scope = if newest.scope == "full" { "full gate" } else { "deterministic checks" };
    fields.push((
        "evaluation",
        format!("{}, {scope}{marks}; {} UTC{of}", newest.verdict, minute(&newest.ended_at)),
    ));
    let baseline = match (&newest.baseline_version, &newest.baseline_digest) {
        (Some(version), _) => version.clone(),
        (None, Some(digest)) => format!("{}, not a published version", short_digest(digest)),
        (None, None) => "none".to_owned(),
    };
    fields.push(("baseline", baseline));
    fields.push((
        "dataset",
        format!("{}, {}", number::counted(newest.cases, "case"), short_digest(&newest.dataset)),
    ));
    if let Some(judge) = &newest.judge {
        fields.push(("judge", short_digest(judge)));
    }
    let latency = newest.latency_p95_ms.map(|latency| format!("p95 latency {:.2} s", latency / 1000.0));
    let cost = newest.cost_per_case_usd.map(|cost| format!("{} a case", number::dollars(cost)));
    let measured: Vec<String> = latency.into_iter().chain(cost).collect();
    if !measured.is_empty() {
        fields.push(("measured", measured.join(", ")));
    }
    let commit =
        newest.commit.as_ref().map_or_else(String::new, |commit| format!(" at {}", short_digest(commit)));
    fields.push((
        "ran",
        format!("{}{commit} by {}", newest.source.replace('_', " "), short(&newest.recorded_by.login, 40)),
    ));
    fields.push(("report", digits(&newest.report)));
    fields
}

fn criterion(criterion: &CriterionResult) -> Vec<String> {
    let name = criterion.name.as_str();
    // The name says the unit: a report has it with its metrics, the ledger does not.
    let shown = |value: f64| match name {
        _ if name.contains("latency") => format!("{value:.2} s"),
        _ if name.contains("cost_usd") || name.contains("cost_per_case_usd") => number::dollars(value),
        "broken_cases" => format!("{value:.0}"),
        _ => format!("{value:.3}"),
    };
    let interval = criterion.interval.map(|[lower, upper]| number::bounds(Some(lower), Some(upper), shown));
    vec![
        short(&criterion.name, 40),
        criterion.estimate.map_or_else(|| number::NONE.to_owned(), shown),
        interval.unwrap_or_else(|| number::NONE.to_owned()),
        criterion.verdict.clone(),
    ]
}
