//! `tests`, `defaultTest` and `scenarios`, in the configuration and in files.

use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::super::sources::{extension, normal};
use super::assertions::Assertion;
use super::{Reader, csv, transform};

/// A test as written.
#[derive(Debug, Clone, Default)]
pub(super) struct Test {
    pub(super) description: Option<String>,
    pub(super) vars: Map<String, Value>,
    pub(super) asserts: Vec<Assertion>,
    pub(super) threshold: Option<f64>,
    /// Whether its lists are values and not several tests.
    pub(super) keeps_lists: bool,
    pub(super) place: Place,
    /// The file that it is written in.
    pub(super) file: String,
}

/// Keys of a test without effect on the verdict.
const IGNORED: [&str; 4] = ["description", "metadata", "vars", "assert"];

/// A value in a file with the places of its parts.
struct Written<'a> {
    document: &'a Document,
    file: &'a str,
    at: &'a str,
}

impl Written<'_> {
    fn place(&self, below: &str) -> Place {
        self.document.place(&format!("{}{below}", self.at))
    }
}

impl Reader<'_> {
    /// All tests, with what `defaultTest` says.
    pub(super) fn tests(&mut self) -> Result<Vec<Test>, Diagnostics> {
        let (document, file) = (self.document, self.file);
        let default = match self.root.get("defaultTest") {
            Some(Value::String(path)) => {
                let path = normal(path.strip_prefix("file://").unwrap_or(path));
                let document = self.sources.document(&path, &self.place("/defaultTest"))?;
                let map = document.value().as_object().cloned().unwrap_or_default();
                self.test(&map, &Written { document: &document, file: &path, at: "" }, true)?
            }
            Some(Value::Object(map)) => {
                self.test(map, &Written { document, file, at: "/defaultTest" }, true)?
            }
            _ => Test::default(),
        };
        let mut tests = Vec::new();
        if let Some(value) = self.root.get("tests") {
            self.list(value, &Written { document, file, at: "/tests" }, &mut tests)?;
        }
        self.scenarios(&mut tests)?;
        Ok(tests.into_iter().map(|test| combined(&default, test)).collect())
    }

    /// The tests of a list, of a path, or of a pattern.
    fn list(
        &mut self,
        value: &Value,
        written: &Written<'_>,
        tests: &mut Vec<Test>,
    ) -> Result<(), Diagnostics> {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let at = format!("{}/{index}", written.at);
                    self.list(item, &Written { at: &at, ..*written }, tests)?;
                }
            }
            Value::Object(map) => {
                if let Some(Value::String(path)) = map.get("path").filter(|_| !map.contains_key("vars")) {
                    return self.list(&Value::from(path.as_str()), written, tests);
                }
                tests.push(self.test(map, written, false)?);
            }
            Value::String(path) => self.files(path, written, tests)?,
            _ => {
                let help = "write a map with `vars` and `assert`, or the path of a file";
                self.draft.note(&written.place(""), "this is not a test", help);
            }
        }
        Ok(())
    }

    fn files(&mut self, path: &str, written: &Written<'_>, tests: &mut Vec<Test>) -> Result<(), Diagnostics> {
        let place = written.place("");
        let is_remote = ["http://", "https://", "huggingface://", "sharepoint://"]
            .iter()
            .any(|start| path.starts_with(start));
        let plain = path.strip_prefix("file://").unwrap_or(path);
        let (plain, _) = plain.rsplit_once('#').unwrap_or((plain, ""));
        if is_remote {
            self.draft.note(&place, format!("`{path}` is not fetched"), "save it as a CSV, and import again");
            return Ok(());
        }
        let paths = if plain.contains('*') {
            (self.sources.list)(&normal(plain)).map_err(|error| Diagnostic::new(error).at(place.clone()))?
        } else {
            vec![self.sources.resolve(plain, written.file)]
        };
        if paths.is_empty() {
            let message = format!("no file matches `{}`", self.sources.shown(plain));
            return Err(Diagnostic::new(message)
                .at(place)
                .help("correct the pattern, and import again")
                .into());
        }
        for path in paths {
            let before = tests.len();
            self.file(&path, &place, tests)?;
            if tests.len() > before {
                self.draft.copied.push((self.sources.original(&path), tests.len() - before));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &str, place: &Place, tests: &mut Vec<Test>) -> Result<(), Diagnostics> {
        let shown = self.sources.shown(path);
        match extension(path).as_str() {
            "csv" | "tsv" => {
                let text = self.sources.text(path, place)?;
                let read = csv::tests(&shown, path, &text)?;
                for test in &read {
                    self.note_threshold(test.threshold, &test.place);
                }
                tests.extend(read);
            }
            "jsonl" | "ndjson" => {
                let text = self.sources.text(path, place)?;
                for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                    let document = Document::json_from(&shown, index + 1, line)?;
                    self.list(document.value(), &Written { document: &document, file: path, at: "" }, tests)?;
                }
            }
            "yaml" | "yml" | "json" => {
                let document = self.sources.document(path, place)?;
                self.list(document.value(), &Written { document: &document, file: path, at: "" }, tests)?;
            }
            _ => {
                let help = "write the tests that it makes into a file such as cases.jsonl";
                self.draft.note(place, format!("the tests in `{path}` are made by a program"), help);
            }
        }
        Ok(())
    }

    fn test(
        &mut self,
        map: &Map<String, Value>,
        written: &Written<'_>,
        is_default: bool,
    ) -> Result<Test, Diagnostics> {
        let mut test = Test {
            description: map.get("description").and_then(Value::as_str).map(str::to_owned),
            threshold: map.get("threshold").and_then(Value::as_f64),
            place: Place { excerpt: None, ..written.place("") },
            file: written.file.to_owned(),
            ..Test::default()
        };
        match map.get("vars") {
            Some(Value::Object(vars)) => test.vars = vars.clone(),
            Some(Value::String(path)) => test.vars = self.vars_of_file(path, written)?,
            Some(Value::Array(paths)) => {
                for path in paths.iter().filter_map(Value::as_str) {
                    test.vars.extend(self.vars_of_file(path, written)?);
                }
            }
            _ => {}
        }
        if let Some(Value::Array(items)) = map.get("assert") {
            self.asserts(items, &format!("{}/assert", written.at), written, &mut test.asserts);
        }
        for key in map.keys().filter(|key| !IGNORED.contains(&key.as_str())) {
            let at = written.document.key_place(&pointer(written.at, key));
            match (key.as_str(), map.get(key)) {
                ("options", Some(Value::Object(options))) => {
                    self.options(options, &at, is_default, &mut test)
                }
                ("threshold", _) => self.note_threshold(test.threshold, &at),
                ("providerOutput", _) => {
                    let help = "write the answers to a file: `target: {answers: answers.jsonl}`";
                    self.draft.note(&at, "recorded answers of a test are not carried", help);
                }
                _ => {
                    let help = "write a configuration of its own for these tests";
                    self.draft.note(&at, format!("`{key}` of a test has no counterpart"), help);
                }
            }
        }
        Ok(test)
    }

    fn note_threshold(&mut self, threshold: Option<f64>, place: &Place) {
        if let Some(threshold) = threshold.filter(|threshold| *threshold < 1.0) {
            let help = "every check is a requirement here: remove those that may fail, or give one `min` for its share";
            let message = format!("a test does not pass by a share of {threshold} of its assertions");
            self.draft.note(place, message, help);
        }
    }

    fn vars_of_file(&mut self, path: &str, written: &Written<'_>) -> Result<Map<String, Value>, Diagnostics> {
        let place = written.place("/vars");
        let path = self.sources.resolve(path.strip_prefix("file://").unwrap_or(path), written.file);
        let document = self.sources.document(&path, &place)?;
        Ok(document.value().as_object().cloned().unwrap_or_default())
    }

    /// Assertions, those of sets included.
    fn asserts(&mut self, items: &[Value], at: &str, written: &Written<'_>, asserts: &mut Vec<Assertion>) {
        for (index, item) in items.iter().enumerate() {
            let at = format!("{at}/{index}");
            let place = written.document.place(&at);
            let Value::Object(map) = item else {
                self.draft.note(&place, "an assertion must be a map", "write {type: contains, value: TEXT}");
                continue;
            };
            if map.get("type").and_then(Value::as_str) != Some("assert-set") {
                asserts.push(Assertion::read(map, place, written.file));
                continue;
            }
            let threshold = map.get("threshold").and_then(Value::as_f64).filter(|threshold| *threshold < 1.0);
            if let Some(threshold) = threshold {
                let help = "write those that have to hold as checks of their own; `contains: {any: […]}` requires one of several texts";
                self.draft.note(
                    &place,
                    format!("a set of which a share of {threshold} has to hold has no counterpart"),
                    help,
                );
            } else if let Some(Value::Array(items)) = map.get("assert") {
                self.asserts(items, &format!("{at}/assert"), written, asserts);
            }
        }
    }

    fn options(&mut self, options: &Map<String, Value>, at: &Place, is_default: bool, test: &mut Test) {
        test.keeps_lists = options.get("disableVarExpansion") == Some(&Value::Bool(true));
        self.judge(options, at);
        for (key, value) in options {
            match (key.as_str(), value.as_str()) {
                ("disableVarExpansion" | "provider", _) => {}
                ("transform" | "postprocess", Some(code)) if is_default => self.transform_at(code, at),
                ("transform" | "postprocess", Some("output.trim()")) => {}
                ("transform" | "postprocess", _) => {
                    let help =
                        "answers are transformed alike for all cases: `transform:` in the configuration";
                    self.draft.note(at, "a transformation for one test has no counterpart", help);
                }
                ("rubricPrompt", _) => {
                    let help = "the instructions of the judge are built in: write what it should look at into the criteria";
                    self.draft.note(at, "`rubricPrompt` has no counterpart", help);
                }
                ("prefix" | "suffix", _) => {
                    self.draft.note(at, format!("`{key}` has no counterpart"), "write it into the prompt");
                }
                _ => self.draft.note(at, format!("the option `{key}` has no counterpart"), "leave it out"),
            }
        }
    }

    /// A transformation of a provider.
    pub(super) fn transform(&mut self, code: &str, at: &str) {
        let place = self.document.key_place(&pointer(at, "transform"));
        self.transform_at(code, &place);
    }

    fn transform_at(&mut self, code: &str, place: &Place) {
        match transform::convert(code) {
            Some((keys, is_json)) => {
                self.draft.transform.extend(keys);
                self.answers_are_json |= is_json;
            }
            None => {
                let help = "write `transform:` with `extract`, `json_path` or `trim`, or do it in a scorer by command";
                self.draft.note(place, format!("the transformation is code: {}", code.trim()), help);
            }
        }
    }

    /// Every set of values of a scenario with every of its tests.
    fn scenarios(&mut self, tests: &mut Vec<Test>) -> Result<(), Diagnostics> {
        let (document, file) = (self.document, self.file);
        let Some(Value::Array(scenarios)) = self.root.get("scenarios") else { return Ok(()) };
        for (index, scenario) in scenarios.iter().enumerate() {
            let at = format!("/scenarios/{index}");
            let (mut configs, mut own) = (Vec::new(), Vec::new());
            for (key, list) in [("config", &mut configs), ("tests", &mut own)] {
                let at = pointer(&at, key);
                if let Some(value) = scenario.get(key) {
                    self.list(value, &Written { document, file, at: &at }, list)?;
                }
            }
            for config in &configs {
                tests.extend(own.iter().map(|test| combined(config, test.clone())));
            }
        }
        Ok(())
    }
}

/// A test with what applies to all.
fn combined(default: &Test, test: Test) -> Test {
    let mut vars = default.vars.clone();
    vars.extend(test.vars);
    let mut asserts = default.asserts.clone();
    asserts.extend(test.asserts);
    Test {
        vars,
        asserts,
        description: test.description.or_else(|| default.description.clone()),
        threshold: test.threshold.or(default.threshold),
        keeps_lists: test.keeps_lists || default.keeps_lists,
        ..test
    }
}
