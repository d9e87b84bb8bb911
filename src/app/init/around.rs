//! `init` without `--from`: what there is, which of it a suite is about, and the files of that suite.

use std::path::{Path, PathBuf};

use super::from::{self, Imported};
use super::suite::{self, PreparedSuite, SuiteOptions};
use super::survey::{self, CiSystem, FoundPrompt, Survey};
use super::{CONFIGURATIONS, ignored, in_folder, pipeline, quoted, write_files};
use crate::app::Failure;
use crate::app::files::write_text;
use promptgate_adapters::files::{PROMPT_LIMIT, Tree, decode};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_core::text::neutral;

/// The flags of `init`, with answers to its questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// The folder to write to.
    pub(crate) folder: PathBuf,
    /// Prompts: paths and globs, or `all`.
    pub(crate) prompts: Vec<String>,
    /// How their suites are made; the dataset as it was named.
    pub(crate) suite: SuiteOptions,
    /// The CI system that was asked for.
    pub(crate) ci: Option<CiChoice>,
    /// `OWNER/REPO@COMMIT` of the action.
    pub(crate) action: Option<String>,
}

/// An answer to the question for a CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CiChoice {
    /// This one.
    System(CiSystem),
    /// None.
    None,
}

/// The subject of the configuration.
#[derive(Debug, Clone)]
pub(crate) enum Choice {
    /// The starter suite: there is nothing else.
    Starter,
    /// The import of a file with its kind, relative to the folder.
    Import(String, &'static str),
    /// Prompts.
    Prompts(Vec<FoundPrompt>),
    /// A suite that is there, which gets a pipeline.
    Existing,
    /// One of these has to be chosen.
    Open,
}

/// Files in memory.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    suites: suite::Prepared,
    import: Option<from::Import>,
    is_starter: bool,
    pipeline: Option<pipeline::Pipeline>,
}

/// The result.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Suites about prompts of the user.
    pub(crate) suites: Vec<PreparedSuite>,
    /// Files that were written.
    pub(crate) written: Vec<PathBuf>,
    /// Files that were there already and are as they were.
    pub(crate) kept: Vec<PathBuf>,
    /// A file that lines were added to.
    pub(crate) added: Option<(PathBuf, Vec<&'static str>)>,
    /// The result of an import.
    pub(crate) imported: Option<Imported>,
    /// Datasets that fit no prompt, and why.
    pub(crate) rejected: Vec<String>,
    /// Steps that are left to do for the pipeline.
    pub(crate) steps: Vec<String>,
}

/// Looks around in a folder.
pub(crate) fn look_around(folder: &Path) -> Survey {
    survey::survey(folder)
}

/// Refuses a folder that has a configuration.
///
/// # Errors
/// It has one.
fn decline_configuration(folder: &Path) -> Result<(), Diagnostic> {
    let there =
        CONFIGURATIONS.map(|name| in_folder(folder, name)).into_iter().find(|path| super::exists(path));
    there.map_or(Ok(()), |path| {
        Err(Diagnostic::new(format!("{} exists already; nothing was written", path.display())).help(
            "`promptgate init --ci github` adds the workflow of this suite, `promptgate init FOLDER` writes a suite elsewhere; no \
             file is ever overwritten",
        ))
    })
}

/// Chooses what the configuration is about.
///
/// # Errors
/// A prompt that was named and cannot be used, and prompts that all have suites.
pub(crate) fn choose(survey: &Survey, request: &Request) -> Result<Choice, Failure> {
    let folder = request.folder.as_path();
    let has_suite = survey.suites.iter().any(|path| CONFIGURATIONS.contains(&path.as_str()));
    if has_suite
        && matches!(request.ci, Some(CiChoice::System(_)))
        && request.prompts.is_empty()
        && request.suite.dataset.is_none()
    {
        return Ok(Choice::Existing);
    }
    decline_configuration(folder)?;
    if !request.prompts.is_empty() {
        return named(survey, request);
    }
    let mut configurations = survey.sources.iter().filter(|(_, kind)| kind.contains("promptfoo"));
    if let (Some((path, kind)), None) = (configurations.next(), configurations.next()) {
        return Ok(Choice::Import(path.clone(), kind));
    }
    match (survey.prompts.as_slice(), survey.sources.as_slice()) {
        ([], []) if !survey.unusable.is_empty() => Err(Diagnostics(survey.unusable.clone()).into()),
        ([], []) if survey.covered.is_empty() => match &survey.application {
            Some(path) => Err(application(path)),
            None => Ok(Choice::Starter),
        },
        ([], []) => {
            Err(Diagnostic::new(format!("every prompt here has a suite: {}", survey.suites.join(", ")))
                .help("`promptgate run --all` runs them; `promptgate init --prompt FILE` writes one more")
                .into())
        }
        ([one], []) => Ok(Choice::Prompts(vec![one.clone()])),
        ([], [(path, kind)]) => Ok(Choice::Import(path.clone(), kind)),
        _ => Ok(Choice::Open),
    }
}

