//! The application of a variant: its settings, its files and their digest.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::files::FetchedFile;
use super::prompts::PromptFile;
use crate::config::{Settings, TargetKind, TargetSettings};
use promptgate_adapters::files::{FILE_LIMIT, Tree};
use promptgate_adapters::git::Repository;
use promptgate_core::model::{ApplicationFacts, Diagnostic};

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
    let code = match &answers {
        Some(file) => Some(hex(&file.bytes)),
        None if is_elsewhere(&target) => None,
        None => digest_of_code(tree, &target.inputs)?,
    };
    let facts = ApplicationFacts {
        source: target.describe(),
        digest: format!("sha256:{}", hex(&identity(tree, &target, code.as_deref()))),
        commit: tree.commit().map(str::to_owned),
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
        target,
    })
}

/// Whether the application runs elsewhere, so that its code is not known.
fn is_elsewhere(target: &TargetSettings) -> bool {
    matches!(&target.kind, TargetKind::Http(http) if http.start.is_none())
}

/// The digest of the files that determine the answers; `None` outside a repository.
fn digest_of_code(tree: &Tree, inputs: &[String]) -> Result<Option<String>, Diagnostic> {
    match tree {
        Tree::Commit { repository, commit, .. } => repository.digest_of_commit(commit, inputs).map(Some),
        Tree::WorkTree { root, .. } => match Repository::find(root) {
            Ok(Some(repository)) => repository.digest_of_work_tree(inputs).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error.into()),
        },
    }
}

/// Everything of the target that may change its answers.
fn identity(tree: &Tree, target: &TargetSettings, code: Option<&str>) -> Vec<u8> {
    let prefix = match tree {
        Tree::Commit { repository, .. } => Some(repository.prefix().to_owned()),
        Tree::WorkTree { root, .. } => {
            Repository::find(root).ok().flatten().map(|repository| repository.prefix().to_owned())
        }
    };
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

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
