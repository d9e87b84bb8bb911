//! Which lines of a file a change touches.

use super::{Repository, is_object_name};
use promptgate_core::model::Diagnostic;

/// Places of a file that are remembered.
const MAX: usize = 100;

/// The lines of a file that a change touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The file, from the top of the repository, with `/`.
    pub path: String,
    /// First and last line of each place, from 1, in the file as it is after the change; empty where it is as it was.
    pub lines: Vec<(usize, usize)>,
}

impl Repository {
    /// The lines of a file that differ between two commits; `None` where the file is no part of the repository. `path`
    /// is relative to the folder that the repository was discovered from. Where lines were only taken out, the one
    /// before them stands for them.
    ///
    /// # Errors
    /// A mistake where git does not say, or a commit is not named in full.
    pub fn changed_lines(&self, base: &str, head: &str, path: &str) -> Result<Option<Changed>, Diagnostic> {
        if !is_object_name(base) || !is_object_name(head) {
            return Err(Diagnostic::new("lines are compared between two commits that are named in full"));
        }
        let said = self.git(&["ls-files", "-z", "--full-name", "--", path])?;
        let listed = String::from_utf8_lossy(&said.stdout).into_owned();
        let Some(full) = listed.split('\0').next().filter(|full| said.success && !full.is_empty()) else {
            return Ok(None);
        };
        // No program of a configuration or of attributes is run.
        let options = ["--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"];
        let mut arguments = vec!["diff"];
        arguments.extend(options);
        arguments.extend(["--end-of-options", base, head, "--", path]);
        let said = self.git(&arguments)?;
        if !said.success {
            return Err(self.unreadable(head, &said));
        }
        let text = String::from_utf8_lossy(&said.stdout);
        Ok(Some(Changed { path: full.to_owned(), lines: places(&text) }))
    }
}

/// The places in the headers of a diff without context: `@@ -1,2 +3,4 @@`.
///
/// Lines of a file begin with `+`, `-` or `\`, so none of them looks like a header.
fn places(diff: &str) -> Vec<(usize, usize)> {
    let headers = diff.split('\n').filter_map(|line| line.strip_prefix("@@ -"));
    let place = |header: &str| {
        let after = header.split(' ').nth(1)?.strip_prefix('+')?;
        let (start, count) = after.split_once(',').unwrap_or((after, "1"));
        let (start, count): (usize, usize) = (start.parse().ok()?, count.parse().ok()?);
        let first = start.max(1);
        Some((first, first.saturating_add(count.saturating_sub(1))))
    };
    headers.filter_map(place).take(MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn lines_are_those_of_the_file_after_the_change() {
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
        let seen = Repository::discover(&repository.path().join("a")).unwrap();
        let lines = |path: &str| seen.changed_lines(&base, &head, path).unwrap();
        let changed = lines("prompt.md").unwrap();
        assert_eq!(changed, Changed { path: "a/prompt.md".to_owned(), lines: vec![(2, 3), (4, 4)] });
        assert_eq!(lines("new.md").unwrap().lines, [(1, 2)]);
        assert_eq!(lines("other.md").unwrap().lines, []);
        assert_eq!(lines("../a/prompt.md").unwrap().path, "a/prompt.md");
        assert_eq!(lines("missing.md"), None);
        assert!(seen.changed_lines("--output=x", &head, "prompt.md").is_err());
    }
}
