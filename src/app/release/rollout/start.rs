//! Starts a rollout: canary gets the version, and the units of the first step follow.

use super::observe::Sources;
use super::open::OpenRollout;
use super::plan::{known, refuse_hopeless};
use super::report;
use crate::app::release::open::Target;
use crate::app::release::promote::chosen;
use crate::app::release::resolve;
use crate::app::release::secrets;
use crate::app::release::wire::obstacles;
use crate::app::release::write::{self, Current};
use crate::app::{Environment, Failure};
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::Addition;
use promptgate_release::promotion::{self, Decision, Obstacle, Promotion};
use promptgate_release::rollout::{Rollout, RolloutKind, RolloutStart, Step, planned_information};
use promptgate_release::{EventKind, Label, Level, MoveCause, Name, Record, State, Version};
use promptgate_report::release::rollout as wire;
use promptgate_report::release::rollout::RolloutResult;

/// The largest share of an A/B test without a reason, in basis points: beyond it a version would reach most units without
/// its steps.
const MAX_TEST_BASIS_POINTS: u32 = 5_000;

/// The request.
#[derive(Debug, Clone)]
pub(crate) struct StartOptions {
    /// The prompt.
    pub(crate) target: Target,
    /// The version; by default what staging has.
    pub(crate) version: Option<Version>,
    /// The share of an A/B test, in basis points: it stays there, and nothing follows.
    pub(crate) fixed: Option<u32>,
    /// Scored requests a day, of all units.
    pub(crate) per_day: Option<f64>,
    /// Whether it starts even if its forecast gives it less than a 50 % chance of finishing.
    pub(crate) anyway: bool,
    /// Whether a version that was rolled back may be rolled out.
    pub(crate) again: bool,
    /// The reason.
    pub(crate) reason: Option<String>,
    /// Whether an evaluation by the simulated model counts.
    pub(crate) allow_simulated: bool,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
}

/// Starts a rollout if the controls of production allow it.
///
/// # Errors
/// An unknown prompt or version, a level that goes to production at once, sources that differ from those of the record
/// without a reason, and ledger or registry failing.
pub(crate) async fn start(
    options: &StartOptions,
    environment: &Environment,
) -> Result<wire::Rollout, Failure> {
    let reason = options.reason.as_deref().unwrap_or_default();
    secrets::refuse_in_reason(reason, environment)?;
    if options.fixed.is_some_and(|basis_points| basis_points > MAX_TEST_BASIS_POINTS)
        && reason.trim().is_empty()
    {
        return Err(Diagnostic::new("an A/B test of more than half of the units needs `--reason TEXT`")
            .help("say why it needs more than a comparison does; the ledger keeps it")
            .into());
    }
    let open = OpenRollout::open(&options.target, environment, environment.now()?, options.dry_run).await?;
    let sources = super::all_sources(&open.opened, environment)?;
    let mut report = start_in(options, &open, &sources).await?;
    open.publish_releases(environment, &mut report).await;
    Ok(report)
}

/// Starts a rollout in an open ledger and registry.
pub(super) async fn start_in(
    options: &StartOptions,
    open: &OpenRollout,
    sources: &Sources,
) -> Result<wire::Rollout, Failure> {
    let places = open.places();
    // Where the registry is another place, canary is moved there before the rollout begins.
    let begun = loop {
        let begun = write::append(places.ledger, places.name, async |current: &Current| {
            begin(options, open, sources, &current.state).await
        })
        .await?;
        if !begun.is_announced {
            break begun;
        }
        places.settle(&Label::Canary).await?;
    };
    let mut report = report::rollout(open.name(), begun.result, begun.rollout.as_ref());
    report.obstacles = obstacles(&begun.obstacles, open.name(), Some(begun.version));
    report.notes.clone_from(&open.notes);
    report.dry_run = options.dry_run;
    Ok(report)
}

struct Begun {
    version: Version,
    result: RolloutResult,
    rollout: Option<Rollout>,
    obstacles: Vec<Obstacle>,
    /// Whether the move of canary was announced, which comes first.
    is_announced: bool,
}

