//! The state of a prompt: the fold of its events.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::rollout::{Exposure, Rollout};
use crate::{Approval, Digest, Event, EventKind, Evidence, Label, Level, MoveCause, Version};

/// The state of a prompt after some of its events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The published versions.
    pub versions: BTreeMap<Version, VersionState>,
    /// The version of each label.
    pub labels: BTreeMap<Label, Version>,
    /// Every move of a label, in order.
    pub moves: Vec<Move>,
    /// Unfinished moves, one for each label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub intents: BTreeMap<Label, Intent>,
    /// The rollout that has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Box<Rollout>>,
    /// The share of treated units over time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposures: Vec<Exposure>,
}

/// The state of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionState {
    /// Its position, from 1.
    pub number: u64,
    /// The digest of its content.
    pub digest: Digest,
    /// Its level.
    pub level: Level,
    /// The digest of the bytes of its record; `None` where the ledger did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Digest>,
    /// When it was published.
    pub published_at: Timestamp,
    /// Whether it served before promptgate did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
    /// The evaluation that ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// All approvals, whether they count or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// The identifier in each registry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub registered: BTreeMap<String, String>,
    /// Labels that it was rolled back from, and has not held since.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rolled_back: BTreeSet<Label>,
    /// When it was seen to keep the limits of staging, since it came there last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staging_passed_at: Option<Timestamp>,
}

/// A move of a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// When.
    pub at: Timestamp,
    /// The label.
    pub label: Label,
    /// The version before; `None` for a new label.
    pub from: Option<Version>,
    /// The version after.
    pub to: Version,
    /// Why.
    pub cause: MoveCause,
}

/// A move that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// When.
    pub at: Timestamp,
    /// Where to.
    pub version: Version,
    /// Why.
    pub cause: MoveCause,
    /// The reason that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An event that cannot follow the events before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("event {position}: {problem}")]
pub struct InvalidEvent {
    /// Its position, from 1.
    pub position: usize,
    /// The reason.
    pub problem: String,
}

