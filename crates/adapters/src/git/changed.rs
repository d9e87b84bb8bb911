//! Line ranges of a file that differ between two commits.

use super::{Repository, is_object_name};
use promptgate_core::model::Diagnostic;

/// Ranges kept for one file.
const MAX_RANGES: usize = 100;

/// Changed lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedLines {
    /// Path relative to the repository root, with `/`.
    pub path: String,
    /// First and last line of each changed range, from 1, in the new file; empty if the file is unchanged.
    pub lines: Vec<(usize, usize)>,
}

impl Repository {
    /// Returns the lines of a file that differ between two commits, `None` if the file is not tracked. `path` is
    /// relative to the repository's prefix. If lines were only deleted, the range is the line before them.
    ///
    /// # Errors
    /// If git fails, or `base` or `head` is not a full object name.
    pub fn changed_lines(
        &self,
        base: &str,
        head: &str,
        path: &str,
    ) -> Result<Option<ChangedLines>, Diagnostic> {
        if !is_object_name(base) || !is_object_name(head) {
            return Err(Diagnostic::new("commits to compare must be full object names"));
        }
        let output = self.git(&["ls-files", "-z", "--full-name", "--", path])?;
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some(full) = listed.split('\0').next().filter(|full| output.success && !full.is_empty()) else {
            return Ok(None);
        };
        // Prevents git from running programs set in its configuration or attributes.
        let options = ["--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"];
        let arguments = [&["diff"], &options[..], &["--end-of-options", base, head, "--", path]].concat();
        let output = self.read_commit(head, &arguments)?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(Some(ChangedLines { path: full.to_owned(), lines: ranges(&text) }))
    }
}

/// Parses the ranges from the hunk headers of a diff without context: `@@ -1,2 +3,4 @@`.
///
/// Content lines start with `+`, `-` or `\`, so they cannot be mistaken for headers.
fn ranges(diff: &str) -> Vec<(usize, usize)> {
    let headers = diff.split('\n').filter_map(|line| line.strip_prefix("@@ -"));
    let range = |header: &str| {
        let after = header.split(' ').nth(1)?.strip_prefix('+')?;
        let (start, count) = after.split_once(',').unwrap_or((after, "1"));
        let (start, count): (usize, usize) = (start.parse().ok()?, count.parse().ok()?);
        let first = start.max(1);
        Some((first, first.saturating_add(count.saturating_sub(1))))
    };
    headers.filter_map(range).take(MAX_RANGES).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn changed_lines_refer_to_the_new_file() {
        let repository = Fixture::new();
        repository.write("a/prompt.md", "one\ntwo\nthree\nfour\nfive\n");
        repository.write("a/other.md", "same\n");
        repository.git(&["add", "--all"]);
        repository.git(&["commit", "--quiet", "-m", "start"]);
        let base = repository.git(&["rev-parse", "HEAD"]);
        repository.write("a/prompt.md", "one\n@@ -9,9 +9,9 @@\nTWO\nthree\nfive\n");
        repository.write("a/new.md", "x\ny\n");
        repository.git(&["add", "--all"]);
        repository.git(&["commit", "--quiet", "-m", "change"]);
        let head = repository.git(&["rev-parse", "HEAD"]);
        let subfolder = Repository::discover(&repository.path().join("a")).unwrap();
        let lines = |path: &str| subfolder.changed_lines(&base, &head, path).unwrap();
        let changed = lines("prompt.md").unwrap();
        assert_eq!(changed, ChangedLines { path: "a/prompt.md".to_owned(), lines: vec![(2, 3), (4, 4)] });
        assert_eq!(lines("new.md").unwrap().lines, [(1, 2)]);
        assert_eq!(lines("other.md").unwrap().lines, []);
        assert_eq!(lines("../a/prompt.md").unwrap().path, "a/prompt.md");
        assert_eq!(lines("missing.md"), None);
        assert!(subfolder.changed_lines("--output=x", &head, "prompt.md").is_err());
    }
}
