//! A configuration that lists suites in place of being one.

use serde_json::Value;

use super::Placed;
use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostic, Diagnostics};

/// The key with the suites.
pub(super) const KEY: &str = "suites";
/// The keys that such a configuration may have.
pub(super) const KEYS: [&str; 2] = ["version", KEY];

/// The suites that a configuration lists: paths and globs of configurations or their folders, relative to it. `None` for a
/// configuration that is a suite, valid or not.
///
/// # Errors
/// Syntax, and every entry that is not a path.
pub fn listed_suites(file: &str, text: &str) -> Result<Option<Vec<Placed<String>>>, Diagnostics> {
    let document = Document::yaml(file, text)?;
    let Some(map) = document.value().as_object().filter(|map| map.contains_key(KEY)) else { return Ok(None) };
    let mut errors = Vec::new();
    for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        errors.push(
            Diagnostic::new(format!("unexpected key `{key}` beside `suites`"))
                .at(document.key_place(&promptgate_core::document::pointer("", key)))
                .help(
                    "a file that lists suites has only `version` and `suites`; write the key in each suite",
                ),
        );
    }
    if map.get("version").and_then(Value::as_u64) != Some(1) {
        let error = Diagnostic::new("`version` must be 1").at(document.place("/version"));
        errors.push(error.help("write `version: 1`"));
    }
    let mut paths = Vec::new();
    let items = map.get(KEY).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        let error = Diagnostic::new("`suites` lists no path").at(document.place("/suites"));
        errors.push(error.help("name configurations or their folders: `suites: [prompts/*]`"));
    }
    for (index, item) in items.iter().enumerate() {
        let place = document.place(&format!("/suites/{index}"));
        match item.as_str().filter(|path| !path.trim().is_empty()) {
            Some(path) => paths.push(Placed { value: path.to_owned(), place }),
            None => errors.push(
                Diagnostic::new("expected the path of a suite")
                    .at(place)
                    .help("write the path or glob of configurations or their folders: `prompts/*`"),
            ),
        }
    }
    if errors.is_empty() { Ok(Some(paths)) } else { Err(Diagnostics(errors)) }
}

/// Refuses a configuration that lists suites where one suite is meant.
///
/// # Errors
/// Syntax, and a list.
pub fn refuse_list(file: &str, text: &str) -> Result<(), Diagnostics> {
    Ok(refuse(&Document::yaml(file, text)?)?)
}

pub(super) fn refuse(document: &Document) -> Result<(), Diagnostic> {
    if document.value().get(KEY).is_none() {
        return Ok(());
    }
    let diagnostic = Diagnostic::new("this configuration is a list of suites, not a suite");
    Err(diagnostic.at(document.key_place("/suites")).help("name one of its suites"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Result<Option<Vec<String>>, Vec<String>> {
        let paths = |paths: Vec<Placed<String>>| paths.into_iter().map(|path| path.value).collect();
        listed_suites("promptgate.yaml", text)
            .map(|found| found.map(paths))
            .map_err(|errors| errors.0.into_iter().map(|error| error.message).collect())
    }

    #[test]
    fn paths_are_listed() {
        let found = listed("version: 1\nsuites: [prompts/*, login/promptgate.yaml]\n");
        assert_eq!(found, Ok(Some(vec!["prompts/*".to_owned(), "login/promptgate.yaml".to_owned()])));
        assert_eq!(listed("version: 1\ndataset: cases.jsonl\n"), Ok(None));
        assert_eq!(listed(""), Ok(None));
    }

    #[test]
    fn other_keys_and_values_are_errors() {
        for (text, message) in [
            ("version: 1\nsuites: []\n", "`suites` lists no path"),
            ("version: 1\nsuites: prompts/*\n", "`suites` lists no path"),
            ("version: 1\nsuites: [7]\n", "expected the path of a suite"),
            ("version: 1\nsuites: [' ']\n", "expected the path of a suite"),
            ("version: 1\nsuites: [a]\nmodel: x\n", "unexpected key `model` beside `suites`"),
            ("suites: [a]\n", "`version` must be 1"),
        ] {
            assert_eq!(listed(text), Err(vec![message.to_owned()]), "{text}");
        }
    }
}
