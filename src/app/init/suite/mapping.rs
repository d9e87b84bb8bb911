//! Which column is which field or variable, and which column nothing takes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::roles;
use super::task::labels_among;
use crate::app::init::survey::FoundPrompt;
use promptgate_core::model::Case;

/// The values of a column.
fn values<'c>(cases: &'c [Case], column: &'c str) -> impl Iterator<Item = Option<&'c Value>> {
    cases.iter().map(move |case| case.vars.get(column))
}

/// Whether a column holds sentences.
fn is_prose(cases: &[Case], column: &str) -> bool {
    let is_sentence = |value: &&Value| value.as_str().is_some_and(|text| text.trim().contains(' '));
    values(cases, column).flatten().filter(is_sentence).count() * 2 > cases.len()
}

/// The columns that nothing takes.
pub(super) fn unused(
    prompt: &FoundPrompt,
    columns: &[String],
    read_as: &[(String, String)],
    fields: &BTreeMap<String, String>,
    cases: &[Case],
) -> Vec<String> {
    let is_unused = |column: &&String| {
        !fields.values().any(|used| used == *column)
            && !prompt.placeholders.iter().any(|name| name.split('.').next() == Some(column.as_str()))
            && !read_as.iter().any(|(read, _)| read == *column)
            && !super::drafts::FIELDS.contains(&column.as_str())
    };
    let labelled = |column: &String| match labels_among(values(cases, column)) {
        Some(labels) => format!("{column} (looks like labels: {})", labels.join(", ")),
        None => column.clone(),
    };
    columns.iter().filter(is_unused).map(labelled).collect()
}

/// The column whose few values are what the prompt decides: by its name, or because the prompt names each of them.
fn decision<'n>(prompt: &FoundPrompt, names: &[&'n str], cases: &[Case]) -> Option<&'n str> {
    let text = String::from_utf8_lossy(&prompt.bytes).to_lowercase();
    let decides = |name: &&&str| {
        labels_among(values(cases, name)).is_some_and(|labels| {
            roles::is_decision(name) || labels.iter().all(|label| text.contains(&label.to_lowercase()))
        })
    };
    names.iter().find(decides).copied()
}

/// Fields with their columns.
pub(super) struct Mapping {
    pub(super) fields: BTreeMap<String, String>,
    /// Whether a column is what the user writes.
    pub(super) has_question: bool,
}

/// The mapping of columns to fields and variables.
pub(super) fn mapping(
    prompt: &FoundPrompt,
    columns: &[String],
    read_as: &[(String, String)],
    cases: &[Case],
) -> Mapping {
    let mut fields = BTreeMap::new();
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let asked = roles::asked(&prompt.placeholders);
    let placeholders: Vec<&str> = prompt.placeholders.iter().map(String::as_str).collect();
    let passages = roles::passages(&placeholders);
    // The column of a field: recognized, or by its own name, or by one that means it.
    let column_of = |field: &str, likely: Option<&str>| -> Option<String> {
        let known = read_as.iter().find(|(_, read)| read == field).map(|(column, _)| column.clone());
        known
            .or_else(|| names.contains(&field).then(|| field.to_owned()))
            .or_else(|| likely.map(str::to_owned))
    };
    let like = |placeholder: Option<&str>| {
        let placeholder = roles::plain(placeholder?);
        names.iter().find(|name| roles::plain(name) == placeholder).copied()
    };
    let inputs: Vec<&str> = names.iter().filter(|name| **name != "expected").copied().collect();
    // A `ticket` is not the `question` of another prompt.
    let other = match asked {
        // Without a placeholder, the prompt has to speak of a `ticket`.
        None => {
            let text = String::from_utf8_lossy(&prompt.bytes).to_lowercase();
            let is_named = |name: &&str| text.contains(&roles::plain(name).replace('_', " "));
            roles::asks(&inputs).or_else(|| roles::question(&inputs).filter(is_named))
        }
        Some(name) if roles::asks(&[name]).is_some() => roles::asks(&inputs),
        Some(_) => None,
    };
    let is_input = |name: &&str| !placeholders.iter().any(|known| roles::plain(known) == roles::plain(name));
    let rest: Vec<&str> = names.iter().filter(|name| is_input(name)).copied().collect();
    let expected = column_of("expected", roles::reference(&rest).or_else(|| decision(prompt, &rest, cases)));
    let is_free = |name: &&str| Some(*name) != expected.as_deref() && *name != "expected";
    let free: Vec<&str> = rest.iter().filter(|name| is_free(name)).copied().collect();
    // A prompt that takes an article by a placeholder leaves the question to the user.
    let is_written = |name: &str| roles::message(&[name]).is_some();
    let written = asked.filter(|name| !is_written(name)).and_then(|_| roles::message(&free));
    let mut query = column_of("query", written.or(like(asked)).or(other));
    let is_message = |column: &String| is_input(&column.as_str()) || is_written(column);
    let has_question = query.as_ref().is_some_and(is_message);
    if !has_question && free.iter().any(|name| is_prose(cases, name)) {
        query = None;
    }
    let context = column_of("context", like(passages).or_else(|| roles::passages(&inputs)));
    for (field, column) in [("query", &query), ("context", &context), ("expected", &expected)] {
        if let Some(column) = column.as_ref().filter(|column| *column != field) {
            fields.insert(field.to_owned(), column.clone());
        }
    }
    for name in placeholders.iter().filter(|name| !["query", "context", "id"].contains(name)) {
        let column = if Some(*name) == asked && written.is_none() { query.clone() } else { None };
        let column = column.or_else(|| if Some(*name) == passages { context.clone() } else { None });
        let Some(column) = column.or_else(|| like(Some(name)).map(str::to_owned)) else { continue };
        let is_taken = fields.values().any(|taken| *taken == column);
        for field in ["query", "context"] {
            // A column that becomes a variable as well has to be named as the field, too.
            if column == field && column != *name {
                fields.insert(field.to_owned(), column.clone());
            }
        }
        if column != *name || is_taken {
            fields.insert(format!("vars.{name}"), column);
        }
    }
    Mapping { fields, has_question }
}
