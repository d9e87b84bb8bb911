//! Suites about prompts of the user: dataset, task and configuration of each.

mod configuration;
mod drafts;
mod fit;
mod mapping;
mod near;
mod place;
mod roles;
mod task;

use std::path::Path;

use super::from::draft::{slug, unique};
use super::from::sources::stem;
use super::survey::recognize::{NO_MODEL, parse};
use super::survey::{FoundPrompt, Survey, folder_of, one_line};
use crate::app::{Failure, schema};
use configuration::Parts;
use fit::Fit;
use promptgate_adapters::files::{Tree, decode, fetch_dataset};
use promptgate_core::model::{Diagnostic, Place};

pub(crate) use task::Task;

/// The schema that editors read, beside the first configuration.
const SCHEMA: &str = "promptgate.schema.json";

/// How suites are made.
#[derive(Debug, Clone, Default)]
pub(crate) struct SuiteOptions {
    /// The dataset of all suites, relative to the folder; by default the one that fits each prompt best.
    pub(crate) dataset: Option<String>,
    /// By default a guess.
    pub(crate) task: Option<Task>,
    /// Model of prompts that name none.
    pub(crate) model: Option<String>,
}

/// A suite before it is written.
#[derive(Debug)]
pub(crate) struct PreparedSuite {
    /// Its name.
    pub(crate) name: String,
    /// The prompt, relative to the folder.
    pub(crate) prompt: String,
    /// The dataset, relative to the folder, and how it is read.
    pub(crate) dataset: String,
    /// How many cases it has.
    pub(crate) cases: usize,
    /// Whether its cases are drafts.
    pub(crate) is_draft: bool,
    /// `fields` of the configuration: field and column.
    pub(crate) fields: Vec<(String, String)>,
    /// The task, and why.
    pub(crate) task: (Task, String),
    /// The variables of the keys for model and judge.
    pub(crate) keys: Vec<&'static str>,
    /// Columns that neither the prompt nor a field takes.
    pub(crate) unused: Vec<String>,
    /// Whether the user message is the same for all cases, since no column is the question.
    pub(crate) is_constant: bool,
    /// Names in single braces with their lines.
    pub(crate) single_braces: Vec<(usize, String)>,
}

/// Suites and their files, by path relative to the folder.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) suites: Vec<PreparedSuite>,
    pub(super) files: Vec<(String, String)>,
    /// Datasets that do not fit a prompt without a dataset: file, prompt and why.
    rejected: Vec<(String, String, Diagnostic)>,
}

