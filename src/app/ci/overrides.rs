//! Overrides: a person that the policy of the base names sets a label, and the job passes although the verdict is not a
//! pass.
//!
//! The label is for one commit. GitHub records no push among the events, so the time of this run's own event, at which the
//! commit was the head, bounds it from below; a commit that is still the head, with no force push in between, was the head
//! all the time since. Whatever cannot be read or does not fit is no override.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use super::CiContext;
use crate::app::Environment;
use crate::app::evaluate::Decided;
use crate::app::github::GitHub;
use promptgate_adapters::github::PullRequest;
use promptgate_adapters::github::api::{
    ApiError, CommitPeople, IssueEvent, IssueEventKind, LabeledPullRequest, issue_events,
    labeled_pull_request, pull_request_people,
};
use promptgate_core::model::Diagnostic;
use promptgate_core::text::neutral;
use promptgate_report::v1::{Override, Verdict};

/// Label by which a person requests an override.
pub(crate) const LABEL: &str = "promptgate-override";

/// Largest difference between the time of an event of a label and that in its payload.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

/// GitHub's records about a pull request and its label.
struct Evidence<'a> {
    /// The pull request of this run's event.
    event: &'a PullRequest,
    /// The pull request as it is now.
    now: &'a LabeledPullRequest,
    /// The changes of its labels and its branches, oldest first.
    events: &'a [IssueEvent],
    /// The people of its commits.
    people: &'a [CommitPeople],
    /// The logins that the policy names.
    allowed: &'a [String],
}

/// The person who overrides the verdict of a decided run, and when; `None` where nobody does. The reason why a label that
/// is set does not count, or could not be read, is a warning.
pub(crate) async fn find(
    decided: &Decided,
    context: &CiContext,
    environment: &Environment,
) -> (Option<Override>, Option<String>) {
    let pull_request = context.event.as_ref().and_then(|event| event.pull_request.as_ref());
    let Some(event) = pull_request.filter(|_| !decided.override_by.is_empty()) else { return (None, None) };
    let verdict = decided.evaluation.decision.verdict;
    match read(event, &decided.override_by, environment).await {
        Ok(None) => (None, None),
        Ok(Some((by, at))) => {
            (Some(Override { by, at, label: LABEL.to_owned(), verdict_without: verdict }), None)
        }
        Err(why) => (None, Some(format!("override ignored: {why}"))),
    }
}

/// Whether a verdict may be overridden. An interrupted run has an exit code of its own, and an error no verdict.
pub(crate) fn may_be_overridden(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Fail | Verdict::Inconclusive | Verdict::Incomplete => true,
        Verdict::Pass | Verdict::Unchanged => false,
    }
}

/// The login of the person who overrides, and the time of the label; `None` where the label is not set.
///
/// # Errors
/// Why the label does not count, or could not be read.
async fn read(
    event: &PullRequest,
    allowed: &[String],
    environment: &Environment,
) -> Result<Option<(String, String)>, String> {
    let purpose = "it is needed to read the label that overrides a verdict";
    let GitHub { client, repository } = GitHub::of(environment, purpose).map_err(in_one_line)?;
    let failed =
        |error: ApiError| in_one_line(Diagnostic { place: None, message: error.message, help: error.help });
    let number = event.number;
    let now = labeled_pull_request(&client, &repository, number).await.map_err(failed)?;
    if !has_label(&now) {
        return Ok(None);
    }
    let events = issue_events(&client, &repository, number).await.map_err(failed)?;
    let people = pull_request_people(&client, &repository, number).await.map_err(failed)?;
    let evidence = Evidence { event, now: &now, events: &events, people: &people, allowed };
    decide(&evidence).map(Some)
}

fn in_one_line(diagnostic: Diagnostic) -> String {
    let help = diagnostic.help.map_or_else(String::new, |help| format!("; {help}"));
    format!("{}{help}", diagnostic.message)
}

