//! The names of several suites, and the folders of their reports.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::super::{Failure, sources};
use crate::config;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

/// A suite among several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedSuite {
    /// Its configuration.
    pub(crate) config: PathBuf,
    /// The path of its configuration as a reader would write it.
    pub(crate) shown: String,
    /// Its name.
    pub(crate) name: String,
    /// The folder of its report below that of all: letters, digits, `-`, `_` and `.`.
    pub(crate) folder: String,
}

impl NamedSuite {
    /// A suite that is not there any more; it has no report.
    pub(crate) fn removed(shown: &str) -> Self {
        let name = config::folder(shown);
        Self { config: PathBuf::from(shown), shown: shown.to_owned(), name, folder: String::new() }
    }

    /// A suite in a folder of its name.
    #[cfg(test)]
    pub(super) fn of(name: &str) -> Self {
        Self {
            config: PathBuf::from(name).join("promptgate.yaml"),
            shown: format!("{name}/promptgate.yaml"),
            name: name.to_owned(),
            folder: name.to_owned(),
        }
    }
}

/// Names the suites by their configurations.
///
/// # Errors
/// Two of one name, whose reports could not be told apart.
pub(crate) fn named(configurations: Vec<PathBuf>) -> Result<Vec<NamedSuite>, Failure> {
    let mut suites = Vec::new();
    let mut by_folder: BTreeMap<String, String> = BTreeMap::new();
    let mut errors = Vec::new();
    for config in configurations {
        let shown = sources::shown(&config);
        let name = name(&config, &shown);
        let folder = folder(&name);
        if let Some(other) = by_folder.insert(folder.clone(), shown.clone()) {
            errors.push(
                Diagnostic::new(format!(
                    "{other} and {shown} are both called {}",
                    sources::shown_path(&name)
                ))
                .at(Place::file(&shown))
                .help("give each a `name:` of its own, which is the folder of its report"),
            );
        }
        suites.push(NamedSuite { config, shown, name, folder });
    }
    if errors.is_empty() { Ok(suites) } else { Err(Diagnostics(errors).into()) }
}

/// The `name` of a configuration, else the name of its folder. An invalid configuration is reported when it is loaded.
fn name(config: &std::path::Path, shown: &str) -> String {
    let text = std::fs::read(config).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let written = text.and_then(|text| config::written(shown, &text).ok());
    let name = written.as_ref().and_then(|written| written.get("name")).and_then(Value::as_str);
    name.filter(|name| !name.is_empty()).map_or_else(|| config::folder(shown), str::to_owned)
}

/// A name as that of a folder. Names that differ in other characters alone share one.
fn folder(name: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let folder: String = name.trim().to_lowercase().chars().map(keep).take(80).collect();
    let folder = folder.trim_matches(['.', '-']);
    // A partial run has a folder of that name.
    if folder.is_empty() || folder == super::super::partial::FOLDER {
        format!("suite-{folder}")
    } else {
        folder.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_plain_names() {
        for (name, expected) in [
            ("Customer Support", "customer-support"),
            ("../../etc", "etc"),
            ("a/b\\c:d", "a-b-c-d"),
            ("zürich", "zürich"),
            ("..", "suite-"),
            ("partial", "suite-partial"),
        ] {
            assert_eq!(folder(name), expected, "{name}");
        }
    }

    #[test]
    fn equal_names_are_an_error_and_others_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        let first = write("a/promptgate.yaml", "version: 1\nname: Refunds\n");
        let second = write("b/promptgate.yaml", "version: 1\n");
        let third = write("c/promptgate.yaml", "version: 1\nname: refunds\n");
        let suites = named(vec![first.clone(), second]).unwrap();
        let names: Vec<(&str, &str)> =
            suites.iter().map(|suite| (suite.name.as_str(), suite.folder.as_str())).collect();
        assert_eq!(names, [("Refunds", "refunds"), ("b", "b")]);
        let failure = named(vec![first, third]).unwrap_err();
        assert!(failure.diagnostics()[0].message.contains("are both called refunds"), "{failure:?}");
    }
}
