//! `promptgate schema`: prints the JSON Schema of a format.

use crate::app::{Failure, schema as schemas};
use crate::cli::args::SchemaArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Prints the schema.
pub(super) fn schema(arguments: &SchemaArguments) -> Result<ExitStatus, Failure> {
    let text = serde_json::to_string_pretty(&schemas::schema(arguments.name))
        .map_err(|error| Failure::Internal(format!("could not write the schema: {error}")))?;
    output::print(&(text + "\n"))?;
    Ok(ExitStatus::Pass)
}
