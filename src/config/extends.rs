//! `extends`: the keys that suites share, in a file of their own.
//!
//! Maps are merged key by key; any other value of a suite replaces the shared one, and `null` removes it. Paths that the
//! shared file writes are relative to that file, and are rewritten here to be relative to the suite.

use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::load::Placed;
use super::{NAMES, suites};

/// The key.
const KEY: &str = "extends";
/// Keys that belong to one suite.
const OF_ONE_SUITE: [&str; 2] = ["name", "prompt"];
/// Places of paths; `*` is any key or index.
const PATHS: [&str; 18] = [
    "/dataset",
    "/dataset/path",
    "/target/answers",
    "/target/inputs/*",
    "/judge/planted",
    "/judge/calibration",
    "/endpoint/ca_cert",
    "/judge/endpoint/ca_cert",
    "/judge/panel/*/endpoint/ca_cert",
    "/embeddings/endpoint/ca_cert",
    "/cache/path",
    "/release/ledger/path",
    "/release/sources/*/otlp_file",
    "/release/sources/*/json",
    "/checks/*/json_schema",
    "/checks/*/json_schema/path",
    "/checks/*/not/json_schema",
    "/checks/*/not/json_schema/path",
];

/// The text of a configuration, with the one that it extends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigText {
    /// Its path for messages.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The file that it extends.
    pub shared: Option<SharedText>,
}

/// The text of a file that suites extend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedText {
    /// Its path for messages.
    pub file: String,
    /// Its path, relative to the suite.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The path that a configuration extends, relative to it; `None` without `extends`.
///
/// # Errors
/// Syntax, and a value that is not the path of a file beside, below or above the configuration.
pub fn extends(file: &str, text: &str) -> Result<Option<Placed<String>>, Diagnostics> {
    // Most configurations have no such key, and are parsed once.
    if !text.contains(KEY) {
        return Ok(None);
    }
    let document = Document::yaml(file, text)?;
    let Some(value) = document.value().get(KEY) else { return Ok(None) };
    // A list of suites has no other key.
    if document.value().get(suites::KEY).is_some() {
        return Ok(None);
    }
    let place = document.place("/extends");
    let refuse = |message: &str| {
        let error = Diagnostic::new(message).at(place.clone());
        Diagnostics::from(
            error.help("write the path of one file, relative to this one: `extends: ../shared.yaml`"),
        )
    };
    let Some(path) = value.as_str().filter(|path| !path.trim().is_empty()) else {
        return Err(refuse("`extends` must be the path of a file"));
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    if path.starts_with('/') || path.starts_with('~') || path.contains([':', '\\', '\0']) {
        return Err(refuse("`extends` must be a relative path with `/`, found an absolute path or a URL"));
    }
    if name.is_empty() || name == "." || name == ".." {
        return Err(refuse("`extends` must be the path of a file, found a folder"));
    }
    if NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        let message = format!("`extends` names {name}, which would be a suite of its own");
        let help = "give what suites share another name, such as shared.yaml";
        return Err(Diagnostic::new(message).at(place).help(help).into());
    }
    Ok(Some(Placed { value: path.to_owned(), place }))
}

impl ConfigText {
    /// A configuration that extends no other file.
    pub fn alone(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), shared: None }
    }

    /// The configuration merged with the file that it extends, as written.
    ///
    /// # Errors
    /// Every error of syntax, and every key that cannot be shared.
    pub fn merged(&self) -> Result<Value, Diagnostics> {
        self.document().map(Document::into_value)
    }

    /// The configuration over the file that it extends. Each value has the place where it is written.
    ///
    /// # Errors
    /// Every error of syntax, and every key that cannot be shared.
    pub(super) fn document(&self) -> Result<Document, Diagnostics> {
        let own = Document::yaml(&self.file, &self.text)?;
        if own.value().get(KEY).is_none() || own.value().get(suites::KEY).is_some() {
            return Ok(own);
        }
        let Some(shared) = &self.shared else {
            let error =
                Diagnostic::new("`extends` cannot be followed from here").at(own.key_place("/extends"));
            return Err(error.help("write the shared keys into this file").into());
        };
        let below = Document::yaml(&shared.file, &shared.text)?;
        let keys = shared_keys(&shared.file, &below)?;
        let mut base = Value::Object(keys);
        if let Some((folder, _)) = shared.path.rsplit_once('/') {
            relocate("", &mut base, folder);
        }
        if let Some(own) = own.value().as_object() {
            merge(&mut base, own);
        }
        Ok(own.over(below, base))
    }
}

