//! The only place that reads the file that a configuration extends: from the tree that the configuration is from, so that
//! a policy of a commit is extended by a file of that commit.

use super::repository_root;
use crate::config::{self, ConfigText, Placed, SharedText};
use promptgate_adapters::files::{FILE_LIMIT, Tree, decode};
use promptgate_core::model::{Diagnostic, Diagnostics};

/// The text of a configuration with that of the file that it extends. Paths of `folder` are relative to the configuration.
///
/// # Errors
/// A configuration that is not text or YAML, and a file to extend that is missing, outside the repository, or behind a link.
pub(in crate::app) fn config_text(
    folder: &Tree,
    shown: &str,
    bytes: &[u8],
) -> Result<ConfigText, Diagnostics> {
    let text = decode(shown, bytes)?;
    let alone = ConfigText::alone(shown, &text);
    let Some(Placed { value: path, place }) = config::extends(shown, &text)? else { return Ok(alone) };
    let refuse = |why: &str, help: &str| {
        Diagnostic::new(format!("cannot extend {path}: {why}")).at(place.clone()).help(help)
    };
    let inside = "name a file of this repository, relative to this one; links are not followed";
    let found = confined(folder).and_then(|tree| tree.find(&path, FILE_LIMIT));
    let bytes = match found {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(refuse("file not found", inside).into()),
        Err(error) => {
            let help = error.help.as_deref().filter(|help| !help.contains("external policy"));
            return Err(refuse(&error.message, help.unwrap_or(inside)).into());
        }
    };
    let file = beside(shown, &path);
    let text = decode(&file, &bytes)?.into_owned();
    Ok(ConfigText { shared: Some(SharedText { file, path, text }), ..alone })
}

/// The same tree without links and paths out of the repository; outside a repository there is nobody to be protected from.
fn confined(tree: &Tree) -> Result<Tree, Diagnostic> {
    match tree {
        Tree::WorkTree { root, .. } => {
            let real = root.canonicalize().unwrap_or_else(|_| root.clone());
            match repository_root(&real) {
                Some(_) => Tree::guarded(root),
                None => Ok(Tree::work_tree(root)),
            }
        }
        Tree::Commit { .. } => Ok(tree.clone()),
    }
}

/// The path of a file relative to that of a configuration, without `..` where possible.
fn beside(shown: &str, path: &str) -> String {
    let start = match shown.strip_prefix("git:").and_then(|rest| rest.rsplit_once(':')) {
        Some((reference, _)) => format!("git:{reference}:"),
        None => String::new(),
    };
    let shown = shown.get(start.len()..).unwrap_or_default();
    let (folder, _) = shown.rsplit_once('/').unwrap_or_default();
    let root = if shown.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("{start}{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_files_are_shown_as_the_configuration_is() {
        for (shown, path, expected) in [
            ("promptgate.yaml", "shared.yaml", "shared.yaml"),
            ("promptgate.yaml", "../../shared.yaml", "../../shared.yaml"),
            ("prompts/a/promptgate.yaml", "../../shared.yaml", "shared.yaml"),
            ("prompts/a/promptgate.yaml", "./../b/./shared.yaml", "prompts/b/shared.yaml"),
            ("/repo/a/promptgate.yaml", "../shared.yaml", "/repo/shared.yaml"),
            ("git:merge-base:a/promptgate.yaml", "../shared.yaml", "git:merge-base:shared.yaml"),
            ("git:main:promptgate.yaml", "../shared.yaml", "git:main:../shared.yaml"),
        ] {
            assert_eq!(beside(shown, path), expected, "{shown} {path}");
        }
    }
}
