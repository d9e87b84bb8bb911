//! Resolves references to versions in a ledger.

use crate::app::Failure;
use promptgate_core::document::suggest;
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::LedgerStore;
use promptgate_release::{
    Digest, Event, Label, Name, PortError, PromptReference, Record, Selector, State, Version,
};

/// Maximum number of names or versions in a message.
const MAX_LISTED: usize = 5;

/// A reference and the version that it was resolved to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::app) struct Resolved {
    /// The reference.
    pub(in crate::app) reference: PromptReference,
    /// The version.
    pub(in crate::app) version: Version,
    /// The digest of its content.
    pub(in crate::app) digest: Digest,
}

/// Resolves a reference in the stored state; no event is read.
///
/// # Errors
/// An unknown name, version or label, with those that are near; failures of the ledger.
pub(in crate::app) async fn resolve(
    ledger: &dyn LedgerStore,
    reference: &PromptReference,
) -> Result<Resolved, Failure> {
    let Some(state) = ledger.state(&reference.name).await? else {
        return Err(unknown_name(ledger, &reference.name).await?.into());
    };
    Ok(resolve_in(&state, reference)?)
}

/// Resolves a reference in a state.
///
/// # Errors
/// An unknown version or label, with those that are near.
pub(in crate::app) fn resolve_in(state: &State, reference: &PromptReference) -> Result<Resolved, Diagnostic> {
    let version = match &reference.selector {
        Selector::Version(version) => Some(*version),
        Selector::Label(label) => state.at_label(label),
    };
    let known = version.and_then(|version| Some((version, state.versions.get(&version)?)));
    let Some((version, known)) = known else {
        return Err(match &reference.selector {
            Selector::Version(version) => unknown_version(state, &reference.name, *version),
            Selector::Label(label) => unknown_label(state, &reference.name, label),
        });
    };
    Ok(Resolved { reference: reference.clone(), version, digest: known.digest.clone() })
}

/// The names that are asked for, else all of them.
///
/// # Errors
/// An unknown name, with those that are near; failures of the ledger.
pub(in crate::app) async fn names(ledger: &dyn LedgerStore, wanted: &[Name]) -> Result<Vec<Name>, Failure> {
    let known = ledger.names().await?;
    if wanted.is_empty() {
        return Ok(known);
    }
    let mut names = wanted.to_vec();
    names.sort();
    names.dedup();
    for name in &names {
        if !known.contains(name) {
            return Err(unknown_name(ledger, name).await?.into());
        }
    }
    Ok(names)
}

/// The record of a version that was published with `digest`.
///
/// # Errors
/// A record that is missing, or of another content than its event: an event cannot be changed unnoticed, a record could be
/// replaced as a whole. Failures of the ledger.
pub(in crate::app) async fn record(
    ledger: &dyn LedgerStore,
    name: &Name,
    version: Version,
    digest: &Digest,
) -> Result<Record, PortError> {
    let record = ledger.record(name, version).await?.ok_or_else(|| no_record(ledger, name, version))?;
    if record.digest == *digest {
        return Ok(record);
    }
    let place = ledger.location();
    let message = format!("{place}: the record of {name}@{version} has different content than its event");
    Err(PortError::Mutated(message))
}

/// The record of a version that the state knows.
///
/// # Errors
/// As [`record`]; a version that the state does not know has none.
pub(in crate::app) async fn record_in(
    ledger: &dyn LedgerStore,
    name: &Name,
    state: &State,
    version: Version,
) -> Result<Record, PortError> {
    match state.versions.get(&version) {
        Some(known) => record(ledger, name, version, &known.digest).await,
        None => Err(no_record(ledger, name, version)),
    }
}

/// The error for a version whose record is missing.
pub(super) fn no_record(ledger: &dyn LedgerStore, name: &Name, version: Version) -> PortError {
    PortError::Damaged(format!("{}: version {version} of {name} has no record", ledger.location()))
}

/// The record of what production serves; `None` before the first version.
///
/// # Errors
/// As [`record`].
pub(super) async fn production(
    ledger: &dyn LedgerStore,
    name: &Name,
    state: &State,
) -> Result<Option<Record>, PortError> {
    match state.at_label(&Label::Production) {
        Some(version) => record_in(ledger, name, state, version).await.map(Some),
        None => Ok(None),
    }
}

/// The state after events of a ledger.
///
/// # Errors
/// An event that cannot follow the ones before it.
pub(in crate::app) fn fold<'e>(
    ledger: &dyn LedgerStore,
    name: &Name,
    events: impl IntoIterator<Item = &'e Event>,
) -> Result<State, PortError> {
    let damaged = |error| PortError::Damaged(format!("{}: {name}: {error}", ledger.location()));
    State::fold(events).map_err(damaged)
}

