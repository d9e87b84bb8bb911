//! The pages of the book: their links, and every command, configuration and message that they show.

#[cfg(unix)]
mod claims;
#[cfg(unix)]
mod good_cases;
mod links;
#[cfg(unix)]
mod messages;
#[cfg(unix)]
mod recipes;
#[cfg(unix)]
mod shell;
#[cfg(unix)]
mod tutorial;

use std::path::{Path, PathBuf};

use crate::support::repository;

/// A fenced block of a page.
#[derive(Clone, Debug)]
struct Block {
    /// The nearest heading of the second level above it.
    section: String,
    /// The last line above it that is not empty.
    caption: String,
    /// The word after the fence.
    language: String,
    text: String,
}

impl Block {
    /// The file that the caption names, as in "`cases.jsonl`:".
    fn file(&self) -> Option<&str> {
        self.caption.strip_prefix('`')?.strip_suffix("`:")
    }
}

/// The text of a file, by its path in the repository.
#[track_caller]
fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of a page, in order.
fn blocks(page: &str) -> Vec<Block> {
    let (mut section, mut caption) = (String::new(), String::new());
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        if open {
            let block = blocks.last_mut().expect("an open block");
            if line == "```" {
                open = false;
            } else {
                block.text.push_str(line);
                block.text.push('\n');
            }
        } else if let Some(language) = line.strip_prefix("```") {
            open = true;
            let (section, caption) = (section.clone(), caption.clone());
            blocks.push(Block { section, caption, language: language.to_owned(), text: String::new() });
        } else if !line.trim().is_empty() {
            caption = line.trim().to_owned();
            if let Some(title) = line.strip_prefix("## ") {
                section = title.to_owned();
            }
        }
    }
    assert!(!open, "an unclosed block in {caption:?}");
    blocks
}

/// Paths of all files below a folder of the repository that end so, sorted, with `/` between their parts.
fn files(folder: &str, ending: &str) -> Vec<String> {
    fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { visit(&path, found) } else { found.push(path) }
        }
    }
    let root = repository();
    let mut found = Vec::new();
    visit(&root.join(folder), &mut found);
    let mut paths: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(&root).expect("inside").to_string_lossy().replace('\\', "/"))
        .filter(|path| path.ends_with(ending))
        .collect();
    paths.sort();
    paths
}

#[test]
fn blocks_have_section_and_caption() {
    let page = "# A\n\n## First\n\n`a/b.md`:\n\n```markdown\none\n\ntwo\n```\n\nThen run\n\n```sh\nls\n```\n";
    let found = blocks(page);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((found[0].file(), found[0].text.as_str()), (Some("a/b.md"), "one\n\ntwo\n"));
    assert_eq!(
        (found[1].section.as_str(), found[1].file(), found[1].language.as_str()),
        ("First", None, "sh")
    );
}