/// The keys of a shared file.
fn shared_keys(file: &str, document: &Document) -> Result<Map<String, Value>, Diagnostics> {
    let map = match document.value() {
        Value::Object(map) => map.clone(),
        Value::Null => {
            let error = Diagnostic::new("the file that suites extend is empty").at(Place::file(file));
            return Err(error.help("write the keys that they share, or remove `extends`").into());
        }
        _ => {
            let error = Diagnostic::new("the file that suites extend must be a map").at(document.place(""));
            return Err(error.help("write the keys that they share, such as `model: NAME`").into());
        }
    };
    let mut errors = Vec::new();
    for key in map.keys() {
        let (message, help) = match key.as_str() {
            KEY => (
                "a file that suites extend cannot extend another one".to_owned(),
                "write its keys into this file, or extend that file directly".to_owned(),
            ),
            suites::KEY => (
                "a list of suites cannot be extended".to_owned(),
                "name a file with the keys that the suites share".to_owned(),
            ),
            key if OF_ONE_SUITE.contains(&key) => (
                format!("`{key}` belongs to one suite and cannot be shared"),
                format!("write `{key}` in each suite"),
            ),
            _ => continue,
        };
        errors.push(Diagnostic::new(message).at(document.key_place(&pointer("", key))).help(help));
    }
    if map.get("version").is_some_and(|version| version.as_u64() != Some(1)) {
        let error = Diagnostic::new("`version` must be 1").at(document.place("/version"));
        errors.push(error.help("write `version: 1`, or leave it to the suites"));
    }
    if errors.is_empty() { Ok(map) } else { Err(Diagnostics(errors)) }
}

