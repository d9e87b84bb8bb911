//! Loads a configuration: syntax, schema, then the resolution of every key.

use serde_json::Value;

use promptgate_adapters::metrics::Placeholder;
use promptgate_core::document::{self, Document};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::extends::ConfigText;
use super::release::{ReleaseAlone, ReleaseSettings};
use super::schema::{release_schema, schema};
use super::{Settings, Written};

/// A value with its place in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub place: Place,
}

/// A configuration as written, without the file that it extends.
///
/// # Errors
/// Every error of syntax.
pub fn written(file: &str, text: &str) -> Result<Value, Diagnostics> {
    Document::yaml(file, text).map(Document::into_value)
}

/// Reads a configuration that extends no other file. `file` is its path as the user named it, `check_entry` the schema of
/// an entry of `checks`.
///
/// # Errors
/// As [`ConfigText::load`].
pub fn load(file: &str, text: &str, check_entry: &Value) -> Result<Settings, Diagnostics> {
    ConfigText::alone(file, text).load(check_entry)
}

impl ConfigText {
    /// Reads the configuration. `check_entry` is the schema of an entry of `checks`.
    ///
    /// # Errors
    /// All errors at once, in the order of the files: syntax, or else schema and meaning.
    pub fn load(&self, check_entry: &Value) -> Result<Settings, Diagnostics> {
        match self.load_valid_parts(check_entry)? {
            (settings, errors) if errors.0.is_empty() => Ok(settings),
            (_, errors) => Err(errors),
        }
    }

    /// Reads the configuration like [`Self::load`], and returns the settings of its valid parts beside the errors of the
    /// others, so that the files it names can be checked as well.
    ///
    /// # Errors
    /// All errors, where nothing can be read.
    pub fn load_valid_parts(&self, check_entry: &Value) -> Result<(Settings, Diagnostics), Diagnostics> {
        load_valid_parts(&self.file, self.document()?, check_entry)
    }

    /// Reads the `release:` of the configuration; `None` without that key. Other keys are not examined, which takes a
    /// fraction of the time: applications may read a prompt once per process.
    ///
    /// # Errors
    /// All errors of syntax, or else all of that key.
    pub fn load_release(&self) -> Result<Option<ReleaseSettings>, Diagnostics> {
        load_release(&self.file, &self.document()?)
    }
}

fn load_valid_parts(
    file: &str,
    document: Document,
    check_entry: &Value,
) -> Result<(Settings, Diagnostics), Diagnostics> {
    if document.value().is_null() {
        let diagnostic = Diagnostic::new("the configuration is empty").at(Place::file(file));
        return Err(diagnostic.help("`promptgate init` writes one to start from").into());
    }
    super::suites::refuse(&document)?;
    refuse_shared_alone(file, &document)?;
    let violations = document::violations(&document, &schema(check_entry));
    // Invalid values are removed, so that the rest can still be checked.
    let mut rest = document.value().clone();
    let mut pointers: Vec<&str> = violations.iter().map(|violation| violation.pointer.as_str()).collect();
    pointers.sort_by_key(|pointer| std::cmp::Reverse(pointer.len()));
    for pointer in pointers {
        remove(&mut rest, pointer);
    }
    let found = violations.into_iter().map(|violation| violation.diagnostic).collect();
    let mut reader = Reader { document: &document, diagnostics: found };
    refuse_unexpanded(&mut reader, "", document.value());
    let settings = match serde_json::from_value::<Written>(rest) {
        Ok(written) => Some(written.resolve(&mut reader, file)),
        Err(error) => {
            if reader.diagnostics.is_empty() {
                reader.push(Diagnostic::new(error.to_string()).at(Place::file(file)));
            }
            None
        }
    };
    let mut diagnostics = reader.diagnostics;
    document::sort_by_place(&mut diagnostics);
    diagnostics.sort_by_key(|diagnostic| diagnostic.place.as_ref().is_some_and(|place| place.file != file));
    match settings {
        Some(settings) => Ok((settings, Diagnostics(diagnostics))),
        None => Err(Diagnostics(diagnostics)),
    }
}

/// Refuses a file that holds only what suites share.
fn refuse_shared_alone(file: &str, document: &Document) -> Result<(), Diagnostic> {
    let name = file.rsplit(['/', ':']).next().unwrap_or(file);
    let of_suite = ["dataset", "prompt", "target", "prompts", "targets", "extends"];
    let Some(map) = document.value().as_object() else { return Ok(()) };
    if super::NAMES.contains(&name) || map.is_empty() || of_suite.iter().any(|key| map.contains_key(*key)) {
        return Ok(());
    }
    Err(Diagnostic::new("this file is not a suite: it has neither `dataset` nor `prompt`")
        .at(Place::file(file))
        .help("what suites share is checked with each suite that names it with `extends`: name one of those"))
}

