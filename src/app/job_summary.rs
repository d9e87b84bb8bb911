//! The summary of a job of GitHub Actions, to which each step appends Markdown.

use super::Environment;
use super::files::append;
use promptgate_report::comment::SUMMARY_BYTES;

/// The variable of the file of the summary.
const VARIABLE: &str = "GITHUB_STEP_SUMMARY";

/// Appends what `render` returns for a limit in bytes, as far as there is room; nothing outside GitHub Actions. Returns a
/// warning if it cannot be written: that changes no exit code.
pub(crate) fn write(environment: &Environment, render: impl FnOnce(usize) -> String) -> Option<String> {
    let path = environment.path(VARIABLE)?;
    let size = std::fs::metadata(&path).map_or(0, |facts| usize::try_from(facts.len()).unwrap_or(usize::MAX));
    let room = SUMMARY_BYTES.saturating_sub(size);
    let text = render(room);
    let text = if text.len() <= room {
        text.as_str()
    } else {
        "promptgate: there is no room for its report in this summary.\n"
    };
    append(&path, text).err().map(|error| format!("the job summary could not be written: {error}"))
}
