//! Writes a starter suite that checks and runs at once, and the workflows of a release.

mod around;
pub(crate) mod from;
mod ignored;
mod pipeline;
mod suite;
mod survey;
mod workflows;

use std::path::{Path, PathBuf};

use super::files::write_whole;
use super::keys::missing_keys;
use super::sources::{configured_release, refuse_list};
use super::{Environment, Failure};
use crate::config::{self, RegistrySettings};
pub(crate) use around::{Choice, CiChoice, Request, Written, choose, look_around, prepare, write};
use promptgate_adapters::git::Repository;
use promptgate_adapters::ledger::DEFAULT_REMOTE;
use promptgate_core::check;
use promptgate_core::model::{Diagnostic, Place};
pub(crate) use suite::{PreparedSuite, SuiteOptions, Task, fitting};
pub(crate) use survey::{CiSystem, FoundPrompt, Survey};

const CONFIGURATION: &str = "promptgate.yaml";
/// The names under which a configuration is found.
const CONFIGURATIONS: [&str; 2] = [CONFIGURATION, "promptgate.yml"];
const PROMPT: &str = "prompts/assistant.md";
const FILES: [(&str, &str); 3] = [
    (CONFIGURATION, include_str!("starter/promptgate.yaml")),
    ("cases.jsonl", include_str!("starter/cases.jsonl")),
    (PROMPT, include_str!("starter/assistant.md")),
];
/// The lines of `release:`, and in them the one of a ledger on a branch.
const RELEASE: &str = include_str!("starter/release.yaml");
const LEDGER_ON_GIT: &str =
    "  ledger: git # the branch `promptgate` of origin; to try it alone: {path: .promptgate/ledger}\n";
/// The line that replaces it where there is no remote to push to.
const LEDGER_IN_FOLDER: &str =
    "  ledger: {path: .promptgate/ledger} # to try it; for a team: git, the branch `promptgate` of origin\n";

/// The result.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Initialized {
    /// Files that were written.
    pub(crate) written: Vec<PathBuf>,
    /// Files that were there already and are as they were.
    pub(crate) kept: Vec<PathBuf>,
    /// A configuration that was there already, and the lines that it lacks.
    pub(crate) missing: Option<(PathBuf, String)>,
}

/// Writes the starter suite; returns the paths of its files.
///
/// # Errors
/// One of the files exists; then nothing is written.
pub(crate) fn init(folder: &Path) -> Result<Initialized, Failure> {
    let written = write_suite(folder, FILES.map(|(name, content)| (name, content.to_owned())))?;
    Ok(Initialized { written, ..Initialized::default() })
}

/// Writes the starter suite with `release:`, unless the folder has a configuration, and the workflows that the repository
/// does not have yet.
///
/// # Errors
/// A file of the starter suite exists without a configuration, or the configuration is invalid; then nothing is written.
pub(crate) fn init_release(folder: &Path) -> Result<Initialized, Failure> {
    let configuration =
        CONFIGURATIONS.map(|name| in_folder(folder, name)).into_iter().find(|path| exists(path));
    configuration.as_deref().map(|path| refuse_list(Some(path))).transpose()?;
    let release = configuration.as_deref().map(|path| configured_release(Some(path))).transpose()?.flatten();
    // With the embedded registry there is nothing to pull from.
    let pulled = release.as_ref().and_then(|(_, _, release)| match release.registry {
        RegistrySettings::Embedded => None,
        _ => Some(release.name.to_string()),
    });
    let repository = workflows::repository(folder)?;
    let workflows = workflows::of(folder, repository.as_deref(), pulled.as_deref())?;
    let root = repository.as_deref().unwrap_or(folder);
    for (path, _) in &workflows {
        refuse_links(root, path)?;
    }
    let lines = release_lines(repository.as_deref());
    let mut result = Initialized::default();
    match (configuration, release) {
        (None, _) => result.written = write_suite(folder, FILES.map(|file| released(file, &lines)))?,
        (Some(path), None) => result.missing = Some((path, lines)),
        (Some(path), Some(_)) => result.kept.push(path),
    }
    for (path, content) in workflows {
        if exists(&path) {
            result.kept.push(path);
        } else {
            write_whole(&path, |file| file.write_all(content.as_bytes()))?;
            result.written.push(path);
        }
    }
    Ok(result)
}

