//! Labelled answers: rows of answers with ratings of people.

use std::collections::BTreeMap;

use serde_json::Value;

use super::CalibrateOptions;
use crate::app::Failure;
use crate::app::sources;
use crate::app::suite::missing_fields;
use crate::config::Settings;
use promptgate_adapters::files::{self, DatasetSource, LoadError, Tree};
use promptgate_core::check;
use promptgate_core::model::{Case, Diagnostic, Place};
use promptgate_core::text::neutral;
use promptgate_engine::calibrate::{self, Labels};
use promptgate_engine::judge::Judge;

/// The column with the metric that a label is for.
const METRIC: &str = "metric";
/// Other metrics that a message names.
const NAMED: usize = 5;

/// Reads labelled answers for one metric; also returns the digest of the rows, and warnings.
///
/// # Errors
/// Invalid rows, rows for other metrics alone, rows without a field that the judge needs, and a file without any rating.
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
    let OfMetric { rows, warning } = of_metric(loaded.value.cases, judge.name())?;
    let mut warnings = loaded.warnings;
    let digest = match &warning {
        Some(_) => files::digest(&rows),
        None => loaded.value.facts.digest,
    };
    warnings.extend(warning);
    let mut labels = calibrate::labels(rows, options.by.as_deref())?;
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
    Ok((labels, digest, warnings))
}

/// The rows that are labels for a metric.
struct OfMetric {
    rows: Vec<Case>,
    /// Says that others are left out.
    warning: Option<String>,
}

/// Selects the rows whose column `metric` names the metric. Rows without one are for whatever is calibrated.
///
/// # Errors
/// A name that is not a text, and no row for the metric: labels of another question say nothing about its judge.
fn of_metric(rows: Vec<Case>, metric: &str) -> Result<OfMetric, Failure> {
    let place = rows.first().map(|row| row.place.clone());
    let mut others: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        match row.vars.get(METRIC) {
            None => kept.push(row),
            Some(Value::String(of)) if of == metric => kept.push(row),
            Some(Value::String(of)) => *others.entry(shown(of)).or_default() += 1,
            Some(_) => {
                let diagnostic =
                    Diagnostic::new(format!("label {}: `{METRIC}` must be a text", shown(&row.id)));
                return Err(diagnostic.at(row.place).help("expected the name of a metric").into());
            }
        }
    }
    let Some((first, _)) = others.first_key_value() else {
        return Ok(OfMetric { rows: kept, warning: None });
    };
    let count: usize = others.values().sum();
    let named: Vec<&str> = others.keys().take(NAMED).map(String::as_str).collect();
    let more = if others.len() > NAMED { ", …" } else { "" };
    let named = format!("{}{more}", named.join(", "));
    if kept.is_empty() {
        let diagnostic = Diagnostic::new(format!("no label is for `{metric}`: all are for {named}"));
        let diagnostic = diagnostic.help(format!(
            "name the metric of the labels with `--metric {first}`, or label the answers for `{metric}`"
        ));
        return Err(place.map_or(diagnostic.clone(), |place| diagnostic.at(place)).into());
    }
    let labels = if count == 1 { "1 label is" } else { &format!("{count} labels are") };
    Ok(OfMetric { rows: kept, warning: Some(format!("{labels} left out: for other metrics ({named})")) })
}

fn shown(text: &str) -> String {
    neutral::clip(&neutral::terminal(text), 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(metric: Option<Value>) -> Case {
        let vars = metric.map(|metric| (METRIC.to_owned(), metric)).into_iter().collect();
        Case { id: "a".to_owned(), vars, ..Case::default() }
    }

    #[test]
    fn labels_of_other_metrics_are_left_out_and_counted() {
        let rows = vec![row(Some(json!("relevance"))), row(None), row(Some(json!("faithfulness")))];
        let of = of_metric(rows.clone(), "relevance").unwrap();
        assert_eq!(
            (of.rows.len(), of.warning.as_deref()),
            (2, Some("1 label is left out: for other metrics (faithfulness)"))
        );
        assert!(of_metric(vec![row(None)], "relevance").unwrap().warning.is_none());
        let refused = |rows, metric| match of_metric(rows, metric) {
            Err(Failure::Diagnostics(diagnostics)) => diagnostics.to_string(),
            other => panic!("{:?}", other.map(|of| of.rows.len())),
        };
        let message = refused(vec![row(Some(json!("faithfulness")))], "relevance");
        assert!(message.contains("no label is for `relevance`: all are for faithfulness"), "{message}");
        assert!(message.contains("--metric faithfulness"), "{message}");
        assert!(refused(vec![row(Some(json!(1)))], "relevance").contains("must be a text"));
    }
}
