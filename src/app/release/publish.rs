//! Publishes the prompt of a suite as an immutable version, with the evidence for it.

mod before;
mod refuted;
mod source;

use std::path::PathBuf;

use super::approvals::{CollectOptions, CollectedApprovals, collect};
use super::authors::ChangeOptions;
use super::identity::{Identity, identity};
use super::labels::Places;
use super::names::refuse_shared_name;
use super::open::Opened;
use super::record::{self, Inputs};
use super::write::{self, Current, Stamp};
use super::{evidence, pending, resolve};
use crate::app::{Environment, Failure};
use promptgate_release::ports::Addition;
use promptgate_release::promotion::Obstacle;
use promptgate_release::{
    Change, Digest, EventKind, Evidence, Label, Level, Name, PortError, Record, State, Version,
};
use source::Source;

/// The request.
#[derive(Debug, Clone)]
pub(crate) struct PublishOptions {
    /// The configuration, or its folder.
    pub(crate) config: Option<PathBuf>,
    /// The report of the gate's run.
    pub(crate) report: PathBuf,
    /// Whether a run with the simulated model counts.
    pub(crate) allow_simulated: bool,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
}

/// The result.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    /// The prompt.
    pub(crate) name: Name,
    /// The digest of the content.
    pub(crate) digest: Digest,
    /// The result.
    pub(crate) outcome: PublishOutcome,
    /// The identifier in the registry; `None` with the embedded one.
    pub(crate) registry_id: Option<String>,
    /// Remarks.
    pub(crate) notes: Vec<String>,
    /// Whether nothing was written.
    pub(crate) dry_run: bool,
}

/// The result of a publication.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PublishOutcome {
    /// A new version.
    New {
        /// Its number.
        version: Version,
        /// Its level.
        level: Level,
        /// Why.
        level_reasons: Vec<String>,
    },
    /// The content was published before, and the evaluation is new.
    Evaluated(Version),
    /// The content was published before, and the recorded evaluation is newer than this one, which was not recorded.
    Outdated(Version),
    /// Content and evaluation were published before, and approvals are new.
    Approved(Version),
    /// Nothing is new.
    Unchanged(Version),
    /// The evaluation is no evidence for it.
    Refused(Vec<Obstacle>),
}

/// Publishes the prompt.
///
/// # Errors
/// An invalid suite or report, a name that another suite releases as well, a claim that is too low, controls whose origin
/// is unknown, and ledger or registry failing.
pub(crate) async fn publish(
    options: &PublishOptions,
    environment: &Environment,
) -> Result<Published, Failure> {
    refuse_shared_name(options.config.as_deref())?;
    let source = Source::read(options.config.as_deref(), environment).await?;
    let opened = Opened::of(source.release.clone(), source.shown.clone(), source.folder.clone());
    let identity = identity(environment, &source.folder)?;
    let stamp = Stamp { at: environment.now()?, actor: identity.actor.clone() };
    let registry = opened.registry(environment, &stamp.actor)?;
    registry.name(opened.name())?;
    let (report, evidence) = evidence::read(&options.report, opened.name(), stamp.actor.source, stamp.at)?;
    source.refuse_other_dataset(&report, &options.report)?;
    let digest = evidence.candidate.clone();
    let mut published = Published {
        name: opened.name().clone(),
        digest: digest.clone(),
        outcome: PublishOutcome::Refused(Vec::new()),
        registry_id: None,
        notes: Vec::new(),
        dry_run: options.dry_run,
    };
    let current = write::current(opened.ledger.as_ref(), opened.name()).await?;
    let local = opened.ledger.is_local();
    let is_published = report.variants.candidate.published.is_some();
    let refused = refusals(&evidence, is_published, &source, &current.state, options.allow_simulated, local);
    if !refused.is_empty() {
        if refuted::counts(&evidence, &refused, local) {
            published.notes = refuted::record(&opened, &evidence, &stamp, options.dry_run).await?;
        }
        published.outcome = PublishOutcome::Refused(refused);
        return Ok(published);
    }
    let (production, latest) = known(&opened, &current.state).await?;
    let approvers = &source.policy(latest.as_ref()).approvers;
    // The approvals that can be collected are those of the content in the files.
    let collected = match digest == source.content.digest() {
        true => approvals(&source, production.as_ref(), (&digest, approvers), &identity, environment).await?,
        false => CollectedApprovals::default(),
    };
    published.notes = notes(&collected);
    if !options.dry_run {
        published.notes.extend(pending::append(&opened.folder, opened.name(), opened.ledger.as_ref()).await?);
    }
    let publication = Publication {
        opened: &opened,
        source: &source,
        evidence: &evidence,
        change: source.change(&collected),
        collected: &collected,
        stamp: &stamp,
        dry_run: options.dry_run,
    };
    published.outcome = write::append(opened.ledger.as_ref(), opened.name(), async |current: &Current| {
        publication.addition(current).await
    })
    .await?;
    let places = Places {
        name: opened.name(),
        ledger: opened.ledger.as_ref(),
        registry: registry.as_ref(),
        stamp: &stamp,
    };
    if let Some(version) = published.outcome.version().filter(|_| !options.dry_run) {
        published.registry_id = places.store(version).await?;
    }
    Ok(published)
}

impl PublishOutcome {
    /// The version; `None` where none was published.
    pub(crate) fn version(&self) -> Option<Version> {
        match self {
            Self::New { version, .. }
            | Self::Evaluated(version)
            | Self::Outdated(version)
            | Self::Approved(version)
            | Self::Unchanged(version) => Some(*version),
            Self::Refused(_) => None,
        }
    }
}

