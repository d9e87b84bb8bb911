//! Flags of commands that end with a report.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::values::{Named, named};
use crate::app::report_files::DEFAULT_FOLDER;
use crate::cli::exit::ExitRules;
use crate::config::Inconclusive;
use promptgate_report::Format;

/// Parses the name of a report format.
pub(super) fn report_format() -> impl TypedValueParser<Value = Format> {
    let names = Format::ALL.map(|format| PossibleValue::new(format.as_str()).help(format.help()));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Format>())
}

/// The help text of the folder: the files that are written there.
pub(super) fn out_help() -> String {
    let files: Vec<&str> = Format::files().map(|(name, _)| name).collect();
    match files.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("Folder for {} and {last}", rest.join(", ")),
        _ => format!("Folder for {}", files.concat()),
    }
}

const INCONCLUSIVE: [Named<Inconclusive>; 2] =
    [("fail", Inconclusive::Fail, "Exit 11"), ("pass", Inconclusive::Pass, "Exit 0")];

/// Flags of commands that end with a report.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutputFlags {
    /// Folder for the files of the report.
    #[arg(long, value_name = "DIR", env = "PROMPTGATE_OUT", hide_env = true,
          help = format!("{} [default: {DEFAULT_FOLDER}]", out_help()), help_heading = "Report")]
    out: Option<PathBuf>,
    /// Format of standard output.
    #[arg(long, default_value = "terminal", env = "PROMPTGATE_FORMAT", hide_env = true,
          value_parser = report_format(), help_heading = "Report")]
    pub(crate) format: Format,
    /// Exit code of an inconclusive verdict [default: `gate.inconclusive`, else fail].
    #[arg(long, env = "PROMPTGATE_INCONCLUSIVE", hide_env = true, value_parser = named(&INCONCLUSIVE), help_heading = "Report")]
    inconclusive: Option<Inconclusive>,
    /// Report as usual, but exit 0 on fail, inconclusive and incomplete.
    #[arg(long, env = "PROMPTGATE_ADVISORY", hide_env = true, help_heading = "Report")]
    pub(crate) advisory: bool,
}

impl OutputFlags {
    /// The folder that is named.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.out.as_deref()
    }

    /// The folder that is named, else the default one.
    pub(crate) fn folder_or_default(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FOLDER))
    }

    /// How a verdict becomes an exit code.
    pub(crate) fn exit_rules(&self) -> ExitRules {
        ExitRules { inconclusive: self.inconclusive, advisory: self.advisory }
    }
}
