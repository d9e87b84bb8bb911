//! Flags and values of commands that read or write a ledger.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::app::release::{LedgerOptions, Target};
use promptgate_release::{Label, Name, PromptReference, Selector};

/// Flags of commands that read a ledger.
#[derive(Debug, Clone, Args)]
pub(crate) struct LedgerFlags {
    /// Configuration with `release:`, or its folder [default: the nearest promptgate.yaml, else the one that releases NAME].
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Fetch the ledger first, instead of reading it as last fetched.
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: LedgerFormat,
}

/// Formats of commands of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LedgerFormat {
    /// Text for people.
    #[default]
    Terminal,
    /// JSON; `promptgate schema` prints its schema.
    Json,
}

/// Flags of commands that write a ledger or a registry.
#[derive(Debug, Clone, Args)]
pub(crate) struct WriteFlags {
    /// Decide and print, but write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// A promptgate.yaml or its folder [default: the one that releases NAME].
    #[arg(long, value_name = "PATH")]
    pub(super) config: Option<PathBuf>,
    /// Format of standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: LedgerFormat,
}

/// Flags of commands that bring a version to production.
#[derive(Debug, Clone, Args)]
pub(crate) struct ControlFlags {
    /// Accept a version that was rolled back. Requires --reason.
    #[arg(long, requires = "reason")]
    pub(super) again: bool,
    /// The reason, recorded in the ledger.
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(super) reason: Option<String>,
    /// Accept an evaluation of the simulated model, to try the commands.
    #[arg(long)]
    pub(super) allow_simulated: bool,
}

impl WriteFlags {
    /// The release of a prompt.
    pub(super) fn target(&self, name: &Name) -> Target {
        Target { config: self.config.clone(), name: Some(name.clone()) }
    }
}

impl LedgerFlags {
    /// `name` is the prompt that the command is about; `None` if it is about all of them.
    pub(crate) fn options(&self, name: Option<&Name>) -> LedgerOptions {
        LedgerOptions { config: self.config.clone(), name: name.cloned(), refresh: self.refresh }
    }
}

/// Parses a reason: a text that says something.
pub(super) fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("expected a reason in words: the ledger keeps it".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses the name of a prompt.
pub(super) fn name(text: &str) -> Result<Name, String> {
    text.parse::<Name>().map_err(|error| match (text.split_once('@'), Name::suggest(text)) {
        (Some((name, selector)), _) if name.parse::<Name>().is_ok() => {
            format!("expected `{name}`, a name alone; give `{selector}` as an argument of its own")
        }
        (_, Some(near)) => format!("{error}; did you mean `{near}`?"),
        _ => error.to_string(),
    })
}

/// Parses `NAME`, `NAME@VERSION` or `NAME@LABEL`; the newest version without `@`.
pub(super) fn reference(text: &str) -> Result<PromptReference, String> {
    name(text.split_once('@').map_or(text, |(name, _)| name))?;
    text.parse::<PromptReference>().map_err(|error| error.to_string())
}

/// Parses a reference as an application means it: what production serves without `@`.
pub(super) fn served(text: &str) -> Result<PromptReference, String> {
    let mut reference = reference(text)?;
    if !text.contains('@') {
        reference.selector = Selector::Label(Label::Production);
    }
    Ok(reference)
}

/// Length of a date like 2026-11-20.
const DATE_LENGTH: usize = 10;

/// Parses a time: RFC 3339, or a date, which is the end of that day in UTC.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let invalid = |_| "expected a time like 2026-11-20T09:00:00Z or a date like 2026-11-20".to_owned();
    // jiff also takes the date of a time without an offset, whose time would be ignored.
    let date = if text.len() <= DATE_LENGTH { text } else { "" };
    let start = date.parse::<Date>().and_then(|date| date.to_zoned(TimeZone::UTC)).map_err(invalid)?;
    let end = start.checked_add(1.day()).map_or(Timestamp::MAX, |end| end.timestamp());
    let now = Timestamp::now();
    // Today is not over: its status is that of now.
    Ok(if start.timestamp() <= now { end.min(now) } else { end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_applications_default_to_production() {
        assert_eq!(served("a/b").unwrap().to_string(), "a/b@production");
        assert_eq!(served("a/b@1.2.3").unwrap().to_string(), "a/b@1.2.3");
        assert_eq!(reference("a/b").unwrap().to_string(), "a/b@latest");
        assert!(served("A B").is_err());
    }

    #[test]
    fn invalid_names_suggest_a_valid_one() {
        for parsed in [name("Support/Reply").unwrap_err(), reference("Support/Reply@1.0.0").unwrap_err()] {
            assert!(parsed.ends_with("did you mean `support/reply`?"), "{parsed}");
        }
        let with_version = name("support/reply@1.0.0").unwrap_err();
        assert!(with_version.contains("give `1.0.0` as an argument of its own"), "{with_version}");
        assert!(name("é").unwrap_err().starts_with("invalid prompt name `é`"));
    }

    #[test]
    fn dates_are_the_end_of_their_day() {
        assert_eq!(time("2025-11-20").unwrap().to_string(), "2025-11-21T00:00:00Z");
        assert_eq!(time("2025-11-20T09:00:00+01:00").unwrap().to_string(), "2025-11-20T08:00:00Z");
        assert!(time(&Timestamp::now().strftime("%Y-%m-%d").to_string()).unwrap() <= Timestamp::now());
        for text in ["", "yesterday", "2025-13-01", "2025-11-20T09:00:00", "20.11.2025"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