/// Refuses to write a starter suite into an application.
fn application(path: &str) -> Failure {
    Diagnostic::new(format!("no prompt was found, and {path} looks like an application; nothing was written"))
        .help(format!(
            "{} shows how an application is evaluated, `--prompt FILE` names a prompt of it, and `promptgate init FOLDER` writes \
             the starter suite elsewhere",
            super::page("docs/targets.md")
        ))
        .into()
}

/// The prompts that were named.
fn named(survey: &Survey, request: &Request) -> Result<Choice, Failure> {
    let mut prompts: Vec<FoundPrompt> = Vec::new();
    for name in &request.prompts {
        let found: Vec<FoundPrompt> = if name == "all" {
            survey.prompts.clone()
        } else {
            let path = from_folder(&request.folder, name)?;
            match survey.prompts.iter().find(|prompt| prompt.path == path) {
                Some(prompt) => vec![prompt.clone()],
                None if name.contains(['*', '?', '[']) && !request.folder.join(&path).exists() => {
                    matching(survey, &path)
                }
                None => match load(&request.folder, &path)? {
                    Loaded::Prompt(prompt) => vec![*prompt],
                    Loaded::Source(kind) if request.prompts.len() == 1 => {
                        return Ok(Choice::Import(path, kind));
                    }
                    Loaded::Source(kind) => {
                        let help =
                            format!("import it by itself: `promptgate init FOLDER --from {}`", quoted(&path));
                        return Err(Diagnostic::new(format!("this is {kind}"))
                            .at(Place::file(path))
                            .help(help)
                            .into());
                    }
                },
            }
        };
        if found.is_empty() {
            let known: Vec<&str> = survey.prompts.iter().map(|prompt| prompt.path.as_str()).take(8).collect();
            let help = match known.as_slice() {
                [] => "name the file: `--prompt prompts/NAME.md`".to_owned(),
                known => format!("found were {}", known.join(", ")),
            };
            return Err(Diagnostic::new("no prompt matches")
                .at(Place::file(format!("--prompt {name}")))
                .help(help)
                .into());
        }
        for prompt in found {
            if !prompts.iter().any(|known| known.path == prompt.path) {
                prompts.push(prompt);
            }
        }
    }
    Ok(Choice::Prompts(prompts))
}

fn matching(survey: &Survey, pattern: &str) -> Vec<FoundPrompt> {
    let Ok(pattern) = glob::Pattern::new(pattern) else { return Vec::new() };
    let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
    survey.prompts.iter().filter(|prompt| pattern.matches_with(&prompt.path, options)).cloned().collect()
}

