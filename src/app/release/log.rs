//! The events of a ledger as a time line.

use jiff::Timestamp;

use super::resolve::names;
use super::wire::{self, time, word};
use crate::app::Failure;
use promptgate_release::ports::LedgerStore;
use promptgate_release::rollout::{Look, RolloutStart, TestKind};
use promptgate_release::{Event, EventKind, Evidence, GateScope, Name, Version};
use promptgate_report::release::log::{Log, LogEntry, SCHEMA};

/// Reads the events of prompts, all of the ledger if `wanted` is empty, in the order of their time.
///
/// # Errors
/// An unknown name, a ledger that is damaged or not available.
pub(crate) async fn log(ledger: &dyn LedgerStore, wanted: &[Name]) -> Result<Log, Failure> {
    let mut entries = Vec::new();
    for name in names(ledger, wanted).await? {
        // Clocks of writers differ, and a command that began earlier may append later: the events of a prompt stay in the
        // order of the ledger.
        let mut latest = Timestamp::MIN;
        for (index, event) in ledger.history(&name).await?.events.iter().enumerate() {
            latest = latest.max(event.at);
            entries.push((latest, entry(&name, index + 1, event)?));
        }
    }
    entries.sort_by_key(|(at, _)| *at);
    Ok(Log {
        schema: SCHEMA.to_owned(),
        ledger: ledger.location(),
        events: entries.into_iter().map(|(_, entry)| entry).collect(),
    })
}

fn entry(name: &Name, position: usize, event: &Event) -> Result<LogEntry, Failure> {
    Ok(LogEntry {
        name: name.to_string(),
        position,
        at: time(event.at),
        actor: wire::actor(&event.actor),
        text: sentence(&event.kind),
        event: wire::json(event)?,
    })
}

fn sentence(kind: &EventKind) -> String {
    match kind {
        EventKind::Published { version, number, level, adopted, .. } => {
            let adopted = if *adopted { ", adopted: no evidence" } else { "" };
            format!("published {version}, {level}, number {number}{adopted}")
        }
        EventKind::Registered { version, registry, id } => format!("stored {version} in {registry} as {id}"),
        EventKind::Evaluated { version, evidence } => evaluated(*version, evidence),
        EventKind::Approved { version, approval } => {
            format!("{version} approved by {} ({})", approval.login, word(&approval.source))
        }
        EventKind::Intended { label, version, cause, reason } => {
            format!("{label} to {version} started, {}{}", word(cause), given(reason.as_deref()))
        }
        EventKind::Abandoned { label, version } => format!("{label} to {version} abandoned"),
        EventKind::Moved { label, from, version, cause, reason } => {
            let from = from.map_or_else(|| "none".to_owned(), |version| version.to_string());
            format!("{label} {from} → {version}, {}{}", word(cause), given(reason.as_deref()))
        }
        EventKind::RolloutStarted { start } => {
            let RolloutStart { number, control, treatment, .. } = start.as_ref();
            let percent = wire::percent(start.steps.first().map_or(0, |step| step.basis_points));
            let reason = given(start.reason.as_deref());
            format!("rollout {number} of {treatment} over {control} started at {percent} %{reason}")
        }
        EventKind::RolloutLooked { rollout, looks, failure, harm } => match failure {
            Some(failure) => format!("rollout {rollout} not observed: {failure}"),
            None if looks.is_empty() && harm.is_empty() => format!("rollout {rollout} observed again"),
            None if looks.is_empty() => format!("rollout {rollout}: harm shown: {}", harm.join(", ")),
            None => format!("rollout {rollout}: {}", tested(looks)),
        },
        EventKind::RolloutStepped { rollout, step, basis_points, .. } => {
            format!("rollout {rollout} to step {}: {} %", step + 1, wire::percent(*basis_points))
        }
        EventKind::StagingPassed { version, samples } if samples.is_empty() => {
            format!("{version} passed staging by a replay of the golden cases")
        }
        EventKind::StagingPassed { version, .. } => format!("{version} passed staging: its limits are kept"),
        EventKind::RolloutPaused { rollout, reason } => format!("rollout {rollout} paused: {reason}"),
        EventKind::RolloutResumed { rollout, reason, .. } => format!("rollout {rollout} resumed: {reason}"),
        EventKind::RolloutEnded { rollout, outcome, reason } => {
            format!("rollout {rollout} {}{}", word(outcome).replace('_', " "), given(reason.as_deref()))
        }
    }
}

/// The tests of one call.
fn tested(looks: &[Look]) -> String {
    let test = |look: &Look| {
        let shown = match (look.test, look.is_shown()) {
            (TestKind::Harm, true) => "harm shown",
            (TestKind::Harm, false) => "no harm shown",
            (TestKind::NonInferiority, true) => "shown to be not worse",
            (TestKind::NonInferiority, false) => "not yet shown to be not worse",
        };
        // Without the sign of a zero.
        let z = (look.z * 100.0).round() / 100.0 + 0.0;
        format!("{}: {shown} (z {z:.2})", look.guardrail)
    };
    looks.iter().map(test).collect::<Vec<_>>().join(", ")
}

fn evaluated(version: Version, evidence: &Evidence) -> String {
    let scope = match evidence.scope {
        GateScope::Checks => "checks",
        GateScope::Full => "full gate",
    };
    let against = match &evidence.baseline {
        None => String::new(),
        Some(baseline) => {
            let shown = baseline.version.map(|version| version.to_string());
            format!(" against {}", shown.unwrap_or_else(|| baseline.digest.short().to_owned()))
        }
    };
    let marks = [(evidence.waived, ", waived"), (evidence.simulated, ", simulated")];
    let marks: String = marks.into_iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| mark).collect();
    format!(
        "{version} evaluated: {}, {scope}{against}, {} cases{marks}",
        word(&evidence.verdict),
        evidence.cases
    )
}

fn given(reason: Option<&str>) -> String {
    let given = reason.filter(|reason| !reason.trim().is_empty());
    given.map_or_else(String::new, |reason| format!(": {reason}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, ledger, name};
    use super::*;

    #[tokio::test]
    async fn log_lists_events_in_order() {
        let ledger = ledger().await;
        let log = log(&ledger, &[]).await.unwrap();
        let texts: Vec<&str> = log.events.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "published 1.0.0, major, number 1",
                "1.0.0 evaluated: pass, full gate, 3 cases",
                "1.0.0 approved by bob (review)",
                "production none → 1.0.0, promotion",
                "published 1.1.0, major, number 2",
                "stored 1.1.0 in langfuse as 7",
                "staging none → 1.1.0, promotion: try it",
            ]
        );
        assert_eq!(log.events[0].event["type"], "published");
    }

    #[test]
    fn blank_reasons_are_not_shown() {
        assert_eq!(
            (given(Some("wrong refunds")), given(Some(" ")), given(None)),
            (": wrong refunds".to_owned(), String::new(), String::new())
        );
    }

    #[tokio::test]
    async fn unknown_names_are_refused() {
        let result = log(&ledger().await, &[name("support/reply"), name("other")]).await;
        assert_eq!(error(result).message, "memory has no prompt other");
    }

    #[test]
    fn end_of_a_row_of_failures_has_a_sentence() {
        let kind = |failure| {
            let (looks, harm) = (Vec::new(), Vec::new());
            EventKind::RolloutLooked { rollout: 2, looks, failure, harm }
        };
        assert_eq!(sentence(&kind(None)), "rollout 2 observed again");
        assert_eq!(sentence(&kind(Some("503".to_owned()))), "rollout 2 not observed: 503");
    }
}