impl Prepared {
    /// Datasets that no suite uses, and why, each once.
    pub(super) fn unused(&self) -> Vec<String> {
        let mut lines: Vec<(&str, String)> = Vec::new();
        for (path, prompt, why) in &self.rejected {
            let is_used = self.suites.iter().any(|suite| suite.dataset.starts_with(path.as_str()));
            if !is_used && !lines.iter().any(|(known, _)| known == path) {
                lines.push((path, format!("{path} does not fit {prompt}: {}", one_line(why))));
            }
        }
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

/// The datasets that fit a prompt, the best first.
pub(crate) fn fitting(folder: &Path, survey: &Survey, prompt: &FoundPrompt) -> Vec<String> {
    candidates(folder, survey, prompt).0.into_iter().map(|(path, _)| path).collect()
}

type Candidates = (Vec<(String, Fit)>, Vec<(String, Diagnostic)>);

fn candidates(folder: &Path, survey: &Survey, prompt: &FoundPrompt) -> Candidates {
    let tree = Tree::work_tree(folder);
    let (mut fitting, mut rejected) = (Vec::new(), Vec::new());
    for path in survey.datasets.iter().filter(|path| near::is_for(path, prompt, survey)) {
        match fit::fit(prompt, &fetch_dataset(&tree, path)) {
            Ok(fit) => fitting.push((path.clone(), fit)),
            Err(error) => rejected.push((path.clone(), error)),
        }
    }
    let nearness = |path: &str| {
        let (own, other) = (folder_of(&prompt.path), folder_of(path));
        let shared = own.split('/').zip(other.split('/')).take_while(|(one, other)| one == other).count();
        let stem = stem(&prompt.path).to_lowercase();
        let is_named = path.to_lowercase().contains(stem.trim_end_matches("_prompt"));
        (usize::from(own == other), usize::from(is_named), shared)
    };
    // The sort is stable, and upper levels come first.
    fitting.sort_by_key(|(path, fit): &(String, Fit)| {
        let named = usize::from(["case", "golden", "eval", "test"].iter().any(|word| path.contains(word)));
        std::cmp::Reverse((nearness(path), prompt.placeholders.len(), usize::from(fit.has_expected()), named))
    });
    (fitting, rejected)
}

/// Prepares a suite for each prompt; with several, the first configuration lists them.
///
/// # Errors
/// A dataset that does not fit, or a task that it cannot serve.
pub(super) fn prepare(
    folder: &Path,
    survey: &Survey,
    prompts: &[&FoundPrompt],
    options: &SuiteOptions,
) -> Result<Prepared, Failure> {
    let mut prepared = Prepared::default();
    let places = place::places(folder, &survey.suites, prompts);
    let mut names = Vec::new();
    for (prompt, suite_folder) in prompts.iter().zip(&places) {
        let name = unique(&name_of(folder, prompt, prompts), &mut names);
        one(folder, survey, prompt, suite_folder, name, options, &mut prepared)?;
    }
    if prompts.len() > 1 {
        let listed = places.iter().map(|place| {
            let path = place.trim_end_matches('/');
            format!("  - {}\n", super::from::yaml::scalar(path))
        });
        let list = format!(
            "# yaml-language-server: $schema={SCHEMA}\n# The suites that `promptgate run` and `promptgate ci` in this folder \
             are about.\nversion: 1\nsuites:\n{}",
            listed.collect::<String>()
        );
        prepared.files.insert(0, (super::CONFIGURATION.to_owned(), list));
    }
    if std::fs::symlink_metadata(folder.join(SCHEMA)).is_err() {
        let text = crate::app::files::pretty_json(&schema::published_configuration(), "the schema")?;
        prepared.files.push((SCHEMA.to_owned(), text));
    }
    Ok(prepared)
}

/// Names of files that say nothing about the prompt.
const GENERAL: [&str; 6] = ["prompt", "system", "index", "main", "instructions", ""];
/// Names that say what is done and not for whom, so that a folder of its own says more.
const ACTIONS: [&str; 12] = [
    "answer",
    "chat",
    "classifier",
    "classify",
    "default",
    "extract",
    "generate",
    "messages",
    "rewrite",
    "summarize",
    "template",
    "user",
];

/// The name of a suite: that of the prompt file, else of its folder.
fn name_of(folder: &Path, prompt: &FoundPrompt, prompts: &[&FoundPrompt]) -> String {
    let own = slug(&stem(&prompt.path));
    let own_folder = folder_of(&prompt.path);
    let is_alone = prompts.iter().filter(|other| folder_of(&other.path) == own_folder).count() == 1;
    let is_action =
        prompts.len() > 1 && is_alone && !own_folder.is_empty() && ACTIONS.contains(&own.as_str());
    if !GENERAL.contains(&own.as_str()) && !is_action {
        return own;
    }
    let parents: Vec<String> = own_folder.trim_end_matches('/').split('/').map(slug).collect();
    let around = std::path::absolute(folder).ok();
    let around = around.as_deref().and_then(Path::file_name).map(|name| slug(&name.to_string_lossy()));
    let named = parents.into_iter().rev().find(|name| !GENERAL.contains(&name.as_str()) && name != "prompts");
    named.or(around.filter(|name| !name.is_empty())).unwrap_or(if own.is_empty() {
        "suite".to_owned()
    } else {
        own
    })
}

fn one(
    folder: &Path,
    survey: &Survey,
    prompt: &FoundPrompt,
    suite_folder: &str,
    name: String,
    options: &SuiteOptions,
    prepared: &mut Prepared,
) -> Result<(), Failure> {
    let text = decode(&prompt.path, &prompt.bytes)?.replace("\r\n", "\n");
    let chosen = match &options.dataset {
        Some(path) => Some((path.clone(), named_dataset(folder, prompt, path)?)),
        None => {
            let (fitting, rejected) = candidates(folder, survey, prompt);
            let found = fitting.into_iter().next();
            if found.is_none() {
                let data = rejected.into_iter().filter(|(path, _)| is_data(path));
                prepared.rejected.extend(data.map(|(path, why)| (path, prompt.path.clone(), why)));
            }
            found
        }
    };
    let fit = chosen.as_ref().map(|(_, fit)| fit);
    let task = match options.task {
        Some(task) => (task, "as asked".to_owned()),
        None => task::guess(prompt, &text, fit),
    };
    refuse_unserved(task.0, chosen.as_ref())?;
    let label = task::label_field(task.0, &text, fit);
    let criteria = task::criteria(task.0, fit, label.as_deref());
    let drafts = chosen.is_none().then(|| drafts::drafts(prompt, task.0));
    let dataset = match &chosen {
        Some((path, _)) => path.clone(),
        None => place::free(folder, suite_folder, "cases", "jsonl"),
    };
    let own_model = parse(&prompt.path, &prompt.bytes, "").ok().map(|parsed| parsed.variant.facts.model);
    let own_model = own_model.filter(|model| model != NO_MODEL);
    let fields = match (&chosen, &drafts) {
        (Some((_, fit)), _) => fit.fields.clone(),
        (None, Some(drafts)) => drafts.fields.clone(),
        (None, None) => Default::default(),
    };
    let (prompt_path, dataset_path) =
        (place::relative(suite_folder, &prompt.path), place::relative(suite_folder, &dataset));
    let parts = Parts {
        name: &name,
        schema: &place::relative(suite_folder, SCHEMA),
        prompt: &prompt_path,
        is_text: prompt.is_text,
        has_question: fit.is_none_or(|fit| fit.has_question),
        answer_field: label.as_deref(),
        own_model: own_model.as_deref(),
        model: options.model.as_deref(),
        dataset: &dataset_path,
        is_draft: drafts.is_some(),
        fields: &fields,
        criteria: &criteria,
        in_repository: survey.repository.root.is_some(),
        branch: survey.repository.branch.as_deref(),
    };
    prepared.files.push((format!("{suite_folder}{}", super::CONFIGURATION), configuration::text(&parts)));
    let keys = configuration::keys(&parts);
    let cases = chosen.as_ref().map_or(drafts::DRAFTS, |(_, fit)| fit.cases.len());
    prepared.suites.push(PreparedSuite {
        name,
        prompt: prompt.path.clone(),
        dataset: match &chosen {
            Some((path, fit)) => format!("{path} ({})", fit.format),
            None => dataset.clone(),
        },
        cases,
        is_draft: drafts.is_some(),
        fields: fields.into_iter().collect(),
        task,
        keys,
        unused: fit.map(|fit| fit.unused.clone()).unwrap_or_default(),
        is_constant: prompt.is_text && fit.is_some_and(|fit| !fit.has_question),
        single_braces: prompt.single_braces.clone(),
    });
    if let Some(drafts) = drafts {
        prepared.files.push((dataset, drafts.text));
    }
    Ok(())
}

/// Whether a file is data by its extension, and no configuration of some tool.
fn is_data(path: &str) -> bool {
    [".jsonl", ".ndjson", ".csv", ".tsv"].iter().any(|extension| path.ends_with(extension))
}

fn named_dataset(folder: &Path, prompt: &FoundPrompt, path: &str) -> Result<Fit, Diagnostic> {
    // The folder need not exist, and no path leads through one that does not.
    let full = super::from::without_dots(&folder.join(path)).display().to_string();
    fit::fit(prompt, &fetch_dataset(&Tree::work_tree(""), &full)).map_err(|error| {
        let place = error.place.clone().unwrap_or_else(|| Place::file(path));
        let help = error.help.clone().unwrap_or_else(|| {
            "rename a column to the placeholder, or leave --dataset out to get draft cases".to_owned()
        });
        Diagnostic::new(format!("the dataset does not fit {}: {}", prompt.path, error.message))
            .at(place)
            .help(help)
    })
}

fn refuse_unserved(task: Task, chosen: Option<&(String, Fit)>) -> Result<(), Diagnostic> {
    let Some((path, fit)) = chosen.filter(|(_, fit)| task == Task::Rag && !fit.has_context()) else {
        return Ok(());
    };
    let _ = fit;
    Err(Diagnostic::new("--task rag needs passages, and no column of the dataset has them")
        .at(Place::file(path))
        .help("add a column `context`, or take another --task: chat grades the answers without passages"))
}
