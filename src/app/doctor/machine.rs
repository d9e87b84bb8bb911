//! Checks of the cache folder and of the git repository.

use std::path::Path;

use super::{Findings, Severity};
use crate::app::cache::refuse_tracked;
use crate::app::files::temporary;
use crate::config::Settings;
use promptgate_adapters::git::{GitError, Repository};
use promptgate_core::model::Diagnostic;
use promptgate_report::doctor::{Check, CheckStatus};

/// Whether answers can be cached, and how large the cache is. Nothing is created.
pub(super) fn cache(settings: &Settings, folder: &Path, findings: &mut Findings) {
    let path = folder.join(&settings.cache.path);
    let shown = settings.cache.path.clone();
    let help = "take it out with `git rm --cached` and list it in .gitignore, or run with --no-cache";
    if let Err(diagnostic) = refuse_tracked(&path, "the cache of answers", help) {
        return findings.diagnostic(Severity::Usage, "cache", &diagnostic);
    }
    let parent = path.parent().unwrap_or(folder);
    // A run creates the folders that are missing.
    let existing = parent.ancestors().find(|folder| folder.exists()).unwrap_or(folder);
    if let Err(error) = temporary(existing) {
        let message = format!("{} cannot be written: {error}", existing.display());
        let check = Check::new("cache", CheckStatus::Problem, message).of(shown);
        let help = "set `cache.path` to a folder that can be written, or run with --no-cache";
        return findings.problem(Severity::Incomplete, check.help(help));
    }
    let message = match path.metadata() {
        Ok(facts) if facts.is_file() => {
            format!("{:.1} MB; its folder can be written", facts.len() as f64 / 1e6)
        }
        Ok(_) => {
            let check = Check::new("cache", CheckStatus::Problem, "this is not a file").of(shown);
            return findings.problem(Severity::Usage, check.help("set `cache.path` to the path of a file"));
        }
        Err(_) => "none yet; a run can create it".to_owned(),
    };
    findings.add(Check::new("cache", CheckStatus::Ok, message).of(shown));
}

/// Whether there is a repository, and how much of its history.
pub(super) fn git(folder: &Path, findings: &mut Findings) {
    match Repository::discover(folder) {
        Ok(repository) if repository.is_shallow() => {
            let check = Check::new(
                "git",
                CheckStatus::Warning,
                "the clone is shallow: most of the history is missing",
            );
            findings.add(check.help(
                "if the baseline is not found, check out with `fetch-depth: 0`, or `git fetch --unshallow`",
            ));
        }
        Ok(_) => findings.ok("git", "the whole history is here"),
        Err(GitError::Absent(_)) => {
            let check = Check::new("git", CheckStatus::Warning, "not in a git repository");
            findings.add(check.help(
                "`git init`, so that changes are compared with the commit they are based on; or name a `baseline:`",
            ));
        }
        Err(error) => findings.diagnostic(Severity::Usage, "git", &Diagnostic::from(error)),
    }
}
