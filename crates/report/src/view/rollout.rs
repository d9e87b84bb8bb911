//! Results of rollouts in words, for the terminal and for job summaries.

use super::minute;
use crate::release::rollout::{
    FindingStatus, MonitorResult, Monitored, NeededGate, Rollout, RolloutPosition, RolloutResult,
};

/// The next step after a source that failed.
const READ_AGAIN: &str = "check the source and its credentials; the next call reads it again";
/// The next step after a version that is bad.
const PUBLISH_ANOTHER: &str = "correct the prompt and publish a new version";

/// Severity of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Nothing happened.
    Plain,
    /// As intended.
    Good,
    /// Somebody has to look at it.
    Caution,
    /// Refused, or harm.
    Bad,
}

/// A result in words.
pub(crate) struct ResultWords {
    /// The result, as the end of a sentence about the rollout: `advanced to 25 %`.
    pub(crate) text: String,
    pub(crate) tone: Tone,
    /// The next step, for people; `None` where the obstacles say it.
    pub(crate) next: Option<String>,
}

impl Rollout {
    /// The words of what was done, or in a dry run of what would be.
    fn done_or_planned(&self, done: &str, planned: &str) -> String {
        if self.dry_run { planned.to_owned() } else { done.to_owned() }
    }
}

/// Returns text, tone and next step of a result.
pub(crate) fn result_words(rollout: &Rollout) -> ResultWords {
    if let (None, Some(_)) = (&rollout.rollout, &rollout.version) {
        return on_its_way(rollout);
    }
    let name = &rollout.name;
    let percent = rollout.rollout.as_ref().map_or(0.0, |position| position.percent);
    let would = |done: &str, planned: &str| rollout.done_or_planned(done, planned);
    let command = |command: &str| format!("`promptgate rollout {command} {name} --reason TEXT`");
    let observes = || Some(format!("`promptgate rollout advance {name}` observes the step"));
    let (text, tone, next) = match rollout.result {
        // A version on its way to production has words of its own.
        RolloutResult::NotRunning
        | RolloutResult::Staged
        | RolloutResult::Promoted
        | RolloutResult::PutBack
        | RolloutResult::NeedsGate => (
            idle(rollout).to_owned(),
            Tone::Plain,
            Some("nothing until a new version is published".to_owned()),
        ),
        RolloutResult::Started => (
            would(&format!("started at {percent} %"), &format!("would start at {percent} %")),
            Tone::Good,
            observes(),
        ),
        RolloutResult::Refused => ("is not started: refused".to_owned(), Tone::Bad, None),
        RolloutResult::NotReady => ("is not started yet".to_owned(), Tone::Caution, None),
        RolloutResult::Waiting => (format!("stays at {percent} %"), Tone::Plain, observes()),
        RolloutResult::Running => (format!("is at {percent} %"), Tone::Plain, observes()),
        RolloutResult::SourceFailed => (
            format!("stays at {percent} %: a source of metrics failed"),
            Tone::Caution,
            Some(READ_AGAIN.to_owned()),
        ),
        RolloutResult::Stuck => (
            format!("is stuck at {percent} %"),
            Tone::Bad,
            Some(format!("{} gives it up; it goes on once its evidence is there", command("abort"))),
        ),
        RolloutResult::Paused => (
            would(&format!("is paused at {percent} %"), "would be paused"),
            Tone::Caution,
            Some(format!("{} goes on, {} gives it up", command("resume"), command("abort"))),
        ),
        RolloutResult::Resumed => {
            (would(&format!("goes on at {percent} %"), "would go on"), Tone::Good, observes())
        }
        RolloutResult::Advanced => (
            would(&format!("advanced to {percent} %"), &format!("would advance to {percent} %")),
            Tone::Good,
            observes(),
        ),
        RolloutResult::Completed => (
            would("completed: all units have it", "would complete: all units would have it"),
            Tone::Good,
            Some(format!("to take it back: `promptgate rollback {name} --reason TEXT`")),
        ),
        RolloutResult::RolledBack => (
            would("rolled back: no unit has it", "would be rolled back: no unit would have it"),
            Tone::Bad,
            Some(PUBLISH_ANOTHER.to_owned()),
        ),
        RolloutResult::Aborted => (
            would("aborted: no unit has it", "would be aborted: no unit would have it"),
            Tone::Caution,
            Some(format!("`promptgate rollout start {name}` starts again")),
        ),
        RolloutResult::EndedElsewhere => (
            "was ended by another command meanwhile".to_owned(),
            Tone::Caution,
            Some(format!("`promptgate log {name}` shows which")),
        ),
    };
    ResultWords { text, tone, next }.planned_if(rollout.dry_run)
}

/// Why no rollout is running, as far as it is known.
fn idle(rollout: &Rollout) -> &'static str {
    // After a rollback of production the version on its way is not looked at.
    match &rollout.monitor {
        Some(Monitored { result: MonitorResult::RolledBack, .. }) => "no rollout is running",
        _ => "no rollout is running, and no version is on its way to production",
    }
}

