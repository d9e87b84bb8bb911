//! Which files are prompts, by name and text.

use promptgate_adapters::files::{ParsedPrompt, PromptBytes, PromptSource, parse_prompt};
use promptgate_core::model::{Diagnostic, Diagnostics};
use promptgate_core::template;

/// The model of a prompt that names none, while it is parsed.
pub(in crate::app::init) const NO_MODEL: &str = "gpt-4o-mini";
/// Extensions of text prompts.
const TEXTS: [&str; 8] = ["md", "markdown", "txt", "prompt", "j2", "jinja", "jinja2", "mustache"];
/// Names of files that are about a project, in lower case and without extension.
const ABOUT: [&str; 10] = [
    "readme",
    "changelog",
    "license",
    "licence",
    "contributing",
    "code_of_conduct",
    "requirements",
    "robots",
    "cmakelists",
    "humans",
];
/// More of them, which are written in capitals.
const CAPITALS: [&str; 10] =
    ["CHANGES", "HISTORY", "COPYING", "NOTICE", "AUTHORS", "SECURITY", "SUPPORT", "TODO", "AGENTS", "CLAUDE"];
/// Folders with pages and templates for people.
const PAGES: [&str; 7] = ["docs", "doc", "site", "website", "_posts", "templates", "issue_template"];
/// Bytes of the largest text that nothing but its extension makes a prompt.
const MAX_UNMARKED: usize = 64 << 10;

/// Extensions of source code.
const CODE: [&str; 18] = [
    "py", "ipynb", "js", "mjs", "cjs", "jsx", "ts", "mts", "tsx", "go", "rs", "java", "kt", "rb", "php",
    "cs", "swift", "scala",
];
/// Names of files that start an application, and of those that describe one.
const STARTS: [&str; 6] = ["app", "main", "server", "bot", "index", "cli"];
const DESCRIBES: [&str; 7] =
    ["requirements.txt", "pyproject.toml", "package.json", "go.mod", "pom.xml", "gemfile", "composer.json"];

/// Whether a file is source code by its extension.
pub(in crate::app::init) fn is_code(path: &str) -> bool {
    CODE.contains(&extension(path).as_str())
}

/// The file by which an application is known: the one that starts it, else other source code, else what describes it.
pub(super) fn application(paths: &[&str]) -> Option<String> {
    let starts = |path: &&&str| {
        is_code(path) && STARTS.iter().any(|start| name(path).starts_with(&format!("{start}.")))
    };
    let is_code = |path: &&&str| is_code(path);
    let describes = |path: &&&str| DESCRIBES.contains(&name(path).as_str());
    let found = paths.iter().find(starts).or_else(|| paths.iter().find(is_code));
    found.or_else(|| paths.iter().find(describes)).map(|path| (*path).to_owned())
}

/// How sure it is that a file is a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::app::init) enum Mark {
    /// A text that could be anything.
    Unmarked,
    /// Its name, its folder, a placeholder or its front matter says so.
    Marked,
}

/// The name of a file in lower case, without folders.
fn name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_lowercase()
}

pub(super) fn extension(path: &str) -> String {
    name(path).rsplit_once('.').map(|(_, extension)| extension.to_owned()).unwrap_or_default()
}

/// Whether name and extension allow that a file is a prompt.
pub(super) fn may_be_prompt(path: &str) -> bool {
    let extension = extension(path);
    is_text(path) || ["json", "yaml", "yml", "prompty"].contains(&extension.as_str())
}

/// Whether a file would be a text prompt.
pub(super) fn is_text(path: &str) -> bool {
    let name = name(path);
    let stem = name.split('.').next().unwrap_or_default().replace('-', "_");
    let is_capital =
        CAPITALS.iter().any(|known| path.rsplit('/').next().is_some_and(|own| own.starts_with(known)));
    TEXTS.contains(&extension(path).as_str())
        && !is_capital
        && !ABOUT.contains(&stem.as_str())
        && !stem.starts_with("requirements")
        && !name.starts_with('.')
}

/// Whether the path speaks of prompts.
fn names_prompts(path: &str) -> bool {
    let path = path.to_lowercase();
    path.contains("prompt") || ["system", "instructions"].iter().any(|word| name(&path).starts_with(word))
}

