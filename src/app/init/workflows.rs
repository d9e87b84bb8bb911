//! The workflows of a release, which are those of examples/lifecycle.

use std::path::{Component, Path, PathBuf};

use super::in_folder;
use crate::app::Failure;
use crate::app::sources::repository_root;
use promptgate_core::model::{Diagnostic, Place};

const PULL: &str = "prompt-pull.yml";
const WORKFLOWS: [(&str, &str); 4] = [
    ("prompt-pull-request.yml", include_str!("../../../examples/lifecycle/pull-request.yml")),
    ("prompt-merge.yml", include_str!("../../../examples/lifecycle/merge.yml")),
    ("prompt-dispatch.yml", include_str!("../../../examples/lifecycle/dispatch.yml")),
    (PULL, include_str!("../../../examples/lifecycle/pull.yml")),
];
/// The lines of the workflows that name the suite's folder and the prompt, up to the value.
const SUITE: &str = "  SUITE: ";
const NAME: &str = "  NAME: support/reply";

/// The root of the repository that holds the folder, which need not exist yet.
///
/// # Errors
/// There is no current folder.
pub(super) fn repository(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let absolute = absolute(folder)?;
    Ok(repository_root(&absolute).map(Path::to_owned))
}

/// Paths and contents of the workflows for the suite in `folder`; `pulled` is the prompt whose registry people write in.
///
/// # Errors
/// A folder that a workflow cannot name.
pub(super) fn of(
    folder: &Path,
    repository: Option<&Path>,
    pulled: Option<&str>,
) -> Result<Vec<(PathBuf, String)>, Failure> {
    let (root, suite) = place(folder, repository)?;
    let suite_line = |line: &str| {
        line.starts_with(SUITE).then(|| format!("{SUITE}{suite} # the folder of promptgate.yaml"))
    };
    let name_line =
        |line: &str| line.starts_with(NAME).then(|| format!("  NAME: {}", pulled.unwrap_or_default()));
    let fill = |content: &str| -> String {
        let lines = content.lines();
        lines
            .map(|line| {
                suite_line(line).or_else(|| name_line(line)).unwrap_or_else(|| line.to_owned()) + "\n"
            })
            .collect()
    };
    let wanted = WORKFLOWS.iter().filter(|(name, _)| *name != PULL || pulled.is_some());
    Ok(wanted
        .map(|(name, content)| (in_folder(&root, &format!(".github/workflows/{name}")), fill(content)))
        .collect())
}

fn absolute(folder: &Path) -> Result<PathBuf, Diagnostic> {
    let place = || Place::file(folder.display().to_string());
    std::path::absolute(folder)
        .map_err(|error| Diagnostic::new(format!("cannot find the folder: {error}")).at(place()))
}

/// The root of the repository, else the folder itself, and the folder relative to it.
pub(super) fn place(folder: &Path, repository: Option<&Path>) -> Result<(PathBuf, String), Failure> {
    let absolute = absolute(folder)?;
    let Some(root) = repository.filter(|root| *root != absolute) else {
        return Ok((folder.to_owned(), ".".to_owned()));
    };
    let parts: Option<Vec<&str>> = absolute
        .strip_prefix(root)
        .unwrap_or(&absolute)
        .components()
        .filter(|component| !matches!(component, Component::CurDir))
        .map(|component| component.as_os_str().to_str())
        .collect();
    let is_plain = |part: &&str| {
        part.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.'))
            && *part != ".."
            // A command would take it for a flag.
            && !part.starts_with('-')
    };
    match parts {
        Some(parts) if parts.iter().all(is_plain) => {
            // Quoted: a folder such as `2026` would be a number.
            Ok((root.to_owned(), format!("\"{}\"", parts.join("/"))))
        }
        _ => Err(Diagnostic::new("a workflow cannot name this folder")
            .at(Place::file(folder.display().to_string()))
            .help("expected letters, digits, `-`, `_` and `.` below the root of the repository, without a leading `-`")
            .into()),
    }
}
