//! Whether the files of the candidate are part of the commit that is evaluated.
//!
//! A step of the job may make a prompt or a dataset. The change then does not show what was evaluated, so the report says
//! that.

use crate::config::{Settings, TargetSettings};
use promptgate_adapters::files::{DatasetBytes, Tree};
use promptgate_adapters::git::Repository;
use promptgate_core::model::Diagnostic;
use promptgate_core::text::neutral;

/// Files that a notice names.
const NAMED: usize = 3;

/// Notices on the prompt and the dataset of the candidate that the evaluated commit does not hold.
pub(super) fn notices(
    tree: &Tree,
    settings: &Settings,
    dataset: &DatasetBytes,
    is_configured: bool,
) -> Vec<String> {
    // A configuration that holds its prompt is compared with the commit like a prompt file.
    let inline = settings.prompt.inline().map(|inline| inline.file.rsplit(['/', '\\']).next());
    let prompt = inline.flatten().unwrap_or_else(|| settings.prompt.path());
    let uncommitted = |path: &&str| tree.is_in_evaluated_commit(path) == Some(false);
    let mut notices = Vec::new();
    if is_configured && settings.target.as_ref().is_some_and(|target| has_other_files(tree, target)) {
        notices.push(
            "not in the commit: the files of the application were made or changed by this job, so the change does not \
             show what was evaluated"
                .to_owned(),
        );
    }
    if is_configured && !prompt.is_empty() && uncommitted(&prompt) {
        notices.push(notice("the prompt", &[prompt]));
    }
    if let Some(shared) = settings.extends.as_deref().filter(|path| is_configured && uncommitted(path)) {
        notices.push(notice("the file that the suite extends", &[shared]));
    }
    let files: Vec<&str> = names(dataset).filter(uncommitted).collect();
    if !files.is_empty() {
        notices.push(notice("the dataset", &files));
    }
    notices
}

/// A notice on files with values of cases that the evaluated commit does not hold.
pub(super) fn values_notice(tree: &Tree, paths: &[String]) -> Option<String> {
    let is_uncommitted = |path: &&str| tree.is_in_evaluated_commit(path) == Some(false);
    let files: Vec<&str> = paths.iter().map(String::as_str).filter(is_uncommitted).collect();
    (!files.is_empty()).then(|| notice("a value of the dataset", &files))
}

/// Whether the files that determine the answers of an application are not those of the evaluated commit.
fn has_other_files(tree: &Tree, target: &TargetSettings) -> bool {
    let Tree::WorkTree { root, commit_check: Some(_), .. } = tree else { return false };
    let digests = || {
        let repository = Repository::discover(root).map_err(Diagnostic::from)?;
        let head = repository.resolve("HEAD")?.commit;
        let committed = repository.digest_of_commit(&head, &target.inputs)?;
        Ok::<_, Diagnostic>(committed == repository.digest_of_work_tree(&target.inputs)?)
    };
    !digests().unwrap_or_default()
}

fn notice(what: &str, files: &[&str]) -> String {
    let named: Vec<String> =
        files.iter().take(NAMED).map(|file| neutral::clip(&neutral::terminal(file), 80)).collect();
    let more = if files.len() > NAMED { ", …" } else { "" };
    format!(
        "not in the commit: {what} ({}{more}) was made by this job, so the change does not show what was evaluated",
        named.join(", ")
    )
}

/// Whether git tracks a file of the dataset; anything that cannot be decided counts as tracked.
pub(super) fn is_tracked(tree: &Tree, dataset: &DatasetBytes) -> bool {
    let Ok(repository) = Repository::discover(tree.folder()) else { return true };
    dataset.files.is_err() || names(dataset).any(|name| repository.tracks(name).unwrap_or(true))
}

fn names(dataset: &DatasetBytes) -> impl Iterator<Item = &str> {
    dataset.files.iter().flatten().map(|file| file.name.as_str())
}
