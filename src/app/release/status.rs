//! The version of each label in a ledger, and the controls that the next promotions wait for.

use jiff::Timestamp;

use super::resolve::{self, fold, names, record_in};
use super::rollout;
use super::wire::{self, time, word};
use crate::app::Failure;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::ports::LedgerStore;
use promptgate_release::promotion::{self, Decision, Obstacle, Promotion};
use promptgate_release::{
    ActorSource, Event, EventKind, Label, Name, PortError, Record, State, Version, VersionState,
};
use promptgate_report::release::status::{
    LabelStatus, LatestVersion, ObstacleStatus, OpenMove, PromptStatus, Readiness, SCHEMA, StateCheck,
    Status, Waiting,
};

/// Options of a status.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatusOptions {
    /// The prompts; all of the ledger if empty.
    pub(crate) names: Vec<Name>,
    /// The time of the status; `None` for now.
    pub(crate) at: Option<Timestamp>,
    /// Whether the ledger was fetched; `None` for a folder.
    pub(crate) fetched: Option<bool>,
}

/// Folds the events of each prompt and compares the result with the stored state.
///
/// # Errors
/// An unknown name, a time in the future, a ledger that is damaged or not available.
pub(crate) async fn status(
    ledger: &dyn LedgerStore,
    options: &StatusOptions,
    now: Timestamp,
) -> Result<Status, Failure> {
    if let Some(at) = options.at.filter(|at| *at > now) {
        return Err(Diagnostic::new(format!("{} is in the future", time(at)))
            .at(Place::file("--at"))
            .help("name a time of the past; without --at the status is that of now")
            .into());
    }
    let mut prompts = Vec::new();
    for name in names(ledger, &options.names).await? {
        prompts.push(of_prompt(ledger, &name, options.at, now).await?);
    }
    Ok(Status {
        schema: SCHEMA.to_owned(),
        ledger: ledger.location(),
        fetched: options.fetched,
        at: options.at.map(time),
        prompts,
    })
}

async fn of_prompt(
    ledger: &dyn LedgerStore,
    name: &Name,
    at: Option<Timestamp>,
    now: Timestamp,
) -> Result<PromptStatus, PortError> {
    let history = ledger.history(name).await?;
    let until = |event: &&Event| at.is_none_or(|at| event.at <= at);
    let events: Vec<&Event> = history.events.iter().take_while(until).collect();
    let state = fold(ledger, name, events.iter().copied())?;
    let check = match at {
        Some(_) => StateCheck::Past,
        None if ledger.state(name).await?.as_ref() == Some(&state) => StateCheck::Verified,
        None => StateCheck::Differs,
    };
    let labels = state.labels.iter().filter_map(|(label, version)| {
        let known = state.versions.get(version)?;
        Some((label.to_string(), label_status(&state, label, *version, known)?))
    });
    Ok(PromptStatus {
        name: name.to_string(),
        events: events.len(),
        versions: state.versions.len(),
        latest: latest(&state),
        labels: labels.collect(),
        rollout: state.rollout.as_deref().map(rollout::position),
        waiting: waiting(ledger, name, &state, at.unwrap_or(now)).await?,
        intents: intents(&state, &events),
        state: check,
    })
}

fn latest(state: &State) -> Option<LatestVersion> {
    let version = state.latest()?;
    let known = state.versions.get(&version)?;
    Some(LatestVersion {
        version: version.to_string(),
        number: known.number,
        level: known.level.to_string(),
        digest: known.digest.to_string(),
        published_at: time(known.published_at),
        rolled_back: known.rolled_back.iter().map(Label::to_string).collect(),
    })
}

fn label_status(state: &State, label: &Label, version: Version, known: &VersionState) -> Option<LabelStatus> {
    let moves = || state.moves.iter().rev().filter(|moved| moved.label == *label);
    let moved = moves().find(|moved| moved.from != Some(moved.to)).or_else(|| moves().next())?;
    Some(LabelStatus {
        version: version.to_string(),
        digest: known.digest.to_string(),
        since: time(moved.at),
        cause: word(&moved.cause),
        previous: moved.from.map(|version| version.to_string()),
        registered: known.registered.clone(),
    })
}

/// The next promotions: the newest version to staging, and what staging has to production.
async fn waiting(
    ledger: &dyn LedgerStore,
    name: &Name,
    state: &State,
    now: Timestamp,
) -> Result<Vec<Waiting>, PortError> {
    let (production, staging) = (state.at_label(&Label::Production), state.at_label(&Label::Staging));
    // A version below production returns by a rollback alone, so it waits for nothing.
    let is_newer = |version: &Version| production.is_none_or(|production| *version > production);
    let staged = staging.filter(is_newer).map(|version| (version, Label::Production));
    let newest = state.latest().filter(is_newer).filter(|version| staging != Some(*version));
    let next = staged.into_iter().chain(newest.map(|version| (version, Label::Staging)));
    let served = resolve::production(ledger, name, state).await?;
    let mut waiting = Vec::new();
    for (version, label) in next {
        let record = record_in(ledger, name, state, version).await?;
        let decision = decide(ledger, state, &record, served.as_ref(), &label, now);
        let (result, obstacles) = match decision {
            Decision::Promote { .. } | Decision::Unchanged => (Readiness::Ready, Vec::new()),
            Decision::Wait(obstacles) => (Readiness::Waits, obstacles),
            Decision::Refuse(obstacles) => (Readiness::Refused, obstacles),
        };
        let obstacles = obstacles.iter().map(obstacle).collect();
        waiting.push(Waiting { version: version.to_string(), label: label.to_string(), result, obstacles });
    }
    Ok(waiting)
}

