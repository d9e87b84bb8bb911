//! `promptgate init`.

use std::path::PathBuf;

use clap::Args;

use super::values::{Named, named};
use crate::app::init::{CiChoice, CiSystem, Request, SuiteOptions, Task};

const CI: [Named<CiChoice>; 6] = [
    ("github", CiChoice::System(CiSystem::GitHub), ".github/workflows/prompt-gate.yml"),
    (
        "gitlab",
        CiChoice::System(CiSystem::GitLab),
        ".gitlab-ci.yml, or .gitlab/prompt-gate.yml to include in yours",
    ),
    ("circleci", CiChoice::System(CiSystem::CircleCi), ".circleci/config.yml, or a file beside yours"),
    ("buildkite", CiChoice::System(CiSystem::Buildkite), ".buildkite/pipeline.yml, or a file beside yours"),
    ("jenkins", CiChoice::System(CiSystem::Jenkins), "Jenkinsfile, or Jenkinsfile.prompt-gate beside yours"),
    ("none", CiChoice::None, "No file"),
];
const TASKS: [Named<Task>; 5] = [
    ("rag", Task::Rag, "Answers from passages: faithfulness and relevance"),
    ("classify", Task::Classify, "Labels: one of those in the dataset, and the right one"),
    ("extract", Task::Extract, "JSON: valid, complete, with the expected values"),
    ("chat", Task::Chat, "Free answers: relevance, and correctness where the dataset has answers"),
    ("agent", Task::Agent, "Tool calls: the checks to fill in, and relevance"),
];

/// `promptgate init`.
#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Folder to look around in and to write to; created if absent. No file is ever overwritten.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// The prompt to gate: a file, a pattern, or `all` that were found; several get a suite each.
    #[arg(long = "prompt", value_name = "FILE", conflicts_with_all = ["from", "release"], help_heading = "Suite")]
    pub(crate) prompts: Vec<String>,
    /// The cases [default: the file whose columns fit the prompt, else drafts].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "release"], help_heading = "Suite")]
    dataset: Option<String>,
    /// Checks and metrics to start with [default: a guess from prompt and dataset].
    #[arg(long, value_parser = named(&TASKS), conflicts_with_all = ["from", "release"], help_heading = "Suite")]
    pub(crate) task: Option<Task>,
    /// Model that answers [default: that of the prompt file, else gpt-4o-mini].
    #[arg(long, value_name = "NAME", conflicts_with_all = ["from", "release"], help_heading = "Suite")]
    model: Option<String>,
    /// CI system that runs the gate [default: the one that the repository uses].
    #[arg(long, value_parser = named(&CI), conflicts_with_all = ["from", "release"], help_heading = "Pipeline")]
    pub(crate) ci: Option<CiChoice>,
    /// The copy of promptgate whose GitHub action is used: OWNER/REPO@COMMIT.
    #[arg(long, value_name = "ACTION", value_parser = action, conflicts_with_all = ["from", "release"], help_heading = "Pipeline")]
    action: Option<String>,
    /// Ask nothing, also on a terminal.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Import a promptfoo configuration, a GitHub .prompt.yml, a .prompty, a .prompt of Dotprompt or the export of a Langfuse
    /// prompt, or the one in a folder. What cannot be carried is printed with its line.
    #[arg(long, value_name = "FILE", conflicts_with = "release")]
    pub(crate) from: Option<PathBuf>,
    /// With --from: write nothing and exit with 2 if anything cannot be carried.
    #[arg(long, requires = "from")]
    pub(crate) strict: bool,
    /// Also write `release:` and GitHub workflows that publish, promote and roll back; for an existing suite, print the
    /// lines to add.
    #[arg(long)]
    pub(crate) release: bool,
}

impl InitArguments {
    /// The flags, without answers to questions.
    pub(crate) fn request(&self) -> Request {
        Request {
            folder: self.folder.clone(),
            prompts: self.prompts.clone(),
            suite: SuiteOptions { dataset: self.dataset.clone(), task: self.task, model: self.model.clone() },
            ci: self.ci,
            action: self.action.clone(),
        }
    }
}

/// Parses `OWNER/REPO@COMMIT`.
fn action(text: &str) -> Result<String, String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let parsed = text.split_once('@').and_then(|(repository, commit)| {
        let (owner, name) = repository.split_once('/')?;
        let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
        (is_name(owner) && is_name(name) && is_commit).then(|| text.to_owned())
    });
    parsed.ok_or_else(|| "expected OWNER/REPO@COMMIT with a commit of 40 hexadecimal digits".to_owned())
}
