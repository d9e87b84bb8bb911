//! Paths that somebody else wrote: they stay inside the repository and go through no symbolic link.

use std::path::{Component, Path, PathBuf};

use promptgate_core::model::{Diagnostic, Place};

/// A path seen from `root`, without `.` and `..`. Both folders are real paths, `root` below `top`.
///
/// # Errors
/// The path leaves `top`, leads into `.git`, where credentials may lie, or goes through a symbolic link.
pub(super) fn inside(top: &Path, root: &Path, path: &str) -> Result<PathBuf, Diagnostic> {
    let refuse = |message: String, help: &str| Err(Diagnostic::new(message).at(Place::file(path)).help(help));
    let mut full = PathBuf::new();
    for part in root.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                full.pop();
            }
            other => full.push(other),
        }
    }
    let Ok(below) = full.strip_prefix(top) else {
        return refuse(
            format!("`{path}` lies outside the repository"),
            "with a policy from elsewhere, the candidate's files lie in its own repository",
        );
    };
    let mut so_far = top.to_owned();
    for part in below.components() {
        so_far.push(part);
        if part.as_os_str().eq_ignore_ascii_case(".git") {
            return refuse(
                format!("`{path}` leads into the folder of git itself"),
                "name a file of the work tree",
            );
        }
        if std::fs::symlink_metadata(&so_far).is_ok_and(|facts| facts.is_symlink()) {
            let shown = so_far.strip_prefix(top).unwrap_or(&so_far).display();
            return refuse(
                format!("`{shown}` is a symbolic link"),
                "with a policy from elsewhere, links are not followed: name the file it points to",
            );
        }
    }
    Ok(full)
}
