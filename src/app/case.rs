//! One case of a saved report.

use std::path::Path;

use super::report_files::DEFAULT_FOLDER;
use super::{Failure, case_ids, partial, report_files};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::case_result::CaseResult;

/// A case with a note.
#[derive(Debug)]
pub(crate) struct FoundCase {
    /// The case.
    pub(crate) result: CaseResult,
    /// A newer partial run that has the case as well.
    pub(crate) note: Option<String>,
}

/// Finds a case in a report: a report.json, the folder of one, or by default the last one.
///
/// # Errors
/// No report, one that cannot be read, and an unknown id.
pub(crate) fn find(id: &str, report: Option<&Path>) -> Result<FoundCase, Failure> {
    let path = report_files::locate(report, &format!("promptgate case {id} REPORT"))?;
    let file = path.display().to_string();
    let saved = report_files::read(&path)?;
    let index = saved.cases.iter().position(|case| case.id == id);
    let result = index.and_then(|index| CaseResult::of(&saved, &file, index));
    let Some(result) = result else {
        return Err(Diagnostic::new(format!("this report has no case `{id}`"))
            .at(Place::file(file))
            .help(case_ids::suggestion(id, &saved.cases, |case| &case.id))
            .into());
    };
    let note = if report.is_none() { newer_partial(id, &saved.started_at) } else { None };
    Ok(FoundCase { result, note })
}

/// A note on a partial run after that of the report, if it has the case.
fn newer_partial(id: &str, started_at: &str) -> Option<String> {
    let folder = Path::new(DEFAULT_FOLDER).join(partial::FOLDER);
    // Ignore an unreadable report: the note is optional.
    let newer = report_files::read(&report_files::in_folder(&folder)).ok()?;
    let has_case = newer.cases.iter().any(|case| case.id == id);
    (has_case && newer.started_at.as_str() > started_at).then(|| {
        format!("a newer partial run has this case as well: promptgate case {id} {}", folder.display())
    })
}
