//! Locates the policy's configuration: a change cannot select another one by moving, adding or linking files.

use std::path::Path;

use crate::app::sources::locate::{Location, shown};
use crate::config::NAMES;
use promptgate_adapters::files::{FILE_LIMIT, Tree};
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Place};

/// Folders above the configuration that are searched.
const MAX_ABOVE: usize = 64;

/// The configuration of a commit at `name`, or at the other of the two names that a configuration may have.
pub(in crate::app::sources) fn configuration_at(
    tree: &Tree,
    name: &str,
) -> Result<Option<(String, Vec<u8>)>, Diagnostic> {
    let mut configuration = None;
    for name in [Some(name), other_name(name)].into_iter().flatten() {
        let Some(bytes) = tree.find(name, FILE_LIMIT)? else { continue };
        if let Some((first, _)) = configuration.replace((name.to_owned(), bytes)) {
            return Err(two_configurations(&tree.describe(&first), name));
        }
    }
    Ok(configuration)
}

/// The other of the two names, where this is one.
fn other_name(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|other| *other != name).filter(|_| NAMES.contains(&name))
}

/// With two, a change that removes one would select the other.
fn two_configurations(one: &str, other: &str) -> Diagnostic {
    Diagnostic::new(format!("there is also {other}: one place has one configuration"))
        .at(Place::file(one))
        .help("remove one of the two")
}

/// The name of the policy's configuration in a commit; `None` where it is new.
///
/// Where none is named, the one that would have been found at the commit counts: a nearer one that the change adds, or
/// one above that it uncovers by a removal, must not become the policy.
///
/// # Errors
/// Such a change, and files that cannot be read.
pub(super) fn find(tree: &Tree, location: &Location, named: bool) -> Result<Option<String>, Diagnostic> {
    if named {
        return Ok(configuration_at(tree, &location.name)?.map(|(name, _)| name));
    }
    let here = std::env::current_dir().unwrap_or_default();
    let below = here.strip_prefix(&location.folder).unwrap_or(Path::new(""));
    let mut folders: Vec<String> =
        below.ancestors().map(|folder| folder.to_string_lossy().into_owned()).collect();
    let own = folders.len() - 1;
    let depth = match tree {
        Tree::Commit { repository, .. } => repository.prefix().split('/').filter(|it| !it.is_empty()).count(),
        Tree::WorkTree { .. } => 0,
    };
    folders.extend((1..=depth.min(MAX_ABOVE)).map(|up| vec![".."; up].join("/")));
    for (index, folder) in folders.iter().enumerate() {
        for name in NAMES {
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            match tree.find(&path, FILE_LIMIT)? {
                Some(_) if index == own => return Ok(Some(path)),
                Some(_) => {
                    return Err(Diagnostic::new(format!(
                        "{} is found here, but {} would have been before this change",
                        location.shown,
                        tree.describe(&path)
                    ))
                    .at(Place::file("--policy-from"))
                    .help("name the configuration that is meant: `promptgate run PATH`"));
                }
                None => {}
            }
        }
    }
    Ok(None)
}

/// Refuses a configuration with another one beside it.
pub(super) fn refuse_two(location: &Location) -> Result<(), Diagnostic> {
    match other_name(&location.name).filter(|name| location.folder.join(name).symlink_metadata().is_ok()) {
        Some(other) => Err(two_configurations(&location.shown, other)),
        None => Ok(()),
    }
}

/// Refuses a configuration that is reached through a symbolic link in a repository: the policy of another place would
/// decide.
pub(super) fn refuse_links(location: &Location) -> Result<(), Diagnostic> {
    let path = location.folder.join(&location.name);
    for part in path.ancestors() {
        let link = std::fs::symlink_metadata(part).is_ok_and(|facts| facts.is_symlink());
        let folder = part.parent().unwrap_or(part);
        // Links of the machine, such as that of a temporary folder, are outside of repositories.
        if link && Repository::discover(folder).is_ok() {
            return Err(Diagnostic::new(format!("`{}` is a symbolic link", shown(part)))
                .at(Place::file(&location.shown))
                .help(
                    "with a policy from elsewhere, links are not followed: name the configuration itself",
                ));
        }
    }
    Ok(())
}
