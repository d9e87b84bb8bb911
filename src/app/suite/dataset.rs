//! The dataset of a suite: parsed, then narrowed to the selected cases.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::scorers::files_of_checks;
use super::{Findings, SuiteOptions};
use crate::app::Failure;
use crate::app::sources::{between, dataset_source};
use crate::config::Settings;
use promptgate_adapters::files::{self, DatasetBytes, DatasetSource, LoadError, Loaded};
use promptgate_core::model::{Case, CaseFacts, Dataset, DatasetChanges, Diagnostic, Place, PolicySource};

/// Tags that a message lists.
const MAX_TAGS: usize = 12;

/// A parsed dataset, or its errors.
pub(super) type Parsed = Result<Loaded<Dataset>, LoadError>;

/// Parses the dataset of the settings.
pub(super) fn parse(bytes: DatasetBytes, settings: &Settings) -> Parsed {
    files::parse_dataset(bytes, &dataset_source(&settings.dataset))
}

/// The dataset; `None` where its errors are among the findings.
///
/// # Errors
/// A dataset without rows, where nothing else was found.
pub(super) fn take(parsed: Parsed, findings: &mut Findings) -> Result<Option<Dataset>, Failure> {
    match parsed {
        Ok(Loaded { value, warnings }) => {
            findings.warnings.extend(warnings);
            return Ok(Some(value));
        }
        Err(LoadError::Empty(diagnostic)) if findings.diagnostics.0.is_empty() => {
            return Err(Failure::Nothing(diagnostic));
        }
        Err(LoadError::Empty(diagnostic)) => findings.diagnostics.0.push(diagnostic),
        Err(LoadError::Diagnostics(more)) => findings.diagnostics.0.extend(more.0),
    }
    Ok(None)
}

/// The files that checks of the selected cases name.
pub(super) fn files_of_cases(parsed: &Parsed, options: &SuiteOptions) -> BTreeSet<String> {
    let (Ok(loaded), Ok(is_selected)) = (parsed, selection(options)) else { return BTreeSet::new() };
    let selected = loaded.value.cases.iter().filter(|case| is_selected(case));
    files_of_checks(selected.flat_map(|case| &case.checks))
}

/// Differences between the whole dataset and the one beside the policy; `None` where there is none to compare with.
pub(super) fn changes(
    policy: Option<&PolicySource>,
    theirs: Option<(DatasetBytes, DatasetSource)>,
    dataset: &Dataset,
    warnings: &mut Vec<String>,
) -> Option<DatasetChanges> {
    let (policy, (bytes, source)) = policy.zip(theirs)?;
    let diagnostic = match files::parse_dataset(bytes, &source) {
        Ok(before) => return Some(between(&before.value.cases, &dataset.cases)),
        Err(LoadError::Diagnostics(diagnostics)) => diagnostics.0.into_iter().next(),
        Err(LoadError::Empty(diagnostic)) => Some(diagnostic),
    };
    let why = diagnostic.map_or_else(String::new, |diagnostic| format!(": {}", diagnostic.message));
    warnings.push(format!(
        "changes of the dataset since {} are unknown: it cannot be read there{why}",
        policy.spec
    ));
    None
}

/// Whether `--filter` and `--tag` select a case.
fn selection(options: &SuiteOptions) -> Result<impl Fn(&Case) -> bool, Diagnostic> {
    let parse = |text: &String| {
        glob::Pattern::new(text).map_err(|error| {
            Diagnostic::new(format!("invalid glob pattern `{text}`: {error}")).at(Place::file("--filter"))
        })
    };
    let pattern = options.filter.as_ref().map(parse).transpose()?;
    Ok(move |case: &Case| {
        pattern.as_ref().is_none_or(|pattern| pattern.matches(&case.id))
            && (options.tags.is_empty() || case.tags.iter().any(|tag| options.tags.contains(tag)))
    })
}

/// Keeps the cases that `--filter` and `--tag` select; the digest becomes that of the selection.
pub(super) fn select(mut dataset: Dataset, options: &SuiteOptions) -> Result<Dataset, Failure> {
    let is_selected = selection(options)?;
    if options.filter.is_none() && options.tags.is_empty() {
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
    let selection = filter.chain(tags).collect::<Vec<_>>().join(" ");
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
        let asked = json!([case.query, case.context, case.expected, case.vars]).to_string();
        let earlier = *first.entry(asked).or_insert(index);
        if earlier == index || dataset.cases[index].group.is_some() {
            continue;
        }
        let id = dataset.cases[earlier].id.clone();
        let group = dataset.cases[earlier].group.get_or_insert(format!("equal to {id}")).clone();
        dataset.cases[index].group = Some(group);
    }
}

/// The cases as the policy needs them.
pub(super) fn facts(dataset: &Dataset) -> Vec<CaseFacts> {
    let facts = dataset.cases.iter().map(|case| CaseFacts {
        id: case.id.clone(),
        tags: case.tags.clone(),
        must_pass: case.must_pass,
        must_pass_strict: case.must_pass_strict,
        ..CaseFacts::default()
    });
    facts.collect()
}
