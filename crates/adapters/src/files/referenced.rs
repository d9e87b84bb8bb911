//! Values that a dataset keeps in files of their own.
//!
//! Only the configuration says which fields hold paths, so that a row cannot have a file read by itself.

use std::collections::BTreeMap;

use serde_json::Value;

use promptgate_core::model::{Case, Diagnostic, Diagnostics, Place};

use super::dataset::DatasetSource;
use super::defaults::file_fields;
use super::diagnostics::DiagnosticSink;
use super::field::kind;
use super::tree::{Tree, decode};

/// Maximum size of a file that a value is read from: 4 MiB.
pub const VALUE_LIMIT: u64 = 4 << 20;

/// Maximum size of all values of a dataset that are read from files, in bytes: 256 MiB.
const MAX_TOTAL: usize = 256 << 20;

/// Replaces the paths in the fields that `source.files` lists by the text of these files, without the line break at their
/// end, and returns the paths. Paths are relative to the configuration; files outside the repository and symbolic links are
/// refused.
///
/// # Errors
/// Every case with a value that is not a path, or with a file that cannot be read; and a field that no case has.
pub fn read_values(
    tree: &Tree,
    source: &DatasetSource,
    cases: &mut [Case],
) -> Result<Vec<String>, Diagnostics> {
    let fields = file_fields(&source.files);
    if fields.is_empty() || cases.is_empty() {
        return Ok(Vec::new());
    }
    let guarded = match tree {
        Tree::WorkTree { root, within: None, .. } => Tree::guarded(root)?,
        other => other.clone(),
    };
    let mut reader = ValueReader { tree: guarded, read: BTreeMap::new(), total: 0 };
    let mut sink = DiagnosticSink::default();
    for field in &fields {
        let mut is_used = false;
        for case in cases.iter_mut() {
            match reader.replace(case, field) {
                Ok(found) => is_used |= found,
                Err(diagnostic) => {
                    is_used = true;
                    sink.push(diagnostic.at(case.place.clone()));
                }
            }
        }
        if !is_used {
            let message = format!("`dataset.files` lists `{field}`, but no row has it");
            sink.push(Diagnostic::new(message).at(Place::file(&source.path)));
        }
    }
    sink.into_result().map(|()| reader.read.into_keys().collect())
}

/// Reads every file once.
struct ValueReader {
    tree: Tree,
    read: BTreeMap<String, Result<String, Diagnostic>>,
    total: usize,
}

impl ValueReader {
    /// Replaces the value of a field; `false` where the case does not have it.
    fn replace(&mut self, case: &mut Case, field: &str) -> Result<bool, Diagnostic> {
        match field {
            "query" if !case.has_query() => Ok(false),
            "query" => {
                case.query = self.text(field, &case.query)?;
                case.is_query_empty = case.query.is_empty();
                Ok(true)
            }
            "context" => {
                let Some(paths) = &case.context else { return Ok(false) };
                let texts: Result<Vec<String>, Diagnostic> =
                    paths.iter().map(|path| self.text(field, path)).collect();
                case.context = Some(texts?.into());
                Ok(true)
            }
            "expected" => self.replace_value(case.expected.as_mut(), field),
            _ => self.replace_value(case.vars.get_mut(field), field),
        }
    }

    fn replace_value(&mut self, value: Option<&mut Value>, field: &str) -> Result<bool, Diagnostic> {
        let Some(value) = value else { return Ok(false) };
        *value = match &*value {
            Value::String(path) => self.text(field, path)?.into(),
            other => {
                return Err(Diagnostic::new(format!(
                    "`{field}` must be the path of a file, found {}",
                    kind(other)
                ))
                .help("`dataset.files` lists the field: write a path, relative to the configuration"));
            }
        };
        Ok(true)
    }

