//! Finds the configuration, and files that are named on the command line.

use std::path::{Component, Path, PathBuf};

use super::extended::config_text;
use crate::app::suites;
use crate::config::{self, ConfigText, Placed, Settings};
use promptgate_adapters::files::{Tree, decode};
use promptgate_core::check;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_core::text::neutral;

/// The configuration's file.
pub(in crate::app) struct Location {
    /// Its folder; paths inside are relative to it.
    pub(in crate::app) folder: PathBuf,
    /// Its name in that folder.
    pub(in crate::app) name: String,
    /// Its path as a reader in the current folder would write it.
    pub(in crate::app) shown: String,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

/// The current folder.
pub(in crate::app) fn current_folder() -> Result<PathBuf, Diagnostic> {
    std::env::current_dir()
        .map_err(|error| Diagnostic::new(format!("the current folder cannot be read: {error}")))
}

/// The configuration that is named (a file, or its folder), else the nearest one.
pub(super) fn configuration(named: Option<&Path>) -> Result<Location, Diagnostic> {
    let here = current_folder()?;
    let path = match named {
        Some(path) => {
            let path = here.join(path);
            let mut inside = config::NAMES.into_iter().map(|name| path.join(name));
            if !path.is_dir() {
                path
            } else if let Some(file) = inside.find(|file| file.is_file()) {
                file
            } else {
                return Err(Diagnostic::new("there is no promptgate.yaml in this folder")
                    .at(Place::file(shown(&path)))
                    .help("`promptgate init FOLDER` writes one"));
            }
        }
        None => config::find(&here).ok_or_else(|| {
            Diagnostic::new("there is no promptgate.yaml in this folder or above it")
                .help("`promptgate init` writes one; for one elsewhere, give its path: `run PATH`, `status --config PATH`")
        })?,
    };
    let shown = shown(&path);
    let refuse = |error: std::io::Error| {
        Diagnostic::new(format!("cannot read the configuration: {error}"))
            .at(Place::file(&shown))
            .help("name a promptgate.yaml, or its folder")
    };
    // A pipe or a device may never end.
    if !path.metadata().map_err(refuse)?.is_file() {
        return Err(refuse(std::io::Error::other("not a file")));
    }
    let bytes = std::fs::read(&path).map_err(refuse)?;
    let folder = path.parent().unwrap_or(&here).to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Location { folder, name, shown, bytes })
}

impl Location {
    /// Refuses a list of suites, and names the first of them.
    ///
    /// # Errors
    /// A list, and a text that cannot be read.
    pub(super) fn refuse_list(&self) -> Result<(), Diagnostics> {
        let text = decode(&self.shown, &self.bytes)?;
        if !text.contains("suites") {
            return Ok(());
        }
        config::refuse_list(&self.shown, &text).map_err(|mut errors| {
            let listed = suites::listed(&self.folder.join(&self.name));
            if let (Some(listed), [error]) = (listed, errors.0.as_mut_slice()) {
                error.help = Some(format!("name one of its suites: {listed}"));
            }
            errors
        })
    }

    /// The text of the configuration, with that of the file that it extends.
    ///
    /// # Errors
    /// As [`config_text`].
    pub(super) fn text(&self) -> Result<ConfigText, Diagnostics> {
        config_text(&Tree::work_tree(&self.folder), &self.shown, &self.bytes)
    }
}

/// The settings of a configuration of a tree.
pub(super) fn parse(tree: &Tree, name: &str, bytes: &[u8]) -> Result<Settings, Diagnostics> {
    text_in(tree, name, bytes)?.load(&check::entry_schema())
}

/// The text of a configuration of a tree, with that of the file that it extends.
///
/// # Errors
/// As [`config_text`].
pub(super) fn text_in(tree: &Tree, name: &str, bytes: &[u8]) -> Result<ConfigText, Diagnostics> {
    config_text(&tree.in_folder_of(name)?, &tree.describe(name), bytes)
}

/// The settings of the valid parts of a configuration, with the errors of the others.
///
/// # Errors
/// All errors, where nothing can be read.
pub(super) fn parse_valid_parts(text: &ConfigText) -> Result<(Settings, Diagnostics), Diagnostics> {
    let (mut settings, errors) = text.load_valid_parts(&check::entry_schema())?;
    // A model that is written but invalid or misspelled is one error, not two.
    let is_meant = |error: &Diagnostic| error.help.as_ref().is_some_and(|help| help.contains("mean `model`"));
    let shared = text.shared.iter().flat_map(|shared| shared.text.lines());
    let is_written = text.text.lines().chain(shared).any(|line| line.starts_with("model:"));
    if settings.model.is_none() && (is_written || errors.0.iter().any(is_meant)) {
        settings.model = Some(Placed::default());
    }
    Ok((settings, errors))
}

/// A path from the command line, relative to the configuration: taken from the current folder if it exists there, else
/// from the configuration as paths inside it are.
pub(super) fn from_command_line(path: &str, folder: &Path) -> String {
    let Ok(here) = std::env::current_dir() else { return path.to_owned() };
    let candidate = here.join(path);
    if !candidate.exists() {
        return path.to_owned();
    }
    let relative = candidate.strip_prefix(folder).unwrap_or(&candidate);
    relative.to_string_lossy().into_owned()
}

/// A path as a reader in the current folder would write it.
pub(in crate::app) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}

/// A path from a commit, as it is shown.
pub(in crate::app) fn shown_text(path: &str) -> String {
    neutral::clip(&neutral::terminal(path), 120)
}

/// A path without `.` and `..`, whose links are not followed.
pub(in crate::app) fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_without_following_links() {
        for (path, clean) in [("/a/./b", "/a/b"), ("/a/b/../c", "/a/c"), ("/a/b/", "/a/b")] {
            assert_eq!(lexical(Path::new(path)), Path::new(clean), "{path}");
        }
    }
}
