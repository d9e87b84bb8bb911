//! The messages that docs/troubleshooting.md explains, looked up in the source.

use regex::Regex;

use super::{files, read};

/// The text of all source files but tests, with string literals that continue on the next line joined.
fn source() -> String {
    let continued = Regex::new(r"\\\n\s*").expect("a pattern");
    let is_test = |path: &String| path.contains("/tests/") || path.ends_with("tests.rs");
    let mut paths = files("src", ".rs");
    paths.extend(files("crates", ".rs"));
    let texts: Vec<String> = paths.iter().filter(|path| !is_test(path)).map(|path| read(path)).collect();
    continued.replace_all(&texts.join("\n"), "").into_owned()
}

/// The messages that the page explains: the code spans that are its headings.
fn messages(page: &str) -> Vec<&str> {
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    headings
        .map(|heading| {
            let message = heading.trim();
            let double = message.strip_prefix("``").and_then(|rest| rest.strip_suffix("``"));
            double.or_else(|| message.strip_prefix('`')?.strip_suffix('`')).expect("a code span").trim()
        })
        .collect()
}

/// Whether a literal has the parts of the message around `…`, each followed by a placeholder.
fn is_in(source: &str, message: &str) -> bool {
    let parts: Vec<String> = message.split('…').map(regex::escape).collect();
    Regex::new(&parts.join(r"\{[^}]*\}")).expect("a pattern").is_match(source)
}

#[test]
fn explained_messages_exist_in_the_source() {
    let (source, page) = (source(), read("docs/troubleshooting.md"));
    let messages = messages(&page);
    assert!(messages.len() >= 25, "{} messages", messages.len());
    let missing: Vec<_> = messages.iter().filter(|message| !is_in(&source, message)).collect();
    assert!(missing.is_empty(), "not in the source: {missing:#?}");
}

#[test]
fn messages_that_do_not_exist_are_found() {
    let source = "format!(\"the budget of {calls} calls is spent\")";
    assert!(is_in(source, "the budget of … calls is spent"));
    assert!(!is_in(source, "the budget of … call is spent"));
    assert!(!is_in(source, "the budget … is spent"), "`…` is one placeholder");
    assert_eq!(messages("# T\n### `a …`\ntext\n### ``b `…` ``\n"), ["a …", "b `…`"]);
}
