//! Comparison of what a registry returns after a write with what was written.

use promptgate_release::ports::{RegistryId, StoredVersion};
use promptgate_release::{Digest, Label, PortError, Record};

use crate::rest::Failure;

/// Checks a record before it is sent.
///
/// # Errors
/// [`PortError::Mutated`] if its content does not match its digest.
pub(super) fn check_record(record: &Record) -> Result<(), PortError> {
    if record.content.digest() == record.digest {
        return Ok(());
    }
    Err(PortError::Mutated(format!(
        "version {} of {} does not match its digest {}",
        record.version,
        record.name,
        record.digest.short()
    )))
}

/// Checks that the content of a version that promptgate published is still what it published.
///
/// # Errors
/// [`PortError::Mutated`].
pub(super) fn check_unchanged(stored: StoredVersion) -> Result<StoredVersion, PortError> {
    if let Some((_, digest)) = &stored.published {
        stored.verify(digest)?;
    }
    Ok(stored)
}

/// Checks that a new version is stored as it was sent.
///
/// # Errors
/// [`PortError::Damaged`] with the difference.
pub(super) fn check_created(
    record: &Record,
    id: &RegistryId,
    stored: Option<StoredVersion>,
) -> Result<(), PortError> {
    let damaged = |difference: &str| {
        Err(PortError::Damaged(format!(
            "version {} of {} was stored as version {id} of the registry, but {difference}",
            record.version, record.name
        )))
    };
    let Some(stored) = stored else { return damaged("cannot be read back") };
    let published: Option<(_, Digest)> = Some((record.version, record.digest.clone()));
    if stored.published != published {
        return damaged("its version and digest are not those that were sent");
    }
    Ok(())
}

/// Checks that a label that was moved has one holder.
///
/// # Errors
/// [`PortError::Conflict`] if another writer moved it meanwhile; [`PortError::Damaged`] if it has several holders.
pub(super) fn check_holder(label: &str, id: &RegistryId, holders: &[RegistryId]) -> Result<(), PortError> {
    match holders {
        [holder] if holder == id => Ok(()),
        holders if holders.contains(id) => Err(PortError::Damaged(format!(
            "the registry shows the label {label} on the versions {}, expected {id} alone; \
             another writer moves it: look who, then run `promptgate reconcile`",
            holders.join(" and ")
        ))),
        _ => Err(PortError::Conflict("label in the registry")),
    }
}

/// The error of a version that a label cannot be moved to.
pub(super) fn no_such_version(name: &str, id: &RegistryId, label: &Label) -> PortError {
    PortError::Refused(format!("{label} cannot be moved: {name} has no version {id} in the registry"))
}

/// The error of a creation whose result is unknown, after the version was not found.
pub(super) fn unknown_outcome(failure: Failure) -> PortError {
    match failure.error {
        PortError::Unavailable(text) if failure.is_ambiguous => PortError::Unavailable(format!(
            "{text}; whether the version was stored is unknown: the next call looks for its digest first"
        )),
        other => other,
    }
}
