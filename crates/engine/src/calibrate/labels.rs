//! Rows of labels into answers: what was answered, and what people said of it.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use promptgate_core::model::{Case, Diagnostic, Diagnostics, Place};

/// The variable that holds the id of an answer: several rows may share it, so it is no id of a case.
pub const ID: &str = "answer_id";

/// An answer that may have been rated by people.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its id: that of its first row, or the row's number.
    pub id: String,
    /// What was asked, with the context.
    pub case: Case,
    /// The answer.
    pub response: String,
    /// What the judge reads of it; `Err` holds why there is nothing to read.
    pub read: Result<String, String>,
    /// The ratings in 0..=1, one per rater; empty where nobody rated it.
    pub ratings: Vec<f64>,
    /// What it is counted under, beside the whole: its tags, or the value of a column.
    pub slices: Vec<String>,
}

impl Answer {
    /// What people say of it: the mean of the ratings; `None` where nobody rated it.
    pub fn human(&self) -> Option<f64> {
        (!self.ratings.is_empty()).then(|| self.ratings.iter().sum::<f64>() / self.ratings.len() as f64)
    }
}

/// The answers of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// In the order of their first rows.
    pub answers: Vec<Answer>,
    /// Whether some rating is neither 0 nor 1.
    pub graded: bool,
}

/// Reads the rows of a file of labels. Rows with a `rater` that have the same question, context and answer are ratings
/// of one answer, whatever their ids; any other row is an answer of its own.
///
/// A row has `response`; `human` is true, false or a number in 0..=1, and absent where the answer is not rated. `by`
/// names the column whose values make slices; without it, tags do, and where no row has any, `model`.
///
/// # Errors
/// Every row without a response, or with a rating that is none.
pub fn labels(rows: Vec<Case>, by: Option<&str>) -> Result<Labels, Diagnostics> {
    if let Some(by) = by.filter(|by| rows.iter().all(|row| !row.vars.contains_key(*by))) {
        let diagnostic = Diagnostic::new(format!("no row has the column `{by}`")).at(Place::file("--by"));
        return Err(diagnostic.help("name a column of the labels").into());
    }
    let tagged = rows.iter().any(|row| !row.tags.is_empty());
    let column = by.or((!tagged).then_some("model"));
    let mut diagnostics = Vec::new();
    let mut answers: Vec<Answer> = Vec::new();
    // Answers with their raters, by question, context and answer.
    let mut known: HashMap<(String, Option<String>, String), usize> = HashMap::new();
    let mut raters: HashSet<(usize, String)> = HashSet::new();
    for mut row in rows {
        let place = row.place.clone();
        let wrong = |message: String, help: &str| Diagnostic::new(message).at(place.clone()).help(help);
        let id = row.vars.get(ID).map_or_else(|| row.id.clone(), plain);
        let Some(Value::String(response)) = row.vars.shift_remove("response") else {
            diagnostics.push(wrong(
                format!("label {id}: `response` must be the text of the answer"),
                "a row is {\"query\": …, \"context\": …, \"response\": …, \"human\": true}",
            ));
            continue;
        };
        let rating = match row.vars.shift_remove("human").as_ref().map(rating) {
            None => None,
            Some(Some(rating)) => Some(rating),
            Some(None) => {
                diagnostics.push(wrong(
                    format!("label {id}: `human` must be true, false or a number from 0 to 1"),
                    "leave it out where nobody rated the answer",
                ));
                continue;
            }
        };
        let slices = match column {
            Some(column) => row.vars.get(column).map(plain).into_iter().collect(),
            None => row.tags.clone(),
        };
        let rater = row.vars.shift_remove("rater").as_ref().map(plain);
        let key = (row.query.clone(), row.context_text(), response.clone());
        let index = match rater.as_ref().and_then(|_| known.get(&key)) {
            Some(index) => *index,
            None => {
                let read = Ok(response.clone());
                answers.push(Answer {
                    id: id.clone(),
                    case: row,
                    response,
                    read,
                    ratings: Vec::new(),
                    slices,
                });
                answers.len() - 1
            }
        };
        if let Some(rater) = rater {
            known.insert(key, index);
            if !raters.insert((index, rater.clone())) {
                diagnostics.push(wrong(
                    format!("label {id}: {rater} rated this answer already"),
                    "keep one rating of each rater, or name the raters apart",
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

/// A rating in 0..=1; a CSV file knows texts alone.
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

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
