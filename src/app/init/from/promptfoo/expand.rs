//! Values of variables: texts in files, and every combination of lists.

use serde_json::{Map, Value};

use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostic, Diagnostics};

use super::super::sources::{extension, normal};
use super::super::template::{Dialect, names, render, value_at};
use super::Reader;
use super::tests::Test;

/// Maximum number of cases of one configuration.
const MAX_CASES: usize = 100_000;
/// Rounds in which values may refer to other values.
const MAX_ROUNDS: usize = 5;
/// Kinds of files that are not text.
const NOT_TEXT: [&str; 16] = [
    "js", "mjs", "cjs", "ts", "py", "rb", "pdf", "png", "jpg", "jpeg", "gif", "webp", "mp3", "wav", "mp4",
    "docx",
];

impl Reader<'_> {
    /// The variables of each case that a test stands for.
    pub(super) fn expanded(
        &mut self,
        test: &Test,
        so_far: usize,
    ) -> Result<Vec<Map<String, Value>>, Diagnostics> {
        let mut rows: Vec<Map<String, Value>> = vec![Map::new()];
        for (name, value) in &test.vars {
            let values = self.values(name, value, test)?;
            if so_far + rows.len() * values.len() > MAX_CASES {
                let message = format!("the lists of variables make more than {MAX_CASES} cases");
                return Err(Diagnostic::new(message)
                    .at(test.place.clone())
                    .help("shorten the lists, and import again")
                    .into());
            }
            let combine = |row: &Map<String, Value>, value: &Value| {
                let mut row = row.clone();
                row.insert(name.clone(), value.clone());
                row
            };
            rows = rows.iter().flat_map(|row| values.iter().map(|value| combine(row, value))).collect();
        }
        for row in &mut rows {
            self.insert_values(row, test);
        }
        Ok(rows)
    }

    /// The values of a variable: each of a list is a case.
    fn values(&mut self, name: &str, value: &Value, test: &Test) -> Result<Vec<Value>, Diagnostics> {
        match value {
            Value::Array(items) if !test.keeps_lists => {
                let mut values = Vec::new();
                for item in items {
                    values.extend(self.values(name, item, test)?);
                }
                Ok(values)
            }
            Value::String(text) => match text.strip_prefix("file://") {
                Some(path) => self.files_of_variable(name, path, test),
                None => Ok(vec![value.clone()]),
            },
            other => Ok(vec![other.clone()]),
        }
    }

    fn files_of_variable(&mut self, name: &str, path: &str, test: &Test) -> Result<Vec<Value>, Diagnostics> {
        let paths = if path.contains('*') {
            (self.sources.list)(&normal(path))
                .map_err(|error| Diagnostic::new(error).at(test.place.clone()))?
        } else {
            vec![self.sources.resolve(path, &test.file)]
        };
        let mut values = Vec::new();
        for path in paths {
            let kind = extension(path.rsplit_once(':').map_or(path.as_str(), |(path, _)| path));
            if NOT_TEXT.contains(&kind.as_str()) {
                let help = "write the text itself into the dataset";
                self.draft.note(
                    &test.place,
                    format!("the variable `{name}` comes from `{path}`, which is not text"),
                    help,
                );
                values.push(Value::from(""));
                continue;
            }
            let text = self.sources.text(&path, &test.place)?;
            let value = match kind.as_str() {
                "yaml" | "yml" => Document::yaml(&self.sources.shown(&path), &text)?.into_value(),
                _ => Value::from(text.trim()),
            };
            values.push(value);
        }
        Ok(values)
    }

    /// Inserts variables into the values of others.
    fn insert_values(&mut self, row: &mut Map<String, Value>, test: &Test) {
        for _ in 0..MAX_ROUNDS {
            let before = row.clone();
            for (name, value) in row.iter_mut() {
                let Value::String(text) = value else { continue };
                if !text.contains("{{") && !text.contains("{%") {
                    continue;
                }
                let lookup =
                    |other: &str| value_at(&before, other).filter(|_| other != name.as_str()).cloned();
                match render(text, Dialect::Nunjucks, &lookup) {
                    // A name that no variable has is text, such as an example of a template.
                    Ok(inserted)
                        if names(text, Dialect::Nunjucks).iter().all(|name| lookup(name).is_some()) =>
                    {
                        *text = inserted;
                    }
                    Ok(_) => {}
                    Err(logic) => {
                        let message = format!("`{logic}` in the variable `{name}` is not a plain variable");
                        self.draft.note(&test.place, message, "write the finished text");
                    }
                }
            }
            if before == *row {
                break;
            }
        }
    }
}