/// The words of a version on its way to production while no rollout is running.
fn on_its_way(rollout: &Rollout) -> ResultWords {
    let name = &rollout.name;
    let would = |done: &str, planned: &str| rollout.done_or_planned(done, planned);
    let goes_on = || Some(format!("`promptgate rollout advance {name}` goes on"));
    let (text, tone, next) = match rollout.result {
        RolloutResult::Staged => (would("is on staging now", "would move to staging"), Tone::Good, goes_on()),
        RolloutResult::Promoted => (
            would("is in production now", "would move to production"),
            Tone::Good,
            Some(format!("to take it back: `promptgate rollback {name} --reason TEXT`")),
        ),
        RolloutResult::PutBack => (
            would("broke a limit and left staging", "breaks a limit and would leave staging"),
            Tone::Bad,
            Some(PUBLISH_ANOTHER.to_owned()),
        ),
        RolloutResult::NeedsGate => ("needs the gate before it goes on".to_owned(), Tone::Caution, None),
        RolloutResult::Stuck => (
            "cannot go on".to_owned(),
            Tone::Bad,
            // Obstacles say it themselves.
            Some("decide about it, or publish a new version".to_owned())
                .filter(|_| rollout.obstacles.is_empty()),
        ),
        RolloutResult::SourceFailed => {
            ("waits: a source of metrics failed".to_owned(), Tone::Caution, Some(READ_AGAIN.to_owned()))
        }
        RolloutResult::EndedElsewhere => (
            "was moved by another command meanwhile".to_owned(),
            Tone::Caution,
            Some(format!("`promptgate log {name}` shows which")),
        ),
        _ => ("waits".to_owned(), Tone::Plain, goes_on().filter(|_| rollout.obstacles.is_empty())),
    };
    ResultWords { text, tone, next }.planned_if(rollout.dry_run)
}

/// The result of monitoring in words, as the end of a sentence about the version in production.
pub(crate) fn monitor_words(monitored: &Monitored, rollout: &Rollout) -> ResultWords {
    let name = &rollout.name;
    let (text, tone, next) = match monitored.result {
        MonitorResult::Quiet => ("is within its limits", Tone::Plain, None),
        MonitorResult::Alert => (
            "needs attention",
            Tone::Caution,
            Some(format!("look at its limits; `promptgate rollback {name} --reason TEXT` takes it back")),
        ),
        MonitorResult::RolledBack => (
            if rollout.dry_run { "would be rolled back" } else { "rolled back" },
            Tone::Bad,
            Some(PUBLISH_ANOTHER.to_owned()),
        ),
        MonitorResult::SourceFailed => {
            ("could not be checked: a metric source failed", Tone::Caution, Some(READ_AGAIN.to_owned()))
        }
    };
    ResultWords { text: text.to_owned(), tone, next }.planned_if(rollout.dry_run)
}

/// The sentence above the commands of the gate.
pub(crate) const GATE_HEADING: &str = "run both in the same job";

/// The commands of the gate that a version needs, in order and in one job. The report is in a folder.
pub(crate) fn gate_commands(gate: &NeededGate) -> [String; 2] {
    let NeededGate { config, candidate, baseline } = gate;
    [
        format!("promptgate run {config} --candidate {candidate} --baseline {baseline} --out gate-report"),
        format!("promptgate publish {config} --report gate-report/report.json"),
    ]
}

impl ResultWords {
    /// The words of a dry run: the command itself is the next step.
    fn planned_if(self, dry_run: bool) -> Self {
        match self.next {
            Some(_) if dry_run => {
                Self { next: Some("repeat without `--dry-run`: nothing was written".to_owned()), ..self }
            }
            _ => self,
        }
    }
}

/// A result as a sentence: `support/reply: rollout 1 of 1.1.0 advanced to 25 %`.
pub(crate) fn sentence(rollout: &Rollout, words: &ResultWords) -> String {
    let (name, text) = (&rollout.name, &words.text);
    match &rollout.rollout {
        Some(position) => format!("{name}: rollout {} of {} {text}", position.number, position.treatment),
        None => match &rollout.version {
            Some(version) => format!("{name}: {version} {text}"),
            None => format!("{name}: {text}"),
        },
    }
}

/// Kind, control and step of a rollout.
pub(crate) fn progress(position: &RolloutPosition) -> String {
    let RolloutPosition { kind, control, step, steps, .. } = position;
    let since = minute(&position.step_started_at);
    match kind.as_str() {
        "fixed" => format!("A/B test over {control} since {since} UTC"),
        kind => format!("{kind} over {control}, step {step} of {steps} since {since} UTC"),
    }
}

/// Mark, word and tone of a finding's status.
pub(crate) fn status_words(status: FindingStatus) -> (&'static str, &'static str, Tone) {
    match status {
        FindingStatus::Pass => ("✓", "pass", Tone::Good),
        FindingStatus::Inconclusive => ("…", "inconclusive", Tone::Plain),
        FindingStatus::Hold => ("!", "hold", Tone::Caution),
        FindingStatus::Error => ("!", "error", Tone::Caution),
        FindingStatus::Fail => ("✗", "fail", Tone::Bad),
    }
}
