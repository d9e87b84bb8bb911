//! The application of a variant: its settings, its files and their digest.

use std::path::Path;

use serde_json::{Value, json};

use super::files::FetchedFile;
use super::prompts::PromptFile;
use crate::config::{Settings, TargetKind, TargetSettings};
use promptgate_adapters::files::{FILE_LIMIT, Tree, digest_of_bytes};
use promptgate_adapters::git::{Repository, short};
use promptgate_core::model::{ApplicationFacts, Diagnostic};
use promptgate_core::text::neutral;

/// An application at a commit, or in the work tree.
#[derive(Debug)]
pub(in crate::app) struct ApplicationSource {
    /// How it is called, under the policy.
    pub(in crate::app) target: TargetSettings,
    /// The files that it is run from.
    pub(in crate::app) tree: Tree,
    /// The prompt that it is given.
    pub(in crate::app) prompt: Option<PromptFile>,
    /// The recorded answers, of a target that has nothing else.
    pub(in crate::app) answers: Option<FetchedFile>,
    /// The facts that reports show.
    pub(in crate::app) facts: ApplicationFacts,
    /// The model whose prices hold for it.
    pub(in crate::app) model: Option<String>,
    /// The suite.
    pub(in crate::app) suite: String,
    /// Whether equal digests mean equal code, so that answers may come from the cache.
    pub(in crate::app) is_versioned: bool,
    /// Whether it is that of the merge base, by the configuration there.
    pub(in crate::app) of_merge_base: bool,
    /// The error of a program that the work tree has and this commit does not.
    pub(in crate::app) missing: Option<Diagnostic>,
}

/// Resolves the application that a configuration names in its tree. `policy` chooses what a change may not.
///
/// # Errors
/// Recorded answers that cannot be read, and a repository that git cannot read.
pub(super) fn resolve(
    tree: &Tree,
    settings: &Settings,
    target: &TargetSettings,
    policy: &TargetSettings,
    prompt: Option<PromptFile>,
) -> Result<ApplicationSource, Diagnostic> {
    let target = target.clone().under(Some(policy));
    let answers = match &target.kind {
        TargetKind::Answers(path) => {
            let bytes = tree
                .read_limited(&path.value, FILE_LIMIT)
                .map_err(|diagnostic| diagnostic.or_at(&path.place))?;
            Some(FetchedFile { name: tree.describe(&path.value), bytes })
        }
        TargetKind::Command(_) | TargetKind::Http(_) => None,
    };
    let repository = repository_of(tree)?;
    let prefix = repository.as_ref().map(Repository::prefix);
    let code = match &answers {
        Some(file) => Some(digest_of_bytes(&file.bytes)),
        None if is_elsewhere(&target) => None,
        None => repository.as_ref().map(|of| digest_of_code(of, tree, &target.inputs)).transpose()?,
    };
    let facts = ApplicationFacts {
        source: target.describe(),
        digest: digest_of_bytes(&identity(prefix, &target, code.as_deref())),
        commit: tree.commit().map(str::to_owned),
        deterministic: target.deterministic,
    };
    Ok(ApplicationSource {
        is_versioned: code.is_some(),
        facts,
        answers,
        prompt,
        tree: tree.clone(),
        model: settings.model.as_ref().map(|model| model.value.clone()),
        suite: settings.name.clone(),
        of_merge_base: false,
        missing: None,
        target,
    })
}

/// The error of an application whose command names a file that `here`, the folder of the configuration, has and the commit of
/// the baseline does not. `how` says how that commit was found.
pub(super) fn missing_program(
    target: &TargetSettings,
    base: &Tree,
    here: &Path,
    how: &str,
) -> Option<Diagnostic> {
    let line = match &target.kind {
        TargetKind::Command(line) => line,
        TargetKind::Http(http) => http.start.as_ref()?,
        TargetKind::Answers(_) => return None,
    };
    let repository = Repository::find(here).ok().flatten()?;
    // No commit contains the files that a setup writes.
    let is_file = |name: &&String| here.join(name).is_file() && !Path::new(name).is_absolute();
    let is_written = |name: &str| !target.setup.is_empty() && !repository.tracks(name).unwrap_or(false);
    let is_there = |name: &str| !matches!(base.find(name, FILE_LIMIT), Ok(None));
    let name = line.iter().filter(is_file).find(|name| !is_there(name) && !is_written(name))?;
    let commit = base.commit().map(short).unwrap_or_default();
    let name = neutral::clip(&neutral::terminal(name), 120);
    let message = format!(
        "{name} is not in the base commit {commit} ({how}), so the baseline's application cannot run"
    );
    let help = "merge the suite first, or use `--baseline none`; where a build writes the file, name the build as `target.setup`";
    Some(Diagnostic::new(message).at(target.place.clone()).help(help))
}

/// Whether the application runs elsewhere, so that its code is not known.
fn is_elsewhere(target: &TargetSettings) -> bool {
    matches!(&target.kind, TargetKind::Http(http) if http.start.is_none())
}

/// The repository of a tree; `None` outside one.
fn repository_of(tree: &Tree) -> Result<Option<Repository>, Diagnostic> {
    match tree {
        Tree::Commit { repository, .. } => Ok(Some(repository.clone())),
        Tree::WorkTree { root, .. } => Ok(Repository::find(root)?),
    }
}

/// The digest of a repository's files at a tree, as a program of the user may read them; `None` outside a repository.
///
/// # Errors
/// git cannot read it.
pub(in crate::app) fn digest_of_tree(tree: &Tree) -> Result<Option<String>, Diagnostic> {
    repository_of(tree)?.map(|of| digest_of_code(&of, tree, &[])).transpose()
}

/// The digest of the files that determine the answers.
fn digest_of_code(repository: &Repository, tree: &Tree, inputs: &[String]) -> Result<String, Diagnostic> {
    match tree.commit() {
        Some(commit) => repository.digest_of_commit(commit, inputs),
        None => repository.digest_of_work_tree(inputs),
    }
}

/// Everything of the target that may change its answers.
fn identity(prefix: Option<&str>, target: &TargetSettings, code: Option<&str>) -> Vec<u8> {
    let call = match &target.kind {
        TargetKind::Command(command) => json!({"command": command}),
        TargetKind::Http(http) => json!({
            "start": http.start, "url": http.url, "body": http.body, "output": http.output,
            "contexts": http.contexts, "tool_calls": http.tool_calls, "usage": http.usage,
        }),
        TargetKind::Answers(_) => Value::Null,
    };
    json!([prefix, code, call, target.setup]).to_string().into_bytes()
}
