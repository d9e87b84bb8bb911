//! Parsing of label rows into answers with their ratings.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use promptgate_core::model::{Case, Diagnostic, Diagnostics, Place};

/// The variable with the id of an answer. It is not the id of a case, since several rows may share it.
pub const ID: &str = "answer_id";

/// An answer with its ratings by people, if any.
#[derive(Debug, Clone, PartialEq)]
pub struct LabeledAnswer {
    /// The id of its first row, or the number of that row.
    pub id: String,
    /// The question with its context.
    pub case: Case,
    /// The answer.
    pub response: String,
    /// The text for the judge; `Err` holds the reason why there is none.
    pub extracted: Result<String, String>,
    /// The ratings in 0..=1, one per rater.
    pub ratings: Vec<f64>,
    /// Slices that it belongs to: its tags, or the value of a column.
    pub slices: Vec<String>,
}

impl LabeledAnswer {
    /// The mean of the ratings; `None` without one.
    pub fn human(&self) -> Option<f64> {
        (!self.ratings.is_empty()).then(|| self.ratings.iter().sum::<f64>() / self.ratings.len() as f64)
    }
}

/// The answers of a label file.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// The answers, in the order of their first rows.
    pub answers: Vec<LabeledAnswer>,
    /// Whether a rating is neither 0 nor 1.
    pub graded: bool,
}

/// Parses the rows of a label file. Rows with a `rater` and the same id, question, context and answer are ratings of one
/// answer; any other row is a separate answer. Ids that number the ratings, so that none occurs twice, do not count.
///
/// A row has `response`; `human` is true, false or a number in 0..=1, or absent for an answer without a rating. The
/// values of the column `by` are slices; without it tags are, or the column `model` if no row has tags.
///
/// # Errors
/// Every row without a response or with an invalid rating.
pub fn labels(rows: Vec<Case>, by: Option<&str>) -> Result<Labels, Diagnostics> {
    if let Some(by) = by.filter(|by| rows.iter().all(|row| !row.vars.contains_key(*by))) {
        let diagnostic = Diagnostic::new(format!("no row has the column `{by}`")).at(Place::file("--by"));
        return Err(diagnostic.help("name a column of the labels").into());
    }
    let has_tags = rows.iter().any(|row| !row.tags.is_empty());
    let column = by.or((!has_tags).then_some("model"));
    let mut diagnostics = Vec::new();
    let mut answers: Vec<LabeledAnswer> = Vec::new();
    let by_id = ids_name_answers(&rows);
    let mut index_by_key: HashMap<Key, usize> = HashMap::new();
    let mut raters: HashSet<(usize, String)> = HashSet::new();
    for mut row in rows {
        let place = row.place.clone();
        let error = |message: String, help: &str| Diagnostic::new(message).at(place.clone()).help(help);
        let id = row.vars.get(ID).map_or_else(|| row.id.clone(), to_text);
        let Some(Value::String(response)) = row.vars.shift_remove("response") else {
            diagnostics.push(error(
                format!("label {id}: `response` must be the text of the answer"),
                "a row is {\"query\": …, \"context\": …, \"response\": …, \"human\": true}",
            ));
            continue;
        };
        let rating = match row.vars.shift_remove("human").as_ref().map(rating) {
            None => None,
            Some(Some(rating)) => Some(rating),
            Some(None) => {
                diagnostics.push(error(
                    format!("label {id}: `human` must be true, false or a number from 0 to 1"),
                    "leave it out if nobody rated the answer",
                ));
                continue;
            }
        };
        let slices = match column {
            Some(column) => row.vars.get(column).map(to_text).into_iter().collect(),
            None => row.tags.clone(),
        };
        let rater = row.vars.shift_remove("rater").as_ref().map(to_text);
        let key = key(&row, &response, by_id);
        let index = match rater.as_ref().and_then(|_| index_by_key.get(&key)) {
            Some(index) => *index,
            None => {
                let extracted = Ok(response.clone());
                answers.push(LabeledAnswer {
                    id: id.clone(),
                    case: row,
                    response,
                    extracted,
                    ratings: Vec::new(),
                    slices,
                });
                answers.len() - 1
            }
        };
        if let Some(rater) = rater {
            index_by_key.insert(key, index);
            if !raters.insert((index, rater.clone())) {
                diagnostics.push(error(
                    format!("label {id}: {rater} has already rated this answer"),
                    "keep one rating per rater, or give the raters different names",
                ));
            }
        }
        answers[index].ratings.extend(rating);
    }
    if !diagnostics.is_empty() {
        return Err(Diagnostics(diagnostics));
    }
    let graded =
        answers.iter().flat_map(|answer| &answer.ratings).any(|rating| *rating != 0.0 && *rating != 1.0);
    Ok(Labels { answers, graded })
}

/// The common part of the rows of one answer: id, model, question, context and answer.
type Key = (Option<String>, Option<String>, String, Option<String>, String);

fn key(row: &Case, response: &str, by_id: bool) -> Key {
    let variable = |name: &str| row.vars.get(name).map(to_text);
    let id = variable(ID).filter(|_| by_id);
    (id, variable("model"), row.query.clone(), row.context_text(), response.to_owned())
}

/// Whether ids name answers, not single ratings: one occurs twice, or without ids a rater would have rated an answer twice.
fn ids_name_answers(rows: &[Case]) -> bool {
    let mut ids: HashSet<String> = HashSet::new();
    let mut raters: HashSet<(Key, String)> = HashSet::new();
    rows.iter().any(|row| {
        let Some(rater) = row.vars.get("rater").map(to_text) else { return false };
        let Some(id) = row.vars.get(ID).map(to_text) else { return false };
        let response = row.vars.get("response").and_then(Value::as_str).unwrap_or_default();
        !ids.insert(id) || !raters.insert((key(row, response, false), rater))
    })
}

/// A rating in 0..=1, which is a text in a CSV file.
fn rating(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Bool(rating) => f64::from(u8::from(*rating)),
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" => 1.0,
            "false" => 0.0,
            other => other.parse().ok()?,
        },
        _ => return None,
    };
    (0.0..=1.0).contains(&number).then_some(number)
}

fn to_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
