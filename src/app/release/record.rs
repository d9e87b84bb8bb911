//! The record of a new version: its number, its level, and the controls that hold for it.

use jiff::Timestamp;

use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::{
    Change, Content, Level, Name, RECORD_SCHEMA, Record, ReleasePolicy, State, Version, diff,
};

/// Claims in the front matter of a prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Claims {
    /// The version.
    pub(super) version: Option<Version>,
    /// The level, which may only be raised.
    pub(super) level: Option<Level>,
    /// Why the prompt was changed.
    pub(super) reason: Option<String>,
    /// The prompt's file.
    pub(super) place: Place,
}

/// The inputs of a record.
pub(super) struct Inputs<'a> {
    pub(super) name: &'a Name,
    pub(super) content: &'a Content,
    pub(super) claims: &'a Claims,
    pub(super) state: &'a State,
    /// The record of what production serves.
    pub(super) production: Option<&'a Record>,
    pub(super) change: &'a Change,
    pub(super) policy: &'a ReleasePolicy,
    pub(super) at: Timestamp,
}

/// Makes the record of a new version.
///
/// # Errors
/// A claim that is too low or taken, and a missing reason.
pub(super) fn new(inputs: &Inputs<'_>) -> Result<Record, Diagnostic> {
    let Inputs { name, content, claims, state, .. } = inputs;
    let reason = claims.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let reason = reason.ok_or_else(|| {
        Diagnostic::new("the prompt does not say why it was changed")
            .at(claims.place.clone())
            .help("add `reason: …` to its front matter, one sentence at least")
    })?;
    let compared = inputs.production.map(|production| {
        let comparison = diff::compare(&production.content, content, &inputs.policy.rules);
        (production.version, comparison)
    });
    let least = compared.as_ref().map(|(_, comparison)| comparison.level.unwrap_or(Level::Patch));
    let level_reasons = compared.iter().flat_map(|(_, comparison)| &comparison.changes);
    let level_reasons: Vec<String> = level_reasons.map(|change| change.text.clone()).collect();
    let version = number(inputs, least)?;
    let claimed = inputs.production.and_then(|production| Level::between(production.version, version));
    let level = [least, claimed, claims.level].into_iter().flatten().max().unwrap_or(Level::Major);
    Ok(Record {
        schema: RECORD_SCHEMA.to_owned(),
        name: (*name).clone(),
        version,
        number: state.versions.len() as u64 + 1,
        digest: content.digest(),
        content: (*content).clone(),
        level,
        least_level: least,
        level_reasons,
        compared_with: compared.map(|(version, _)| version),
        reason: reason.to_owned(),
        change: inputs.change.clone(),
        published_at: inputs.at,
        policy: inputs.policy.clone(),
    })
}

/// The number: the written one if it is free and high enough, else the next one of the level.
fn number(inputs: &Inputs<'_>, least: Option<Level>) -> Result<Version, Diagnostic> {
    let Inputs { name, claims, state, .. } = inputs;
    let highest = state.versions.keys().next_back().copied();
    let level = least.max(claims.level).unwrap_or(Level::Major);
    let next = match highest {
        None => Version::FIRST,
        Some(highest) => highest.next(level).ok_or_else(|| {
            Diagnostic::new(format!("{name} has no version after {highest}"))
                .help("release it under another name")
        })?,
    };
    let Some(written) = claims.version else { return Ok(next) };
    let refuse = |message: String| {
        Err(Diagnostic::new(message)
            .at(claims.place.clone())
            .help(format!("the next free version is {next}")))
    };
    if state.versions.contains_key(&written) {
        return refuse(format!("version {written} of {name} is published with another content"));
    }
    if let Some(highest) = highest.filter(|highest| written < *highest) {
        return refuse(format!("version {written} of {name} is below {highest}, which is published"));
    }
    let base = inputs.production.map(|production| production.version);
    match base.and_then(|base| Level::between(base, written)).zip(least) {
        Some((claimed, least)) if claimed < least => refuse(format!(
            "version {written} claims a {claimed} change of what production serves, but it is a {least} change"
        )),
        _ => Ok(written),
    }
}
