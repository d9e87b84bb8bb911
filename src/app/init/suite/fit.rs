//! Whether a dataset has what a prompt needs, and which column is which.

use std::collections::BTreeMap;

use serde_json::Value;

use super::roles;
use super::task::labels_among;
use crate::app::init::survey::FoundPrompt;
use crate::app::init::survey::recognize::parse;
use promptgate_adapters::files::{DatasetBytes, DatasetSource, LoadError, parse_dataset, parse_valid_rows};
use promptgate_core::model::{Case, Diagnostic};
use promptgate_core::template::{variables, verify};

/// The user message of a text prompt.
pub(super) const USER: &str = "{{query}}";

/// The user message where the prompt takes all data by its placeholders.
pub(super) const CONSTANT: &str = "Please answer.";

/// A dataset that fits a prompt.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    /// `fields` of the configuration: field, or `vars.NAME`, and its column.
    pub(super) fields: BTreeMap<String, String>,
    pub(super) cases: Vec<Case>,
    /// Whether a column is what the user writes; without one, the prompt takes all data by its placeholders.
    pub(super) has_question: bool,
    /// Columns that neither the prompt nor a field takes, and the labels of those that look like it.
    pub(super) unused: Vec<String>,
    /// The format and the tool that it is from, as `check` prints it.
    pub(super) format: String,
}

impl Fit {
    /// Whether every case has passages.
    pub(super) fn has_context(&self) -> bool {
        self.cases.iter().all(|case| case.context.is_some())
    }

    /// Whether every case has a question.
    pub(super) fn has_query(&self) -> bool {
        self.cases.iter().all(Case::has_query)
    }

    /// Whether every case has a reference answer.
    pub(super) fn has_expected(&self) -> bool {
        self.cases.iter().all(|case| case.expected.is_some())
    }
}

/// The columns of cases that were read without a mapping.
fn columns(cases: &[Case]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    };
    for case in cases.iter().take(100) {
        variables(case).names().into_iter().filter(|name| *name != "id").for_each(&mut add);
        if case.expected.is_some() {
            add("expected");
        }
    }
    names
}

/// Column and field, where rows are read as those of another tool: `csv, read as Ragas: question ▸ query, …`.
fn recognized(format: &str) -> Vec<(String, String)> {
    let Some((_, pairs)) = format.split_once("read as ").and_then(|(_, rest)| rest.split_once(": ")) else {
        return Vec::new();
    };
    let pairs = pairs.split(", ").filter_map(|pair| pair.split_once(" ▸ "));
    pairs.map(|(column, field)| (column.to_owned(), field.to_owned())).collect()
}

/// Reads a dataset for a prompt, with the mapping of its columns.
///
/// # Errors
/// The file cannot be read as a dataset, or lacks a column for a placeholder.
pub(super) fn fit(prompt: &FoundPrompt, bytes: &DatasetBytes) -> Result<Fit, Diagnostic> {
    let plain = DatasetSource { path: bytes.name.clone(), ..DatasetSource::default() };
    let (parsed, mut cases) = parse_valid_rows(bytes.clone(), &plain);
    if let Ok(loaded) = &parsed {
        cases.clone_from(&loaded.value.cases);
    }
    if cases.is_empty() {
        return Err(parsed.err().map_or_else(|| Diagnostic::new("it has no rows"), first));
    }
    let read_as = parsed.as_ref().map(|loaded| recognized(&loaded.value.facts.format)).unwrap_or_default();
    let columns = columns(&cases);
    let Mapping { mut fields, has_question } = mapping(prompt, &columns, &read_as, &cases);
    let unused = unused(prompt, &columns, &read_as, &fields, &cases);
    // A column whose name resembles that of a field is an error unless it is mapped.
    let format = parsed.map(|loaded| loaded.value.facts.format).unwrap_or_default();
    for _ in 0..columns.len() {
        let source = DatasetSource { fields: fields.clone(), ..plain.clone() };
        match parse_dataset(bytes.clone(), &source) {
            Ok(loaded) => {
                verified(prompt, &loaded.value.cases, &columns, has_question)?;
                let format = if format.is_empty() { loaded.value.facts.format } else { format };
                return Ok(Fit { fields, cases: loaded.value.cases, has_question, unused, format });
            }
            Err(error) => {
                let error = first(error);
                let named =
                    error.message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
                match named {
                    Some((column, _)) if !fields.values().any(|known| known == column) => {
                        fields.insert(format!("vars.{column}"), column.to_owned());
                    }
                    _ => return Err(error),
                }
            }
        }
    }
    Err(Diagnostic::new("its columns cannot be read"))
}

