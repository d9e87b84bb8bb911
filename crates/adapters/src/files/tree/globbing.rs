//! Glob patterns over a folder.

use std::fs;
use std::path::Path;

use promptgate_core::model::Diagnostic;

use super::MAX_MATCHES;
use crate::git::{GLOB_OPTIONS, invalid_pattern, is_pattern};

pub(super) fn glob_in_folder(root: &Path, pattern: &str) -> Result<Vec<String>, Diagnostic> {
    if !is_pattern(pattern) || fs::symlink_metadata(root.join(pattern)).is_ok() {
        return Ok(if root.join(pattern).exists() { vec![pattern.to_owned()] } else { Vec::new() });
    }
    let prefix = if Path::new(pattern).is_absolute() || root.as_os_str().is_empty() {
        String::new()
    } else {
        let root = root.to_str().ok_or_else(|| {
            Diagnostic::new("the path of the configuration's folder is not UTF-8").help("rename that folder")
        })?;
        format!("{}/", glob::Pattern::escape(root.trim_end_matches('/')))
    };
    let matches = glob::glob_with(&format!("{prefix}{pattern}"), GLOB_OPTIONS)
        .map_err(|error| invalid_pattern(pattern, &error))?;
    let mut paths = Vec::new();
    for entry in matches {
        let path = entry.map_err(|error| {
            Diagnostic::new(format!(
                "`{pattern}`: {} cannot be read: {}",
                error.path().display(),
                error.error()
            ))
        })?;
        if !path.is_file() {
            continue;
        }
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let Some(text) = relative.to_str() else {
            return Err(Diagnostic::new(format!("`{pattern}` matches a file whose name is not UTF-8"))
                .help("rename that file"));
        };
        paths.push(text.to_owned());
        if paths.len() > MAX_MATCHES {
            break;
        }
    }
    Ok(paths)
}