/// The mark of a text; `None` for one that is not a prompt.
pub(super) fn mark(path: &str, text: &str) -> Option<Mark> {
    let lower = path.to_lowercase();
    let mut folders = lower.split('/').rev().skip(1);
    let is_page = folders.any(|folder| PAGES.contains(&folder)) || lower.starts_with(".github/");
    let has_front_matter =
        text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---")).is_some_and(|(front, _)| {
            front.lines().any(|line| line.starts_with("model:") || line.starts_with("version:"))
        });
    if names_prompts(path) || has_front_matter {
        return Some(Mark::Marked);
    }
    if is_page {
        return None;
    }
    let has_placeholder = template::Template::parse(text).is_ok_and(|parsed| !parsed.variables().is_empty());
    if has_placeholder {
        return Some(Mark::Marked);
    }
    let is_prose = text.len() <= MAX_UNMARKED && text.split_whitespace().nth(2).is_some();
    // Deep in a tree, a text without a mark is data.
    (is_prose && path.matches('/').count() <= 1).then_some(Mark::Unmarked)
}

/// Parses a prompt as a suite would, with the model `NO_MODEL` where it names none.
///
/// # Errors
/// All errors in the file.
pub(in crate::app::init) fn parse(path: &str, bytes: &[u8], user: &str) -> Result<ParsedPrompt, Diagnostics> {
    let source = PromptSource {
        path: path.to_owned(),
        user: user.to_owned(),
        model: Some(NO_MODEL.to_owned()),
        ..PromptSource::default()
    };
    let bytes = PromptBytes { file: path.to_owned(), bytes: bytes.to_vec(), ..PromptBytes::default() };
    parse_prompt(&bytes, &source).map(|loaded| loaded.value)
}

/// The first error that no dataset can repair: template logic, or the reference answer as a variable.
pub(in crate::app::init) fn problem(prompt: &ParsedPrompt) -> Option<Diagnostic> {
    if let Some(error) = template::verify(&prompt.variant, &[]).into_iter().next() {
        return Some(error);
    }
    let is_reference = template::used_names(&prompt.variant).iter().any(|name| name == "expected");
    is_reference.then(|| {
        Diagnostic::new("`{{expected}}` would show the model the reference answer")
            .help("take it out of the prompt, or give the variable another name")
    })
}

/// Names in single braces, `{question}`, each with its line; none where the text has placeholders in double braces, so that
/// single ones are probably meant literally.
pub(in crate::app::init) fn single_braces(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (at, _) in line.match_indices('{') {
            let before = line.get(..at).unwrap_or_default();
            let rest = line.get(at + 1..).unwrap_or_default();
            let Some((inside, after)) = rest.split_once('}') else { continue };
            let is_name = inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && inside.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let is_single = !before.ends_with(['{', '$']) && !after.starts_with('}');
            if is_name && is_single && !found.iter().any(|(_, known)| known == inside) {
                found.push((index + 1, inside.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_marked_by_name_folder_placeholder_and_front_matter() {
        for (path, text, expected) in [
            ("prompts/a.md", "Be kind.", Some(Mark::Marked)),
            ("src/system_prompt.txt", "Be kind.", Some(Mark::Marked)),
            ("system.txt", "Be kind.", Some(Mark::Marked)),
            ("a.md", "Answer from {{context}}.", Some(Mark::Marked)),
            ("a.md", "---\nmodel: x\n---\nBe kind.", Some(Mark::Marked)),
            ("a.txt", "Answer in one sentence.", Some(Mark::Unmarked)),
            ("docs/a.md", "Values are written {{name}}.", None),
            ("docs/prompts/a.md", "Be kind.", Some(Mark::Marked)),
            (".github/pull_request_template.md", "What is changed here?", None),
            ("data/raw/one/a.txt", "Some text of a customer.", None),
            ("a.txt", "12345", None),
        ] {
            assert_eq!(mark(path, text), expected, "{path}");
        }
    }

    #[test]
    fn files_about_a_project_are_not_prompts() {
        for path in
            ["README.md", "a/README.de.md", "CHANGELOG.md", "requirements-dev.txt", "robots.txt", "main.py"]
        {
            assert!(!is_text(path), "{path}");
        }
        assert!(!is_text("SUPPORT.md") && !is_text("a/SECURITY.md"));
        assert!(is_text("a/support.md") && !is_text("code-of-conduct.md") && is_text("x.prompt"));
    }

    #[test]
    fn names_in_single_braces_are_found_with_their_lines() {
        let found = single_braces("Answer {question}.\n{\"a\": {b} }\n{{c}} ${d} {question} {two words}");
        assert_eq!(found, [(1, "question".to_owned()), (2, "b".to_owned())]);
    }
}
