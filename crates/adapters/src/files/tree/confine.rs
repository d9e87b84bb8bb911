//! Confines untrusted paths to the repository and rejects symbolic links.

use std::path::{Component, Path, PathBuf};

use promptgate_core::model::{Diagnostic, Place};

/// Resolves a path relative to `root`, without `.` and `..`. Both folders are canonical, and `root` is below `top`.
///
/// # Errors
/// If the path leaves `top`, enters `.git`, which may contain credentials, or goes through a symbolic link.
pub(super) fn confine(top: &Path, root: &Path, path: &str) -> Result<PathBuf, Diagnostic> {
    let reject = |message: String, help: &str| Err(Diagnostic::new(message).at(Place::file(path)).help(help));
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
    let Ok(relative) = full.strip_prefix(top) else {
        return reject(
            format!("`{path}` is outside the repository"),
            "with an external policy, the candidate's files must be in its own repository",
        );
    };
    let mut partial = top.to_owned();
    for part in relative.components() {
        partial.push(part);
        if part.as_os_str().eq_ignore_ascii_case(".git") {
            return reject(format!("`{path}` is in the `.git` folder"), "use a file of the work tree");
        }
        if std::fs::symlink_metadata(&partial).is_ok_and(|metadata| metadata.is_symlink()) {
            let shown = partial.strip_prefix(top).unwrap_or(&partial).display();
            return reject(
                format!("`{shown}` is a symbolic link"),
                "with an external policy, links are not followed: use the path of its target",
            );
        }
    }
    Ok(full)
}
