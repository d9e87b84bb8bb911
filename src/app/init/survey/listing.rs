//! The files of a folder that a survey looks at: few levels, no links, no hidden or generated folders.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use promptgate_core::text::neutral;

/// Levels of folders below the first.
const MAX_DEPTH: usize = 6;
/// Maximum number of entries; the upper levels come first.
const MAX_ENTRIES: usize = 20_000;
/// Folders of tools, besides hidden ones.
const GENERATED: [&str; 13] = [
    "node_modules",
    "target",
    "venv",
    "__pycache__",
    "site-packages",
    "vendor",
    "dist",
    "build",
    "coverage",
    "htmlcov",
    "third_party",
    "promptgate-report",
    "shards",
];

/// A file by its path from the folder, with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) path: String,
    /// Size in bytes.
    pub(super) size: u64,
}

/// Lists files, upper levels first and sorted in each folder; the notes name what was skipped.
pub(super) fn list(folder: &Path) -> (Vec<Listed>, Vec<String>) {
    let (mut files, mut notes, mut entries) = (Vec::new(), Vec::new(), 0);
    let mut folders = VecDeque::from([(String::new(), 0)]);
    while let Some((prefix, depth)) = folders.pop_front() {
        let Ok(read) = fs::read_dir(folder.join(&prefix)) else {
            if depth > 0 {
                notes.push(format!("the folder {} cannot be read", neutral::terminal(&prefix)));
            }
            continue;
        };
        let mut inside: Vec<fs::DirEntry> = read.flatten().take(MAX_ENTRIES).collect();
        inside.sort_by_key(fs::DirEntry::file_name);
        for entry in inside {
            entries += 1;
            if entries > MAX_ENTRIES {
                notes.push(format!("only the first {MAX_ENTRIES} files were looked at"));
                return (files, notes);
            }
            let (Ok(kind), name) = (entry.file_type(), entry.file_name()) else { continue };
            let shown = || neutral::terminal(&format!("{prefix}{}", name.to_string_lossy()));
            let Some(name) = name.to_str().filter(|name| neutral::source_line(name) == **name) else {
                notes.push(format!("skipped {}: its name has characters that are not visible", shown()));
                continue;
            };
            let path = format!("{prefix}{name}");
            if kind.is_dir() {
                let is_hidden = name.starts_with('.') && path != ".github";
                if !is_hidden && !GENERATED.contains(&name) && depth < MAX_DEPTH {
                    folders.push_back((format!("{path}/"), depth + 1));
                }
            } else if kind.is_file() {
                let size = entry.metadata().map(|facts| facts.len()).unwrap_or_default();
                files.push(Listed { path, size });
            } else if kind.is_symlink() && super::recognize::may_be_prompt(&path) {
                notes.push(format!("skipped {path}: it is a symbolic link"));
            }
        }
    }
    (files, notes)
}
