//! One case of a saved report.

use std::path::{Component, Path, PathBuf};

use super::files::{Links, read_text};
use super::report_files::DEFAULT_FOLDER;
use super::{Failure, case_ids, partial, report_files, suites};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::case_result::CaseResult;
use promptgate_report::suites::Suites;

/// Largest suites.json that is read, in bytes.
const LIMIT: u64 = 64 << 20;

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
    let path = match report {
        None => of_suites(id).transpose()?,
        Some(_) => None,
    };
    let path = match path {
        Some(path) => path,
        None => report_files::locate(report, &format!("promptgate case {id} REPORT"))?,
    };
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

/// The report of the last run that has the case, where that run was one of several suites; `None` where it was not.
///
/// # Errors
/// No report of that run has the case, or several have it.
fn of_suites(id: &str) -> Option<Result<PathBuf, Failure>> {
    let folder = Path::new(DEFAULT_FOLDER);
    let file = folder.join(suites::NAME);
    let text = read_text(&file, "file", LIMIT, Links::Follow).ok()?;
    let last: Suites = serde_json::from_str(&text).ok()?;
    let is_name =
        |name: &&String| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    let folders: Vec<PathBuf> = last
        .suites
        .iter()
        .filter_map(|suite| suite.folder.as_ref())
        .filter(is_name)
        .map(|name| folder.join(name))
        .collect();
    let has_case = |folder: &&PathBuf| {
        let report = report_files::read(&report_files::in_folder(folder));
        report.is_ok_and(|report| report.cases.iter().any(|case| case.id == id))
    };
    let with_case: Vec<&PathBuf> = folders.iter().filter(has_case).collect();
    let commands = |folders: &[&PathBuf]| {
        let commands = folders.iter().map(|folder| format!("`promptgate case {id} {}`", folder.display()));
        commands.collect::<Vec<_>>().join(", ")
    };
    let refuse = |message: String, help: String| {
        Err(Diagnostic::new(message).at(Place::file(file.display().to_string())).help(help).into())
    };
    Some(match with_case.as_slice() {
        [only] => Ok(report_files::in_folder(only)),
        [] if folders.is_empty() => refuse(
            "no suite of the last run has a report".to_owned(),
            format!("name an earlier report: `promptgate case {id} REPORT`"),
        ),
        [] => {
            let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            refuse(
                format!("no suite of the last run has a report with a case `{id}`"),
                format!(
                    "the reports of the last run are in {}; name another: `promptgate case {id} REPORT`",
                    names.join(", ")
                ),
            )
        }
        several => refuse(
            format!("{} suites of the last run have a case `{id}`", several.len()),
            format!("name one: {}", commands(several)),
        ),
    })
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
