//! Writes a starter suite that checks and runs at once.

use std::path::{Path, PathBuf};

use super::Failure;
use super::files::write_whole;
use promptgate_core::model::Diagnostic;

const FILES: [(&str, &str); 3] = [
    ("promptgate.yaml", include_str!("starter/promptgate.yaml")),
    ("cases.jsonl", include_str!("starter/cases.jsonl")),
    ("prompts/assistant.md", include_str!("starter/assistant.md")),
];

/// Writes the starter suite; returns the paths of its files.
///
/// # Errors
/// One of the files exists; then nothing is written.
pub(crate) fn init(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let path = |name: &str| if folder == Path::new(".") { name.into() } else { folder.join(name) };
    let existing: Vec<String> = FILES
        .iter()
        .map(|(name, _)| path(name))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| path.display().to_string())
        .collect();
    if !existing.is_empty() {
        let message = match existing.as_slice() {
            [one] => format!("{one} exists already; nothing was written"),
            many => format!("{} exist already; nothing was written", many.join(", ")),
        };
        return Err(Diagnostic::new(message)
            .help("`promptgate init FOLDER` writes elsewhere; no file is ever overwritten")
            .into());
    }
    let mut paths = Vec::new();
    for (name, content) in FILES {
        let path = path(name);
        write_whole(&path, |file| file.write_all(content.as_bytes()))?;
        paths.push(path);
    }
    Ok(paths)
}
