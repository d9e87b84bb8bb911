//! Whether a dataset has what a prompt needs, and which column is which.

use std::collections::BTreeMap;

use super::mapping::{Mapping, mapping, unused};
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