/// Merges the keys of a suite into the shared ones.
fn merge(shared: &mut Value, own: &Map<String, Value>) {
    let Value::Object(shared) = shared else { return };
    for (key, value) in own {
        match (shared.get_mut(key), value) {
            (Some(below @ Value::Object(_)), Value::Object(own)) => merge(below, own),
            // `api_key_env: null` is a value: no key.
            (Some(_), Value::Null) if key != "api_key_env" => {
                shared.shift_remove(key);
            }
            _ => {
                shared.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Makes the paths of a shared file, whose folder is `folder` seen from the suite, relative to the suite.
fn relocate(at: &str, value: &mut Value, folder: &str) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                relocate(&pointer(at, key), value, folder);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter_mut().enumerate() {
                relocate(&format!("{at}/{index}"), value, folder);
            }
        }
        Value::String(text) if at == "/baseline" => *text = relocated_baseline(text, folder),
        Value::String(text) if PATHS.iter().any(|pattern| is_at(pattern, at)) => {
            *text = relocated(text, folder)
        }
        _ => {}
    }
}

/// Whether a pointer has the form of a pattern.
fn is_at(pattern: &str, pointer: &str) -> bool {
    let (mut expected, mut found) = (pattern.split('/'), pointer.split('/'));
    loop {
        match (expected.next(), found.next()) {
            (None, None) => return true,
            (Some(expected), Some(found)) if expected == "*" || expected == found => {}
            _ => return false,
        }
    }
}

/// The baseline's path, where it has one: `file:PATH`, `report:PATH`, `git:REF:PATH`, or a path alone.
fn relocated_baseline(spec: &str, folder: &str) -> String {
    match spec.split_once(':') {
        Some((kind @ ("file" | "report"), path)) => format!("{kind}:{}", relocated(path, folder)),
        Some(("git", rest)) => match rest.split_once(':') {
            Some((reference, path)) => format!("git:{reference}:{}", relocated(path, folder)),
            None => spec.to_owned(),
        },
        Some(_) => spec.to_owned(),
        None if spec == "none" => spec.to_owned(),
        None => relocated(spec, folder),
    }
}

fn relocated(path: &str, folder: &str) -> String {
    let is_absolute = path.starts_with(['/', '\\', '~']) || std::path::Path::new(path).is_absolute();
    if is_absolute || path.is_empty() {
        return path.to_owned();
    }
    format!("{folder}/{}", path.trim_start_matches("./"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(path: &str, shared: &str, own: &str) -> ConfigText {
        let shared =
            SharedText { file: "shared.yaml".to_owned(), path: path.to_owned(), text: shared.to_owned() };
        ConfigText { shared: Some(shared), ..ConfigText::alone("promptgate.yaml", own) }
    }

    fn errors(text: &ConfigText) -> Vec<String> {
        text.document().map(|_| ()).unwrap_err().0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn maps_are_merged_and_other_values_are_replaced() {
        let shared = "model: a\nparameters: {temperature: 0, stop: [x, y]}\nchecks: [{contains: a}]\n\
                      endpoint: {api_key_env: KEY, rpm: 3}\ngate: {repeats: 3}\nbudget: {usd: 1}\n";
        let own = "version: 1\nextends: shared.yaml\nmodel: b\nparameters: {stop: [z], seed: 1}\n\
                   checks: []\nendpoint: {api_key_env: null, rpm: null}\ngate: null\n";
        assert_eq!(
            text("shared.yaml", shared, own).merged().unwrap(),
            json!({
                "model": "b", "parameters": {"temperature": 0, "stop": ["z"], "seed": 1}, "checks": [],
                "endpoint": {"api_key_env": null}, "budget": {"usd": 1}, "version": 1, "extends": "shared.yaml"
            })
        );
    }

    #[test]
    fn paths_are_those_of_the_file_that_writes_them() {
        let shared = "dataset: cases/*.jsonl\njudge: {planted: ./p.jsonl, calibration: /c.json}\n\
                      checks: [{json_schema: s.json}, {json_schema: {path: s.json}}, {contains: s.json}]\n\
                      baseline: \"git:main:old.md\"\ncache: {path: c.redb}\nmodel: vendor/name\n\
                      release: {sources: {x: {json: m.json}}}\n";
        let own = "extends: ../../s/shared.yaml\ncache: {path: mine.redb}\n";
        let merged = text("../../s/shared.yaml", shared, own).merged().unwrap();
        assert_eq!(merged["dataset"], "../../s/cases/*.jsonl");
        assert_eq!(merged["judge"], json!({"planted": "../../s/p.jsonl", "calibration": "/c.json"}));
        assert_eq!(merged["checks"][0]["json_schema"], "../../s/s.json");
        assert_eq!(merged["checks"][1]["json_schema"]["path"], "../../s/s.json");
        assert_eq!(merged["checks"][2]["contains"], "s.json");
        assert_eq!(merged["baseline"], "git:main:../../s/old.md");
        assert_eq!(merged["cache"]["path"], "mine.redb");
        assert_eq!(merged["model"], "vendor/name");
        assert_eq!(merged["release"]["sources"]["x"]["json"], "../../s/m.json");
        for (spec, expected) in [
            ("none", "none"),
            ("git:merge-base", "git:merge-base"),
            ("registry:a@production", "registry:a@production"),
            ("report:r.json", "report:d/r.json"),
            ("old.md", "d/old.md"),
        ] {
            assert_eq!(relocated_baseline(spec, "d"), expected, "{spec}");
        }
    }

    #[test]
    fn keys_of_one_suite_cannot_be_shared() {
        let own = "version: 1\nextends: shared.yaml\n";
        let found = errors(&text(
            "shared.yaml",
            "extends: x.yaml\nname: a\nsuites: [a]\nprompt: p.md\nversion: 2\n",
            own,
        ));
        for words in [
            "shared.yaml:1:1: a file that suites extend cannot extend another one",
            "shared.yaml:2:1: `name` belongs to one suite",
            "shared.yaml:3:1: a list of suites cannot be extended",
            "shared.yaml:4:1: `prompt` belongs to one suite",
            "shared.yaml:5:10: `version` must be 1",
        ] {
            assert!(found.iter().any(|error| error.starts_with(words)), "{words}: {found:#?}");
        }
        assert!(errors(&text("shared.yaml", "", own))[0].contains("is empty"));
        assert!(errors(&text("shared.yaml", "[a]", own))[0].contains("must be a map"));
        assert!(errors(&ConfigText::alone("promptgate.yaml", own))[0].contains("cannot be followed"));
    }

    #[test]
    fn places_are_in_the_file_that_writes_the_value() {
        let shared = "judge:\n  model: a\n  votes: 3\n";
        let own = "extends: shared.yaml\njudge:\n  votes: 5\n";
        let document = text("shared.yaml", shared, own).document().unwrap();
        let place = |pointer: &str| {
            let place = document.place(pointer);
            (place.file, place.line.unwrap())
        };
        assert_eq!(place("/judge/model"), ("shared.yaml".to_owned(), 2));
        assert_eq!(place("/judge/votes"), ("promptgate.yaml".to_owned(), 3));
        assert_eq!(place("/judge/panel"), ("promptgate.yaml".to_owned(), 3));
        assert_eq!(place("/extends"), ("promptgate.yaml".to_owned(), 1));
        assert_eq!(place("/none").0, "promptgate.yaml");
    }

    #[test]
    fn only_relative_paths_of_files_are_extended() {
        for path in
            ["/a.yaml", "'https://a/b.yaml'", "'C:\\\\a.yaml'", "~/a.yaml", "..", "a/", "''", "[a, b]", "7"]
        {
            assert!(extends("f", &format!("extends: {path}\n")).is_err(), "{path}");
        }
        assert!(extends("f", "extends: ../Promptgate.yaml\n").is_err());
        let found = extends("f", "extends: ../shared.yaml\n").unwrap().unwrap();
        assert_eq!((found.value.as_str(), found.place.line), ("../shared.yaml", Some(1)));
        assert_eq!(extends("f", "name: extends\n"), Ok(None));
        assert_eq!(extends("f", "suites: [a]\nextends: b.yaml\n"), Ok(None));
    }
}
