//! `promptgate schema`: the JSON Schema of a format.

use crate::cli::args::{SchemaArguments, SchemaName};
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::output::print;
use promptgate_core::check;
use promptgate_report as report;

use crate::config;

/// Prints the schema.
pub(crate) fn schema(arguments: &SchemaArguments) -> Result<ExitStatus, Failure> {
    let schema = match arguments.name {
        SchemaName::Config => config::schema(&check::entry_schema()),
        SchemaName::Case => config::case_schema(&check::entry_schema()),
        SchemaName::Report => report::schema(),
        SchemaName::Plan => report::plan::schema(),
        SchemaName::Shard => report::shard::schema(),
        SchemaName::Calibration => report::calibration::schema(),
    };
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Failure::Internal(format!("could not write the schema: {error}")))?;
    print(&(text + "\n"))?;
    Ok(ExitStatus::Pass)
}
