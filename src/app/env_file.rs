//! `--env-file`: variables for this process alone, from a file of `NAME=VALUE` lines.
//!
//! Values are taken as they are written: nothing is expanded, so that a `$` in a password is a `$`. Messages never repeat a
//! value.

use std::path::{Path, PathBuf};

use super::Environment;
use super::cache::refuse_tracked;
use super::files::{Links, read_text};
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Place};

/// Largest file that is read, in bytes.
const LIMIT: u64 = 1 << 20;
const WHAT: &str = "file of variables";

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    value: String,
    line: usize,
}

/// Adds the variables of files to an environment. Variables that are set keep their value, and of two files the first one
/// counts. `flags` are variables that set flags of the command line, which were read before any file.
///
/// # Errors
/// A file that cannot be read, or a line that is not valid.
pub(crate) fn add(
    environment: Environment,
    paths: &[PathBuf],
    flags: impl Fn(&str) -> bool,
) -> Result<Environment, Diagnostic> {
    let mut added: Vec<(String, String)> = Vec::new();
    for path in paths {
        let shown = path.display().to_string();
        let text = read_text(path, WHAT, LIMIT, Links::Follow).map_err(|why| {
            Diagnostic::new(why)
                .at(Place::file(&shown))
                .help("give --env-file the path of a file of NAME=VALUE lines")
        })?;
        let at = |line: usize, message: String| {
            let place = Place { line: Some(line), ..Place::file(&shown) };
            Diagnostic::new(message).at(place)
        };
        let entries = parse(&text).map_err(|(line, why)| {
            at(line, why.to_owned()).help("expected NAME=VALUE, with quotes around a value with spaces")
        })?;
        for Entry { name, value, line } in entries {
            if flags(&name) {
                let message = format!("{name} sets a flag, and flags are read before this file");
                return Err(
                    at(line, message).help("give the flag itself, or set the variable before the command")
                );
            }
            if added.iter().all(|(known, _)| *known != name) {
                added.push((name, value));
            }
        }
    }
    Ok(environment.with(added))
}

/// Refuses files that a pull request could bring: those that git tracks, and paths that lead through a link of the work
/// tree. With them a change would choose the hosts that keys are sent to.
///
/// # Errors
/// Such a file.
pub(crate) fn refuse_from_change(paths: &[PathBuf]) -> Result<(), Diagnostic> {
    let help =
        "in `ci`, name a file that a step of the workflow wrote, or set the variables in `env` of the step";
    for path in paths {
        refuse_tracked(path, "this file of variables", help)?;
        if is_linked(path) {
            return Err(Diagnostic::new("this path leads through a link of the repository")
                .at(Place::file(path.display().to_string()))
                .help(help));
        }
    }
    Ok(())
}

/// Whether a path inside the repository leads somewhere else.
fn is_linked(path: &Path) -> bool {
    let Ok(here) = std::env::current_dir().and_then(|here| here.canonicalize()) else { return true };
    let Ok(Some(repository)) = Repository::find(&here) else { return false };
    let Ok(top) = repository.top().canonicalize() else { return true };
    let named = here.join(path);
    let parent = named.parent().map_or_else(|| named.clone(), Path::to_owned);
    let is_inside =
        named.starts_with(&top) || parent.canonicalize().is_ok_and(|parent| parent.starts_with(&top));
    let leads_to = named.canonicalize();
    is_inside && leads_to.is_ok_and(|leads_to| !leads_to.starts_with(&top) || named.is_symlink())
}

