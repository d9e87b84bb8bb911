//! The lines of .gitignore for what a run writes.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::in_folder;
use crate::app::Failure;

/// Folders of reports, and of the cache.
const LINES: [&str; 2] = ["promptgate-report/", ".promptgate/"];

/// The lines that a .gitignore lacks.
fn missing(text: &str) -> Vec<&'static str> {
    let is_there =
        |wanted: &str| text.lines().any(|line| line.trim().trim_matches('/') == wanted.trim_matches('/'));
    LINES.into_iter().filter(|line| !is_there(line)).collect()
}

/// Adds the lines that the .gitignore of a folder lacks; nothing else in it changes. Returns its path and the lines, none where
/// nothing is missing, or the file is not a plain text.
///
/// # Errors
/// It cannot be written.
pub(super) fn add(folder: &Path) -> Result<Option<(PathBuf, Vec<&'static str>)>, Failure> {
    let path = in_folder(folder, ".gitignore");
    let text = match path.symlink_metadata() {
        Ok(facts) if !facts.is_file() => return Ok(None),
        Ok(_) => match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(_) => return Ok(None),
        },
        Err(_) => String::new(),
    };
    let lines = missing(&text);
    if lines.is_empty() {
        return Ok(None);
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let added = format!("{end}{}\n", lines.join("\n"));
    let shown = path.display().to_string();
    let opened = OpenOptions::new().append(true).create(true).open(&path);
    let written = opened.and_then(|mut file| file.write_all(added.as_bytes()));
    written.map_err(|error| Failure::writing(&shown, &error))?;
    Ok(Some((path, lines)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_missing_lines_are_added() {
        assert_eq!(missing(""), LINES);
        assert_eq!(missing("/promptgate-report\n*.log\n"), [".promptgate/"]);
        assert!(missing(".promptgate\npromptgate-report/").is_empty());
    }
}
