//! `promptgate case`: one case of a saved report.

use crate::app::{Failure, case, pretty_json};
use crate::cli::args::{CaseArguments, CaseFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Prints the case; exits 0 whatever its status is.
pub(super) fn case(arguments: &CaseArguments) -> Result<ExitStatus, Failure> {
    let found = case::find(&arguments.id, arguments.report.as_deref())?;
    match arguments.format {
        CaseFormat::Json => output::print(&pretty_json(&found.result, "the case")?)?,
        CaseFormat::Terminal => {
            output::stream(|out| {
                promptgate_report::write_case(&found.result, out, &output::terminal_style())
            })?;
            found.note.iter().for_each(|note| output::info(note));
        }
    }
    Ok(ExitStatus::Pass)
}
