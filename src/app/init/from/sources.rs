//! The files that an import reads, named relative to the folder of the imported file.

use std::cell::RefCell;

use serde_json::Value;

use super::original::Original;
use promptgate_adapters::files::decode;
use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

/// Reads the files below the folder of the imported file; conversions have no other input.
pub(super) struct Sources<'a> {
    /// The folder as the user named it; empty for the current one.
    pub(super) folder: String,
    /// Path from the folder that is written to the folder of the source, empty or with a slash at its end.
    pub(super) prefix: String,
    /// Bytes of a file.
    pub(super) read: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
    /// Paths that match a pattern, sorted.
    pub(super) list: &'a dyn Fn(&str) -> Result<Vec<String>, String>,
    /// Errors about files that could not be read, also where the conversion went on.
    pub(super) unreadable: RefCell<Vec<Diagnostic>>,
}

impl Sources<'_> {
    /// The name of a file in messages.
    pub(super) fn shown(&self, path: &str) -> String {
        match self.folder.as_str() {
            "" => path.to_owned(),
            folder => format!("{}/{path}", folder.trim_end_matches('/')),
        }
    }

    /// Text of a file; `named_at` is the place that names it.
    pub(super) fn text(&self, path: &str, named_at: &Place) -> Result<String, Diagnostic> {
        let bytes = (self.read)(path).map_err(|error| {
            let message = format!("cannot read `{}`: {error}", self.shown(path));
            let help = "correct the path, or remove it, and import again";
            let diagnostic = Diagnostic::new(message).at(named_at.clone()).help(help);
            let mut unreadable = self.unreadable.borrow_mut();
            if !unreadable.contains(&diagnostic) {
                unreadable.push(diagnostic.clone());
            }
            diagnostic
        })?;
        Ok(decode(&self.shown(path), &bytes)?.replace("\r\n", "\n"))
    }

    /// A YAML or JSON file.
    pub(super) fn document(&self, path: &str, named_at: &Place) -> Result<Document, Diagnostics> {
        let text = self.text(path, named_at)?;
        parse(&self.shown(path), &text)
    }

    /// Resolves a path in `file://`: relative to the configuration, as the tool does, or else to the file that names it.
    pub(super) fn resolve(&self, path: &str, from: &str) -> String {
        let plain = normal(path);
        if (self.read)(&plain).is_ok() || from.is_empty() {
            return plain;
        }
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let beside = normal(&format!("{folder}/{path}"));
        if (self.read)(&beside).is_ok() { beside } else { plain }
    }

    /// A file whose content is carried.
    pub(super) fn original(&self, path: &str) -> Original {
        let bytes = (self.read)(path).unwrap_or_default();
        Original { shown: self.shown(path), path: self.suite_path(path), bytes }
    }

    /// The path from the written folder.
    pub(super) fn suite_path(&self, path: &str) -> String {
        normal(&format!("{}{path}", self.prefix))
    }
}

/// Parses JSON where the text starts like it, else YAML.
pub(super) fn parse(file: &str, text: &str) -> Result<Document, Diagnostics> {
    let is_json = file.ends_with(".json") || file.ends_with(".jsonl");
    if is_json { Document::json(file, text) } else { Document::yaml(file, text) }
}

/// A path without `.` and, where possible, `..`.
pub(in crate::app::init) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// The extension of a path in lower case.
pub(super) fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_ascii_lowercase())
}

/// The name of a file without folder and extension.
pub(in crate::app::init) fn stem(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// A value as text: a string unchanged, anything else as JSON.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_dots() {
        for (path, normalized) in [
            ("a/b.txt", "a/b.txt"),
            ("./a//b", "a/b"),
            ("tests/../rules/a.txt", "rules/a.txt"),
            ("../../x", "../../x"),
            ("a/../../x", "../x"),
            ("/etc/./x", "/etc/x"),
        ] {
            assert_eq!(normal(path), normalized);
        }
    }

    #[test]
    fn names_lose_folder_and_extension() {
        assert_eq!((extension("a.b/c.TXT"), stem("x/triage.prompt.yml")), ("txt".into(), "triage".into()));
        assert_eq!(extension("a.b/c"), "");
    }
}