fn first(error: LoadError) -> Diagnostic {
    match error {
        LoadError::Empty(diagnostic) => diagnostic,
        LoadError::Diagnostics(errors) => {
            errors.0.into_iter().next().unwrap_or_else(|| Diagnostic::new("it cannot be read"))
        }
    }
}

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
fn unused(
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
struct Mapping {
    fields: BTreeMap<String, String>,
    /// Whether a column is what the user writes.
    has_question: bool,
}

/// The mapping of columns to fields and variables.
fn mapping(
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

/// Verifies that every case has what the prompt inserts, and a question.
fn verified(
    prompt: &FoundPrompt,
    cases: &[Case],
    columns: &[String],
    has_question: bool,
) -> Result<(), Diagnostic> {
    let missing: Vec<String> = prompt
        .placeholders
        .iter()
        .filter(|name| !cases.iter().all(|case| variables(case).has(name)))
        .map(|name| format!("{{{{{name}}}}}"))
        .collect();
    let has = |list: &[String]| list.join(", ");
    if !missing.is_empty() {
        let message =
            format!("it has no value for {} in every row; its columns are {}", has(&missing), has(columns));
        return Err(Diagnostic::new(message));
    }
    // Without a placeholder, nothing of a row would reach the model.
    if prompt.is_text
        && (has_question || prompt.placeholders.is_empty())
        && !cases.iter().all(Case::has_query)
    {
        return Err(Diagnostic::new(format!("no column is the question; its columns are {}", has(columns))));
    }
    let user = if has_question { USER } else { CONSTANT };
    let Ok(parsed) = parse(&prompt.path, &prompt.bytes, user) else { return Ok(()) };
    verify(&parsed.variant, cases).into_iter().next().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use promptgate_adapters::files::DatasetFile;

    fn dataset(name: &str, text: &str) -> DatasetBytes {
        let bytes = Ok(text.as_bytes().to_vec());
        let file = DatasetFile { name: name.to_owned(), path: name.to_owned(), bytes };
        DatasetBytes { name: name.to_owned(), files: Ok(vec![file]) }
    }

    fn fitted(prompt: &str, name: &str, rows: &str) -> Result<String, String> {
        let prompt = FoundPrompt::of_text("p.txt", prompt);
        let found = fit(&prompt, &dataset(name, rows)).map_err(|error| error.message)?;
        Ok(found
            .fields
            .iter()
            .map(|(field, column)| format!("{field}={column}"))
            .collect::<Vec<_>>()
            .join(" "))
    }

    #[test]
    fn columns_are_mapped_to_fields_and_placeholders() {
        for (prompt, name, rows, expected) in [
            ("From {{context}}.", "a.csv", "query,context\nq,c\n", ""),
            (
                "From {{context}}.",
                "a.csv",
                "question,context,answer\nq,c,a\n",
                "expected=answer query=question",
            ),
            (
                "{{passages}} {{question}}",
                "a.csv",
                "Question,context\nq,c\n",
                "context=context query=Question vars.passages=context vars.question=Question",
            ),
            (
                "{{question}}",
                "a.jsonl",
                "{\"question\": \"q\", \"contexts\": [\"c\"], \"ground_truth\": \"g\"}\n",
                "context=contexts expected=ground_truth query=question vars.question=question",
            ),
            ("{{question}}", "a.csv", "query\nq\n", "query=query vars.question=query"),
            ("Label {{text}}.", "a.csv", "text,label\nt,l\n", "expected=label query=text vars.text=text"),
            (
                "Hello {{customer_name}}: {{query}}",
                "a.csv",
                "query,Customer Name\nq,n\n",
                "vars.customer_name=Customer Name",
            ),
            ("Be kind.", "a.csv", "contxt,query\nc,q\n", "vars.contxt=contxt"),
            (
                "{{customer_name}} {{article}}",
                "a.csv",
                "user_input,customer_name,article,golden_answer\nWhy is it so?,Ana,It is so.,So.\n",
                "expected=golden_answer query=user_input",
            ),
            ("Sum up {{article}}.", "a.csv", "article,remark\nIt is so.,Not so long ago.\n", ""),
            (
                "Sum up {{article}}.",
                "a.csv",
                "article,size\nIt is so.,3\n",
                "query=article vars.article=article",
            ),
            (
                "Decide {{request}}.",
                "a.csv",
                "request,decision\na b,yes\nc d,no\ne f,no\ng h,yes\n",
                "expected=decision query=request vars.request=request",
            ),
        ] {
            assert_eq!(fitted(prompt, name, rows), Ok(expected.to_owned()), "{prompt} {rows}");
        }
    }

    #[test]
    fn missing_columns_are_named() {
        for (prompt, name, rows, expected) in [
            ("{{tone}} {{query}}", "a.csv", "query\nq\n", "no value for {{tone}}"),
            ("Be kind.", "a.csv", "size,color\n1,red\n", "no column is the question"),
            ("Be kind.", "a.csv", "ticket,label\nt,l\n", "no column is the question"),
            ("{{question}}", "a.csv", "ticket,label\nt,l\n", "no value for {{question}}"),
            ("Be kind.", "a.json", "{\"name\": \"x\"}", "must be a list"),
            ("Be kind.", "a.csv", "", "has no rows"),
        ] {
            let error = fitted(prompt, name, rows).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
