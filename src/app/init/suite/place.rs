//! Where the files of suites are written.

use std::path::Path;

use super::{FoundPrompt, folder_of, name_of};
use crate::app::init::from::draft::unique;

/// The folder of each suite, relative to the first folder, with a slash at its end: the first folder for a single suite;
/// with several, that of the prompt, or `suites/NAME/` where prompts share one, or it is the first folder, or not below it.
pub(super) fn places(folder: &Path, suites: &[String], prompts: &[&FoundPrompt]) -> Vec<String> {
    if prompts.len() <= 1 {
        return prompts.iter().map(|_| String::new()).collect();
    }
    let mut names = Vec::new();
    prompts
        .iter()
        .map(|prompt| {
            let own = folder_of(&prompt.path);
            let is_shared = prompts.iter().filter(|other| folder_of(&other.path) == own).count() > 1;
            let is_taken = suites.iter().any(|suite| folder_of(suite) == own);
            let is_outside = own.starts_with("../") || own.starts_with('/');
            if own.is_empty() || is_shared || is_taken || is_outside {
                let name = unique(&name_of(folder, prompt, prompts), &mut names);
                format!("suites/{name}/")
            } else {
                own
            }
        })
        .collect()
}

/// A path from the folder of a suite; both are relative to the first folder.
pub(super) fn relative(suite_folder: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let from: Vec<&str> = suite_folder.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = path.split('/').collect();
    let folders = to.len().saturating_sub(1);
    let shared = from.iter().zip(to.iter().take(folders)).take_while(|(one, other)| one == other).count();
    let up = from.iter().skip(shared).map(|_| "..");
    up.chain(to.into_iter().skip(shared)).collect::<Vec<_>>().join("/")
}

/// The path of a file that is not there yet: `cases.jsonl`, else `cases-2.jsonl` and so on.
pub(super) fn free(folder: &Path, suite_folder: &str, stem: &str, extension: &str) -> String {
    let path = |number: usize| match number {
        1 => format!("{suite_folder}{stem}.{extension}"),
        number => format!("{suite_folder}{stem}-{number}.{extension}"),
    };
    let is_free = |path: &String| folder.join(path).symlink_metadata().is_err();
    (1..100).map(path).find(is_free).unwrap_or_else(|| path(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_suite() {
        for (suite, path, expected) in [
            ("", "prompts/a.md", "prompts/a.md"),
            ("suites/a/", "prompts/a.md", "../../prompts/a.md"),
            ("prompts/a/", "prompts/a/prompt.md", "prompt.md"),
            ("prompts/a/", "prompts/cases.csv", "../cases.csv"),
            ("a/", "a", "../a"),
            ("a/", "/srv/x.csv", "/srv/x.csv"),
        ] {
            assert_eq!(relative(suite, path), expected);
        }
    }

    #[test]
    fn prompts_that_share_a_folder_get_folders_of_their_own() {
        let prompt = |path: &str| FoundPrompt::of_text(path, "Answer {{question}}.");
        let (a, b, c, d) = (prompt("p/a.md"), prompt("p/b.md"), prompt("q/c/prompt.md"), prompt("d.md"));
        let found = places(Path::new("."), &[], &[&a, &b, &c, &d]);
        assert_eq!(found, ["suites/a/", "suites/b/", "q/c/", "suites/d/"]);
        assert_eq!(places(Path::new("."), &[], &[&c]), [""]);
    }
}