/// A path as it was typed in the current folder, or in the folder to write to, relative to the latter.
fn from_folder(folder: &Path, name: &str) -> Result<String, Diagnostic> {
    let plain = from::sources::normal(name);
    let typed = Path::new(name);
    if folder == Path::new(".") && typed.is_relative() || !typed.exists() {
        return Ok(plain);
    }
    let parent = typed.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let last = typed.file_name().map(|last| last.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(format!("{}{last}", from::prefix(parent, folder)?))
}

enum Loaded {
    Prompt(Box<FoundPrompt>),
    Source(&'static str),
}

/// A prompt that the survey does not list.
fn load(folder: &Path, path: &str) -> Result<Loaded, Failure> {
    let refuse = |message: String, help: &str| Diagnostic::new(message).at(Place::file(path)).help(help);
    let full = from::without_dots(&folder.join(path));
    if full.symlink_metadata().is_ok_and(|facts| facts.is_symlink()) {
        let target = std::fs::read_link(&full).map(|target| target.display().to_string()).unwrap_or_default();
        let help = format!("name the file that it leads to: {}", neutral::terminal(&target));
        return Err(refuse("the prompt is a symbolic link, which is not read in CI".to_owned(), &help).into());
    }
    if survey::recognize::is_code(path) {
        let help = format!(
            "move the prompt into a file of its own that the code reads; or evaluate the application: {}",
            super::page("docs/targets.md")
        );
        return Err(refuse("this is source code, not a prompt; nothing was written".to_owned(), &help).into());
    }
    // The folder need not exist, and no path leads through one that does not.
    let bytes = Tree::work_tree("").read_limited(&full.to_string_lossy(), PROMPT_LIMIT)?;
    let text = decode(path, &bytes)?.replace("\r\n", "\n");
    // Its cases go with the prompt.
    if survey::has_cases(path, &text)
        && let Some(kind) = from::is_source(path, &text)
    {
        return Ok(Loaded::Source(kind));
    }
    match survey::prompt(path, bytes, &text, survey::Mark::Marked) {
        Ok(prompt) => Ok(Loaded::Prompt(Box::new(prompt))),
        Err(error) => match from::is_source(path, &text) {
            Some(kind) => Ok(Loaded::Source(kind)),
            None => Err(error.or_at(&Place::file(path)).into()),
        },
    }
}

/// Prepares the files of a choice.
///
/// # Errors
/// A dataset that does not fit, and a folder that a workflow cannot name.
pub(crate) fn prepare(survey: &Survey, choice: &Choice, request: &Request) -> Result<Prepared, Failure> {
    let folder = request.folder.as_path();
    let mut prepared = Prepared::default();
    let mut keys: Vec<String> = Vec::new();
    match choice {
        Choice::Starter => {
            prepared.is_starter = true;
            keys.push("OPENAI_API_KEY".to_owned());
        }
        Choice::Import(path, _) => {
            let import = from::prepare(&in_folder(folder, path), folder, false)?;
            keys.clone_from(&import.result.keys);
            prepared.import = Some(import);
        }
        Choice::Prompts(prompts) => {
            let prompts: Vec<&FoundPrompt> = prompts.iter().collect();
            let dataset =
                request.suite.dataset.as_deref().map(|name| from_folder(folder, name)).transpose()?;
            let options = SuiteOptions { dataset, ..request.suite.clone() };
            prepared.suites = suite::prepare(folder, survey, &prompts, &options)?;
            let suites = prepared.suites.suites.iter();
            keys.extend(suites.flat_map(|suite| suite.keys.iter().map(|key| (*key).to_owned())));
        }
        Choice::Existing => keys = existing_keys(folder, survey),
        Choice::Open => {
            return Err(Diagnostic::new("several prompts were found").help("name one with --prompt").into());
        }
    }
    keys.sort_unstable();
    keys.dedup();
    let found = || survey.repository.ci.first().map(|(system, _)| *system);
    let system = match request.ci {
        Some(CiChoice::System(system)) => Some(system),
        Some(CiChoice::None) => None,
        // A workflow without a repository is never run.
        None => found().filter(|_| survey.repository.root.is_some()),
    };
    prepared.pipeline = system
        .map(|system| {
            pipeline::pipeline(system, folder, &survey.repository, request.action.as_deref(), &keys)
        })
        .transpose()?;
    if let Some(pipeline) = &prepared.pipeline {
        let root = survey.repository.root.as_deref().map(pipeline::shorter);
        super::refuse_links(root.as_deref().unwrap_or(folder), &pipeline.path)?;
    }
    Ok(prepared)
}

/// The variables of the keys for the suites that are there.
fn existing_keys(folder: &Path, survey: &Survey) -> Vec<String> {
    let texts = survey
        .suites
        .iter()
        .filter_map(|path| Some((path, Tree::work_tree(folder).read_limited(path, PROMPT_LIMIT).ok()?)));
    let texts = texts.filter_map(|(path, bytes)| Some((path, decode(path, &bytes).ok()?.into_owned())));
    // A list of suites has no keys of its own.
    let mut texts = texts.filter(|(_, text)| !text.lines().any(|line| line.starts_with("suites:")));
    let found = texts.try_fold(Vec::new(), |mut keys, (path, text)| {
        keys.extend(super::keys_of(path, &text)?);
        Some(keys)
    });
    found.unwrap_or_else(|| vec!["OPENAI_API_KEY".to_owned()])
}

/// Writes the files: those of a suite all or none, then the pipeline unless it is there, then the lines of .gitignore.
///
/// # Errors
/// A file of the suite exists, or one cannot be written.
pub(crate) fn write(survey: &Survey, prepared: Prepared, request: &Request) -> Result<Written, Failure> {
    let folder = request.folder.as_path();
    let mut result = Written { rejected: prepared.suites.unused(), ..Written::default() };
    if prepared.is_starter {
        result.written = super::init(folder)?.written;
    } else if let Some(import) = prepared.import {
        let imported = import.write(folder)?;
        result.written.clone_from(&imported.written);
        result.imported = Some(imported);
    } else if !prepared.suites.files.is_empty() {
        result.written = write_files(folder, prepared.suites.files)?;
    }
    result.suites = prepared.suites.suites;
    if let Some(pipeline) = prepared.pipeline {
        if super::exists(&pipeline.path) {
            result.kept.push(pipeline.path);
        } else {
            write_text(&pipeline.path, &pipeline.content)?;
            result.written.push(pipeline.path);
            result.steps = pipeline.steps;
        }
    }
    if let Some(root) = survey.repository.root.as_deref() {
        result.added = ignored::add(&pipeline::shorter(root))?;
    }
    Ok(result)
}