/// The inputs of a publication.
struct Publication<'a> {
    opened: &'a Opened,
    source: &'a Source,
    evidence: &'a Evidence,
    change: Change,
    collected: &'a CollectedApprovals,
    stamp: &'a Stamp,
    dry_run: bool,
}

impl Publication<'_> {
    /// The addition to the newest state.
    async fn addition(&self, current: &Current) -> Result<(Addition, PublishOutcome), Failure> {
        let state = &current.state;
        let (mut addition, outcome, version) = match state.with_digest(&self.evidence.candidate) {
            Some(version) => (Addition::default(), PublishOutcome::Unchanged(version), version),
            None => {
                let record = self.record(state).await?;
                let (version, level) = (record.version, record.level);
                let level_reasons = record.level_reasons.clone();
                let published = EventKind::Published {
                    version,
                    number: record.number,
                    digest: record.digest.clone(),
                    level,
                    record: None,
                    adopted: false,
                };
                let mut addition = self.stamp.events([published]);
                addition.records.push(record);
                (addition, PublishOutcome::New { version, level, level_reasons }, version)
            }
        };
        let known = state.versions.get(&version);
        let last = known.and_then(|known| known.evidence.as_ref());
        let mut outcome = outcome;
        if last.is_some_and(|last| self.evidence.is_older_than(last)) {
            // It would not count: the newest evaluation does.
            outcome = PublishOutcome::Outdated(version);
        } else if last.is_none_or(|last| last.report != self.evidence.report) {
            let evidence = Box::new(self.evidence.clone());
            addition.events.push(self.stamp.event(EventKind::Evaluated { version, evidence }));
            if let PublishOutcome::Unchanged(version) = outcome {
                outcome = PublishOutcome::Evaluated(version);
            }
        }
        for approval in &self.collected.approvals {
            if !known.is_some_and(|known| known.approvals.contains(approval)) {
                let approved = EventKind::Approved { version, approval: approval.clone() };
                addition.events.push(self.stamp.event(approved));
                if let PublishOutcome::Unchanged(version) = outcome {
                    outcome = PublishOutcome::Approved(version);
                }
            }
        }
        if self.dry_run {
            addition = Addition::default();
        }
        Ok((addition, outcome))
    }

    async fn record(&self, state: &State) -> Result<Record, Failure> {
        let (production, latest) = known(self.opened, state).await?;
        if !self.opened.ledger.is_local() {
            self.source.require_known_policy(latest.as_ref())?;
        }
        Ok(record::new(&Inputs {
            name: self.opened.name(),
            content: &self.source.content,
            claims: &self.source.claims,
            state,
            production: production.as_ref(),
            change: &self.change,
            policy: self.source.policy(latest.as_ref()),
            at: self.stamp.at,
        })?)
    }
}

/// The records of what production serves and of the newest version.
async fn known(opened: &Opened, state: &State) -> Result<(Option<Record>, Option<Record>), PortError> {
    let (ledger, name) = (opened.ledger.as_ref(), opened.name());
    let production = resolve::production(ledger, name, state).await?;
    let latest = match state.latest() {
        Some(latest) => Some(resolve::record_in(ledger, name, state, latest).await?),
        None => None,
    };
    Ok((production, latest))
}

/// Why an evaluation is no evidence for the content. What only promotions require is left to them.
///
/// `is_published` says whether the candidate of the run was a published version, not the files.
fn refusals(
    evidence: &Evidence,
    is_published: bool,
    source: &Source,
    state: &State,
    allow_simulated: bool,
    local: bool,
) -> Vec<Obstacle> {
    let mut refused = Vec::new();
    // A published version may be evaluated again after the files moved on.
    let is_known = is_published && state.with_digest(&evidence.candidate).is_some();
    if evidence.candidate != source.content.digest() && !is_known {
        refused.push(Obstacle::OtherContent);
    }
    if !local && !evidence.source.is_trusted() {
        refused.push(Obstacle::UntrustedEvidence { source: evidence.source });
    } else if !local && evidence.commit != source.commit {
        refused.push(Obstacle::OtherCommit);
    }
    if evidence.simulated && !allow_simulated {
        refused.push(Obstacle::Simulated);
    }
    refused.extend(Obstacle::of_verdict(evidence));
    // Production may have moved on since the run, which the promotion finds; another baseline was never production.
    let compared = evidence.baseline.as_ref().map(|baseline| state.with_digest(&baseline.digest));
    if let (Some(compared), Some(production)) = (compared, state.labels.get(&Label::Production))
        && !compared.is_some_and(|version| state.has_held(version, &Label::Production))
    {
        refused.push(Obstacle::StaleBaseline { production: *production });
    }
    refused
}

async fn approvals(
    source: &Source,
    production: Option<&Record>,
    (digest, approvers): (&Digest, &[String]),
    identity: &Identity,
    environment: &Environment,
) -> Result<CollectedApprovals, Failure> {
    let (Some(repository), Some(commit)) = (&source.repository, &source.commit) else {
        return Ok(CollectedApprovals::default());
    };
    let since = production.and_then(|record| record.change.commit.as_deref());
    let change = ChangeOptions { repository, commit, since, paths: &source.paths };
    let options = CollectOptions { change, digest, approvers };
    collect(&options, identity, environment).await
}

fn notes(collected: &CollectedApprovals) -> Vec<String> {
    let counted = collected.approvals.iter().map(|approval| format!("approved by {}", approval.login));
    let rejected = collected
        .rejected
        .iter()
        .map(|rejected| format!("the approval by {} does not count: {}", rejected.login, rejected.reason));
    counted.chain(rejected).chain(collected.warnings.iter().cloned()).collect()
}