/// A name in a message.
fn shown(name: &str) -> String {
    neutral::clip(&neutral::terminal(name), 60)
}

fn has_label(pull_request: &LabeledPullRequest) -> bool {
    pull_request.labels.iter().any(|label| is_label(label))
}

/// Label names are case-insensitive.
fn is_label(name: &str) -> bool {
    name.eq_ignore_ascii_case(LABEL)
}

/// The login of the person who overrides, and the time of the label.
///
/// # Errors
/// Why the label does not count.
fn decide(evidence: &Evidence<'_>) -> Result<(String, String), String> {
    let Evidence { event, now, events, people, allowed } = *evidence;
    if !now.head.eq_ignore_ascii_case(&event.head) {
        return Err("the pull request has a newer commit than the one that was evaluated".to_owned());
    }
    if !now.is_open {
        return Err("the pull request is not open any more".to_owned());
    }
    // Names of branches are case-sensitive.
    if now.base_branch != event.base_branch {
        let [now, event] = [&now.base_branch, &event.base_branch].map(|name| shown(name));
        return Err(format!(
            "the pull request is to be merged into {now} by now, and was evaluated against {event}; run the job again"
        ));
    }
    let again = "; remove it and set it again, then run the job again";
    let last = events.iter().rev().find(|event| match &event.kind {
        IssueEventKind::Labeled(label) | IssueEventKind::Unlabeled(label) => is_label(label),
        IssueEventKind::ForcePushed(_) | IssueEventKind::Retargeted => false,
    });
    let Some(set @ IssueEvent { kind: IssueEventKind::Labeled(_), .. }) = last else {
        return Err(format!("GitHub reports no author for the label {LABEL}{again}"));
    };
    let Some(actor) = &set.actor else {
        return Err(format!("the account that set the label {LABEL} no longer exists"));
    };
    let by = shown(&actor.login);
    if !actor.is_person {
        return Err(format!("{by} set the label {LABEL} as or through an app; only a person may override"));
    }
    let same = |login: &str| login.eq_ignore_ascii_case(&actor.login);
    if !allowed.iter().any(|login| same(login)) {
        return Err(format!(
            "{by} set the label {LABEL}, but is not listed in `gate.override_by` of the base"
        ));
    }
    let Some(opened_by) = &now.opened_by else {
        return Err("GitHub reports no author for the pull request".to_owned());
    };
    let wrote = people.iter().flat_map(|commit| commit.authors.iter().chain(&commit.committer));
    if same(opened_by) || wrote.filter_map(|person| person.login.as_deref()).any(same) {
        return Err(format!("{by} set the label {LABEL}, but is an author of this change"));
    }
    let time =
        |text: &str| text.parse::<Timestamp>().map_err(|_| "GitHub returned an invalid timestamp".to_owned());
    let at = time(&set.at)?;
    let updated = event.updated_at.as_deref().ok_or("the event has no `updated_at`")?;
    let updated = time(updated)?;
    // The event of the label itself: GitHub names the head at that time.
    let labeled = event.labeled.as_ref().filter(|labeled| is_label(&labeled.label) && same(&labeled.by));
    let is_this_event = labeled.is_some() && at.duration_since(updated).abs() <= CLOCK_TOLERANCE;
    if at <= updated && !is_this_event {
        return Err(format!("{by} set the label {LABEL} before this run was triggered{again}"));
    }
    for event in events {
        if event.kind == IssueEventKind::Retargeted && time(&event.at)? >= at {
            return Err(format!("the target branch was changed after the label {LABEL} was set{again}"));
        }
        let IssueEventKind::ForcePushed(commit) = &event.kind else { continue };
        let pushed = time(&event.at)?;
        let is_head = commit.as_deref().is_some_and(|commit| commit.eq_ignore_ascii_case(&now.head));
        if pushed >= at || (pushed > updated && !is_head) {
            return Err(format!("the branch was force-pushed around or after the label {LABEL}{again}"));
        }
    }
    Ok((actor.login.clone(), at.to_string()))
}
