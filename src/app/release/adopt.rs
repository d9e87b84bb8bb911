//! Records a version that served before promptgate did.

use super::labels::Places;
use super::write::Current;
use crate::app::Failure;
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::{Addition, StoredVersion};
use promptgate_release::{
    Change, EventKind, Label, Level, MoveCause, RECORD_SCHEMA, Record, ReleasePolicy, Version,
};

/// The addition that records `stored` under `label`, without evidence.
///
/// # Errors
/// No number is left.
pub(super) fn addition(
    places: &Places<'_>,
    current: &Current,
    label: &Label,
    stored: &StoredVersion,
    policy: &ReleasePolicy,
) -> Result<Addition, Failure> {
    let state = &current.state;
    let digest = stored.content.digest();
    let from = state.labels.get(label).copied();
    let moved = |version: Version| EventKind::Moved {
        label: label.clone(),
        from,
        version,
        cause: MoveCause::Adoption,
        reason: Some(format!("found at {}", places.registry.location())),
    };
    // The same content under another label was recorded already.
    if let Some(version) = state.with_digest(&digest) {
        return Ok(places
            .stamp
            .events([places.registered_event(version, stored.id.clone()), moved(version)]));
    }
    let version = match state.versions.keys().next_back() {
        None => Version::FIRST,
        Some(highest) => highest
            .next(Level::Minor)
            .ok_or_else(|| Diagnostic::new(format!("{} has no version after {highest}", places.name)))?,
    };
    let number = state.versions.len() as u64 + 1;
    let record = Record {
        schema: RECORD_SCHEMA.to_owned(),
        name: places.name.clone(),
        version,
        number,
        digest: digest.clone(),
        content: stored.content.clone(),
        level: Level::Major,
        least_level: None,
        level_reasons: Vec::new(),
        compared_with: None,
        reason: stored
            .message
            .clone()
            .unwrap_or_else(|| "served before it was released by promptgate".to_owned()),
        change: Change { authors: stored.author.iter().cloned().collect(), ..Change::default() },
        published_at: places.stamp.at,
        policy: policy.clone(),
    };
    let published =
        EventKind::Published { version, number, digest, level: Level::Major, record: None, adopted: true };
    let events = [published, places.registered_event(version, stored.id.clone()), moved(version)];
    let mut addition = places.stamp.events(events);
    addition.records.push(record);
    Ok(addition)
}
