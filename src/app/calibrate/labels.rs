//! Labelled answers: rows of answers with ratings of people.

use super::CalibrateOptions;
use crate::app::Failure;
use crate::app::sources;
use crate::app::suite::missing_fields;
use crate::config::Settings;
use promptgate_adapters::files::{self, DatasetSource, LoadError, Tree};
use promptgate_core::check;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_engine::calibrate::{self, Labels};
use promptgate_engine::judge::Judge;

/// Reads labelled answers; also returns the digest of the rows, and warnings.
///
/// # Errors
/// Invalid rows, rows without a field that the judge needs, and a file without any rating.
pub(super) fn read(
    options: &CalibrateOptions,
    settings: &Settings,
    judge: &Judge,
) -> Result<(Labels, String, Vec<String>), Failure> {
    let path = options.labels.display().to_string();
    let here = sources::current_folder()?;
    let source = DatasetSource {
        path: path.clone(),
        // Several rows may rate one answer, so an id does not identify a row.
        shared_ids: Some(calibrate::ID.to_owned()),
        ..DatasetSource::default()
    };
    let loaded = files::dataset(&Tree::work_tree(&here), &source).map_err(|error| match error {
        LoadError::Diagnostics(diagnostics) => Failure::from(diagnostics),
        LoadError::Empty(diagnostic) => Failure::Nothing(diagnostic),
    })?;
    let digest = loaded.value.facts.digest.clone();
    let mut labels = calibrate::labels(loaded.value.cases, options.by.as_deref())?;
    // A label may hold the whole answer, or only the text that people and the judge see.
    for answer in labels.answers.iter_mut().filter(|answer| answer.response.trim_start().starts_with('{')) {
        let text = check::answer::extract(&answer.response, settings.answer_field.as_deref());
        answer.extracted = text.map(|text| text.to_string());
    }
    let mut lacking = labels
        .answers
        .iter()
        .filter_map(|answer| Some((answer, missing_fields(judge, &answer.case).next()?)));
    if let Some((answer, field)) = lacking.next() {
        let message = format!("label {}: `{}` needs `{field}`", answer.id, judge.name());
        let help = "every label needs the fields that the judge reads";
        return Err(Diagnostic::new(message).at(answer.case.place.clone()).help(help).into());
    }
    if labels.answers.iter().all(|answer| answer.ratings.is_empty()) {
        let diagnostic =
            Diagnostic::new("no row has a label: `human` is missing or empty").at(Place::file(path));
        return Err(Failure::Nothing(diagnostic.help("add `human`: true, false, or a number from 0 to 1")));
    }
    Ok((labels, digest, loaded.warnings))
}
