//! Reviews a change before it is published: its level, its version, and what they require.

use super::claims::{Claims, Comparison, article, assign};
use super::content::reported_level;
use crate::app::sources::ReleaseSources;
use crate::config::ReleaseSettings;
use promptgate_core::model::{Diagnostic, LevelReason, Place, ReleaseControls, ReleaseFacts, ReleaseGate};
use promptgate_core::text::neutral;
use promptgate_release::{Content, GateScope, Level, ReleasePolicy};

/// Differences in a diagnostic.
const MAX_NAMED: usize = 3;

/// The next step where nobody could approve.
pub(super) const APPROVERS_HELP: &str =
    "write `approvers: [LOGIN]` under `release:`, or `approvals: 0` for the level";

/// The reviewed candidate.
pub(in crate::app) struct Candidate<'a> {
    /// The content that would be published.
    pub(in crate::app) content: &'a Content,
    /// The claims of its file; `None` for a published version.
    pub(in crate::app) claims: Option<Claims>,
    /// Whether deterministic checks grade any case.
    pub(in crate::app) has_checks: bool,
}

/// The result of a review.
#[derive(Debug)]
pub(in crate::app) struct Review {
    /// For reports; what the run examines is added later.
    pub(in crate::app) facts: ReleaseFacts,
    /// Claims that do not hold, and a missing reason.
    pub(in crate::app) errors: Vec<Diagnostic>,
    /// Warnings for the reader.
    pub(in crate::app) warnings: Vec<String>,
}

/// Reviews a candidate against what production serves.
pub(in crate::app) fn review(
    settings: &ReleaseSettings,
    sources: &ReleaseSources,
    candidate: Candidate<'_>,
) -> Review {
    let ReleaseSources { state, production, commit } = sources;
    let digest = candidate.content.digest();
    let comparison = Comparison::with(production.as_ref(), candidate.content, &settings.policy.rules);
    let mut facts = ReleaseFacts {
        name: settings.name.to_string(),
        production: production.as_ref().map(|record| record.version.to_string()),
        version: None,
        published: true,
        level: None,
        least_level: comparison.least.map(reported_level),
        reasons: comparison.changes.iter().map(reason).collect(),
        requires: None,
        examined: None,
        inconclusive_passes: false,
        commit: commit.clone(),
    };
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let level = if production.as_ref().is_some_and(|record| record.digest == digest) {
        facts.version.clone_from(&facts.production);
        return Review { facts, errors, warnings };
    } else if let Some((version, published)) =
        state.with_digest(&digest).and_then(|version| Some((version, state.versions.get(&version)?)))
    {
        facts.version = Some(version.to_string());
        comparison.least.map_or(published.level, |least| least.max(published.level))
    } else {
        facts.published = false;
        let claims = candidate.claims.unwrap_or_default();
        let reason = claims.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        match reason {
            None => errors.push(no_reason(&claims.place)),
            Some(reason) if production.as_ref().is_some_and(|record| record.reason.trim() == reason) => {
                warnings.push(format!(
                    "{}: `reason` is the one of the version in production; say why it was changed since",
                    claims.place
                ));
            }
            Some(_) => {}
        }
        match assign(&settings.name, state, &comparison, &claims) {
            Ok(assigned) => {
                facts.version = Some(assigned.version.to_string());
                assigned.level
            }
            Err(error) => {
                errors.push(error);
                comparison.least.unwrap_or(Level::Major)
            }
        }
    };
    if !facts.published
        && let Some(missing) = no_approvers(&settings.policy, level)
    {
        warnings.push(format!("it cannot be published yet: {missing}; {APPROVERS_HELP}"));
    }
    facts.level = Some(reported_level(level));
    facts.requires = Some(controls(settings, level, candidate.has_checks));
    Review { facts, errors, warnings }
}

/// The controls of a level. A suite without checks is examined in full.
fn controls(settings: &ReleaseSettings, level: Level, has_checks: bool) -> ReleaseControls {
    let controls = settings.policy.controls(level);
    let gate = match controls.gate {
        GateScope::Checks if has_checks => ReleaseGate::Checks,
        GateScope::Checks | GateScope::Full => ReleaseGate::Full,
    };
    ReleaseControls { gate, approvals: controls.approvals }
}

fn reason(change: &promptgate_release::diff::Change) -> LevelReason {
    LevelReason { level: reported_level(change.level), message: neutral::clip(&change.text, 300) }
}

/// An error for a prompt without a reason.
pub(super) fn no_reason(place: &Place) -> Diagnostic {
    Diagnostic::new("the prompt was changed, and it does not say why")
        .at(place.clone())
        .help("add `reason: …` to its front matter, one sentence; it is published with the version")
}

/// Why nobody could approve a version of a level; `None` if enough people are listed.
pub(super) fn no_approvers(policy: &ReleasePolicy, level: Level) -> Option<String> {
    let listed = match policy.missing_approvers(level) {
        0 => return None,
        _ if policy.approvers.is_empty() => "nobody".to_owned(),
        _ => policy.approvers.join(", "),
    };
    let approvals = policy.controls(level).approvals;
    let plural = if approvals == 1 { "" } else { "s" };
    Some(format!("{} needs {approvals} approval{plural}, and `approvers` lists {listed}", article(level)))
}

/// The differences that require a level, as a diagnostic names them.
pub(super) fn because(comparison: &Comparison, level: Level) -> String {
    let of_level = |change: &&promptgate_release::diff::Change| change.level == level;
    let all: Vec<&str> =
        comparison.changes.iter().filter(of_level).map(|change| change.text.as_str()).collect();
    let named = all.get(..MAX_NAMED.min(all.len())).unwrap_or_default().join("; ");
    match all.len().saturating_sub(MAX_NAMED) {
        _ if all.is_empty() => "the content differs".to_owned(),
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}
