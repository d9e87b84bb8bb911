//! The claims of a prompt's author about its version, and the version that publishing assigns.

use super::review::because;
use promptgate_adapters::files::FrontMatter;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::diff::{self, Change, Rules};
use promptgate_release::{Content, Level, Name, Record, State, Version};

/// The claims of a prompt's file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::app) struct Claims {
    /// The version as written, and its place.
    pub(in crate::app) version: Option<(String, Place)>,
    /// The level, which may only be raised, and its place.
    pub(in crate::app) level: Option<(Level, Place)>,
    /// Why the prompt was changed.
    pub(in crate::app) reason: Option<String>,
    /// The prompt's file.
    pub(in crate::app) place: Place,
}

impl Claims {
    /// The claims of the front matter of `file`.
    pub(in crate::app) fn of(front_matter: &FrontMatter, file: &str) -> Self {
        let FrontMatter { version, level, reason } = front_matter.clone();
        Self { version, level, reason, place: Place::file(file) }
    }
}

/// The difference of a content from what production serves.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::app) struct Comparison {
    /// The version that production serves; `None` before the first.
    pub(in crate::app) production: Option<Version>,
    /// The least level; `None` before the first version, and where nothing differs.
    pub(in crate::app) least: Option<Level>,
    /// The differences, the highest level first.
    pub(in crate::app) changes: Vec<Change>,
}

impl Comparison {
    /// Compares a content with what production serves.
    pub(in crate::app) fn with(production: Option<&Record>, content: &Content, rules: &Rules) -> Self {
        let Some(production) = production else { return Self::default() };
        let diff::Comparison { level, changes } = diff::compare(&production.content, content, rules);
        // Contents of other digests are never the same version, even where no difference counts.
        let differs = production.digest != content.digest();
        let least = if differs { Some(level.unwrap_or(Level::Patch)) } else { None };
        Self { production: Some(production.version), least, changes }
    }
}

/// The version of a new content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) struct Assigned {
    /// The version.
    pub(in crate::app) version: Version,
    /// Its level: that of its number, raised by the prompt's `level:`.
    pub(in crate::app) level: Level,
}

/// Assigns the version of a new content: the written one if it is free and high enough, else the next one of the level.
///
/// # Errors
/// A claim that is not a version, is taken or is too low, at its place.
pub(in crate::app) fn assign(
    name: &Name,
    state: &State,
    comparison: &Comparison,
    claims: &Claims,
) -> Result<Assigned, Diagnostic> {
    // Before the first version in production, nothing is known to be compatible.
    let least = comparison.least.unwrap_or(Level::Major);
    if let Some((claimed, place)) = claims.level.as_ref().filter(|(level, _)| *level < least) {
        let message = match comparison.production {
            Some(production) => format!(
                "`level: {claimed}` is too low: compared with {production}, which production serves, this is {}: {}",
                article(least),
                because(comparison, least)
            ),
            None => format!("`level: {claimed}` is too low: the first version in production counts as major"),
        };
        let help = format!("remove it, or write `level: {least}`");
        return Err(Diagnostic::new(message).at(place.clone()).help(help));
    }
    let raised = claims.level.as_ref().map_or(least, |(level, _)| least.max(*level));
    let highest = state.versions.keys().next_back().copied();
    let next = match highest {
        None => Version::FIRST,
        Some(highest) => highest.next(raised).ok_or_else(|| {
            Diagnostic::new(format!("{name} has no version after {highest}"))
                .at(claims.place.clone())
                .help("release it under another name")
        })?,
    };
    let Some((written, place)) = &claims.version else {
        return Ok(Assigned { version: next, level: raised });
    };
    let refuse = |message: String| {
        let help =
            format!("the next free version is {next}: write it, or remove `version:` to have it assigned");
        Err(Diagnostic::new(message).at(place.clone()).help(help))
    };
    let Ok(version) = written.parse::<Version>() else {
        return refuse(format!("invalid version `{written}`: expected three numbers like 2.4.0"));
    };
    if state.versions.contains_key(&version) {
        return refuse(format!("version {version} of {name} is already published with different content"));
    }
    if let Some(highest) = highest.filter(|highest| version < *highest) {
        return refuse(format!("version {version} of {name} is below {highest}, which is published"));
    }
    let of_number = comparison.production.and_then(|production| Level::between(production, version));
    match comparison.production.zip(of_number) {
        Some((production, of_number)) if of_number < least => refuse(format!(
            "version {version} is too low: compared with {production}, which production serves, this is {}: {}",
            article(least),
            because(comparison, least)
        )),
        _ => Ok(Assigned { version, level: of_number.map_or(raised, |level| raised.max(level)) }),
    }
}

/// A level with its article, as part of a sentence.
pub(super) fn article(level: Level) -> &'static str {
    match level {
        Level::Patch => "a patch",
        Level::Minor => "a minor change",
        Level::Major => "a major change",
    }
}
