//! A release that is opened for a command of rollouts.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::release::identity;
use crate::app::release::labels::Places;
use crate::app::release::open::{Opened, Target};
use crate::app::release::pending;
use crate::app::release::releases;
use crate::app::release::rollback::{RollbackOptions, rollback_in};
use crate::app::release::write::Stamp;
use crate::app::{Environment, Failure};
use promptgate_core::model::Diagnostic;
use promptgate_release::limits::{LimitFinding, broken};
use promptgate_release::ports::Registry;
use promptgate_release::rollout::Rollout;
use promptgate_release::{ActorSource, Label, Name, State, Version};
use promptgate_report::release::rollout as wire;

/// The ledger and the registry of a prompt.
pub(super) struct OpenRollout {
    pub(super) opened: Opened,
    pub(super) registry: Arc<dyn Registry>,
    pub(super) stamp: Stamp,
    /// What was done before the command itself, one line each.
    pub(super) notes: Vec<String>,
}

impl OpenRollout {
    /// Opens ledger and registry, and finishes what earlier calls began, unless this is a `dry_run`, or a job that a pull
    /// request can change.
    ///
    /// # Errors
    /// No such release, no identity, and ledger or registry failing.
    pub(super) async fn open(
        target: &Target,
        environment: &Environment,
        now: Timestamp,
        dry_run: bool,
    ) -> Result<Self, Failure> {
        Self::of(Opened::open(target)?, environment, now, dry_run).await
    }

    /// The same for a release whose ledger is open.
    ///
    /// # Errors
    /// No identity, and ledger or registry failing.
    pub(super) async fn of(
        opened: Opened,
        environment: &Environment,
        now: Timestamp,
        dry_run: bool,
    ) -> Result<Self, Failure> {
        let actor = identity::identity(environment, &opened.folder)?.actor;
        let registry = opened.registry(environment, &actor)?;
        let mut open = Self { opened, registry, stamp: Stamp { at: now, actor }, notes: Vec::new() };
        if !dry_run && open.stamp.actor.source != ActorSource::OtherBranch {
            let kept = pending::append(&open.opened.folder, open.opened.name(), open.opened.ledger.as_ref());
            open.notes.extend(kept.await?);
            // Canary comes first: where it was moved back, an open move of production is undone and not finished.
            for label in [Label::Canary, Label::Production] {
                let done = open.places().catch_up(&label).await?;
                open.notes.extend(done);
            }
        }
        Ok(open)
    }

    pub(super) fn name(&self) -> &Name {
        self.opened.name()
    }

    pub(super) fn places(&self) -> Places<'_> {
        Places {
            name: self.opened.name(),
            ledger: self.opened.ledger.as_ref(),
            registry: self.registry.as_ref(),
            stamp: &self.stamp,
        }
    }

    /// Moves a label back from a version that broke its limits, to `to` or else to an earlier holder. Returns remarks for
    /// people.
    ///
    /// # Errors
    /// A label that has moved on or that has no target, and ledger or registry failing.
    pub(super) async fn roll_back(
        &self,
        label: Label,
        (from, to): (Version, Option<Version>),
        findings: &[LimitFinding],
        dry_run: bool,
    ) -> Result<Vec<String>, Failure> {
        let from = Some(from);
        let (target, reason) = (Target::default(), broken(findings));
        let options = RollbackOptions { target, from, to, label, reason, dry_run };
        let ledger = &self.opened.ledger;
        let done = rollback_in(&options, self.name(), &[], ledger, &self.registry, &self.stamp).await?;
        if !done.has_moved {
            let message = format!(
                "{} of {} moved on to {} meanwhile, so nothing was rolled back",
                done.label, done.name, done.to
            );
            return Err(Diagnostic::new(message).into());
        }
        let mut notes = done.notes;
        notes.push(format!("{} goes back to {}", done.label, done.to));
        Ok(notes)
    }

    /// Publishes the assignments where applications read them from a registry, and adds a line about it. A job of a pull
    /// request whose request was refused writes nothing there either.
    pub(super) async fn publish_releases(&self, environment: &Environment, report: &mut wire::Rollout) {
        let is_refused = self.stamp.actor.source == ActorSource::OtherBranch
            && report.result == wire::RolloutResult::Refused;
        if !report.dry_run && !is_refused {
            report.notes.extend(releases::note(&self.opened, environment, &self.stamp).await);
        }
    }

    /// Whether a label is moved by the ledger's event alone.
    pub(super) fn in_ledger(&self) -> bool {
        self.registry.capabilities().in_ledger
    }
}

/// The rollout that has not ended.
///
/// # Errors
/// There is none.
pub(super) fn running<'s>(name: &Name, state: &'s State) -> Result<&'s Rollout, Failure> {
    state.rollout.as_deref().ok_or_else(|| {
        Diagnostic::new(format!("{name} has no rollout that is running"))
            .help(format!(
                "`promptgate rollout start {name}` starts one; `promptgate log {name}` shows the ended ones"
            ))
            .into()
    })
}