async fn begin(
    options: &StartOptions,
    open: &OpenRollout,
    sources: &Sources,
    state: &State,
) -> Result<(Addition, Begun), Failure> {
    let places = open.places();
    let version = chosen(options.version, &Label::Production, places.name, state)?;
    let record = resolve::record_in(places.ledger, places.name, state, version).await?;
    let production = resolve::production(places.ledger, places.name, state).await?;
    let control = production.as_ref().map(|record| record.version);
    let decision = promotion::decide(&Promotion {
        state,
        record: &record,
        production: production.as_ref(),
        to: Label::Production,
        actor: open.stamp.actor.source,
        skip_holds: false,
        again: options.again,
        by_rollout: true,
        reason: options.reason.as_deref(),
        allow_simulated: options.allow_simulated,
        unverified_counts: places.ledger.is_local(),
        now: open.stamp.at,
    });
    let mut begun = Begun {
        version,
        result: RolloutResult::Started,
        rollout: None,
        obstacles: Vec::new(),
        is_announced: false,
    };
    let level = match decision {
        Decision::Promote { level } => level,
        Decision::Refuse(obstacles) => {
            (begun.result, begun.obstacles) = (RolloutResult::Refused, obstacles);
            return Ok((Addition::default(), begun));
        }
        Decision::Wait(obstacles) => {
            (begun.result, begun.obstacles) = (RolloutResult::NotReady, obstacles);
            return Ok((Addition::default(), begun));
        }
        Decision::Unchanged => {
            let newer = state.on_its_way().filter(|_| options.version.is_none());
            return Err(newer
                .map_or_else(|| served(places.name, version), |newer| unstaged(places.name, newer))
                .into());
        }
    };
    let Some(control) = control else { return Err(first(places.name, version).into()) };
    let start = rollout_of(options, open, sources, state, &record, level, control).await?;
    begun.rollout = Rollout::begin(&start, open.stamp.at);
    if options.dry_run {
        return Ok((Addition::default(), begun));
    }
    let (label, cause, reason) = (Label::Canary, MoveCause::Rollout, options.reason.clone());
    let from = state.labels.get(&label).copied();
    let mut events = Vec::new();
    if from != Some(version) {
        if open.in_ledger() {
            events.push(EventKind::Moved { label, from, version, cause, reason });
        } else {
            places.registered(version, state).await?;
            begun.is_announced = true;
            let intended = EventKind::Intended { label, version, cause, reason };
            return Ok((open.stamp.events([intended]), begun));
        }
    }
    events.push(EventKind::RolloutStarted { start: Box::new(start) });
    Ok((open.stamp.events(events), begun))
}

/// The rollout that the level of the change requires, or the A/B test.
async fn rollout_of(
    options: &StartOptions,
    open: &OpenRollout,
    sources: &Sources,
    state: &State,
    record: &Record,
    level: Level,
    control: Version,
) -> Result<RolloutStart, Failure> {
    let (name, policy) = (open.name(), &record.policy);
    let Some(rollouts) = &policy.rollouts else { return Err(no_sources(name).into()) };
    if sources.digest != rollouts.sources && options.reason.is_none() {
        return Err(Diagnostic::new(format!(
            "the sources of metrics are not those that held when {} was published",
            record.version
        ))
        .help("if that is meant, repeat with `--reason TEXT`; the ledger keeps it")
        .into());
    }
    let (kind, steps) = match options.fixed {
        Some(basis_points) => {
            let step = Step { basis_points, hold_seconds: 0, min_samples: 0 };
            (RolloutKind::Direct, vec![step])
        }
        None => {
            let kind = policy.controls(level).rollout;
            (kind, rollouts.steps(kind).to_vec())
        }
    };
    if steps.is_empty() {
        let help = format!(
            "`promptgate promote {name} {} --to production`; `--percent P` starts an A/B test",
            record.version
        );
        let message = format!("a {level} change of {name} reaches production at once");
        return Err(Diagnostic::new(message).help(help).into());
    }
    let mut per_day = options.per_day;
    if options.fixed.is_none() && !options.anyway {
        let known = known(sources, name, state, rollouts, &[], per_day, open.stamp.at).await?;
        refuse_hopeless(name, kind, &steps, rollouts, &known, options.per_day)?;
        per_day = Some(known.traffic.per_day);
    }
    let number = state.exposures.last().map_or(0, |exposure| exposure.rollout) + 1;
    Ok(RolloutStart {
        number,
        treatment: record.version,
        control,
        kind,
        planned_information: planned_information(&steps, per_day),
        steps,
        salt: format!("{name}:{number}"),
        sources: sources.digest.clone(),
        reason: options.reason.clone(),
    })
}

fn served(name: &Name, version: Version) -> Diagnostic {
    Diagnostic::new(format!("production of {name} serves {version} already"))
        .help(format!("publish a new version, or name another: `promptgate log {name}` lists them"))
}

fn unstaged(name: &Name, version: Version) -> Diagnostic {
    Diagnostic::new(format!("{version} of {name} is not on staging"))
        .help(format!("`promptgate rollout advance {name}` puts {version} on staging first"))
}

fn first(name: &Name, version: Version) -> Diagnostic {
    Diagnostic::new(format!("{name} has no version in production to compare {version} with")).help(format!(
        "the first version goes there at once: `promptgate promote {name} {version} --to production`"
    ))
}

fn no_sources(name: &Name) -> Diagnostic {
    Diagnostic::new(format!("the policy of {name} has no sources of metrics, which a rollout needs"))
        .help("write `sources:` and `guardrails:` under `release:`; they hold for versions that are published later")
}