impl State {
    /// The state after `events`.
    ///
    /// # Errors
    /// The first event that cannot follow the ones before it.
    pub fn fold<'e>(events: impl IntoIterator<Item = &'e Event>) -> Result<Self, InvalidEvent> {
        let mut state = Self::default();
        for (index, event) in events.into_iter().enumerate() {
            state.apply(event).map_err(|problem| InvalidEvent { position: index + 1, problem })?;
        }
        Ok(state)
    }

    /// Applies one event.
    ///
    /// A repeated registration, evaluation, approval, intent or abandonment changes nothing; a version is published only
    /// once, and a move names the version that the label pointed at.
    ///
    /// # Errors
    /// Why it cannot follow; the state is unchanged then.
    pub fn apply(&mut self, event: &Event) -> Result<(), String> {
        match &event.kind {
            EventKind::Published { version, number, digest, level, record, adopted } => {
                let published = VersionState {
                    number: *number,
                    digest: digest.clone(),
                    level: *level,
                    record: record.clone(),
                    published_at: event.at,
                    adopted: *adopted,
                    evidence: None,
                    approvals: Vec::new(),
                    registered: BTreeMap::new(),
                    rolled_back: BTreeSet::new(),
                    staging_passed_at: None,
                };
                self.publish(*version, published)
            }
            EventKind::Registered { version, registry, id } => {
                let state = self.known(*version)?;
                state.registered.insert(registry.clone(), id.clone());
                Ok(())
            }
            EventKind::Evaluated { version, evidence } => {
                let state = self.known(*version)?;
                if evidence.candidate != state.digest {
                    return Err(format!("the evaluation of {version} is of different content"));
                }
                // By the end of the evaluation: an old report that is published again replaces no newer one.
                if state.evidence.as_ref().is_none_or(|known| !evidence.is_older_than(known)) {
                    state.evidence = Some((**evidence).clone());
                }
                Ok(())
            }
            EventKind::Approved { version, approval } => {
                let state = self.known(*version)?;
                if !state.approvals.contains(approval) {
                    state.approvals.push(approval.clone());
                }
                Ok(())
            }
            EventKind::Intended { label, version, cause, reason } => {
                self.known(*version)?;
                self.movable(label)?;
                let (at, reason) = (event.at, reason.clone());
                self.intents.insert(label.clone(), Intent { at, version: *version, cause: *cause, reason });
                Ok(())
            }
            EventKind::Abandoned { label, version } => {
                self.known(*version)?;
                // A rollback that came between may have ended the intent, or begun its own.
                if self.intents.get(label).is_some_and(|intent| intent.version == *version) {
                    self.intents.remove(label);
                }
                Ok(())
            }
            EventKind::Moved { label, from, version, cause, .. } => {
                self.move_label(event.at, label, *from, *version, *cause)
            }
            EventKind::StagingPassed { version, .. } => {
                if self.labels.get(&Label::Staging) != Some(version) {
                    return Err(format!("{version} passed staging, but is not there"));
                }
                self.known(*version)?.staging_passed_at = Some(event.at);
                Ok(())
            }
            EventKind::RolloutStarted { .. }
            | EventKind::RolloutLooked { .. }
            | EventKind::RolloutStepped { .. }
            | EventKind::RolloutPaused { .. }
            | EventKind::RolloutResumed { .. }
            | EventKind::RolloutEnded { .. } => self.apply_rollout(event),
        }
    }

    fn known(&mut self, version: Version) -> Result<&mut VersionState, String> {
        self.versions.get_mut(&version).ok_or_else(|| format!("version {version} was not published"))
    }

    fn publish(&mut self, version: Version, published: VersionState) -> Result<(), String> {
        if self.versions.contains_key(&version) {
            return Err(format!("version {version} is published twice"));
        }
        let number = published.number;
        if number != self.versions.len() as u64 + 1 {
            return Err(format!(
                "version {version} has number {number}, expected {}",
                self.versions.len() + 1
            ));
        }
        self.versions.insert(version, published);
        Ok(())
    }

    fn move_label(
        &mut self,
        at: Timestamp,
        label: &Label,
        from: Option<Version>,
        to: Version,
        cause: MoveCause,
    ) -> Result<(), String> {
        self.known(to)?;
        self.movable(label)?;
        let before = self.labels.get(label).copied();
        if from != before {
            let shown = |version: Option<Version>| {
                version.map_or("no version".to_owned(), |version| version.to_string())
            };
            return Err(format!("{label} was moved from {}, but pointed at {}", shown(from), shown(before)));
        }
        // Any other label may fall back to the version of production.
        if cause == MoveCause::Rollback && *label == Label::Production && !self.has_held(to, label) {
            return Err(format!("{label} was rolled back to {to}, which never held it"));
        }
        if let Some(before) = before.filter(|before| cause == MoveCause::Rollback && *before != to) {
            self.known(before)?.rolled_back.insert(label.clone());
        }
        let moved = self.known(to)?;
        moved.rolled_back.remove(label);
        if *label == Label::Staging && before != Some(to) {
            moved.staging_passed_at = None;
        }
        self.labels.insert(label.clone(), to);
        self.intents.remove(label);
        self.moves.push(Move { at, label: label.clone(), from, to, cause });
        Ok(())
    }

    /// An error for a label that no event moves.
    fn movable(&self, label: &Label) -> Result<(), String> {
        if *label == Label::Latest {
            return Err(format!("{label} always points at the newest version"));
        }
        Ok(())
    }

    /// The end of the last rollout, if it was rolled back or given up, and none began since.
    pub fn ended_exposure(&self) -> Option<&Exposure> {
        self.exposures.last().filter(|exposure| exposure.basis_points == 0 && self.rollout.is_none())
    }

    /// The newest published version.
    pub fn latest(&self) -> Option<Version> {
        self.versions.iter().max_by_key(|(_, state)| state.number).map(|(version, _)| *version)
    }

    /// The version on its way to production: the newest one, if it is above what production serves, was not rolled back, and
    /// no rollout of it was given up.
    pub fn on_its_way(&self) -> Option<Version> {
        let version = self.latest()?;
        let is_above = self.labels.get(&Label::Production).is_none_or(|served| *served < version);
        let was_rolled_back = self.versions.get(&version).is_some_and(|state| !state.rolled_back.is_empty());
        let last = self.exposures.iter().rev().find(|exposure| exposure.version == version);
        let was_given_up = last.is_some_and(|exposure| exposure.basis_points == 0);
        (is_above && !was_rolled_back && !was_given_up).then_some(version)
    }

    /// The version with this digest, the newest of several.
    pub fn with_digest(&self, digest: &Digest) -> Option<Version> {
        let same = self.versions.iter().filter(|(_, state)| state.digest == *digest);
        same.max_by_key(|(_, state)| state.number).map(|(version, _)| *version)
    }

    /// The version of a label; `latest` is the newest published one.
    pub fn at_label(&self, label: &Label) -> Option<Version> {
        if *label == Label::Latest { self.latest() } else { self.labels.get(label).copied() }
    }

    /// Whether a version ever held a label.
    pub fn has_held(&self, version: Version, label: &Label) -> bool {
        self.moves.iter().any(|moved| moved.label == *label && moved.to == version)
    }

    /// Whether a version was seen to keep the limits of staging, since it came there last.
    pub fn has_passed_staging(&self, version: Version) -> bool {
        self.versions.get(&version).is_some_and(|known| known.staging_passed_at.is_some())
    }

    /// When the label that a version holds now was moved there.
    pub fn holds_since(&self, version: Version, label: &Label) -> Option<Timestamp> {
        if self.labels.get(label) != Some(&version) {
            return None;
        }
        self.moves
            .iter()
            .rev()
            .find(|moved| moved.label == *label && moved.from != Some(moved.to))
            .map(|moved| moved.at)
    }
}
