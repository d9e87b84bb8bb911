//! The record of a new version: its number, its level, and the controls that hold for it.

use jiff::Timestamp;

use super::claims::{Assigned, Claims, Comparison, assign};
use super::review::{APPROVERS_HELP, no_approvers, no_reason};
use promptgate_core::model::Diagnostic;
use promptgate_release::{Change, Content, Name, RECORD_SCHEMA, Record, ReleasePolicy, State};

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
/// A claim that is too low or taken, a missing reason, and a policy under which nobody could approve it: the record keeps
/// the policy, so a later change of the configuration would not help.
pub(super) fn new(inputs: &Inputs<'_>) -> Result<Record, Diagnostic> {
    let Inputs { name, content, claims, state, .. } = inputs;
    let reason = claims.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let reason = reason.ok_or_else(|| no_reason(&claims.place))?;
    let comparison = Comparison::with(inputs.production, content, &inputs.policy.rules);
    let Assigned { version, level } = assign(name, state, &comparison, claims)?;
    if let Some(missing) = no_approvers(inputs.policy, level) {
        let message = format!("version {version} could never reach production: {missing}");
        let help = format!("{APPROVERS_HELP}, in a commit before the one that is published");
        return Err(Diagnostic::new(message).at(claims.place.clone()).help(help));
    }
    Ok(Record {
        schema: RECORD_SCHEMA.to_owned(),
        name: (*name).clone(),
        version,
        number: state.versions.len() as u64 + 1,
        digest: content.digest(),
        content: (*content).clone(),
        level,
        least_level: comparison.least,
        level_reasons: comparison.changes.into_iter().map(|change| change.text).collect(),
        compared_with: comparison.production,
        reason: reason.to_owned(),
        change: inputs.change.clone(),
        published_at: inputs.at,
        policy: inputs.policy.clone(),
    })
}