fn decide(
    ledger: &dyn LedgerStore,
    state: &State,
    record: &Record,
    production: Option<&Record>,
    to: &Label,
    now: Timestamp,
) -> Decision {
    promotion::decide(&Promotion {
        state,
        record,
        production,
        to: to.clone(),
        // The next job of the default branch is the one that asks.
        actor: ActorSource::DefaultBranch,
        skip_holds: false,
        again: false,
        by_rollout: false,
        reason: None,
        allow_simulated: false,
        unverified_counts: ledger.is_local(),
        now,
    })
}

fn obstacle(obstacle: &Obstacle) -> ObstacleStatus {
    ObstacleStatus { code: obstacle.code().to_owned(), text: obstacle.to_string() }
}

fn intents(state: &State, events: &[&Event]) -> Vec<OpenMove> {
    let actor = |wanted: &Label| {
        let begun = events
            .iter()
            .rev()
            .find(|event| matches!(&event.kind, EventKind::Intended { label, .. } if label == wanted));
        begun.map(|event| wire::actor(&event.actor))
    };
    let open = state.intents.iter().map(|(label, intent)| OpenMove {
        label: label.to_string(),
        version: intent.version.to_string(),
        cause: word(&intent.cause),
        reason: intent.reason.clone(),
        at: time(intent.at),
        actor: actor(label),
    });
    open.collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, error, intended, ledger, name};
    use super::*;

    async fn of(options: StatusOptions) -> PromptStatus {
        let ledger = ledger().await;
        status(&ledger, &options, at("2026-12-01T00:00:00Z")).await.unwrap().prompts.remove(0)
    }

    fn past(time: &str) -> StatusOptions {
        StatusOptions { names: vec![name("support/reply")], at: Some(at(time)), fetched: None }
    }

    #[tokio::test]
    async fn status_is_the_fold_of_the_events() {
        let status = of(StatusOptions::default()).await;
        assert_eq!((status.events, status.versions, status.state), (7, 2, StateCheck::Verified));
        assert_eq!(status.latest.unwrap().version, "1.1.0");
        let production = &status.labels["production"];
        assert_eq!(
            (production.version.as_str(), production.since.as_str()),
            ("1.0.0", "2026-11-01T12:00:00Z")
        );
        assert_eq!(status.labels["staging"].version, "1.1.0");
    }

    #[tokio::test]
    async fn status_at_a_time_ignores_later_events() {
        let status = of(past("2026-11-01T23:59:59Z")).await;
        assert_eq!((status.versions, status.state), (1, StateCheck::Past));
        assert!(!status.labels.contains_key("staging"));
        let before = of(past("2026-10-01T00:00:00Z")).await;
        assert_eq!((before.events, before.latest, before.labels.len()), (0, None, 0));
    }

    #[tokio::test]
    async fn status_of_the_future_is_refused() {
        let ledger = ledger().await;
        let result = status(&ledger, &past("2027-01-01T00:00:00Z"), at("2026-12-01T00:00:00Z")).await;
        assert_eq!(error(result).message, "2027-01-01T00:00:00Z is in the future");
    }

    #[tokio::test]
    async fn versions_wait_for_what_their_promotion_lacks() {
        let status = of(StatusOptions::default()).await;
        let [waiting] = status.waiting.as_slice() else { panic!("{:?}", status.waiting) };
        assert_eq!((waiting.version.as_str(), waiting.label.as_str()), ("1.1.0", "production"));
        assert_eq!(waiting.result, Readiness::Waits);
        let codes: Vec<&str> = waiting.obstacles.iter().map(|obstacle| obstacle.code.as_str()).collect();
        assert!(codes.contains(&"no_evidence") && codes.contains(&"approvals"), "{codes:?}");
    }

    #[tokio::test]
    async fn open_intents_are_shown() {
        let ledger = ledger().await;
        ledger.add(&name("support/reply"), [intended(Label::Production, "1.1.0")]).await;
        let status = status(&ledger, &StatusOptions::default(), at("2026-12-01T00:00:00Z")).await.unwrap();
        let [open] = status.prompts[0].intents.as_slice() else { panic!("{status:?}") };
        assert_eq!((open.label.as_str(), open.version.as_str()), ("production", "1.1.0"));
        assert_eq!(open.actor.as_ref().unwrap().login, "alice");
    }

    #[tokio::test]
    async fn stored_state_that_differs_is_found() {
        let ledger = ledger().await;
        ledger.corrupt_state(&name("support/reply"));
        let status = status(&ledger, &StatusOptions::default(), at("2026-12-01T00:00:00Z")).await.unwrap();
        assert_eq!(status.prompts[0].state, StateCheck::Differs);
    }

    #[tokio::test]
    async fn unknown_names_are_refused() {
        let ledger = ledger().await;
        let options = StatusOptions { names: vec![name("support/rply")], ..StatusOptions::default() };
        let result = status(&ledger, &options, at("2026-12-01T00:00:00Z")).await;
        assert_eq!(error(result).help.as_deref(), Some("did you mean support/reply?"));
    }
}
