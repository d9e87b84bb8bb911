//! Carries the newest version to production where no rollout is running: to staging, past its checks, and there either at
//! once or by the rollout that its level requires. At most one label moves in a call.

use super::observe::Sources;
use super::open::OpenRollout;
use super::report;
use super::staging;
use super::start::{StartOptions, start_in};
use crate::app::Failure;
use crate::app::release::open::Target;
use crate::app::release::promote::{PromoteOptions, PromoteOutcome, promote_in};
use crate::app::release::resolve;
use crate::app::release::wire::obstacles;
use promptgate_release::limits::StagingAction;
use promptgate_release::promotion::Obstacle;
use promptgate_release::{Label, State, Version};
use promptgate_report::release::rollout as wire;
use promptgate_report::release::rollout::RolloutResult;

/// The options of a call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CarryOptions {
    /// Whether an evaluation by the simulated model counts.
    pub(crate) allow_simulated: bool,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
}

/// A version on its way.
struct Carry<'a> {
    open: &'a OpenRollout,
    version: Version,
    options: CarryOptions,
    report: wire::Rollout,
}

/// Takes the version on its way to production one step further. `None` if there is none.
///
/// # Errors
/// Ledger or registry failing.
pub(super) async fn carry(
    open: &OpenRollout,
    sources: &Sources,
    state: &State,
    options: CarryOptions,
) -> Result<Option<wire::Rollout>, Failure> {
    let Some(version) = state.on_its_way() else { return Ok(None) };
    let mut report = report::rollout(open.name(), RolloutResult::Waiting, None);
    report.version = Some(version.to_string());
    let mut carry = Carry { open, version, options, report };
    if state.labels.get(&Label::Staging) == Some(&version) {
        // A first version has no production that staging could go back to.
        let is_first = !state.labels.contains_key(&Label::Production);
        if is_first || carry.has_passed_staging(sources, state).await? {
            carry.reach_production(sources).await?;
        }
    } else {
        carry.promote(&Label::Staging, RolloutResult::Staged).await?;
    }
    Ok(Some(carry.report))
}

impl Carry<'_> {
    /// Looks at the version on staging, and does what follows there.
    async fn has_passed_staging(&mut self, sources: &Sources, state: &State) -> Result<bool, Failure> {
        let (name, now) = (self.open.name(), self.open.stamp.at);
        let record = resolve::record_in(self.open.opened.ledger.as_ref(), name, state, self.version).await?;
        let Some(review) = staging::review(sources, name, state, &record, now).await else { return Ok(true) };
        self.report.findings = report::limit_findings(&review.decision.findings);
        self.report.notes.extend(review.notes.iter().cloned());
        match review.decision.action {
            StagingAction::PutBack => {
                let versions = (self.version, state.labels.get(&Label::Production).copied());
                let (findings, dry_run) = (&review.decision.findings, self.options.dry_run);
                let notes = self.open.roll_back(Label::Staging, versions, findings, dry_run).await?;
                self.report.notes.extend(notes);
                self.report.result = RolloutResult::PutBack;
                return Ok(false);
            }
            _ if state.has_passed_staging(self.version) => {}
            StagingAction::Pass => {
                if !self.options.dry_run {
                    staging::pass(self.open, &record, &review).await?;
                }
            }
            StagingAction::Wait if review.decision.failure.is_some() => {
                self.report.result = RolloutResult::SourceFailed;
                return Ok(false);
            }
            StagingAction::Wait => return Ok(false),
            StagingAction::Stuck => {
                self.report.result = RolloutResult::Stuck;
                return Ok(false);
            }
            StagingAction::Replay => {
                self.needs_gate();
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Promotes the version to production, or starts the rollout that its level requires.
    async fn reach_production(&mut self, sources: &Sources) -> Result<(), Failure> {
        let waiting = self.promote(&Label::Production, RolloutResult::Promoted).await?;
        let is_required = |obstacle: &Obstacle| matches!(obstacle, Obstacle::RolloutRequired { .. });
        if !waiting.iter().any(is_required) {
            return Ok(());
        }
        let others: Vec<Obstacle> = waiting.into_iter().filter(|obstacle| !is_required(obstacle)).collect();
        self.report.obstacles = obstacles(&others, self.open.name(), Some(self.version));
        if others.is_empty() { self.start(sources).await } else { Ok(()) }
    }

    async fn start(&mut self, sources: &Sources) -> Result<(), Failure> {
        let options = StartOptions {
            target: Target::default(),
            version: Some(self.version),
            fixed: None,
            per_day: None,
            anyway: false,
            again: false,
            reason: None,
            allow_simulated: self.options.allow_simulated,
            dry_run: self.options.dry_run,
        };
        match start_in(&options, self.open, sources).await {
            Ok(started) => {
                self.report.result = match started.result {
                    RolloutResult::NotReady => RolloutResult::Waiting,
                    RolloutResult::Refused => RolloutResult::Stuck,
                    result => result,
                };
                (self.report.rollout, self.report.obstacles) = (started.rollout, started.obstacles);
            }
            // The forecast says that it hardly ends, or a person has to decide otherwise.
            Err(Failure::Diagnostics(diagnostics)) => {
                self.report.result = RolloutResult::Stuck;
                self.report.notes.extend(report::sentences(&diagnostics));
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Promotes the version to a label, and returns what it waits for.
    async fn promote(&mut self, to: &Label, done: RolloutResult) -> Result<Vec<Obstacle>, Failure> {
        let options = PromoteOptions {
            target: Target::default(),
            version: Some(self.version),
            to: to.clone(),
            skip_holds: false,
            again: false,
            reason: None,
            allow_simulated: self.options.allow_simulated,
            dry_run: self.options.dry_run,
        };
        let Self { open, .. } = self;
        let promoted =
            promote_in(&options, open.name(), &open.opened.ledger, &open.registry, &open.stamp).await?;
        self.report.notes.extend(promoted.notes);
        match promoted.outcome {
            PromoteOutcome::Done { .. } => self.report.result = done,
            PromoteOutcome::Unchanged => {}
            PromoteOutcome::RolledBack { to } => {
                self.report.notes.push(format!("another command moved the label to {to} meanwhile"));
                self.report.result = RolloutResult::EndedElsewhere;
            }
            PromoteOutcome::Refused(found) => {
                self.report.result = RolloutResult::Stuck;
                self.report.obstacles = obstacles(&found, open.name(), Some(self.version));
            }
            PromoteOutcome::Waiting(found) => {
                self.report.obstacles = obstacles(&found, open.name(), Some(self.version));
                if found.iter().any(Obstacle::needs_gate) {
                    self.needs_gate();
                }
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    fn needs_gate(&mut self) {
        let name = self.open.name();
        self.report.result = RolloutResult::NeedsGate;
        self.report.gate = Some(wire::NeededGate {
            config: self.open.opened.shown.clone(),
            candidate: format!("registry:{name}@{}", self.version),
            baseline: format!("registry:{name}@production"),
        });
    }
}