/// Reads the lines: `NAME=VALUE`, after `export ` or not; blank lines and those that start with `#` are skipped. A value in
/// single quotes is literal; in double quotes `\n`, `\"` and `\\` are escapes; without quotes it ends before ` #`.
///
/// # Errors
/// The number of the first line that is not valid, and why; never its text.
fn parse(text: &str) -> Result<Vec<Entry>, (usize, &'static str)> {
    let mut entries: Vec<Entry> = Vec::new();
    for (line, written) in (1..).zip(text.lines()) {
        let written = written.trim();
        if written.is_empty() || written.starts_with('#') {
            continue;
        }
        let written = written.strip_prefix("export ").unwrap_or(written);
        let (name, value) = written.split_once('=').ok_or((line, "this line has no `=`"))?;
        let name = name.trim();
        if !is_name(name) {
            return Err((line, "the text before `=` is not a valid name of a variable"));
        }
        if entries.iter().any(|entry| entry.name == name) {
            return Err((line, "this variable is set twice in this file"));
        }
        let value = unquoted(value.trim()).map_err(|why| (line, why))?;
        entries.push(Entry { name: name.to_owned(), value, line });
    }
    Ok(entries)
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(plain) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

fn unquoted(written: &str) -> Result<String, &'static str> {
    const OPEN: &str = "the quote of this value is not closed on its line";
    const AFTER: &str = "there is text after the closing quote of this value";
    let is_rest = |rest: &str| rest.trim().is_empty() || rest.trim_start().starts_with('#');
    if let Some(literal) = written.strip_prefix('\'') {
        let (value, rest) = literal.split_once('\'').ok_or(OPEN)?;
        return if is_rest(rest) { Ok(value.to_owned()) } else { Err(AFTER) };
    }
    let Some(quoted) = written.strip_prefix('"') else {
        let value =
            if written.starts_with('#') { "" } else { written.split(" #").next().unwrap_or_default() };
        return Ok(value.trim_end().to_owned());
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => {
                let rest = quoted.get(index + 1..).unwrap_or_default();
                return if is_rest(rest) { Ok(value) } else { Err(AFTER) };
            }
            '\\' => match characters.next().ok_or(OPEN)?.1 {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            plain => value.push(plain),
        }
    }
    Err(OPEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().map(|entry| (entry.name, entry.value)).collect()
    }

    #[test]
    fn values_are_taken_as_they_are_written() {
        let text = "# comment\n\nA=plain # comment\nexport B='single $A # \\n'\nC=\"two\\nlines \\\"x\\\" $A\"  # c\n\
                    D=pa$$word#1\n E = spaced \nF=\nG=#\nH=a=b\n";
        let expected = [
            ("A", "plain"),
            ("B", "single $A # \\n"),
            ("C", "two\nlines \"x\" $A"),
            ("D", "pa$$word#1"),
            ("E", "spaced"),
            ("F", ""),
            ("G", ""),
            ("H", "a=b"),
        ];
        assert_eq!(read(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(read("A=1\r\nB='2'\r\n").len(), 2);
    }

    #[test]
    fn invalid_line_is_named_by_its_number_alone() {
        for (text, line) in [
            ("A=1\nsk-hush\n", 2),
            ("1A=sk-hush", 1),
            ("A B=sk-hush", 1),
            ("=sk-hush", 1),
            ("\n\nA='sk-hush", 3),
            ("A=\"sk-hush\\", 1),
            ("A='x'sk-hush", 1),
            ("A=1\nA=sk-hush", 2),
        ] {
            let (found, why) = parse(text).unwrap_err();
            assert_eq!(found, line, "{text:?}");
            assert!(!why.contains("hush"));
        }
    }

    #[test]
    fn set_variables_keep_their_value() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one.env", "two.env"].map(|name| folder.path().join(name));
        std::fs::write(&one, "A=file\nB=first\n").unwrap();
        std::fs::write(&two, "B=second\nC=third\n").unwrap();
        let environment = Environment::of([("A".to_owned(), "process".to_owned())]);
        let environment = add(environment, &[one, two], |_| false).unwrap();
        let of = |name: &str| environment.variable(name).unwrap();
        assert_eq!([of("A"), of("B"), of("C")], ["process", "first", "third"]);
    }
}
