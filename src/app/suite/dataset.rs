//! The dataset of a suite: parsed, then narrowed to the selected cases.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::scorers::files_of_checks;
use super::{Findings, SuiteOptions};
use crate::app::Failure;
use crate::app::sources::{CasesToRead, dataset_source};
use crate::config::Settings;
use promptgate_adapters::files::{self, DatasetBytes, Images, LoadError, Loaded};
use promptgate_core::model::{Case, CaseFacts, Dataset, Diagnostic, Diagnostics, Place};

/// The start of the groups that equal rows are given.
pub(in crate::app) const GROUP_OF_EQUAL_ROWS: &str = "equal to ";
/// Tags that a message lists.
const MAX_TAGS: usize = 12;

/// A parsed dataset, or its errors.
pub(super) struct Parsed {
    result: Result<Loaded<Dataset>, LoadError>,
    /// The cases of valid rows where others have errors.
    pub(super) valid: Vec<Case>,
}

/// Parses the dataset of the settings.
pub(super) fn parse(bytes: DatasetBytes, settings: &Settings) -> Parsed {
    let (result, valid) = files::parse_valid_rows(bytes, &dataset_source(&settings.dataset));
    Parsed { result, valid }
}

impl Parsed {
    /// The cases, those of valid rows alone where others have errors.
    fn cases_mut(&mut self) -> &mut Vec<Case> {
        match &mut self.result {
            Ok(loaded) => &mut loaded.value.cases,
            Err(_) => &mut self.valid,
        }
    }

    /// Takes the cases out, for the values that are in files, with the way their dataset is read.
    pub(super) fn take_cases(&mut self, settings: &Settings) -> CasesToRead {
        (dataset_source(&settings.dataset), std::mem::take(self.cases_mut()))
    }

    /// Puts the cases back with their values.
    pub(super) fn set_cases(&mut self, read: Result<Vec<Case>, Diagnostics>) {
        match (read, &mut self.result) {
            (Ok(cases), Ok(loaded)) => {
                let Dataset { facts, cases: of_dataset } = &mut loaded.value;
                facts.digest = files::digest(&cases);
                *of_dataset = cases;
            }
            (Ok(cases), Err(_)) => self.valid = cases,
            (Err(more), Err(LoadError::Diagnostics(found))) => found.0.extend(more.0),
            (Err(found), result) => *result = Err(LoadError::Diagnostics(found)),
        }
    }

    /// The paths of the images of its cases.
    pub(super) fn image_paths(&mut self) -> BTreeSet<String> {
        image_paths(self.cases_mut())
    }

    /// Puts the images into the cases. One that is missing is an error of the dataset.
    pub(super) fn add_images(&mut self, images: &Images) {
        if images.is_empty() {
            return;
        }
        let diagnostics = add_images(self.cases_mut(), images);
        if let Ok(loaded) = &mut self.result {
            loaded.value.facts.digest = files::digest(&loaded.value.cases);
        }
        if diagnostics.is_empty() {
            return;
        }
        if let Err(LoadError::Diagnostics(found)) = &mut self.result {
            found.0.extend(diagnostics);
            return;
        }
        let parsed = std::mem::replace(&mut self.result, Err(Diagnostics(diagnostics).into()));
        if let Ok(loaded) = parsed {
            self.valid = loaded.value.cases;
        }
    }
}

/// The paths of the images of cases.
pub(super) fn image_paths(cases: &mut [Case]) -> BTreeSet<String> {
    let images = cases.iter_mut().flat_map(Case::images_mut);
    images.filter_map(|image| image.path().map(str::to_owned)).collect()
}

/// Puts images into cases; returns an error for each case that lacks one.
pub(super) fn add_images(cases: &mut [Case], fetched: &Images) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for case in cases {
        if let Err(diagnostic) = files::resolve_images(case.images_mut(), fetched) {
            diagnostics.push(diagnostic.at(case.place.clone()));
        }
    }
    diagnostics
}

/// The dataset; only its valid cases where there are errors, which are then among the findings.
///
/// # Errors
/// A dataset without rows, where nothing else was found.
pub(super) fn take(parsed: Parsed, findings: &mut Findings) -> Result<Result<Dataset, Vec<Case>>, Failure> {
    match parsed.result {
        Ok(Loaded { value, warnings }) => {
            findings.warnings.extend(warnings);
            return Ok(Ok(value));
        }
        Err(LoadError::Empty(diagnostic)) if findings.diagnostics.0.is_empty() => {
            return Err(Failure::Nothing(diagnostic));
        }
        Err(LoadError::Empty(diagnostic)) => findings.diagnostics.0.push(diagnostic),
        Err(LoadError::Diagnostics(more)) => findings.diagnostics.0.extend(more.0),
    }
    Ok(Err(parsed.valid))
}