fn load_release(file: &str, document: &Document) -> Result<Option<ReleaseSettings>, Diagnostics> {
    let Some(release) = document.value().get("release") else { return Ok(None) };
    let violations = document::violations(document, &release_schema());
    let found: Vec<Diagnostic> = violations.into_iter().map(|violation| violation.diagnostic).collect();
    if !found.is_empty() {
        return Err(Diagnostics(found));
    }
    let mut reader = Reader { document, diagnostics: Vec::new() };
    refuse_unexpanded(&mut reader, "/release", release);
    let invalid = |error: serde_json::Error| Diagnostic::new(error.to_string()).at(Place::file(file));
    let ReleaseAlone { name, release } = serde_json::from_value(document.value().clone()).map_err(invalid)?;
    let name = name.unwrap_or_else(|| super::folder(file));
    let settings = release.and_then(|release| release.resolve(&mut reader, &name));
    let mut diagnostics = reader.diagnostics;
    document::sort_by_place(&mut diagnostics);
    if diagnostics.is_empty() { Ok(settings) } else { Err(Diagnostics(diagnostics)) }
}

/// Keys whose texts are prompts, patterns and names of columns, in which `${NAME}` is text.
const LITERAL: [&str; 7] = [
    "/checks",
    "/dataset/defaults",
    "/dataset/fields",
    "/metrics",
    "/prompt/messages",
    "/prompt/text",
    "/user",
];

/// Reports values that refer to environment variables, which would be used as they are written.
fn refuse_unexpanded(reader: &mut Reader<'_>, at: &str, value: &Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                refuse_unexpanded(reader, &document::pointer(at, key), value);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                refuse_unexpanded(reader, &format!("{at}/{index}"), item);
            }
        }
        Value::String(text) => {
            let below = |parent: &str| at == parent || at.starts_with(&format!("{parent}/"));
            let is_placeholder = |written: &str| {
                below("/release/sources") && Placeholder::ALL.iter().any(|name| name.as_str() == written)
            };
            let Some((written, name)) = document::unexpanded(text).filter(|(written, _)| {
                !LITERAL.iter().any(|parent| below(parent)) && !is_placeholder(written)
            }) else {
                return;
            };
            // Parameters may hold schemas and descriptions.
            if at.starts_with("/parameters/") && written != text {
                return;
            }
            let help = match at.rsplit('/').next().unwrap_or_default() {
                key if key == "env" || key.ends_with("_env") => format!("write the name alone: {name}"),
                "value" => format!("write {{env: {name}}} for a header from the environment"),
                _ if at.contains("/headers/") => format!("write {{env: {name}}}"),
                _ => "write the value itself; `envsubst` or the CI system can write the file before the run"
                    .to_owned(),
            };
            let message =
                format!("`{written}` is not expanded: variables of the environment have no place here");
            let mut diagnostic = Diagnostic::new(message).at(reader.document.place(at)).help(help);
            // Other parts of the line may be secret.
            diagnostic.place = diagnostic.place.map(without_excerpt);
            reader.push(diagnostic);
        }
        _ => {}
    }
}

/// Removes the value at a pointer: a key from its map, or a whole list, since its other items would move.
fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, token)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.shift_remove(&token.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(_)) => remove(value, parent),
        _ => {}
    }
}

/// A document with the diagnostics found in it.
pub(super) struct Reader<'a> {
    pub(super) document: &'a Document,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// A value with its place.
    pub(super) fn placed<T>(&self, at: &str, value: T) -> Placed<T> {
        Placed { value, place: self.document.place(at) }
    }

    /// Adds a diagnostic at the value of a pointer.
    pub(super) fn report(&mut self, at: &str, message: impl Into<String>, help: impl Into<String>) {
        self.push(Diagnostic::new(message).at(self.document.place(at)).help(help));
    }

    /// Adds a diagnostic at the key of a pointer.
    pub(super) fn report_key(&mut self, at: &str, message: impl Into<String>, help: impl Into<String>) {
        self.push(Diagnostic::new(message).at(self.document.key_place(at)).help(help));
    }

    /// Adds a diagnostic, unless it was found before.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Whether the document has a value there, valid or not.
    pub(super) fn has(&self, at: &str) -> bool {
        self.document.value().pointer(at).is_some()
    }

    /// The keys of the map there, valid or not.
    pub(super) fn keys(&self, at: &str) -> Vec<String> {
        let map = self.document.value().pointer(at).and_then(Value::as_object);
        map.into_iter().flat_map(|map| map.keys().cloned()).collect()
    }
}

/// A place whose line must not be shown, since it may hold a secret.
pub(super) fn without_excerpt(place: Place) -> Place {
    Place { excerpt: None, length: 0, ..place }
}