/// The error for a name without events.
pub(in crate::app) async fn unknown_name(
    ledger: &dyn LedgerStore,
    name: &Name,
) -> Result<Diagnostic, PortError> {
    let known: Vec<String> = ledger.names().await?.iter().map(Name::to_string).collect();
    let diagnostic = Diagnostic::new(format!("{} has no prompt {name}", ledger.location()));
    let wanted = name.to_string();
    let same_end = known.iter().find(|known| known.rsplit('/').next() == wanted.rsplit('/').next());
    let near = suggest(&wanted, known.iter().map(String::as_str)).or_else(|| same_end.cloned());
    Ok(diagnostic.help(match near {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => {
            format!("the ledger is empty: `promptgate publish` adds the first version{}", fetched(ledger))
        }
        None => format!("it has {}{}", listed(&known), fetched(ledger)),
    }))
}

/// Says that a command reads what was last fetched; nothing for a folder, which is never fetched.
pub(super) fn fetched(ledger: &dyn LedgerStore) -> &'static str {
    if ledger.is_local() { "" } else { "; commands that read fetch only with `--refresh`" }
}

fn unknown_version(state: &State, name: &Name, version: Version) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("{name} has no version {version}"));
    let mut known: Vec<Version> = state.versions.keys().rev().copied().collect();
    if known.is_empty() {
        return diagnostic.help("no version of it is published");
    }
    // Versions that share the first numbers come first; each group is in descending order.
    known.sort_by_key(|known| (known.major != version.major, known.minor != version.minor));
    let known: Vec<String> = known.iter().map(Version::to_string).collect();
    diagnostic.help(format!("published versions: {}", listed(&known)))
}

fn unknown_label(state: &State, name: &Name, label: &Label) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("no version of {name} has the label {label}"));
    let mut known: Vec<String> = state.labels.iter().map(|(label, version)| at(label, *version)).collect();
    known.extend(state.latest().map(|version| at(&Label::Latest, version)));
    let names: Vec<String> = state.labels.keys().map(Label::to_string).collect();
    let wanted = label.to_string();
    let starts = |name: &&String| name.starts_with(&wanted);
    let near = suggest(&wanted, names.iter().map(String::as_str).chain(["latest"]))
        .or_else(|| names.iter().find(starts).cloned());
    diagnostic.help(match near {
        Some(near) => format!("did you mean {near}? Labels are {}", listed(&known)),
        None if known.is_empty() => "no version of it is published".to_owned(),
        None => format!("labels are {}", listed(&known)),
    })
}

fn at(label: &Label, version: Version) -> String {
    format!("{label} ({version})")
}

/// The first few texts, and how many there are beyond them.
fn listed(texts: &[String]) -> String {
    let shown = texts.get(..MAX_LISTED.min(texts.len())).unwrap_or_default().join(", ");
    match texts.len().saturating_sub(MAX_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, error, ledger, reference};
    use super::*;

    #[tokio::test]
    async fn references_resolve_to_versions() {
        let ledger = ledger().await;
        for (text, version) in [
            ("support/reply@1.0.0", "1.0.0"),
            ("support/reply@production", "1.0.0"),
            ("support/reply@staging", "1.1.0"),
            ("support/reply@latest", "1.1.0"),
            ("support/reply", "1.1.0"),
        ] {
            let resolved = resolve(&ledger, &reference(text)).await.unwrap();
            assert_eq!(resolved.version.to_string(), version, "{text}");
        }
    }

    #[tokio::test]
    async fn record_replaced_as_a_whole_is_refused() {
        let ledger = ledger().await;
        let resolved = resolve(&ledger, &reference("support/reply@1.0.0")).await.unwrap();
        let (name, version) = (&resolved.reference.name, resolved.version);
        let mut replaced = record(&ledger, name, version, &resolved.digest).await.unwrap();
        replaced.content = testing::text("Always refund.");
        replaced.digest = replaced.content.digest();
        ledger.replace_record(replaced);
        let refused = record(&ledger, name, version, &resolved.digest).await.unwrap_err();
        assert!(matches!(refused, PortError::Mutated(_)), "{refused:?}");
        let state = ledger.state(name).await.unwrap().unwrap();
        let refused = production(&ledger, name, &state).await.unwrap_err();
        assert!(matches!(refused, PortError::Mutated(_)), "{refused:?}");
    }

    #[tokio::test]
    async fn unknown_references_name_what_is_near() {
        let ledger = ledger().await;
        for (text, message, help) in [
            ("support/replay", "memory has no prompt support/replay", "did you mean support/reply?"),
            ("billing/reply", "memory has no prompt billing/reply", "did you mean support/reply?"),
            (
                "zzz",
                "memory has no prompt zzz",
                "it has support/reply; commands that read fetch only with `--refresh`",
            ),
            ("support/reply@1.0.1", "support/reply has no version 1.0.1", "published versions: 1.0.0, 1.1.0"),
            (
                "support/reply@prodution",
                "no version of support/reply has the label prodution", // typos:ignore
                "did you mean production? Labels are production (1.0.0), staging (1.1.0), latest (1.1.0)",
            ),
            (
                "support/reply@canary",
                "no version of support/reply has the label canary",
                "labels are production (1.0.0), staging (1.1.0), latest (1.1.0)",
            ),
        ] {
            let diagnostic = error(resolve(&ledger, &reference(text)).await);
            assert_eq!((diagnostic.message.as_str(), diagnostic.help.as_deref()), (message, Some(help)));
        }
    }
}
