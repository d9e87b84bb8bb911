//! The dataset of a suite: read, then narrowed to the selected cases.

use std::collections::BTreeSet;

use super::{Findings, SuiteOptions};
use crate::app::Failure;
use crate::app::sources::{PolicySources, between};
use crate::config::Settings;
use promptgate_adapters::files::{self, DatasetSource, LoadError, Loaded, Tree};
use promptgate_core::model::{CaseFacts, Dataset, DatasetChanges, Diagnostic, Place};

/// Tags that a message lists.
const MAX_TAGS: usize = 12;

/// Reads the dataset of the settings; `None` where its errors are among the findings.
///
/// # Errors
/// A dataset without rows, where nothing else was found.
pub(super) fn read(
    settings: &Settings,
    tree: &Tree,
    findings: &mut Findings,
) -> Result<Option<Dataset>, Failure> {
    match load(settings, tree) {
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

/// The dataset of the settings.
pub(super) fn load(settings: &Settings, tree: &Tree) -> Result<Loaded<Dataset>, LoadError> {
    let written = &settings.dataset;
    let source = DatasetSource {
        path: written.path.clone(),
        format: written.format,
        fields: written.fields.clone(),
        shared_ids: None,
    };
    files::dataset(tree, &source)
}

/// Differences between the whole dataset and the one beside the policy; `None` where there is none to compare with.
pub(super) fn changes(
    policy: &PolicySources,
    dataset: &Dataset,
    warnings: &mut Vec<String>,
) -> Option<DatasetChanges> {
    let (source, base) = (policy.source.as_ref()?, policy.base.as_ref()?);
    let diagnostic = match load(base, &policy.files.policy) {
        Ok(before) => return Some(between(&before.value.cases, &dataset.cases)),
        Err(LoadError::Diagnostics(diagnostics)) => diagnostics.0.into_iter().next(),
        Err(LoadError::Empty(diagnostic)) => Some(diagnostic),
    };
    let why = diagnostic.map_or_else(String::new, |diagnostic| format!(": {}", diagnostic.message));
    warnings.push(format!(
        "changes of the dataset since {} are unknown: it cannot be read there{why}",
        source.spec
    ));
    None
}

/// Keeps the cases that `--filter` and `--tag` select; the digest becomes that of the selection.
pub(super) fn select(mut dataset: Dataset, options: &SuiteOptions) -> Result<Dataset, Failure> {
    let pattern = match &options.filter {
        Some(text) => Some(glob::Pattern::new(text).map_err(|error| {
            Diagnostic::new(format!("invalid glob pattern `{text}`: {error}")).at(Place::file("--filter"))
        })?),
        None => None,
    };
    if pattern.is_none() && options.tags.is_empty() {
        return Ok(dataset);
    }
    let total = dataset.cases.len();
    let tags: BTreeSet<&String> = dataset.cases.iter().flat_map(|case| &case.tags).collect();
    let known_tags: Vec<String> = tags.into_iter().take(MAX_TAGS).map(|tag| format!("`{tag}`")).collect();
    dataset.cases.retain(|case| {
        pattern.as_ref().is_none_or(|pattern| pattern.matches(&case.id))
            && (options.tags.is_empty() || case.tags.iter().any(|tag| options.tags.contains(tag)))
    });
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

/// The cases as the policy needs them.
pub(super) fn facts(dataset: &Dataset) -> Vec<CaseFacts> {
    let facts = dataset.cases.iter().map(|case| CaseFacts {
        id: case.id.clone(),
        tags: case.tags.clone(),
        must_pass: case.must_pass,
        ..CaseFacts::default()
    });
    facts.collect()
}
