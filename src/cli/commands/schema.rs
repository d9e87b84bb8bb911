//! `promptgate schema`: prints the JSON Schema of a format.

use crate::app::{Failure, pretty_json};
use crate::cli::args::SchemaArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Prints the schema.
pub(super) fn schema(arguments: &SchemaArguments) -> Result<ExitStatus, Failure> {
    output::print(&pretty_json(&(arguments.name)(), "the schema")?)?;
    Ok(ExitStatus::Pass)
}