    /// Returns the text of the file at a path, which may start with `file://`.
    fn text(&mut self, field: &str, written: &str) -> Result<String, Diagnostic> {
        let path = written.trim();
        let path = path.strip_prefix("file://").unwrap_or(path);
        let text = match self.read.get(path) {
            Some(read) => read.clone(),
            None => {
                let read = read(&self.tree, path);
                self.read.insert(path.to_owned(), read.clone());
                read
            }
        };
        let text = text.map_err(|diagnostic| {
            let line = diagnostic.place.and_then(|place| place.line);
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            let message = match path {
                "" => "the path is empty".to_owned(),
                path if diagnostic.message.contains(path) => diagnostic.message,
                path => format!("{path}{line}: {}", diagnostic.message),
            };
            Diagnostic::new(format!("`{field}`: {message}")).help(
                "`dataset.files` lists the field: write the path of a text file of the repository, relative to the \
                 configuration",
            )
        })?;
        self.total += text.len();
        if self.total > MAX_TOTAL {
            return Err(Diagnostic::new(format!(
                "the values that are read from files are larger than {} MiB in total",
                MAX_TOTAL >> 20
            ))
            .help("split the dataset"));
        }
        Ok(text)
    }
}

fn read(tree: &Tree, path: &str) -> Result<String, Diagnostic> {
    let bytes = tree.read_limited(path, VALUE_LIMIT)?;
    let text = decode(path, &bytes)?.replace("\r\n", "\n");
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    fn source(fields: &[&str]) -> DatasetSource {
        let files = fields.iter().map(|field| (*field).to_owned()).collect();
        DatasetSource { path: "cases.jsonl".to_owned(), files, ..DatasetSource::default() }
    }

    fn case(vars: &Value) -> Case {
        Case {
            vars: vars.as_object().cloned().unwrap(),
            place: Place::line("cases.jsonl", 3),
            ..Case::default()
        }
    }

    fn folder(files: &[(&str, &[u8])]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (path, bytes) in files {
            std::fs::write(folder.path().join(path), bytes).unwrap();
        }
        folder
    }

    #[test]
    fn paths_of_listed_fields_become_the_text_of_the_files() {
        let folder = folder(&[("a.txt", b"one\r\ntwo\n"), ("b.txt", b"\xef\xbb\xbfthree")]);
        let tree = Tree::work_tree(folder.path());
        let mut cases = [case(&json!({"document": "file://a.txt", "other": "b.txt"}))];
        cases[0].context = Some(vec!["b.txt".to_owned(), "a.txt".to_owned()].into());
        let read = read_values(&tree, &source(&["vars.document", "context"]), &mut cases).unwrap();
        assert_eq!(read, ["a.txt", "b.txt"]);
        assert_eq!(cases[0].vars["document"], "one\ntwo");
        assert_eq!(cases[0].vars["other"], "b.txt");
        assert_eq!(cases[0].context.as_deref().unwrap(), ["three", "one\ntwo"]);
    }

    #[test]
    fn files_that_cannot_be_read_are_errors_at_the_row() {
        let folder = folder(&[("image.png", b"\x89PNG\x00\x01"), ("late.bin", &[b'a', b'\n', 0xff])]);
        std::fs::create_dir(folder.path().join("notes")).unwrap();
        let large = std::fs::File::create(folder.path().join("large.txt")).unwrap();
        large.set_len(VALUE_LIMIT + 1).unwrap();
        let tree = Tree::work_tree(folder.path());
        for (value, words) in [
            (json!("missing.txt"), "`document`: missing.txt: file not found"),
            (json!("notes"), "notes: is a folder"),
            (json!("image.png"), "image.png: is not UTF-8"),
            (json!("late.bin"), "late.bin:2: is not UTF-8"),
            (json!("large.txt"), "large.txt"),
            (json!("../secret.txt"), "`../secret.txt` is outside the repository"),
            (json!("/etc/hostname"), "is outside the repository"),
            (json!(""), "the path is empty"),
            (json!(5), "must be the path of a file, found a number"),
        ] {
            let mut cases = [case(&json!({"document": value}))];
            let error = read_values(&tree, &source(&["document"]), &mut cases).unwrap_err();
            let [diagnostic] = error.0.as_slice() else { panic!("{error}") };
            assert_eq!(diagnostic.place.as_ref().unwrap().line, Some(3));
            assert!(diagnostic.message.contains(words), "{}", diagnostic.message);
        }
    }

    #[test]
    fn listed_field_that_no_row_has_is_an_error() {
        let folder = folder(&[]);
        let tree = Tree::work_tree(folder.path());
        let error = read_values(&tree, &source(&["document"]), &mut [case(&json!({}))]).unwrap_err();
        assert!(error.to_string().contains("lists `document`, but no row has it"), "{error}");
    }
}