/// The files that checks of the selected cases name, in the change's dataset or the base's.
pub(super) fn files_of_cases(parsed: &Parsed, base: &[Case], options: &SuiteOptions) -> BTreeSet<String> {
    let Ok(is_selected) = selection(options) else { return BTreeSet::new() };
    let cases = parsed.result.as_ref().map_or(&parsed.valid, |loaded| &loaded.value.cases);
    let selected = cases.iter().chain(base).filter(|case| is_selected(case));
    files_of_checks(selected.flat_map(|case| &case.checks))
}

/// Whether `--filter`, `--tag` and the choice of a partial run select a case.
fn selection(options: &SuiteOptions) -> Result<impl Fn(&Case) -> bool, Diagnostic> {
    let parse = |text: &String| {
        glob::Pattern::new(text).map_err(|error| {
            Diagnostic::new(format!("invalid glob pattern `{text}`: {error}")).at(Place::file("--filter"))
        })
    };
    let pattern = options.filter.as_ref().map(parse).transpose()?;
    let chosen = options.chosen.as_ref();
    Ok(move |case: &Case| {
        chosen.is_none_or(|chosen| chosen.ids.contains(&case.id))
            && pattern.as_ref().is_none_or(|pattern| pattern.matches(&case.id))
            && (options.tags.is_empty() || case.tags.iter().any(|tag| options.tags.contains(tag)))
    })
}

/// Keeps the cases that `--filter`, `--tag` and the choice of a partial run select; the digest becomes that of the selection.
pub(super) fn select(mut dataset: Dataset, options: &SuiteOptions) -> Result<Dataset, Failure> {
    let is_selected = selection(options)?;
    if options.filter.is_none() && options.tags.is_empty() && options.chosen.is_none() {
        return Ok(dataset);
    }
    let total = dataset.cases.len();
    let tags: BTreeSet<&String> = dataset.cases.iter().flat_map(|case| &case.tags).collect();
    let known_tags: Vec<String> = tags.into_iter().take(MAX_TAGS).map(|tag| format!("`{tag}`")).collect();
    dataset.cases.retain(is_selected);
    if dataset.cases.is_empty() {
        return Err(Failure::Nothing(
            none_selected(options, total, &known_tags).at(Place::file(&dataset.facts.path)),
        ));
    }
    dataset.facts.digest = files::digest(&dataset.cases);
    dataset.facts.cases = dataset.cases.len();
    Ok(dataset)
}

fn none_selected(options: &SuiteOptions, total: usize, known_tags: &[String]) -> Diagnostic {
    let filter = options.filter.iter().map(|text| format!("--filter {text}"));
    let tags = options.tags.iter().map(|tag| format!("--tag {tag}"));
    let chosen = options.chosen.iter().map(|chosen| chosen.flag().to_owned());
    let selection = chosen.chain(filter).chain(tags).collect::<Vec<_>>().join(" ");
    let help = match (options.filter.is_some(), known_tags.is_empty()) {
        (true, _) => "a filter is a glob over case ids: `refund-*`".to_owned(),
        (false, true) => "no case has a tag".to_owned(),
        (false, false) => format!("the cases have the tags {}", known_tags.join(", ")),
    };
    Diagnostic::new(format!("{selection} selects none of the {total} cases")).help(help)
}

/// Groups rows that ask the same, where cases are a sample: they are no independent evidence. A group as written stays.
pub(super) fn group_equal_rows(dataset: &mut Dataset) {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for index in 0..dataset.cases.len() {
        let case = &dataset.cases[index];
        let asked = json!([
            case.query,
            case.context,
            case.expected,
            case.vars,
            case.messages,
            case.turns,
            case.images
        ])
        .to_string();
        let earlier = *first.entry(asked).or_insert(index);
        if earlier == index || dataset.cases[index].group.is_some() {
            continue;
        }
        let id = dataset.cases[earlier].id.clone();
        let group = dataset.cases[earlier].group.get_or_insert(format!("{GROUP_OF_EQUAL_ROWS}{id}")).clone();
        dataset.cases[index].group = Some(group);
    }
}

/// The cases as the policy needs them.
pub(super) fn facts(dataset: &Dataset) -> Vec<CaseFacts> {
    let facts = dataset.cases.iter().map(|case| CaseFacts {
        id: case.id.clone(),
        tags: case.tags.clone(),
        must_pass: case.must_pass,
        added: case.added,
        must_pass_strict: case.must_pass_strict,
        ..CaseFacts::default()
    });
    facts.collect()
}