/// The lines of `release:` for a repository at this root, so that they are valid as they are.
fn release_lines(repository: Option<&Path>) -> String {
    let has_origin = repository
        .and_then(|root| Repository::discover(root).ok())
        .is_some_and(|repository| repository.remote_url(DEFAULT_REMOTE).is_some());
    if has_origin { RELEASE.to_owned() } else { RELEASE.replace(LEDGER_ON_GIT, LEDGER_IN_FOLDER) }
}

/// A file of the starter suite as it is with `release:`.
fn released((name, content): (&'static str, &'static str), lines: &str) -> (&'static str, String) {
    let content = match name {
        CONFIGURATION => {
            let content =
                content.replace("the same file at the git merge base", "the version that production serves");
            format!("{content}{lines}")
        }
        // The next free version is assigned.
        PROMPT => content.replace("version: \"1\"\n", ""),
        _ => content.to_owned(),
    };
    (name, content)
}

fn write_suite<const N: usize>(folder: &Path, files: [(&str, String); N]) -> Result<Vec<PathBuf>, Failure> {
    write_files(folder, files.map(|(name, content)| (name.to_owned(), content)).into())
}

/// Writes files by name, all of them or none.
fn write_files(folder: &Path, files: Vec<(String, String)>) -> Result<Vec<PathBuf>, Failure> {
    // A second configuration beside one of the other name would be refused.
    let is_configuration = files.iter().any(|(name, _)| name == CONFIGURATION);
    let others = CONFIGURATIONS.iter().filter(|name| is_configuration && **name != CONFIGURATION);
    let existing: Vec<String> = files
        .iter()
        .map(|(name, _)| name.as_str())
        .chain(others.copied())
        .map(|name| in_folder(folder, name))
        .filter(|path| exists(path))
        .map(|path| path.display().to_string())
        .collect();
    if !existing.is_empty() {
        let message = match existing.as_slice() {
            [one] => format!("{one} exists already; nothing was written"),
            many => format!("{} exist already; nothing was written", many.join(", ")),
        };
        return Err(Diagnostic::new(message)
            .help("`promptgate init FOLDER` writes elsewhere; no file is ever overwritten")
            .into());
    }
    for (name, _) in &files {
        refuse_links(folder, &in_folder(folder, name))?;
    }
    let mut paths = Vec::new();
    for (name, content) in files {
        let path = in_folder(folder, &name);
        write_whole(&path, |file| file.write_all(content.as_bytes()))?;
        paths.push(path);
    }
    Ok(paths)
}

/// The variables that hold the keys of model, judge and embeddings of a configuration; `None` where it cannot be read.
fn keys_of(file: &str, text: &str) -> Option<Vec<String>> {
    let settings = config::load(file, text, &check::entry_schema()).ok()?;
    Some(missing_keys(&settings, &Environment::of([]), true))
}

/// A page of the documentation: its address where the package has one, since an installation has no pages.
fn page(path: &str) -> String {
    match env!("CARGO_PKG_REPOSITORY") {
        // The placeholder leads nowhere.
        repository if repository.is_empty() || repository.contains("/OWNER/") => path.to_owned(),
        repository => format!("{repository}/blob/main/{path}"),
    }
}

/// Refuses a file below a folder where a folder between them is a symbolic link, which may lead anywhere.
///
/// # Errors
/// It is one.
fn refuse_links(folder: &Path, file: &Path) -> Result<(), Diagnostic> {
    let top = if folder == Path::new(".") { Path::new("") } else { folder };
    let mut between = file.ancestors().skip(1).take_while(|above| *above != top && *above != Path::new(""));
    between.find(|above| above.is_symlink()).map_or(Ok(()), |link| {
        let message = format!("this folder is a symbolic link; {} was not written", file.display());
        let help = "run promptgate in the folder that it leads to, or remove the link";
        Err(Diagnostic::new(message).at(Place::file(link.display().to_string())).help(help))
    })
}

/// The path of a file, without `./`.
fn in_folder(folder: &Path, name: &str) -> PathBuf {
    if folder == Path::new(".") { name.into() } else { folder.join(name) }
}

/// A word of a command line, in quotes where it needs them.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '=' | ':' | '@' | ',' | '+');
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Whether there is anything at the path, also a link that leads nowhere.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
